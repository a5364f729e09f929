"""A chapter as slides: where a slide begins, and what stays out.

    jupyter nbconvert --to slides book/01_handed_along.ipynb \\
        --SlidesExporter.preprocessors lookback.slides.Slides --output-dir slides

A chapter begins a slide, and so does each section; what follows goes below it, one
picture, guess or part at a time. The set-up cell, folded code and all from the self-test
on stay out.
"""

import re
from html import escape

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

END = re.compile(r"## (Self-test|Exercises|References)\b")
BELOW = re.compile(r"### |> \*\*Guess first")


def slide_type(cell: NotebookNode) -> str:
    """What begins with a cell: a slide, one below it, or nothing (`-`)."""
    if "setup" in cell.metadata.get("tags", []):
        return "skip"
    if cell.cell_type == "markdown":
        if re.match("##? ", cell.source):
            return "slide"
        return "subslide" if BELOW.search(cell.source) else "-"
    shown = [mime for output in cell.outputs for mime in output.get("data", {})]
    return "subslide" if "image/png" in shown else "-"


def pieces(cell: NotebookNode) -> list[NotebookNode]:
    """A cell of text cut before each heading in it; other cells as they are."""
    if cell.cell_type != "markdown":
        return [cell]
    parts = re.split(r"(?m)^(?=##+ )", cell.source)
    return [new_markdown_cell(part) for part in parts if part.strip()]


def show_picture(cell: NotebookNode) -> None:
    """Slides have no kernel: a picture, with its alt text, in place of a widget."""
    alt = escape(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
    for output in cell.get("outputs", []):
        if png := output.get("data", {}).get("image/png"):
            picture = f'<img alt="{alt}" src="data:image/png;base64,{png.strip()}">'
            output.data = NotebookNode({"text/html": picture})


class Slides(Preprocessor):
    """Write into each cell what nbconvert needs to make slides."""

    enabled = True

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb.cells = [piece for cell in nb.cells for piece in pieces(cell)]
        over = False
        for cell in nb.cells:
            over = over or bool(END.match(cell.source))
            kind = "skip" if over else slide_type(cell)
            cell.metadata["slideshow"] = {"slide_type": kind}
            show_picture(cell)
            if "hide-input" in cell.metadata.get("tags", []):
                cell.transient = {"remove_source": True}
        return nb, resources
