"""Figures can be read: colours apart, text inside and large enough, Hangul drawn."""

import io
import itertools
import warnings

import numpy as np
import pytest
import torch
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from lookback import figures
from lookback.figures import charts, style

# --- Palette --------------------------------------------------------------------------

# What a reader who lacks one kind of cone sees: Machado, Oliveira and Fernandes (2009),
# A physiologically-based model for simulation of color vision deficiency, severity 1.
EYES = {
    "all cones": np.eye(3),
    "red-blind": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green-blind": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "blue-blind": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour):
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast_with_white(colour):
    """As in the Web Content Accessibility Guidelines."""
    return 1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05)


def oklab(rgb):
    """Coordinates in which equal distances look about equally large (Ottosson, 2020)."""
    cones = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
    to_lab = [
        [0.2105, 0.7936, -0.0041],
        [1.9780, -2.4286, 0.4506],
        [0.0259, 0.7828, -0.8087],
    ]
    return to_lab @ np.cbrt(cones @ rgb.clip(0, 1))


ALL_COLOURS = [*style.COLOURS.values(), *(c["color"] for c in style.CELLS.values()),
               style.NEUTRAL, style.MUTED, style.INK]  # fmt: skip


@pytest.mark.parametrize("colour", ALL_COLOURS)
def test_every_line_stands_out_from_the_page(colour):
    assert contrast_with_white(colour) >= 3


@pytest.mark.parametrize("eye", EYES)
def test_ways_of_looking_back_stay_apart(eye):
    seen = [oklab(EYES[eye] @ linear(c)) for c in style.COLOURS.values()]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert min(distances) > 0.12  # black and white are 1 apart


def test_cells_differ_by_dash_and_marker_too():
    for key in ("color", "linestyle", "marker"):
        assert len({look[key] for look in style.CELLS.values()}) == 3


def test_a_way_of_looking_back_always_has_its_colour():
    x, ys = [1, 2], {"attention": [1, 2], "mine": [2, 1], "lstm": [0, 1], "other": [3, 3]}
    figure = figures.lines(x, ys, title="", xlabel="", ylabel="",
                           colours={"mine": "one vector"})  # fmt: skip
    drawn = [line.get_color() for line in figure.axes[0].lines]
    assert drawn[0] == figures.COLOURS["attention"]
    assert drawn[1] == figures.COLOURS["one vector"]
    assert drawn[2] == figures.CELLS["lstm"]["color"]
    assert drawn[3] not in figures.COLOURS.values()


def test_shades_start_at_the_colour_and_differ():
    looks = style.looks(["dot", "bilinear", "additive"], "attention").values()
    colours = [look["color"] for look in looks]
    assert colours[0].upper() == figures.COLOURS["attention"]
    assert len(set(colours)) == len({look["linestyle"] for look in looks}) == 3


# --- Font -----------------------------------------------------------------------------


def test_font_has_every_syllable_of_the_standard_and_is_small():
    known = set(TTFont(style.FONT).getBestCmap())
    syllables = {c for c in range(0xAC00, 0xD7A4) if chr(c).encode("euc_kr", "ignore")}
    euc_kr = {c for c in syllables if len(chr(c).encode("euc_kr")) == 2}
    assert len(euc_kr) == 2350
    assert known >= euc_kr
    assert known >= {ord(c) for c in "aZ09 .,:;()[]{}+-=/<>%\N{MINUS SIGN}"}
    assert style.FONT.stat().st_size < 600_000


def test_font_carries_its_licence_and_not_the_reserved_name():
    names = TTFont(style.FONT)["name"]
    assert "Nanum" not in "".join(names.getDebugName(i) for i in (1, 3, 4, 6))
    assert "Reserved Font Name Nanum" in names.getDebugName(0)
    assert "SIL Open Font License" in names.getDebugName(13)
    assert "SIL OPEN FONT LICENSE" in (style.FONT.parent / "OFL.txt").read_text()


