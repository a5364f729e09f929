"""The picture of a search shows what the search did, and all of it fits."""

import io
import math

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from PIL import Image

from lookback.decoding import Node
from lookback.figures import COLOURS
from lookback.figures.trees import rows, tree

# a kept, b kept and then dead, c dropped; ad and ae kept.
NODES = (
    Node(-1, None, 0.0, True),
    Node(0, 2, -0.5, True),
    Node(0, 3, -1.2, True),
    Node(0, 4, -3.0, False),
    Node(1, 5, -0.9, True),
    Node(2, 6, -9.0, False),
    Node(1, 6, -1.1, True),
)


def word(symbol):
    return "__abcde"[symbol]


def written(figure):
    axes = figure.axes[0]
    return {text.get_text(): text for text in axes.texts}


def test_each_prefix_is_written_with_its_number():
    texts = written(tree(NODES, word, title="A tree"))
    assert set(texts) == {
        "start", "a  −0.50", "b  −1.20", "c  −3.00", "d  −0.90", "e  −1.10", "e  −9.00"
    }  # fmt: skip
    assert texts["c  −3.00"].get_bbox_patch().get_edgecolor()[3] == 0
    assert texts["b  −1.20"].get_bbox_patch().get_edgecolor()[3] == 1


def test_numbers_can_be_probabilities():
    figure = tree(NODES, word, title="A tree", number=lambda x: f"{math.exp(x):.2f}")
    assert "a  0.61" in written(figure)


def test_children_stand_below_their_parents_in_order():
    assert rows(NODES, -math.inf) == [[0], [1, 2, 3], [4, 6, 5]]
    assert rows(NODES, -4) == [[0], [1, 2, 3], [4, 6]]
    assert rows(NODES, 0) == [[0], [1, 2], [4, 6]]  # what was kept is always shown


def test_a_path_has_its_colour():
    figure = tree(
        NODES, word, title="A tree", paths={"best": (2, 5), "other": (2, 6)},
        colours={"best": "one vector"},
    )  # fmt: skip
    orange = COLOURS["one vector"].lower()
    edges = {
        name: to_hex(text.get_bbox_patch().get_edgecolor())
        for name, text in written(figure).items()
    }
    assert [name for name, colour in edges.items() if colour == orange] == [
        "a  −0.50", "d  −0.90"
    ]  # fmt: skip
    assert [text.get_text() for text in figure.texts[-2:]] == ["— best", "— other"]


def test_a_path_must_lie_in_the_tree():
    with pytest.raises(ValueError, match="'best' leaves the tree at symbol 6"):
        tree(NODES, word, title="A tree", paths={"best": (4, 6)})


def test_an_empty_tree_is_an_error():
    with pytest.raises(ValueError, match="tree=True"):
        tree((), word, title="A tree")


def test_everything_is_inside_and_nothing_overlaps():
    figure = tree(NODES, word, title="A tree " * 20, paths={"best": (2, 5)})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # places the boxes
    renderer = canvas.get_renderer()
    frame = figure.bbox
    boxes = [
        text.get_bbox_patch().get_window_extent(renderer)
        for text in written(figure).values()
    ]
    boxes += [text.get_window_extent(renderer) for text in figure.texts]
    for i, box in enumerate(boxes):
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
        assert not any(box.overlaps(other) for other in boxes[:i])
    assert Image.open(io.BytesIO(figure._repr_png_())).size[0] == 975
