"""Notebooks: run them as a reader would, keep outputs, leave no noise in a diff.

The `.ipynb` with its outputs is the source of a chapter. `store` runs it from an empty
folder and writes it back in a normal form: a second run with equal outputs leaves equal
bytes. `stamp` writes the repository's address into every place that needs it.

nbformat and nbclient are imported where they are used: a reader in Colab needs neither.
"""

import argparse
import base64
import hashlib
import importlib
import json
import os
import re
import struct
import sys
import tempfile
import time
from pathlib import Path

from lookback.files import whole

REPOSITORY = "https://github.com/lookback-book/lookback"
REVISION = "main"

SETUP_TEMPLATE = """\
# Installs the course's package where it is missing, as on Colab; else does nothing.
import importlib.metadata, importlib.util, subprocess, sys

if importlib.util.find_spec("lookback") is None:
    own = "torch numpy scipy pandas scikit-learn matplotlib ipython ipywidgets".split()
    found = {{d.name: d.version for d in importlib.metadata.distributions()}}
    kept = [f"{{name}}=={{found[name]}}" for name in own if name in found]
    book = "git+{repository}@{revision}"
    install = [sys.executable, "-m", "pip", "install", "-q", *kept, book]
    subprocess.run(install, check=True)
    importlib.invalidate_caches()
    print("Installed lookback; the packages that were here are as they were.")"""
SETUP = SETUP_TEMPLATE.format(repository=REPOSITORY, revision=REVISION)
SETUP_TAGS = ["setup", "hide-input"]  # the page shows it on request only

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOT_KEPT = "not-kept"  # a widget that needs a kernel: the page says so in its place
CLOCK = "clock"  # the tag of a cell that shows seconds: every run gives others
CELL_METADATA = ("deletable", "editable", "mystnb", "nbgrader", "tags")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


# --- normal form ------------------------------------------------------------------------


def normalise(text: str) -> str:
    """The normal form of a notebook: what is left depends on sources and outputs alone.

    text: a notebook (version 4) as JSON. Returns JSON; normalising that changes nothing.
    """
    nb = read(text)
    widgets = kept_widgets(nb)
    names = {model: f"widget-{i:02d}" for i, model in enumerate(widgets, start=1)}
    count = 0
    for cell, id_ in zip(nb.cells, cell_ids(nb.cells), strict=True):
        cell.id = id_
        cell.metadata = {
            k: cell.metadata[k]
            for k in CELL_METADATA
            if cell.metadata.get(k) not in (None, [], {})
        }
        if cell.cell_type == "code":
            count += cell.execution_count is not None
            normalise_code(cell, count, names)
    nb.metadata = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    if widgets:
        state = {"state": widgets, "version_major": 2, "version_minor": 0}
        nb.metadata["widgets"] = {WIDGET_STATE: renamed(state, names)}
    nb.nbformat_minor = 5
    return dump(nb)


def cell_ids(cells: list) -> list[str]:
    """An id for each cell from its text, so that an inserted cell changes no other id."""
    seen: dict[str, int] = {}
    ids = []
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[
            :8
        ]
        seen[digest] = seen.get(digest, 0) + 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids


def normalise_code(cell, count: int, names: dict[str, str]) -> None:
    """Number a code cell by its place among those that ran; tidy its outputs."""
    ran = cell.execution_count is not None
    cell.execution_count = count if ran else None
    cell.outputs = [
        normalise_output(output, count, names) for output in joined_streams(cell.outputs)
    ]


def joined_streams(outputs: list) -> list:
    """Neighbouring pieces of one stream as one: how a stream is cut up is chance."""
    joined: list = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and "name" in last and last.name == output.get("name"):
            last.text += output.text
        else:
            joined.append(output)
    return joined


def normalise_output(output, count: int, names: dict[str, str]):
    """One output without addresses, random widget names or the dates inside pictures."""
    if "text" in output:
        output.text = ADDRESS.sub("at 0x0000", output.text)
    if output.output_type == "execute_result":
        output.execution_count = count
    data = output.get("data", {})
    for mime, content in data.items():
        if mime == "image/png":
            data[mime] = plain_png(content)
        elif mime == WIDGET_VIEW:
            data[mime] = content | {"model_id": names.get(content["model_id"], NOT_KEPT)}
        elif mime.startswith("text/"):
            data[mime] = ADDRESS.sub("at 0x0000", content)
    return output