@pytest.fixture
def only_our_fonts(monkeypatch):
    """A machine with no fonts but matplotlib's own and ours."""
    fonts = font_manager.fontManager
    ours = [
        f for f in fonts.ttflist if f.fname == str(style.FONT) or "mpl-data" in f.fname
    ]
    monkeypatch.setattr(fonts, "ttflist", ours)


def test_hangul_is_drawn_on_a_machine_without_korean_fonts(only_our_fonts):
    def drawn(word):
        figure = figures.lines([0, 1], {word: [0, 1]}, title=f"{word} √d ‖∂h‖ – α ≤ ∞",
                               xlabel=f"{word} 10⁻²", ylabel="q·k")  # fmt: skip
        return figure._repr_png_()

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "Glyph missing from font" is a warning
        assert drawn("책을") != drawn("물을")


def test_log_axes_have_their_minus_sign(only_our_fonts, caplog):
    figures.lines([1, 10], {"rnn": [1e-6, 1]}, title="", xlabel="", ylabel="",
                  logy=True)._repr_png_()  # fmt: skip
    assert caplog.text == ""  # mathtext logs what it lacks


# --- Every kind of figure -------------------------------------------------------------

rng = np.random.default_rng(0)
LONG = (
    "A finding that takes rather more words than would ever fit on a single line of text"
)
SOURCE = [
    "the",
    "old",
    "teacher",
    "quietly",
    "reads",
    "a",
    "book",
    "in",
    "the",
    "library",
]
TARGET = ["늙은", "선생님이", "작은", "도서관에서", "조용히", "새", "책을", "읽는다"]
BANDS = ["3–8", "9–16", "17–24", "25–32", "33–45"]
AXES = {"xlabel": "source length (words)", "ylabel": "exact match (share of sentences)"}
EXAMPLES = {
    "lines": lambda: figures.lines(
        range(0, 60, 5), {c: rng.random(12) for c in figures.CELLS}, title=LONG, **AXES,
        spread={"gru": (np.zeros(12), np.ones(12))}, reference={"chance": 0.1},
        ylim=(0, 1),
    ),
    "lines that end together": lambda: figures.lines(
        [1, 2, 3], {f"model {i}": [i, 0, 1] for i in range(8)}, title="Eight", **AXES
    ),
    "lines over bands": lambda: figures.lines(
        BANDS, {"one vector": [0.9, 0.6, 0.2, 0.1, 0], "one vector, source reversed":
                [0.9, 0.7, 0.3, 0.1, 0], "attention": torch.ones(5)}, title=LONG, **AXES,
    ),
    "lines, log": lambda: figures.lines(
        [4, 16, 64, 256, 1024], {"q·k": [0.5, 0.1, 1e-3, 1e-5, 1e-8]}, title="Log",
        xlabel="dimension", ylabel="gradient", logx=True, logy=True,
    ),
    "bars": lambda: figures.bars(
        list(figures.COLOURS), {"nats": 80 + 20 * rng.random(5)}, title=LONG,
        xlabel="nats per image", form="{:.1f}",
    ),
    "bars in groups": lambda: figures.bars(
        ["greedy", "beam 5", "exact search"],
        {"short": [0.9, 0.9, 1], "long": [0, 0.1, 0]}, title="Bars", xlabel="exact match",
        spread={"short": ([0.8] * 3, [1] * 3)}, colours="one vector",
    ),
    "scatter": lambda: figures.scatter(
        rng.normal(size=(10, 2)), title=LONG, xlabel="first component",
        ylabel="second component", labels=SOURCE, groups=list("abcdefabcd"),
    ),
    "heatmap": lambda: figures.heatmap(
        rng.random((8, 10)), TARGET, SOURCE, title=LONG, xlabel="English",
        ylabel="Korean", unit="attention weight",
    ),
    "heatmap of 45 words": lambda: figures.heatmap(
        rng.random((45, 45)), ["도서관에서"] * 45, ["teacher"] * 45, title="Long",
        xlabel="English", ylabel="Korean", unit="attention weight",
    ),
    "heatmap of an image": lambda: figures.heatmap(
        torch.randn(28, 28), title="Influence", xlabel="column", ylabel="row",
        unit="change in log-odds",
    ),
    "digits": lambda: figures.digits(rng.random((20, 28, 28)), title=LONG),
    "digits with labels": lambda: figures.digits(
        rng.random((5, 28, 28)), title="Captions", columns=3,
        labels=["a thin seven leaning right"] * 5,
    ),
    "digits with rows": lambda: figures.digits(
        rng.random((24, 196)), title="Samples", columns=8,
        rows=["epoch 1", "epoch 5", "진짜"],
    ),
}  # fmt: skip


