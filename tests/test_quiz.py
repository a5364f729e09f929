"""Five questions at the end of each chapter: every answer says why it is right or not."""

import re

import nbformat
import pytest
from classroom import ROOT

CHAPTERS = sorted(ROOT.glob("book/[0-9]*.ipynb"))
OPTION = re.compile(
    r"<details><summary>\((\w)\) (.+?)</summary>\n\n(Right|No)\. (.+?)\n\n"
)


def questions(path):
    """The questions, each with its options (letter, answer, verdict, why)."""
    cells = nbformat.read(path, as_version=4).cells
    (text,) = [c.source for c in cells if "\nFive questions." in c.source]
    asked = text.split("\nFive questions.")[1].split("\n## Exercises")[0]
    return [OPTION.findall(part) for part in re.split(r"\n\*\*\d\.\*\* ", asked)[1:]]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_option_says_why(path):
    found = questions(path)
    assert len(found) == 5
    for options in found:
        assert [letter for letter, *_ in options] == ["a", "b", "c"]
        assert sorted(verdict for *_, verdict, _ in options) == ["No", "No", "Right"]
        assert all(len(why) > 15 for *_, why in options)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_right_option_has_no_fixed_place(path):
    right = [[v for *_, v, _ in options].index("Right") for options in questions(path)]
    assert len(set(right)) > 1


def test_options_open_by_keyboard(visit):
    """In the built page, without a kernel and without the network."""
    seen = visit("book/06_looking_anywhere.html")
    option = seen.page.locator("summary", has_text="(a) Over the keys").first
    option.focus()
    answer = option.locator("xpath=..")
    assert answer.get_attribute("open") is None
    seen.page.keyboard.press("Enter")
    assert answer.get_attribute("open") is not None
    assert "shares out one whole" in answer.inner_text()
    assert seen.faults == []


def test_solutions_are_folded_and_open_by_keyboard(visit):
    seen = visit("book/exercises/01_handed_along_solutions.html")
    code = seen.page.get_by_text("rows = torch.arange(len(hidden))")
    assert not code.is_visible()
    folded = seen.page.locator("details", has_text="torch.arange(len(hidden))").first
    folded.locator("summary").first.focus()
    seen.page.keyboard.press("Enter")
    assert folded.get_attribute("open") is not None
    assert seen.page.get_by_text("Why it works").count() == 6
    assert seen.faults == []
