"""What a chapter must be like, as functions that list what is wrong with a notebook.

Each rule takes a `Chapter` and yields one sentence per fault.
"""

import base64
import itertools
import re
import statistics
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat

from lookback.notebooks import SETUP, SETUP_TAGS, normalise

KB = 1000
MARKUP = {
    "a role": r"\{[a-z][\w:+-]*\}`",
    "a directive": r"^\s*(`{3,}|~{3,}|:{3,})\s*\{",
    "a fence of colons": r"^:{3,}",
    "a target": r"^\([\w-]+\)=\s*$",
    "a substitution": r"\{\{.*?\}\}",
    "a labelled formula": r"^\$\$\s*\([\w-]+\)\s*$",
    "a comment": r"^%\s",
    "a footnote": r"\[\^[\w-]+\]",
}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(|<img\b(?![^>]*\balt=\"([^\"]{20,})\")")
LOCAL_PATH = re.compile(r"(?<![\w.:/])/(root|home|work|tmp|opt|Users)/\w|\b[A-Z]:\\")
PAPER_HOSTS = ("doi.org", "arxiv.org", "aclanthology.org", "openreview.net", "jmlr.org")


@dataclass
class Chapter:
    """A notebook with what the rules need to know around it."""

    path: Path
    text: str
    addresses: dict = field(default_factory=dict)  # of papers -> (family name, year)

    @cached_property
    def nb(self):
        return nbformat.reads(self.text, as_version=4)

    def cells(self, kind):
        return [(i, c) for i, c in enumerate(self.nb.cells) if c.cell_type == kind]

    def outputs(self):
        return [(i, c, o) for i, c in self.cells("code") for o in c.outputs]

    def pictures(self):
        return [
            (i, c, base64.b64decode(o["data"]["image/png"]))
            for i, c, o in self.outputs()
            if "image/png" in o.get("data", {})
        ]

    def prose(self):
        """Markdown without code, line by line: (cell, line)."""
        for i, cell in self.cells("markdown"):
            text = re.sub(r"(?ms)^(```|~~~)(?!\s*\{).*?^\1", "", cell.source)
            yield from ((i, line) for line in text.splitlines())

    def links(self):
        return [(i, *m) for i, line in self.prose() for m in LINK.findall(line)]


def is_normal(chapter):
    if normalise(chapter.text) != chapter.text:
        yield "is not in normal form: run `python -m lookback normalise`"


def has_run(chapter):
    for i, cell in chapter.cells("code"):
        if cell.source.strip() and cell.execution_count is None:
            yield f"cell {i} has not been run: run `python -m lookback store`"


def is_clean(chapter):
    for i, _, output in chapter.outputs():
        if output.output_type == "error":
            yield f"cell {i} stores an error: {output.ename}"
        if output.get("name") == "stderr":
            yield f"cell {i} stores a warning: {output.text[:60]!r}"


def names_no_local_path(chapter):
    for i, cell in enumerate(chapter.nb.cells):
        shown = [cell.source, *map(str, cell.get("outputs", []))]
        for found in filter(None, map(LOCAL_PATH.search, shown)):
            yield f"cell {i} names a path of one machine: {found[0]}"


def is_plain(chapter):
    for i, line in chapter.prose():
        without_code = re.sub(r"(?<!\})`[^`]+`", "", line)
        for what, pattern in MARKUP.items():
            if re.search(pattern, without_code):
                yield f"cell {i} has {what} that Colab shows raw: {line.strip()!r}"


def pictures_have_words(chapter):
    for i, cell, _ in chapter.pictures():
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt.strip()) < 20:
            yield f"cell {i} has a picture without alt text (mystnb.image.alt): {alt!r}"
    for i, line in chapter.prose():
        for match in PICTURE.finditer(line):
            if len(match[1] or "") < 20:
                yield f"cell {i} has a picture without alt text: {line.strip()!r}"


def is_light(chapter):
    sizes = [(i, len(data)) for i, _, data in chapter.pictures()]
    for i, size in sizes:
        if size > 60 * KB:
            yield f"cell {i} has a picture of {size / KB:.0f} KB; at most 60"
    if (total := sum(size for _, size in sizes)) > 1000 * KB:
        yield f"its pictures have {total / KB:.0f} KB; at most 1,000"


def cells_are_short(chapter):
    lengths = {i: len(cell.source.splitlines()) for i, cell in chapter.cells("code")}
    for i, length in lengths.items():
        if length > 15:
            yield f"cell {i} has {length} lines; at most 15"
    if (median := statistics.median(lengths.values() or [0])) > 7:
        yield f"its median code cell has {median} lines; at most 7"


def is_set_up(chapter):
    code = [cell for _, cell in chapter.cells("code")]
    if not code or code[0].source != SETUP:
        yield "does not begin with the set-up cell: run `python -m lookback stamp`"
    elif code[0].metadata.get("tags") != SETUP_TAGS:
        yield f"has a set-up cell without the tags {SETUP_TAGS}"


def headings_nest(chapter):
    levels = [
        (i, len(m[1])) for i, line in chapter.prose() if (m := re.match(r"(#+) ", line))
    ]
    if not levels or levels[0][1] != 1 or sum(level == 1 for _, level in levels) != 1:
        yield "does not have one title, at its top"
    for (_, above), (i, level) in itertools.pairwise(levels):
        if level > above + 1:
            yield f"cell {i} jumps from heading level {above} to {level}"


def inner_links_lead_somewhere(chapter):
    for i, text, target in chapter.links():
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = chapter.path.parent / path if path else chapter.path
        if not file.is_file():
            yield f"cell {i} links to {target}, and there is no such file"
        elif anchor and anchor not in anchors(file):
            yield f"cell {i} links to {target}, and there is no such heading ({text})"


def anchors(path):
    """The anchors of a page's headings, as the book and GitHub name them."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    return {
        re.sub(r"[^\w\- ]", "", h.lower().strip()).replace(" ", "-") for h in headings
    }


def citations_are_references(chapter):
    """A citation is a link to the paper whose text has an author and the year."""
    for i, text, target in chapter.links():
        cites = re.search(r"\(\d{4}\)|, \d{4}", text)
        if target not in chapter.addresses:
            if cites or any(host in target for host in PAPER_HOSTS):
                yield f"cell {i} cites {target}, which is not in references.bib"
            continue
        family, year = chapter.addresses[target]
        if cites and (family not in text or year not in text):
            yield f"cell {i} calls the paper of {family} ({year}) {text!r}"


RULES = [
    is_normal,
    has_run,
    is_clean,
    names_no_local_path,
    is_plain,
    pictures_have_words,
    is_light,
    cells_are_short,
    is_set_up,
    headings_nest,
    inner_links_lead_somewhere,
    citations_are_references,
]