@pytest.fixture(params=EXAMPLES, scope="module")
def figure(request):
    return EXAMPLES[request.param]()


def texts(figure):
    """Every piece of text, with its box in pixels."""
    figure.draw_without_rendering()
    found = figure.findobj(Text)
    return [(text, text.get_window_extent()) for text in found if text.get_text().strip()]


def test_figure_fits_the_page_and_its_file_is_small(figure):
    png = figure._repr_png_()
    assert len(png) < 60_000
    image = Image.open(io.BytesIO(png))
    assert image.width == round(6.5 * figure.dpi) == 975
    assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert image.convert("L").getextrema()[0] < 60  # something dark is drawn


def test_nothing_is_cut_off(figure):
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()  # in inches, all that is drawn, with the title
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) > -0.01


def test_text_is_legible_on_a_phone(figure):
    dense = len(figure.axes[0].get_yticklabels()) > 40
    for text, _ in texts(figure):
        points = text.get_fontsize()  # a page 358 pixels wide shows 0.77 of a point
        assert points >= (6 if dense else 12) or "mathdefault" in text.get_text()


def test_titles_and_axes_are_labelled(figure):
    assert figure.get_suptitle()
    for axes in figure.axes:
        assert axes.get_xlabel() or axes.get_ylabel() or axes.images


def test_end_labels_do_not_overlap():
    figure = EXAMPLES["lines that end together"]()
    labels = sorted(
        (box.y0, box.y1) for t, box in texts(figure) if "model" in t.get_text()
    )
    assert len(labels) == 8
    for (_, top), (bottom, _) in itertools.pairwise(labels):
        assert bottom > top - 4  # boxes have a little air above and below the letters


def test_figures_keep_no_state(figure):
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []
    assert repr(figure).startswith("<Picture size 975x")


# --- What is drawn is what was given --------------------------------------------------


def test_lines_draw_the_numbers_with_gaps_and_spread():
    y = torch.tensor([1.0, float("nan"), 3.0], requires_grad=True)
    figure = figures.lines([1, 2, 4], {"gru": y}, title="t", xlabel="x", ylabel="y",
                           spread={"gru": ([0, 0, 2], [2, 2, 4])},
                           reference={"chance": 0.5}, ylim=(0, 5))  # fmt: skip
    (axes,) = figure.axes
    line, reference = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [[1, 1], [2, np.nan], [4, 3]])
    assert set(reference.get_ydata()) == {0.5}
    assert axes.get_ylim() == (0, 5)
    assert axes.collections[0].get_datalim(axes.transData).y1 == 4
    assert [t.get_text() for t in axes.texts] == ["chance", "gru"]  # from the bottom up


def test_log_scale_covers_the_data():
    axes = EXAMPLES["lines, log"]().axes[0]
    assert axes.get_ylim()[0] < 1e-8 < 0.5 < axes.get_ylim()[1]
    assert [t.get_text() for t in axes.get_xticklabels()] == [
        "4",
        "16",
        "64",
        "256",
        "1,024",
    ]


