"""Every notebook keeps the rules, and the tool that stores them can be trusted."""

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_rules import RULES, Chapter
from pybtex.database import parse_file

from lookback import notebooks
from lookback.notebooks import SETUP, SETUP_TAGS, NotebookError, normalise

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
CHAPTERS = sorted([*BOOK.glob("*.ipynb"), *BOOK.glob("exercises/*.ipynb")])
PNG = (  # one white pixel, and the name of the program that made it
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAAFXRFWHRTb2Z0d2FyZQBNYXRwbG90bGliIDPL"
    "0Q/YAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)


def addresses():
    """Where each paper of references.bib can be found: address -> (family name, year)."""
    found = {}
    for entry in parse_file(str(BOOK / "references.bib")).entries.values():
        family = " ".join(entry.persons["author"][0].last_names)
        named = family.replace("{", "").replace("}", ""), entry.fields["year"]
        if "doi" in entry.fields:
            found[f"https://doi.org/{entry.fields['doi']}"] = named
        if "url" in entry.fields:
            found[entry.fields["url"]] = named
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_keeps_the_rule(path, rule):
    chapter = Chapter(path, path.read_text(encoding="utf-8"), addresses())
    faults = list(rule(chapter))
    assert not faults, f"{path.name} " + f"\n{path.name} ".join(faults)


# --- the rules can be broken ------------------------------------------------------------


def notebook(*cells, **metadata):
    """A notebook with a title and a set-up cell before these cells, all of them run."""
    setup = new_code_cell(SETUP, metadata={"tags": SETUP_TAGS})
    nb = new_notebook(
        cells=[new_markdown_cell("# Title"), setup, *cells], metadata=metadata
    )
    for count, cell in enumerate(c for c in nb.cells if c.cell_type == "code"):
        cell.execution_count = count + 1
    return nb


def text(*cells, **metadata):
    return normalise(nbformat.writes(notebook(*cells, **metadata)))


def ran(source, *outputs, **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def picture(alt="", size=0):
    data = {"image/png": PNG}
    cell = ran("plot()", new_output("display_data", data=data))
    cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return cell


def said(stream, words):
    return new_output("stream", name=stream, text=words)


GOOD = [
    ran("print('a')", said("stdout", "a")),
    picture("A line that rises from one to three"),
    new_markdown_cell(
        "## Part\n\n`{cite}` and ``{x}`` are code, $x_{t}$ is a formula, and see "
        "[Elman (1990)](https://doi.org/10.1207/s15516709cog1402_1).\n\n"
        "```python\n# a comment, not a title\n```"
    ),
]
BAD = {
    "is_clean": [
        ran(
            "1/0", new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])
        ),
        ran("warn()", said("stderr", "beware")),
    ],
    "names_no_local_path": [
        ran("print(p)", said("stdout", "/home/me/a.txt")),
        ran("open('/tmp/x')"),
    ],
    "is_plain": [
        new_markdown_cell("See {cite}`elman1990`."),
        new_markdown_cell("```{note}\nHello\n```"),
        new_markdown_cell(":::{tip}\nHello\n:::"),
        new_markdown_cell("(here)=\n## Part"),
        new_markdown_cell("{{ name }}"),
        new_markdown_cell("A claim.[^1]"),
    ],
    "pictures_have_words": [
        picture(),
        picture("A plot"),
        new_markdown_cell("![](x.png)"),
        new_markdown_cell("<img src='x.png'>"),
    ],
    "is_light": [
        ran(
            "plot()",
            new_output("display_data", data={"image/png": PNG[:-4] + "A" * 100_000}),
        )
    ],
    "cells_are_short": [ran("\n".join("x = 1" for _ in range(16)))],
    "headings_nest": [new_markdown_cell("# Another"), new_markdown_cell("### Deep")],
    "inner_links_lead_somewhere": [
        new_markdown_cell("[there](nowhere.ipynb)"),
        new_markdown_cell("[there](setup.md#no-such-heading)"),
    ],
    "citations_are_references": [
        new_markdown_cell("[Nobody (1900)](https://example.org/paper)"),
        new_markdown_cell("[the paper](https://arxiv.org/abs/0000.00000)"),
        new_markdown_cell("[Elman (1991)](https://doi.org/10.1207/s15516709cog1402_1)"),
    ],
}
RULE = {rule.__name__: rule for rule in RULES}


def faults(rule, content):
    return list(RULE[rule](Chapter(BOOK / "test.ipynb", content, addresses())))


@pytest.mark.parametrize("rule", RULE)
def test_good_notebook_keeps_the_rule(rule):
    assert faults(rule, text(*GOOD)) == []


@pytest.mark.parametrize(
    ("rule", "cell"), [(rule, cell) for rule, cells in BAD.items() for cell in cells]
)
def test_bad_cell_breaks_the_rule(rule, cell):
    if rule == "is_light":  # a picture so broken that only its size is right
        assert faults(rule, nbformat.writes(notebook(cell)))
    else:
        assert faults(rule, text(cell))


