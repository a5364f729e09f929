"""Slides from a chapter, by nbconvert."""

import re
import subprocess
import sys

import nbformat
import pytest
from classroom import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from lookback.slides import Slides, slide_type

CHAPTER = ROOT / "book/01_handed_along.ipynb"


def picture():
    data = {"image/png": "aaaa"}
    return new_code_cell("plot()", outputs=[new_output("display_data", data=data)])


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (new_markdown_cell("# Title"), "slide"),
        (new_markdown_cell("## Section\n\nText."), "slide"),
        (new_markdown_cell("### Part"), "subslide"),
        (new_markdown_cell("Text.\n\n> **Guess first.** How many?"), "subslide"),
        (new_markdown_cell("Text."), "-"),
        (new_code_cell("x = 1"), "-"),
        (new_code_cell("install()", metadata={"tags": ["setup", "hide-input"]}), "skip"),
        (picture(), "subslide"),
    ],
)
def test_where_a_slide_begins(cell, kind):
    assert slide_type(cell) == kind


def test_the_end_of_a_chapter_stays_out():
    nb, _ = Slides()(nbformat.read(CHAPTER, as_version=4), {})
    kinds = [c.metadata["slideshow"]["slide_type"] for c in nb.cells]
    end = next(i for i, c in enumerate(nb.cells) if "## Self-test" in c.source)
    assert kinds[0] == "slide"
    assert set(kinds[end:]) == {"skip"}
    assert kinds[:end].count("slide") >= 5


def test_nbconvert_makes_slides(tmp_path):
    command = "-m nbconvert --to slides --log-level ERROR --SlidesExporter.preprocessors"
    subprocess.run(
        [sys.executable, *command.split(), "lookback.slides.Slides", CHAPTER,
         "--output-dir", tmp_path],
        check=True,
    )  # fmt: skip
    page = (tmp_path / "01_handed_along.slides.html").read_text(encoding="utf-8")
    pictures = CHAPTER.read_text(encoding="utf-8").count('"image/png"')
    assert len(re.findall('<img[^>]* src="data:image/png', page)) == pictures
    assert "No description has been provided" not in page
    assert len(re.findall("<section", page)) > 30
    assert "A cell in six lines" in page
    assert "Installs the course's package" not in page
    assert "Self-test" not in page
