"""The window, used as a reader would; what it shows is what gradients say."""

import pytest
import torch
import traitlets
from explorables import call
from playwright.sync_api import expect
from test_pages import violations
from torch import nn

from lookback.explore import Window
from lookback.models.gated_pixelcnn import GatedLayer, above, beside
from lookback.models.pixelcnn import MaskedConv2d, earlier

IMAGE = [[int((y in (5, 6) and 8 <= x <= 18) or x == 21 - y // 2) for x in range(28)]
         for y in range(28)]  # fmt: skip


class OneStack(nn.Module):
    def __init__(self, first, kernel, layers):
        super().__init__()
        masks = [earlier(kernel, kind) for kind in [first, *"B" * (layers - 1)]]
        sizes = [1, *[4] * layers]
        self.layers = nn.ModuleList(map(MaskedConv2d, sizes, sizes[1:], masks))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).tanh()
        return x


class TwoStacks(nn.Module):
    def __init__(self, first, kernel, layers):
        super().__init__()
        self.vertical = MaskedConv2d(1, 4, above(kernel, "A"))
        self.horizontal = MaskedConv2d(1, 4, beside(kernel, first))
        self.layers = nn.ModuleList(GatedLayer(4, kernel, 0) for _ in range(layers - 1))

    def forward(self, x):
        v = self.vertical(x)
        h = self.horizontal(x) + v
        for layer in self.layers:
            v, h = layer(v, h)
        return h


def influence(model, row, column):
    """Which pixels of a random 28 x 28 picture move the features at one: (28, 28)."""
    x = torch.randn(8, 1, 28, 28, dtype=torch.double, requires_grad=True)
    model.double()(x)[:, :, row, column].square().sum().backward()
    return x.grad.abs().amax((0, 1)) > 0


CASES = [
    ("one stack", "A", 3, 1, 9, 5), ("one stack", "A", 3, 6, 20, 3),
    ("one stack", "B", 5, 4, 14, 25), ("one stack", "A", 7, 3, 27, 27),
    ("two stacks", "A", 3, 1, 9, 5), ("two stacks", "A", 3, 5, 20, 26),
    ("two stacks", "B", 5, 3, 2, 0), ("two stacks", "A", 5, 4, 11, 14),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_what_is_seen_is_what_has_a_gradient(case):
    wiring, first, kernel, layers, row, column = case
    torch.manual_seed(0)
    model = {"one stack": OneStack, "two stacks": TwoStacks}[wiring]
    found = influence(model(first, kernel, layers), row, column)
    chosen = {"wiring": wiring, "first": first, "kernel": kernel, "layers": layers}
    widget = Window(IMAGE, row=row, column=column, **chosen)
    assert torch.equal(widget.reach() > 0, found)


def test_the_page_computes_what_python_does():
    generator = torch.Generator().manual_seed(0)

    def draw(options):
        return options[torch.randint(len(options), (), generator=generator)]

    asked = [
        {
            "wiring": draw(["one stack", "two stacks", "attention"]), "first": draw("AB"),
            "kernel": draw([3, 5, 7]), "layers": draw(range(1, 21)),
            "row": draw(range(28)), "column": draw(range(28)),
        }
        for _ in range(20)
    ]  # fmt: skip
    found = call(
        "window", "reach", [[one | {"height": 28, "width": 28}] for one in asked]
    )
    for one, numbers in zip(asked, found, strict=True):
        assert Window(IMAGE, **one).reach().flatten().tolist() == numbers, one


def says(seen):
    return seen.page.locator(".says")


def test_depth_does_not_touch_the_blind_spot(mount):
    seen = mount(Window(IMAGE))
    expect(says(seen)).to_contain_text("One stack, 8 layers of 3 × 3")
    seen.page.get_by_label("layers").focus()
    for _ in range(12):
        seen.page.keyboard.press("ArrowRight")
    expect(says(seen)).to_contain_text("20 layers of 3 × 3")
    unseen = sum(right > up for up in range(1, 17) for right in range(1, 14))
    expect(says(seen)).to_contain_text(f"{unseen} cannot move it")
    seen.page.get_by_text("two stacks", exact=True).click()
    expect(says(seen)).to_contain_text("None is hidden")
    assert seen.faults == []


def test_a_mask_of_type_b_leaks(mount):
    seen = mount(Window(IMAGE))
    seen.page.get_by_text("type B").click()
    expect(says(seen)).to_contain_text("and itself")
    assert seen.page.locator("rect.leak").count() == 1


def test_attention_sees_all_and_needs_no_layers(mount):
    seen = mount(Window(IMAGE))
    seen.page.get_by_text("attention", exact=True).click()
    expect(says(seen)).to_contain_text("sees 462 of the 462 pixels")
    expect(seen.page.get_by_label("layers")).to_be_hidden()
    assert seen.page.locator("rect.drawn").count() == 0


def test_the_mouse_looks_and_a_click_keeps(mount):
    seen = mount(Window(IMAGE))
    box = seen.page.locator("svg.field").bounding_box()
    place = box["x"] + box["width"] * 0.52, box["y"] + box["height"] * 0.27
    seen.page.mouse.move(*place)
    expect(says(seen)).to_contain_text("row 7, column 14")
    seen.page.mouse.move(5, 5)
    expect(says(seen)).to_contain_text("row 16, column 14")
    seen.page.mouse.click(*place)
    seen.page.mouse.move(5, 5)
    expect(says(seen)).to_contain_text("row 7, column 14")


def test_arrows_stop_at_the_edge(mount):
    seen = mount(Window(IMAGE, row=1, column=26))
    seen.page.locator("svg.field").focus()
    for key in ["ArrowRight"] * 3 + ["ArrowUp"] * 3:
        seen.page.keyboard.press(key)
    expect(says(seen)).to_contain_text("row 0, column 27")
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("ArrowLeft")
    expect(says(seen)).to_contain_text("row 1, column 26")


def test_a_finger_chooses(mount):
    seen = mount(Window(IMAGE), width=390, touch=True)
    box = seen.page.locator("svg.field").bounding_box()
    seen.page.touchscreen.tap(box["x"] + 5, box["y"] + box["height"] - 5)
    expect(says(seen)).to_contain_text("row 27, column 0")
    assert violations(seen.page) == []
    assert seen.faults == []


def test_python_refuses_what_makes_no_sense():
    with pytest.raises(traitlets.TraitError, match="kernel"):
        Window(IMAGE, kernel=4)


def test_where_nothing_is_hidden():
    """The chapter's question: 20 layers of 7 x 7, in the top row or near the right."""
    for row, column in [(0, 3), (1, 23), (1, 24), (16, 14), (16, 23), (16, 24), (27, 27)]:
        widget = Window(IMAGE, kernel=7, layers=20, row=row, column=column)
        hidden = (widget.reach().flatten()[: row * 28 + column] == 0).any().item()
        assert hidden == (row > 0 and column < 24)


def test_the_title_counts_what_is_earlier():
    assert (
        Window(IMAGE, row=0, column=0, first="B")
        .title(Window(IMAGE, row=0, column=0, first="B").reach())
        .startswith("0 of 0 earlier pixels")
    )


def test_a_small_picture_has_a_pixel_to_look_from():
    small = Window(torch.zeros(5, 4))
    assert (small.row, small.column) == (4, 3)
    assert small.picture()
    with pytest.raises(traitlets.TraitError, match=r"row must lie in 0 .. 4, got 5"):
        Window(torch.zeros(5, 4), row=5)
    with pytest.raises(traitlets.TraitError, match=r"column must lie in 0 .. 3, got -1"):
        small.column = -1