def test_bars_draw_the_numbers():
    figure = figures.bars(["a", "attention"], {"s": [1, 2]}, title="t", xlabel="x",
                          form="{:.0f} s")  # fmt: skip
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [1, 2]
    assert [t.get_text() for t in axes.texts] == ["1 s", "2 s"]
    assert to_rgb(axes.patches[1].get_facecolor()) == to_rgb(figures.COLOURS["attention"])
    assert to_rgb(axes.patches[0].get_facecolor()) == to_rgb(style.NEUTRAL)


def test_numbers_stand_at_the_tips_of_their_bars():
    figure = figures.bars(["gain", "loss"], {"s": [1, -1]}, title="t", xlabel="x",
                          spread={"s": ([0, -3], [2, 0])})  # fmt: skip
    gain, loss = figure.axes[0].texts
    assert (gain.xy[0], loss.xy[0]) == (2, -3)
    assert (gain.get_ha(), loss.get_ha()) == ("left", "right")


def test_scatter_names_every_point_where_it_is():
    points = np.array([[0, 0], [1, 1], [1, 1.01]])
    figure = figures.scatter(points, title="t", xlabel="x", ylabel="y", labels="abc")
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), points)
    assert [t.xy for t in axes.texts] == [tuple(p) for p in points]
    boxes = [box for t, box in texts(figure) if t in axes.texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_heatmap_shows_row_i_column_j():
    weights = np.array([[0.0, 1.0, 0.5], [0.2, np.nan, 0.1]])
    figure = figures.heatmap(weights, ["책을", "r2"], ["a", "b", "c"], title="t",
                             xlabel="x", ylabel="y", unit="weight")  # fmt: skip
    axes, scale = figure.axes
    np.testing.assert_array_equal(axes.images[0].get_array().filled(np.nan), weights)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["책을", "r2"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b", "c"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row on top
    assert scale.get_ylabel() == "weight"
    assert axes.images[0].get_clim() == (0, 1)


def test_signed_heatmap_is_white_at_zero():
    shown = figures.heatmap([[-2.0, 0.0, 1.0]], title="t", xlabel="x", ylabel="y",
                            unit="u").axes[0].images[0]  # fmt: skip
    assert shown.get_clim() == (-2, 2)
    assert min(shown.cmap(shown.norm(0.0))[:3]) > 0.98
    assert max(shown.cmap(shown.norm(2.0))[:3]) < 0.9


def test_digits_show_ink_dark_whatever_the_type():
    ink = np.zeros((1, 4, 4))
    ink[0, 1, 2] = 1
    given = [ink, ink.reshape(1, 16), torch.tensor(ink).long(),
             torch.tensor(ink * 255).byte(), torch.tensor(ink).bool()]  # fmt: skip
    for images in given:
        (axes,) = figures.digits(images, title="t").axes
        shown = axes.images[0].get_array()
        assert shown.shape == (4, 4, 3)
        np.testing.assert_allclose(shown[1, 2], to_rgb(style.INK))
        assert (np.delete(shown.reshape(16, 3), 6, axis=0) == 1).all()


# --- Errors ---------------------------------------------------------------------------

XY = {"title": "t", "xlabel": "x", "ylabel": "y"}
ERRORS = {
    "y too short": (
        lambda: figures.lines([1, 2], {"a": [1]}, **XY),
        r"\(1,\); expected 2",
    ),
    "no series": (lambda: figures.lines([1, 2], {}, **XY), "one label or more"),
    "no labels": (lambda: figures.lines([1, 2], [1, 2], **XY), "{label: numbers}"),
    "no points": (lambda: figures.lines([], {"a": []}, **XY), "not empty"),
    "spread of nobody": (
        lambda: figures.lines([1], {"a": [1]}, spread={"b": ([0], [1])}, **XY),
        r"spread has \['b'\]; the labels are \['a'\]",
    ),
    "spread too short": (
        lambda: figures.lines([1, 2], {"a": [1, 2]}, spread={"a": ([0], [1])}, **XY),
        r"spread\['a'\] has the shape \(2, 1\); expected 2 x 2",
    ),
    "no colour": (
        lambda: figures.lines([1], {"a": [1]}, colours={"a": "atention"}, **XY),
        "'atention' is no colour.*attention",
    ),
    "bars": (
        lambda: figures.bars(["a", "b"], {"s": [1]}, title="t", xlabel="x"),
        r"values\['s'\] has the shape \(1,\); expected 2",
    ),
    "points in space": (
        lambda: figures.scatter(np.zeros((4, 3)), **XY),
        r"\(4, 3\); expected any x 2",
    ),
    "labels": (
        lambda: figures.scatter(np.zeros((4, 2)), labels=["a"], **XY),
        "labels has 1 entries; expected 4",
    ),
    "heatmap of a vector": (
        lambda: figures.heatmap([1, 2], unit="u", **XY),
        r"weights has the shape \(2,\); expected any x any",
    ),
    "heatmap words": (
        lambda: figures.heatmap([[1, 2]], ["a"], ["b"], unit="u", **XY),
        "columns has 1 entries; expected 2",
    ),
    "no square": (lambda: figures.digits(np.zeros((2, 10)), title="t"), "10 pixels"),
    "digits out of range": (
        lambda: figures.digits(np.full((1, 4, 4), 255), title="t"),
        "go from 255 to 255; expected 0 to 1, or uint8",
    ),
    "digit rows": (
        lambda: figures.digits(np.zeros((20, 4, 4)), title="t", rows=["a"]),
        "rows has 1 entries; expected 2",
    ),
    "one digit": (
        lambda: figures.digits(np.zeros(4), title="t"),
        r"\(4,\); expected any",
    ),
    "table": (lambda: figures.table({"a": ["1"], "b": []}), "differ in length"),
    "no table": (lambda: figures.table({}), "there are none"),
}


@pytest.mark.parametrize(("call", "message"), ERRORS.values(), ids=ERRORS)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- Words and tables -----------------------------------------------------------------


@given(
    st.lists(st.text("abc", min_size=1, max_size=12), max_size=20), st.integers(12, 40)
)
def test_wrapping_loses_no_word_and_uses_no_line_too_many(words, width):
    lines = style.wrap(" ".join(words), width).split("\n")
    assert " ".join(lines).split() == words
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(1, len(style.textwrap.wrap(" ".join(words), width)))


@given(
    st.lists(st.tuples(st.floats(0, 200), st.integers(10, 30)), min_size=1, max_size=6)
)
def test_labels_are_pushed_apart_no_further_than_needed(labels):
    wanted = np.sort([w for w, _ in labels])
    room = np.array([r for _, r in labels], float)
    placed = charts._apart(wanted, room, 200)
    gaps = (room[1:] + room[:-1]) / 2
    assert (np.diff(placed) >= gaps - 1e-9).all()
    assert placed[0] >= 0
    assert placed[-1] <= 200 + 1e-9
    if (np.diff(wanted) >= gaps).all():
        np.testing.assert_allclose(placed, wanted, atol=1e-9)


def test_table_as_text_and_as_markdown():
    table = figures.table({"모델": ["attention", "한 벡터"], "exact": ["0.93", "–"]})
    assert repr(table) == "모델       exact\nattention   0.93\n한 벡터        –"
    assert table._repr_markdown_().split("\n") == [
        "| 모델 | exact |",
        "| :--- | ---: |",
        "| attention | 0.93 |",
        "| 한 벡터 | – |",
    ]


def test_table_shows_marks_as_they_are():
    table = figures.table({"a|b": ["<b>", "x*y"], "n": [1, "−2 %"]})
    assert r"| a\|b | n |" in table._repr_markdown_()
    assert r"| \<b> | 1 |" in table._repr_markdown_()
    assert r"| x\*y | −2 % |" in table._repr_markdown_()