def plain_png(content: str) -> str:
    """A base64 PNG without the chunks that name software, versions and dates."""
    data = base64.b64decode(content)
    kept, at = [data[:8]], 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
            kept.append(data[at : at + 12 + length])
        at += 12 + length
    return base64.b64encode(b"".join(kept)).decode()


def kept_widgets(nb) -> dict[str, dict]:
    """The stored states of shown anywidgets and of the models they refer to, in order.

    An anywidget brings its own code and lives on without a kernel; others do not.
    """
    state = nb.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    outputs = [o for c in nb.cells for o in c.get("outputs", []) if "data" in o]
    views = [
        o["data"][WIDGET_VIEW]["model_id"] for o in outputs if WIDGET_VIEW in o["data"]
    ]
    queue = [v for v in views if state.get(v, {}).get("model_module") == "anywidget"]
    kept: dict[str, dict] = {}
    while queue:
        model = queue.pop(0)
        if model in state and model not in kept:
            kept[model] = state[model]
            queue += re.findall(r"IPY_MODEL_([\w-]+)", json.dumps(state[model]))
    return kept


def renamed(state: dict, names: dict[str, str]) -> dict:
    """The widget state with its random names replaced, in keys and in references."""
    state = state | {"state": {names[model]: s for model, s in state["state"].items()}}
    text = json.dumps(state)
    reference = re.compile(r"IPY_MODEL_([\w-]+)")
    return json.loads(reference.sub(lambda m: f"IPY_MODEL_{names.get(m[1], m[1])}", text))


# --- run and store ----------------------------------------------------------------------


class NotebookError(Exception):
    """A notebook cannot be read, run or stored; the message says what to do."""


def store(path: Path, timeout: int = 600, times: bool = False) -> float:
    """Run a notebook from an empty folder, normalise it, replace the file.

    A cell with the tag `setup` gets the current set-up text first. If a cell fails or
    writes to stderr, `NotebookError` says which, and the file stays as it was. It stays
    so as well if nothing differs but what cells with the tag `clock` show, unless `times`
    asks for new seconds. Returns the seconds it ran.
    """
    before = path.read_text(encoding="utf-8")
    nb = read(before)
    set_up(nb, SETUP)
    began = time.perf_counter()
    execute(nb, path, timeout)
    seconds = time.perf_counter() - began
    after = normalise(dump(nb))
    if times or without_times(after) != without_times(before):
        replace(path, after)
    return seconds


def without_times(text: str) -> str:
    """A notebook without the outputs of the cells that show seconds."""
    nb = read(text)
    for cell in nb.cells:
        if CLOCK in cell.metadata.get("tags", []):
            cell.outputs = []
    return dump(nb)


def execute(nb, path: Path, timeout: int) -> None:
    """Run all cells in place, in an empty folder, without progress bars."""
    nbclient, exceptions = needed("nbclient"), needed("nbclient.exceptions")
    failures = exceptions.CellControlSignal, exceptions.DeadKernelError
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            nb,
            timeout=timeout,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=os.environ | {"LOOKBACK_QUIET": "1"})
        except failures as error:
            raise NotebookError(f"{path}: a cell failed.\n\n{error}") from None
    for number, cell in enumerate(nb.cells):
        refuse_warnings(cell, f"{path}: cell {number}")


def refuse_warnings(cell, where: str) -> None:
    """Raise `NotebookError` if the cell wrote to stderr."""
    for output in cell.get("outputs", []):
        if output.get("name") == "stderr":
            raise NotebookError(
                f"{where} wrote to stderr, and no reader should see a warning:\n\n"
                f"{output.text}\nMend what this cell does:\n\n{cell.source}"
            )


def read(text: str):
    """Parse notebook JSON; raises `NotebookError` if it is no notebook of version 4."""
    nbformat = needed("nbformat")
    try:
        nb = nbformat.reads(text, as_version=4)
        nbformat.validate(nb)
    except Exception as error:
        raise NotebookError(f"this is not a notebook of version 4: {error}") from None
    return nb


def dump(nb) -> str:
    """A notebook as JSON with a newline at its end."""
    return needed("nbformat").writes(nb, version=4) + "\n"