def test_bad_notebook_breaks_the_rule():
    nb = notebook(ran("x"))
    assert faults("is_normal", nbformat.writes(nb))
    nb.cells[-1].execution_count = None
    assert faults("has_run", nbformat.writes(nb))
    nb.cells.pop(1)
    assert faults("is_set_up", nbformat.writes(nb))
    long = [ran("\n".join(f"x = {i}" for _ in range(8))) for i in range(3)]
    assert faults("cells_are_short", text(*long))


def test_every_rule_is_tried():
    assert {*BAD, "is_normal", "has_run", "is_set_up"} == {*RULE}


# --- normal form ------------------------------------------------------------------------


def widget(module, **state):
    name = "AnyModel" if module == "anywidget" else "Model"
    return {
        "model_module": module,
        "model_module_version": "1",
        "model_name": name,
        "state": state,
    }


def view(model):
    data = {notebooks.WIDGET_VIEW: {"model_id": model}, "text/plain": "W()"}
    return ran("W()", new_output("execute_result", data=data, execution_count=1))


def with_widgets(first, layout, other):
    state = {
        other: widget("@jupyter-widgets/controls"),
        layout: widget("@jupyter-widgets/base"),
        first: widget("anywidget", layout=f"IPY_MODEL_{layout}", n=3),
    }
    widgets = {notebooks.WIDGET_STATE: {"state": state, "version_major": 2}}
    return text(view(first), view(other), widgets=widgets)


def test_normal_form_is_a_fixed_point():
    once = text(
        *GOOD, kernelspec={"name": "mine", "display_name": "Mine"}, colab={"x": 1}
    )
    assert normalise(once) == once
    assert "Mine" not in once
    assert "colab" not in once


def test_normal_form_forgets_how_it_came_about():
    a = notebook(ran("f()", said("stdout", "a <f at 0x7f12345678>"), said("stdout", "b")))
    b = notebook(ran("f()", said("stdout", "a <f at 0x7fabcdef12>b")))
    b.cells[-1].execution_count = 99
    b.cells[-1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    assert normalise(nbformat.writes(a)) == normalise(nbformat.writes(b))


def test_normal_form_keeps_what_differs():
    assert text(ran("f()", said("stdout", "1"))) != text(ran("f()", said("stdout", "2")))
    assert text(ran("a"), ran("b")) != text(ran("b"), ran("a"))


def test_cell_ids_are_unique_and_outlive_an_inserted_cell():
    def ids(*sources):
        return [c["id"] for c in json.loads(text(*map(ran, sources)))["cells"]]

    before, after = ids("a", "b", "b"), ids("new", "a", "b", "b")
    assert len({*before}) == len(before)
    assert {*before} < {*after}


def test_pictures_lose_their_date_and_not_their_pixels():
    from io import BytesIO

    from PIL import Image

    nb = nbformat.reads(
        text(picture("A line that rises from one to three")), as_version=4
    )
    data = notebooks.base64.b64decode(nb.cells[-1].outputs[0]["data"]["image/png"])
    assert b"Matplotlib" not in data
    assert Image.open(BytesIO(data)).tobytes() == b"\xff"


def test_only_widgets_that_bring_their_own_code_are_kept():
    once = with_widgets("f00d", "1a40", "0ther")
    assert once == with_widgets("beef", "cafe", "an0ther")
    nb = nbformat.reads(once, as_version=4)
    states = nb.metadata["widgets"][notebooks.WIDGET_STATE]["state"]
    assert [*states] == ["widget-01", "widget-02"]
    assert states["widget-01"]["state"]["layout"] == "IPY_MODEL_widget-02"
    assert (
        nb.cells[-2].outputs[0]["data"][notebooks.WIDGET_VIEW]["model_id"] == "widget-01"
    )
    other = nb.cells[-1].outputs[0]["data"]
    assert other[notebooks.WIDGET_VIEW]["model_id"] == notebooks.NOT_KEPT not in states


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", "# Title"])
def test_what_is_no_notebook_is_refused(content):
    with pytest.raises(NotebookError, match="not a notebook of version 4"):
        normalise(content)


# --- run and store ----------------------------------------------------------------------


def save(path, *sources):
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_store_runs_in_an_empty_folder_and_twice_the_same(tmp_path):
    path = save(tmp_path / "a.ipynb", "import os; os.listdir()", "print('b'); object()")
    assert notebooks.store(path) > 0
    first = path.read_bytes()
    assert (
        nbformat.read(path, as_version=4).cells[0].outputs[0]["data"]["text/plain"]
        == "[]"
    )
    notebooks.store(path)
    assert path.read_bytes() == first
    assert os.listdir(tmp_path) == ["a.ipynb"]


def test_a_clock_alone_is_no_reason_to_store(tmp_path):
    path = save(tmp_path / "a.ipynb", "import time; time.perf_counter_ns()", "1")
    nb = nbformat.read(path, as_version=4)
    nb.cells[0].metadata["tags"] = [notebooks.CLOCK]
    nbformat.write(nb, path)
    notebooks.store(path)
    first = path.read_bytes()
    notebooks.store(path)
    assert path.read_bytes() == first
    assert notebooks.store_main(["--times", str(path)]) == 0
    second = path.read_bytes()
    assert second != first
    path.write_bytes(second.replace(b'"1"\n', b'"2"\n'))  # another cell has changed
    notebooks.store(path)
    assert path.read_bytes() not in (first, second)


SHORT = BOOK / "exercises/04_pixel_by_pixel_solutions.ipynb"  # of the book, the quickest


def test_a_notebook_of_the_book_stored_twice_is_the_same(tmp_path):
    copy = Path(shutil.copy(SHORT, tmp_path))
    notebooks.store(copy)
    first = copy.read_bytes()
    notebooks.store(copy)
    assert copy.read_bytes() == first


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1/0", "ZeroDivisionError"),
        ("import warnings; warnings.warn('beware')", "beware"),
        ("import time; time.sleep(30)", "timed out"),
    ],
)
def test_store_that_fails_changes_nothing(tmp_path, source, message, capsys):
    path = save(tmp_path / "a.ipynb", source)
    before = path.read_bytes()
    assert notebooks.store_main(["--timeout", "2", str(path)]) == 1
    assert message in capsys.readouterr().err
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.ipynb"]


