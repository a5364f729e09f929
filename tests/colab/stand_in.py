"""Run every notebook as Colab would: its packages, an empty folder, one by one.

    python tests/colab/stand_in.py FOLDER [--json] [NOTEBOOK ...]

makes a virtual environment in FOLDER with the versions of packages.txt, installs the
book's package on top, fails if that changed any of them, then runs the notebooks (all, if
none is named) and prints the seconds of each.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = Path(__file__).with_name("packages.txt")
RUN = """
import sys, nbclient, nbformat
nb = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(nb, timeout=600, kernel_name="python3").execute()
"""


def run(*command, **options) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def versions(python: Path) -> dict[str, str]:
    """What is installed, by name; the package of the book left out."""
    lines = run(python, "-m", "pip", "freeze", "--exclude", "lookback-book").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def build(folder: Path) -> Path:
    """A Python with Colab's packages."""
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        run(python, "-m", "pip", "install", "-q", "-r", PACKAGES)
    return python


def install(python: Path) -> dict[str, str]:
    """Install the book's package as its set-up cell does; return what came with it."""
    before = versions(python)
    kept = [f"{name}=={version}" for name, version in before.items()]
    kept = [re.sub(r"\+\w+$", "", one) for one in kept]
    run(python, "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", ROOT)
    run(python, "-m", "pip", "install", "-q", *kept, ROOT)
    after = versions(python)
    changed = {name for name in before if after.get(name) != before[name]}
    if changed:
        raise SystemExit(f"installing the package changed {', '.join(sorted(changed))}")
    return {name: after[name] for name in after.keys() - before.keys()}


def seconds(python: Path, notebook: Path, empty: Path) -> float:
    """Run one notebook from an empty folder."""
    empty.mkdir(exist_ok=True)
    began = time.perf_counter()
    quiet = {**os.environ, "LOOKBACK_QUIET": "1"}
    quiet.pop("PYTHONPATH", None)
    run(python, "-W", "ignore", "-c", RUN, notebook.resolve(), cwd=empty, env=quiet)
    return round(time.perf_counter() - began, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = given.folder.resolve()
    python = build(folder)
    print("added:", json.dumps(install(python), sort_keys=True), file=sys.stderr)
    chosen = given.notebooks or sorted((ROOT / "book").rglob("*.ipynb"))
    rows = []
    for path in chosen:
        rows.append(
            {"name": path.stem, "seconds": seconds(python, path, folder / "empty")}
        )
        print(f"{rows[-1]['name']:<32} {rows[-1]['seconds']:6.1f} s", file=sys.stderr)
    if given.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