def replace(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    with whole(path) as aside:
        aside.write_text(text, encoding="utf-8")


def needed(module: str):
    """Import what only authors need, or say how to get it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise NotebookError(
            f"{module.split('.')[0]} is not installed, and storing notebooks needs it: "
            "run `pip install -r requirements.txt` in a checkout of the book."
        ) from None


# --- the repository's address -----------------------------------------------------------

ADDRESS_FILES = (
    "_config.yml", "CITATION.cff", "README.md", "SECURITY.md", "pyproject.toml",
)  # fmt: skip


def stamp(root: Path, repository: str, revision: str = "main") -> list[Path]:
    """Write the repository's address into every file that has it.

    root: a checkout of the book. repository: `https://host/owner/name`. revision: a
    branch or tag. Returns the files that changed.
    """
    repository = repository.removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", repository):
        raise NotebookError(
            f"{repository!r} is no repository's address; expected one like {REPOSITORY}"
        )
    own = root / "src/lookback/notebooks.py"
    if not own.is_file():
        raise NotebookError(f"{root} is not a checkout of the book: it has no {own.name}")
    setup = SETUP_TEMPLATE.format(repository=repository, revision=revision)
    new = {}
    for name in ADDRESS_FILES:
        text = (root / name).read_text("utf-8").replace(REPOSITORY, repository)
        new[root / name] = re.sub(r"(?m)^(  branch:).*$", rf"\1 {revision}", text)
    patterns = "book/**/*.md", "book/**/*.ipynb", "exercises/*.ipynb"
    pages = [path for pattern in patterns for path in root.glob(pattern)]
    for path in (p for p in pages if ".ipynb_checkpoints" not in p.parts):
        text = path.read_text("utf-8")
        text = stamped_notebook(text, setup) if path.suffix == ".ipynb" else text
        new[path] = text.replace(REPOSITORY, repository)
    # Last, since it says what to look for: a stamp that fails can be stamped again.
    new[own] = stamped_source(own.read_text("utf-8"), repository, revision)
    changed = [path for path, text in new.items() if text != path.read_text("utf-8")]
    for path in changed:
        replace(path, new[path])
    return changed


def stamped_source(text: str, repository: str, revision: str) -> str:
    """This module's own text with another address."""
    text = re.sub(r'(?m)^REPOSITORY = ".*"$', f'REPOSITORY = "{repository}"', text)
    return re.sub(r'(?m)^REVISION = ".*"$', f'REVISION = "{revision}"', text)


def stamped_notebook(text: str, setup: str) -> str:
    """A notebook with this set-up cell; all else as it was."""
    nb = read(text)
    set_up(nb, setup)
    return normalise(dump(nb))


def set_up(nb, setup: str) -> None:
    """Write the set-up text into the cells with the tag `setup`."""
    for cell in nb.cells:
        if "setup" in cell.metadata.get("tags", []):
            cell.source = setup
            cell.metadata["tags"] = SETUP_TAGS


# --- commands ---------------------------------------------------------------------------


def store_main(arguments: list[str]) -> int:
    """`python -m lookback store PATH...`"""
    parser = argparse.ArgumentParser(
        "python -m lookback store", description=store.__doc__
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one cell")
    parser.add_argument(
        "--times",
        action="store_true",
        help="keep new seconds, even if nothing else changed",
    )
    options = parser.parse_args(arguments)
    for path in options.paths:
        try:
            seconds = store(path, options.timeout, options.times)
            print(f"{path}: {seconds:.1f} s", flush=True)
        except (NotebookError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def normalise_main(arguments: list[str]) -> int:
    """`python -m lookback normalise PATH...`"""
    parser = argparse.ArgumentParser("python -m lookback normalise")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    for path in parser.parse_args(arguments).paths:
        try:
            before = path.read_text(encoding="utf-8")
            after = normalise(before)
        except (NotebookError, OSError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
        if after != before:
            replace(path, after)
            print(f"{path}: normalised")
    return 0


def stamp_main(arguments: list[str]) -> int:
    """`python -m lookback stamp URL [REVISION]`"""
    parser = argparse.ArgumentParser(
        "python -m lookback stamp", description=stamp.__doc__
    )
    parser.add_argument("url", metavar="URL", help="https://host/owner/name")
    parser.add_argument("revision", nargs="?", default="main", metavar="REVISION")
    options = parser.parse_args(arguments)
    try:
        for path in stamp(Path.cwd(), options.url, options.revision):
            print(path)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