def test_store_says_what_is_missing(tmp_path, monkeypatch):
    path = save(tmp_path / "a.ipynb", "1")
    monkeypatch.setitem(notebooks.sys.modules, "nbclient", None)
    with pytest.raises(NotebookError, match=r"pip install -r requirements\.txt"):
        notebooks.store(path)


def test_interrupted_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(self, text, encoding):
        with open(self, "w") as file:
            file.write(text[:1])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        notebooks.replace(path, "new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


# --- the repository's address -----------------------------------------------------------


@pytest.fixture
def checkout(tmp_path):
    """A copy of what `stamp` touches, with one notebook."""
    for name in [*notebooks.ADDRESS_FILES, "src/lookback/notebooks.py", "book/setup.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "book/a.ipynb").write_text(text(*GOOD))
    return tmp_path


def test_stamp_reaches_every_place(checkout):
    fork = "https://github.com/someone/fork"
    notebooks.stamp(checkout, fork + ".git", "v2")
    everything = {p: p.read_text() for p in checkout.rglob("*") if p.is_file()}
    assert not [p for p, content in everything.items() if notebooks.REPOSITORY in content]
    assert f"git+{fork}@v2" in everything[checkout / "book/a.ipynb"]
    assert f"url: {fork}\n  branch: v2\n" in everything[checkout / "_config.yml"]
    namespace = {"__name__": "stamped"}
    exec(everything[checkout / "src/lookback/notebooks.py"], namespace)
    assert f"git+{fork}@v2" in namespace["SETUP"]


def test_a_stamp_that_failed_can_be_stamped_again(checkout, monkeypatch):
    fork, written, replace = "https://example.org/a/b", [], notebooks.replace

    def full_disk(path, text):
        if len(written) == 2:
            raise OSError("No space left on device")
        written.append(path)
        replace(path, text)

    with monkeypatch.context() as full:
        full.setattr(notebooks, "replace", full_disk)
        with pytest.raises(OSError, match="No space"):
            notebooks.stamp(checkout, fork)
    assert notebooks.REPOSITORY in (checkout / "src/lookback/notebooks.py").read_text()
    notebooks.stamp(checkout, fork)
    files = [path for path in checkout.rglob("*") if path.is_file()]
    assert not [p for p in files if notebooks.REPOSITORY in p.read_text("utf-8")]


def test_stamping_the_same_address_changes_nothing(checkout):
    assert notebooks.stamp(checkout, notebooks.REPOSITORY, notebooks.REVISION) == []


@pytest.mark.parametrize("address", ["", "github.com/a/b", "https://github.com/a", "a b"])
def test_stamp_refuses_what_is_no_address(checkout, address):
    with pytest.raises(NotebookError, match="no repository's address"):
        notebooks.stamp(checkout, address)


def test_stamp_needs_a_checkout(tmp_path):
    with pytest.raises(NotebookError, match="not a checkout"):
        notebooks.stamp(tmp_path, notebooks.REPOSITORY)


def test_the_book_has_one_address():
    config = (ROOT / "_config.yml").read_text()
    assert f"url: {notebooks.REPOSITORY}\n" in config
    assert f"branch: {notebooks.REVISION}\n" in config


def test_setup_does_nothing_where_the_package_is(capsys):
    exec(SETUP, {})
    assert capsys.readouterr().out == ""


def test_setup_installs_over_nothing(monkeypatch, capsys):
    import importlib.util
    import subprocess

    calls = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda command, check: calls.append(command))
    exec(SETUP, {})
    (command,) = calls
    assert command[-1] == f"git+{notebooks.REPOSITORY}@{notebooks.REVISION}"
    import torch

    assert f"torch=={torch.__version__}" in command
    assert len(capsys.readouterr().out.splitlines()) == 1
