"""The pen, used as a reader would: by mouse, by finger, by keyboard, and by ear."""

import re

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from explorables import REMOUNT, swipe
from playwright.sync_api import expect

from lookback import zoo
from lookback.data import digits
from lookback.explore import Pen
from lookback.explore.pen import draw
from lookback.models.pixelcnn import PixelCNN

INK = """canvas => {
  const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(image.data.filter((_, i) => i % 4 === 3), (alpha) => alpha / 255);
}"""
DRAWS = """go => new Promise((done) => {
  const began = performance.now();
  const look = () => go.textContent === "Once more"
    ? done(performance.now() - began) : requestAnimationFrame(look);
  go.click();
  look();
})"""  # milliseconds from the press of the button to the finished digit
FINISHED = re.compile("finished")


@pytest.fixture(scope="module")
def six():
    """A digit (784,) that the model has not seen."""
    images = digits.embedded()[0][4006:4007]
    return digits.sequences(digits.binarise(images, seed=0))[0]


@pytest.fixture
def desk(mount, six):
    """desk(...) opens a pen and gives what a reader has before them."""
    return lambda widget=None, **options: Desk(mount(widget or Pen(drawn=six), **options))


class Desk:
    def __init__(self, visit):
        self.visit, self.page = visit, visit.page
        self.sheet = self.page.locator(".sheet.drag")
        self.says = self.page.locator(".says")

    def pixels(self):
        """What stands on the page: (T,) of 0 and 1."""
        found = self.sheet.locator("canvas").evaluate(INK)
        return torch.tensor(found).round().long()

    def chances(self):
        """How dark each pixel of the second picture is: (T,)."""
        return torch.tensor(self.page.locator(".sheet.pick canvas").evaluate(INK))

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def finish(self):
        self.press("Finish it")
        expect(self.says).to_have_text(FINISHED)
        return self.pixels()

    def middle(self, row, column, sheet=None):
        """Where on the screen the middle of a pixel is."""
        box = (sheet or self.sheet).locator("canvas").bounding_box()
        rows = (sheet or self.sheet).locator("canvas").evaluate("c => c.height")
        side = box["height"] / rows
        return box["x"] + (column + 0.5) * side, box["y"] + (row + 0.5) * side

    def stroke(self, *places):
        """Draw a line from place to place with the mouse."""
        mouse = self.page.mouse
        mouse.move(*self.middle(*places[0]))
        mouse.down()
        for place in places[1:]:
            mouse.move(*self.middle(*place), steps=4)
        mouse.up()

    def slide(self, label, value):
        self.page.get_by_label(label).fill(str(value))


SEVEN = (6, 8), (6, 19), (13, 15)  # a bar, then down to the left


def test_the_reader_begins_and_the_model_ends(desk):
    seen = desk()
    seen.press("Clear")
    assert seen.pixels().sum() == 0
    seen.stroke(*SEVEN)
    top = seen.pixels()
    grid = top.reshape(28, 28)
    assert grid[6, 8:20].all()
    assert grid[13, 15]
    assert grid[:4].sum() == 0
    assert 30 < top.sum() < 90
    assert grid[14:].sum() == 0
    expected, p = draw(zoo.load("pixelcnn"), top[: 14 * 28], 0)
    assert (seen.finish() == expected).all()
    assert torch.allclose(seen.chances(), p, atol=0.01)
    assert expected[14 * 28 :].sum() > 0
    assert seen.visit.faults == []


def test_a_finger_draws(desk):
    seen = desk(width=390, touch=True)
    seen.press("Clear")
    swipe(seen.page, *(seen.middle(*place) for place in SEVEN))
    top = seen.pixels().reshape(28, 28)
    assert top[6, 8:20].all()
    assert top[13, 15]
    assert seen.page.evaluate("scrollY") == 0
    assert seen.finish()[14 * 28 :].sum() > 0
    assert seen.visit.faults == []


