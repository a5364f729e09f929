"""The row of backs, used as a reader would."""

import pytest
import torch
from explorables import call
from playwright.sync_api import expect
from test_pages import overflow, violations

from lookback.explore import Backs

T = 40


def row(**traits):
    """An RNN that forgets from back 5 on, and a GRU that does not."""
    drawn = torch.arange(8).expand(T + 1, 8)
    forgets = torch.where(torch.arange(T + 1)[:, None] < 5, drawn, drawn // 4)
    return Backs(
        answers={"RNN": forgets, "GRU": drawn},
        recall={"RNN": torch.linspace(0.8, 0.25, T), "GRU": torch.ones(T)},
        slopes={"RNN": 0.5 ** torch.arange(1, T + 1), "GRU": torch.full((T,), 0.9)},
        **traits,
    )


def says(seen):
    return seen.page.locator(".says")


def test_it_says_where_the_drawing_is_lost(mount):
    seen = mount(row())
    expect(says(seen)).to_contain_text("RNN: 3 was drawn, and back 20 answers 0")
    expect(says(seen)).to_contain_text("first wrong answer is at back 5")
    people = seen.page.locator(".person:not(.gone)")
    assert people.count() == 21
    assert people.locator(".felt").all_text_contents() == ["3"] * 5 + ["0"] * 16
    assert seen.page.locator(".person.wrong:not(.gone)").count() == 16
    assert seen.faults == []


def test_a_shorter_row_keeps_it(mount):
    seen = mount(row())
    seen.page.get_by_label("length of the row").focus()
    seen.page.keyboard.press("Home")
    for _ in range(3):
        seen.page.keyboard.press("ArrowRight")
    expect(says(seen)).to_contain_text("back 4 answers 3. Every back on the way")
    assert seen.page.locator(".person:not(.gone)").count() == 5


def test_another_cell_and_another_drawing(mount):
    seen = mount(row())
    seen.page.get_by_text("GRU", exact=True).click()
    seen.page.locator("fieldset", has_text="drawn").get_by_text("7").click()
    expect(says(seen)).to_contain_text("GRU: 7 was drawn, and back 20 answers 7")
    expect(says(seen)).to_contain_text("100 % of all drawings")
    expect(says(seen)).to_contain_text("0.90 of a small change")


def test_passing_it_on_takes_time_unless_stillness_is_asked_for(mount):
    seen, still = mount(row()), mount(row(), still=True)
    for visit in (seen, still):
        visit.page.get_by_role("button", name="pass it on").click()
    assert seen.page.locator(".person.waiting").count() > 0
    assert still.page.locator(".person.waiting").count() == 0
    expect(seen.page.locator(".person.waiting:not(.gone)")).to_have_count(0)


def test_a_finger_chooses(mount):
    seen = mount(row(), width=390, touch=True)
    seen.page.get_by_text("GRU", exact=True).tap()
    expect(says(seen)).to_contain_text("GRU: 3 was drawn")
    assert violations(seen.page) == []
    assert seen.faults == []


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_back_is_large_enough_to_read_and_says_which_it_is(mount, width):
    seen = mount(row(length=T), width)
    people = seen.page.locator(".person")
    assert people.locator(".muted").all_text_contents() == list(map(str, range(T + 1)))
    box = people.first.bounding_box()
    assert 44 <= box["width"] <= 60
    assert people.locator(".felt").first.bounding_box()["height"] >= 20
    assert overflow(seen.page) == 0


def test_numbers_are_short():
    numbers = [1.0, 0.034, 0.0099, 5e-17, 1.2e-21]
    found = ["1.00", "0.03", "1 × 10⁻²", "5 × 10⁻¹⁷", "1 × 10⁻²¹"]
    assert call("backs", "short", [[number] for number in numbers]) == found


def test_python_says_what_does_not_fit():
    with pytest.raises(ValueError, match=r"expected T \+ 1, T and T"):
        Backs({"RNN": torch.zeros(3, 8)}, {"RNN": [1, 1]}, {"RNN": [1]})
