"""The query, used as a reader would; its numbers are those of `attend`."""

import math
import re

import pytest
import torch
from explorables import call, swipe
from playwright.sync_api import expect
from test_pages import violations

from lookback.explore import Query

NAMES = ["hen", "cat", "ant", "bus"]
ANGLES = [0, 60, 120, 240]
KEY = [[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in ANGLES]


def animals(**traits):
    query = [3 * math.cos(math.radians(65)), 3 * math.sin(math.radians(65))]
    return Query(KEY, [2, 4, 6, 0], NAMES, unit="legs", **{"query": query} | traits)


def says(seen):
    return seen.page.locator(".says")


def shares(seen):
    """The weights as the table shows them, in per cent."""
    texts = seen.page.locator(".share").all_inner_texts()
    return [int(re.sub(r"\D", "", text)) for text in texts]


def test_the_page_computes_what_attend_does():
    torch.manual_seed(0)
    for trial in range(20):
        widget = Query(
            torch.randn(5, 2), torch.randn(5), "abcde", query=torch.randn(2),
            dimension=int(2 ** torch.randint(1, 11, ())), scaled=trial % 2 == 0,
            temperature=float(torch.rand(()) + 0.2),
        )  # fmt: skip
        names = "query", "key", "value", "dimension", "scaled", "temperature"
        asked = {name: getattr(widget, name) for name in names}
        (found,) = call("query", "look", [[asked]])
        answer, weights = widget.look()
        assert torch.allclose(torch.tensor(found["weights"]), weights, atol=1e-3)
        assert abs(found["answer"] - answer) < 1e-3


def test_it_begins_as_python_says(mount):
    widget = animals()
    seen = mount(widget)
    answer, weights = widget.look()
    assert shares(seen) == [round(100 * w) for w in weights.tolist()]
    expect(says(seen)).to_contain_text(f"The answer is {answer:.1f} legs")
    expect(says(seen)).to_contain_text("points to 65°")
    assert seen.faults == []


def test_dragging_the_query_to_the_bus(mount):
    seen = mount(animals())
    box = seen.page.locator("svg.plane").bounding_box()
    start = seen.page.get_by_role("slider", name="query").bounding_box()
    seen.page.mouse.move(
        start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    )
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.85)
    seen.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.93)
    seen.page.mouse.up()
    expect(says(seen)).to_contain_text("looks at bus 9")
    assert shares(seen)[3] > 90


def test_arrow_keys_move_the_query(mount):
    seen = mount(animals(query=[1.0, 0.0]))
    seen.page.get_by_role("slider", name="query").focus()
    for _ in range(10):
        seen.page.keyboard.press("ArrowLeft")
    expect(says(seen)).to_contain_text("0.0 long")
    assert shares(seen) == [25, 25, 25, 25]
    expect(says(seen)).to_contain_text("The answer is 3.0 legs")


def test_a_longer_key_is_heard_more(mount):
    seen = mount(animals())
    before = shares(seen)[0]
    seen.page.get_by_role("slider", name="key hen").focus()
    for _ in range(15):
        seen.page.keyboard.press("ArrowRight")
    expect(says(seen)).to_contain_text("looks at hen")
    assert shares(seen)[0] > before + 20


def test_dimensions_sharpen_until_they_are_divided_out(mount):
    seen = mount(animals(query=[0.6, 0.6]))
    soft = shares(seen)
    slider = seen.page.get_by_label("as in d dimensions")
    slider.focus()
    seen.page.keyboard.press("End")
    expect(says(seen)).to_contain_text("512 dimensions, 16 times as wide")
    assert max(shares(seen)) > max(soft) + 20
    seen.page.get_by_text("q · k / √d").click()
    expect(says(seen)).not_to_contain_text("512 dimensions")
    divided = shares(seen)
    slider.focus()
    seen.page.keyboard.press("Home")
    assert shares(seen) == divided


def test_temperature_softens(mount):
    seen = mount(animals())
    before = max(shares(seen))
    seen.page.get_by_label("temperature").focus()
    seen.page.keyboard.press("End")
    expect(seen.page.locator(".value", has_text=re.compile("^4$")).first).to_be_visible()
    assert max(shares(seen)) < before - 20


def test_a_finger_drags_the_query(mount):
    seen = mount(animals(), width=390, touch=True)
    box = seen.page.locator("svg.plane").bounding_box()
    start = seen.page.get_by_role("slider", name="query").bounding_box()
    places = [
        (start["x"] + start["width"] / 2, start["y"] + start["height"] / 2),
        (box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.85),
        (box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.93),
    ]
    swipe(seen.page, *places)
    expect(says(seen)).to_contain_text("looks at bus 9")
    assert seen.page.evaluate("scrollY") == 0
    assert violations(seen.page) == []
    assert seen.faults == []


def test_python_says_what_does_not_fit():
    with pytest.raises(ValueError, match=r"2 names need keys \(2, 2\)"):
        Query(KEY, [1, 2], ["a", "b"])


def test_the_sliders_say_what_is_computed_with(mount):
    """64 dimensions lie between two places of the slider."""
    seen = mount(animals(dimension=64))
    slider = seen.page.get_by_label("as in d dimensions")
    expect(slider).to_have_attribute("aria-valuetext", "64")
    expect(says(seen)).to_contain_text("as in 64 dimensions")
    slider.focus()
    seen.page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "2")