def test_the_keyboard_alone_is_enough(desk):
    seen = desk()
    keys = seen.page.keyboard
    seen.page.locator("body").press("Tab")
    expect(seen.sheet).to_be_focused()
    for _ in range(3):
        keys.press("Shift+ArrowDown")
    expect(seen.says).to_contain_text("You drew to row 11, column 15.")
    drawn = seen.pixels().reshape(28, 28)
    assert drawn[7:11, 14].all()
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(seen.says).to_have_text("row 11, column 17: paper.")
    keys.press("Space")
    assert seen.pixels().reshape(28, 28)[10, 16] == 1
    keys.press("Space")
    assert seen.pixels().reshape(28, 28)[10, 16] == 0
    keys.press("Tab")  # the line
    keys.press("ArrowLeft")
    expect(seen.page.get_by_label("rows above the line")).to_have_value("13")
    tab_to(seen.page, "Finish it")
    keys.press("Enter")
    expect(seen.says).to_have_text(FINISHED)
    expect(seen.page.get_by_role("button", name="Once more")).to_be_focused()


def tab_to(page, name):
    target = page.get_by_role("button", name=name, exact=True)
    for _ in range(10):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no way to {name} by the Tab key")


def test_what_lies_below_the_line_is_the_models(desk):
    seen = desk()
    before = seen.pixels()
    seen.stroke((20, 5), (24, 20))
    expect(seen.says).to_contain_text("Below the line the pen draws")
    assert (seen.pixels() == before).all()
    done = seen.finish()
    seen.stroke((24, 5), (24, 20))  # neither does it undo what the model has drawn
    expect(seen.says).to_contain_text("Below the line the pen draws")
    assert (seen.pixels() == done).all()
    seen.slide("rows above the line", 25)
    seen.stroke((20, 5), (20, 20))
    assert seen.pixels().reshape(28, 28)[20, 5:21].all()


def test_the_line_is_moved_by_its_handle(desk, six):
    seen = desk()
    box = seen.page.locator(".grip rect").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    seen.page.mouse.move(x, y)
    seen.page.mouse.down()
    seen.page.mouse.move(x, seen.middle(9.5, 0)[1], steps=5)
    seen.page.mouse.up()
    expect(seen.page.get_by_label("rows above the line")).to_have_value("10")
    assert (seen.pixels()[:280] == six[:280]).all()
    assert seen.pixels()[280:].sum() == 0


def test_erasing(desk, six):
    seen = desk()
    seen.page.get_by_text("erase", exact=True).click()
    place = divmod(int(six.nonzero()[20]), 28)
    seen.stroke(place, place)
    assert seen.pixels()[place[0] * 28 + place[1]] == 0
    assert 0 < seen.pixels().sum() < six[: 14 * 28].sum()


def test_pausing_and_stepping(desk, six):
    seen = desk()
    expected, p = draw(zoo.load("pixelcnn"), six[: 14 * 28], 0)
    seen.press("Finish it")
    seen.press("Pause")
    at = int(seen.page.get_by_label("pen at").input_value())
    assert 14 * 28 < at < 784
    assert (seen.pixels()[:at] == expected[:at]).all()
    assert seen.pixels()[at:].sum() == 0
    seen.press("Step")
    expect(seen.page.get_by_label("pen at")).to_have_value(str(at + 1))
    for _ in range(3):
        seen.press("Back")
    row, column = divmod(at - 2, 28)
    told = f"row {row + 1}, column {column + 1}: p(ink) is {p[at - 2]:.2f}"
    expect(seen.says).to_contain_text(told)
    expect(seen.page.locator(".caption").nth(1)).to_contain_text(
        f"{p[at - 2]:.2f} at the pen"
    )
    assert (seen.finish() == expected).all()


def test_it_says_which_pixel_moved_it(desk, six):
    seen = desk(Pen(drawn=six, at=14 * 28 + 15))
    model, t = zoo.load("pixelcnn"), 14 * 28 + 15
    expected, _ = draw(model, six[: 14 * 28], 0)
    sees = [s for s in range(t) if model.reaches(s, t)]
    copies = expected.repeat(len(sees) + 1, 1)
    for copy, s in zip(copies, sees, strict=False):
        copy[s] = 1 - copy[s]
    with torch.no_grad():
        p = model.logits(copies)[:, t].softmax(1)[:, 1]
    most = int((p[:-1] - p[-1]).abs().argmax())
    row, column = divmod(sees[most], 28)
    seen.page.locator("[data-asked=true]").wait_for()
    expect(seen.says).to_contain_text(
        f"Of the {len(sees)} pixels it can see, the one at row {row + 1}, column "
        f"{column + 1} matters most: turned over, p(ink) would be {p[most]:.2f}."
    )
    dots = seen.page.locator(".sheet circle")
    larger = (p[:-1] - p[-1]).abs()
    assert (larger > 0.0041).sum() <= dots.count() <= (larger > 0.0039).sum()
    raised = ((p[:-1] - p[-1]) > 0.0041).sum()
    assert raised <= seen.page.locator("circle.rises").count() <= raised + 3
    seen.press("Step")
    assert dots.count() < larger.numel()  # they are of the new pixel, as far as asked


