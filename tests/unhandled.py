"""Take the handling of one fault after another out of a copy: its test has to fail.

    python tests/unhandled.py

Each fault is undone where the package deals with it; then only its tests are run. The
exit code is the number of faults whose handling nothing would miss. As a superuser: a
full disk and a read-only home are small disks, and their tests are skipped otherwise.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
NEVER = "except ZeroDivisionError as error:"


class Fault(NamedTuple):
    """`old` handles it in `file`, `new` does not; `tests` (a file, words) are for it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, str]


DIGITS, DIGITS_TESTS = "src/lookback/data/digits.py", "tests/test_digits.py"
CANNOT_WRITE = '    except OSError as error:\n        raise DataError(\n            f"the'

FAULTS = [
    Fault("no network", DIGITS, "except requests.RequestException as error:", NEVER,
          (DIGITS_TESTS, "no_network")),
    Fault("a host that stops half way", DIGITS, 'f"md5:{file.md5}"', "None",
          (DIGITS_TESTS, "failed_download")),
    Fault("a host that says nothing", DIGITS, "timeout=TIMEOUT", "timeout=20",
          (DIGITS_TESTS, "silent")),
    Fault("a wrong checksum", DIGITS, "except ValueError as error:", NEVER,
          (DIGITS_TESTS, "failed_download")),
    Fault("a full disk, downloading", DIGITS, CANNOT_WRITE,
          CANNOT_WRITE.replace("OSError", "ZeroDivisionError"),
          (DIGITS_TESTS, "full_disk_keeps_nothing_of_a_download or cannot_be_written")),
    Fault("a full disk, keeping digits", DIGITS, "    except OSError:\n        pass",
          "    except ZeroDivisionError:\n        pass",
          (DIGITS_TESTS, "embedded_digits or while_digits or nothing_can_be_written")),
    Fault("a full disk, saving weights", "src/lookback/files.py",
          "except (OSError, *also) as error:", NEVER,
          ("tests/test_zoo.py", "full_disk or failed_save")),
    Fault("a read-only home", DIGITS, "    except OSError:\n        pass",
          "    except ZeroDivisionError:\n        pass",
          ("tests/test_faults.py", "read_only_home")),
    Fault("a cache deleted while in use", DIGITS, "except FileNotFoundError as error:",
          NEVER, (DIGITS_TESTS, "deleted_before")),
    Fault("two processes and one cache", DIGITS,
          "new.write_bytes(content)\n            os.replace(new, path)",
          "path.write_bytes(content)", (DIGITS_TESTS, "two_processes")),
    Fault("a killed training", "src/lookback/training.py",
          'self.optimiser.load_state_dict(state["optimiser"])', "pass",
          ("tests/test_training.py", "killed or stopped_goes_on")),
    Fault("weights out of date", "src/lookback/zoo/__init__.py",
          "except (TypeError, RuntimeError, ValueError, KeyError) as error:", NEVER,
          ("tests/test_zoo.py", "another_version")),
    Fault("damaged weights", "src/lookback/zoo/__init__.py",
          "except SafetensorError as error:", NEVER,
          ("tests/test_zoo.py", "damaged")),
    Fault("no JavaScript", "book/_ext/explorables.py",
          'image(app, pagename, widget) if widget.png else ""', '""',
          ("tests/test_explorables.py", "without_javascript")),
    Fault("no browser", "tests/conftest.py",
          'pytest.fail if os.environ.get("CI") else pytest.skip', "pytest.skip",
          ("tests/test_faults.py", "without_a_browser")),
    Fault("no Hangul font", "src/lookback/figures/style.py",
          '[family, "DejaVu Sans"]', '["DejaVu Sans"]',
          ("tests/test_figures.py", "hangul")),
    Fault("Ctrl-C in a cell", "src/lookback/training.py",
          "finally:\n            run.keep()", "finally:\n            pass",
          ("tests/test_faults.py", "ctrl_c")),
]  # fmt: skip


def copy(folder: Path) -> Path:
    """The book's files without what is built from them."""
    built = shutil.ignore_patterns(".git", "_build", "build", "__pycache__", "*.egg-info")
    return Path(shutil.copytree(ROOT, folder / "copy", ignore=built))


def tested(where: Path, file: str, words: str) -> int:
    """The exit code of pytest: 0 where all is well, 1 where a test fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x"]
    env = os.environ | {"PYTHONPATH": str(where / "src")}
    done = subprocess.run(
        [*command, file, "-k", words], cwd=where, env=env, capture_output=True, text=True
    )
    return done.returncode


def missed(where: Path, fault: Fault) -> bool:
    """Whether a test fails without the handling, and none with it."""
    path = where / fault.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(fault.old) != 1:
        raise SystemExit(
            f"{fault.file} has {fault.old!r} {whole.count(fault.old)} times, expected "
            "once: bring tests/unhandled.py up to date"
        )
    before = tested(where, *fault.tests)
    path.write_text(whole.replace(fault.old, fault.new), encoding="utf-8")
    after = tested(where, *fault.tests)
    path.write_text(whole, encoding="utf-8")
    return (before, after) == (0, 1)


def main() -> int:
    unmissed = 0
    with tempfile.TemporaryDirectory() as folder:
        where = copy(Path(folder))
        for fault in FAULTS:
            found = missed(where, fault)
            unmissed += not found
            verdict = "is missed" if found else "IS NOT MISSED"
            print(f"{fault.name:<30} {verdict}", flush=True)
    return unmissed


if __name__ == "__main__":
    sys.exit(main())