def test_a_pixel_is_picked_by_touching_its_chance(desk):
    seen = desk()
    x, y = seen.middle(8, 12, seen.page.locator(".sheet.pick"))
    seen.page.mouse.click(x, y)
    expect(seen.page.get_by_label("pen at")).to_have_value(str(8 * 28 + 12))
    expect(seen.says).to_contain_text("The pen is at row 9, column 13")


def test_other_ends_of_one_beginning(desk, six):
    seen = desk(still=True)
    model, top = zoo.load("pixelcnn"), six[: 14 * 28]
    first = seen.finish()
    seen.press("Another")
    second = seen.pixels()
    assert (second == draw(model, top, 1)[0]).all()
    assert (second != first).any()
    seen.slide("seed", 7)
    seen.slide("temperature", 0.5)
    assert (seen.pixels()[14 * 28 :] == 0).all()
    assert (seen.finish() == draw(model, top, 7, 0.5)[0]).all()


def test_how_surprised_it_is(desk, six):
    seen = desk(Pen(drawn=six, line=28))
    with torch.no_grad():
        nats = -zoo.load("pixelcnn").log_prob(six[None]).item()
    told = seen.page.locator(".caption").first.inner_text()
    assert float(re.search(r"[\d.]+", told)[0]) == pytest.approx(nats, abs=0.06)
    expect(seen.says).to_have_text(f"The digit is finished: {nats:.1f} nats.")
    bars = seen.page.locator(".bars").get_attribute("d")
    assert bars.count("M") == 28


def test_without_movement_it_is_finished_at_once(desk):
    seen = desk(still=True)
    press = "go => { go.click(); return go.textContent; }"  # no frame passes between
    go = seen.page.get_by_role("button", name="Finish it")
    assert go.evaluate(press) == "Once more"


def test_a_digit_is_drawn_in_under_three_seconds(desk):
    seen = desk(Pen(line=0))
    assert seen.page.get_by_role("button", name="Finish it").evaluate(DRAWS) < 3000
    assert seen.pixels().sum() > 20


def test_a_model_of_ones_own_draws(desk):
    torch.manual_seed(0)
    model = PixelCNN(height=9, width=7, hidden=5, layers=2, first=5, kernel=3)
    torch.nn.init.normal_(model.head[-1].weight)
    seen = desk(Pen(model, line=0))
    assert (seen.finish() == draw(model, torch.zeros(0), 0)[0]).all()
    assert len(seen.pixels()) == 63


def test_what_is_drawn_comes_back_as_traits_and_traits_are_heard(desk, six):
    seen = desk(still=True)
    seen.page.evaluate(REMOUNT)
    first = seen.finish()
    assert seen.page.evaluate("model.get('pixels')") == first.tolist()
    seen.stroke((2, 2), (2, 10))
    drawn = seen.page.evaluate("model.get('drawn')")
    assert all(drawn[2 * 28 + 2 : 2 * 28 + 11])
    assert drawn[: 14 * 28] == seen.pixels()[: 14 * 28].tolist()
    seen.page.evaluate("drawn => model.set({ drawn, seed: 4, at: 784 })", six.tolist())
    expected, _ = draw(zoo.load("pixelcnn"), six[: 14 * 28], 4)
    assert (seen.pixels() == expected).all()
    assert seen.page.evaluate("model.get('pixels')") == expected.tolist()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_everybody_can_use_it(desk, six, width, scheme):
    seen = desk(Pen(drawn=six, at=14 * 28 + 15), width=width, scheme=scheme)
    wide = "document.documentElement.scrollWidth - innerWidth"
    for finish in (False, True):
        if finish:
            seen.finish()
        found = Axe().run(seen.page).response["violations"]
        assert [fault["id"] for fault in found] == []
        assert seen.page.evaluate(wide) == 0
    assert seen.visit.faults == []
    ink, paper = seen.page.evaluate(
        "['--ink', '--field'].map((name) => getComputedStyle("
        "document.querySelector('.explorable')).getPropertyValue(name))"
    )
    assert (ink < paper) == (scheme == "light")
