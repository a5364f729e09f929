"""What all figures share: palette, font and size, and how a notebook shows them."""

import io
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import is_color_like, to_hex, to_rgb
from matplotlib.figure import Figure
from PIL import Image

# One colour for each way of looking back. Each keeps a contrast of at least 3 : 1 against
# white, and any two stay apart for red-, green- and blue-blind readers (see the tests).
COLOURS = {
    "handed along": "#264395",
    "one vector": "#EA5B1A",
    "wired directly": "#5A3E00",
    "neighbourhood": "#2E9E95",
    "attention": "#A42EDB",
}
# Three cells that hand along: shades of its colour, each with its dash and marker.
CELLS = {
    "rnn": {"color": "#5B8DD6", "linestyle": ":", "marker": "o"},
    "gru": {"color": "#264395", "linestyle": "--", "marker": "s"},
    "lstm": {"color": "#14213F", "linestyle": "-", "marker": "^"},
}
INK, MUTED, GRID, PAPER = "#1F2328", "#5F6B7A", "#E3E7EC", "#FFFFFF"
WIDTH = 6.5  # inches: a page of the book
FONT = Path(__file__).parent.parent / "fonts" / "LookBackHangul.ttf"

NEUTRAL = "#56657A"  # for series that are no way of looking back
_MARKERS, _DASHES = ["o", "s", "^", "D", "v", "P"], ["-", "--", "-.", ":"]


def use_style() -> None:
    """Set matplotlib's defaults to the style of the book, with a font that has Hangul."""
    font_manager.fontManager.addfont(FONT)
    family = font_manager.FontProperties(fname=FONT).get_name()
    matplotlib.rcParams.update(
        {
            "font.family": [family, "DejaVu Sans"],  # matplotlib's own has the rest
            "font.size": 14,
            "axes.titlesize": 15,
            "figure.titlesize": 16,
            "legend.fontsize": 13,
            "xtick.labelsize": 13,
            "ytick.labelsize": 13,
            "figure.figsize": (WIDTH, 3.6),
            "figure.dpi": 150,
            "figure.facecolor": PAPER,
            "axes.facecolor": PAPER,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.prop_cycle": matplotlib.cycler(color=[NEUTRAL, *COLOURS.values()]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": GRID,
            "xtick.color": MUTED,
            "ytick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "text.color": INK,
            "lines.linewidth": 2.2,
            "lines.markersize": 6,
        }
    )


class Picture(Figure):
    """A figure that shows itself in a notebook, once, and keeps no global state."""

    def __init__(self, title: str, height: float, layout: str | None = "constrained"):
        title = wrap(title, 60)
        height += 0.28 * title.count("\n")  # the chart keeps its size
        super().__init__(figsize=(WIDTH, height), layout=layout)
        place = {"y": 1 - 0.07 / height} if layout is None else {}
        self.suptitle(title, x=0.01, ha="left", **place)

    def _repr_png_(self) -> bytes:
        drawn, small = io.BytesIO(), io.BytesIO()
        self.savefig(drawn, format="png")
        # 256 colours are plenty for a chart and make the file a third of the size.
        image = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        image.save(small, format="png", optimize=True)
        return small.getvalue()


def wrap(text: str, width: int) -> str:
    """The text in lines of at most `width` characters, as few and as even as can be.

    It keeps the line breaks it has, and breaks no word.
    """
    return "\n".join(_even(line, width) for line in str(text).split("\n"))


def _even(line: str, width: int) -> str:
    def fold(width: int) -> list[str]:
        return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)

    count = len(fold(width))
    narrow = next(w for w in range(1, width + 1) if len(fold(w)) <= count)
    return "\n".join(fold(narrow))


def span(text: str) -> int:
    """How many letters wide a text is: a Hangul syllable takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def looks(labels: Sequence[str], colours: Mapping | str | None = None) -> dict[str, dict]:
    """How to draw each label's series: colour, line style, marker.

    A label that is a name in COLOURS or CELLS has the look that goes with it. `colours`
    maps other labels to such a name, or to a colour of their own; what is left takes
    shades of grey, or of the one colour that `colours` names.
    """
    given = {} if isinstance(colours, str) else dict(colours or {})
    base = colours if isinstance(colours, str) else NEUTRAL
    left = [label for label in labels if label not in {*given, *COLOURS, *CELLS}]
    given |= dict(zip(left, shades(base, len(left)), strict=True))
    return {
        label: _look(given.get(label, label), index) for index, label in enumerate(labels)
    }


def shades(colour: str, count: int) -> list[str]:
    """`count` shades of a colour, from itself to nearly black."""
    rgb = np.array(to_rgb(as_colour(colour)))
    dark = np.linspace(0, 0.65, max(count, 1))[:count, None]
    return [to_hex(shade) for shade in (1 - dark) * rgb]


def as_colour(name: str) -> str:
    """A name from COLOURS or CELLS as a colour; a colour as it is."""
    colour = CELLS[name]["color"] if name in CELLS else COLOURS.get(name, name)
    if not is_color_like(colour):
        known = ", ".join([*COLOURS, *CELLS])
        raise ValueError(f"{name!r} is no colour; give a colour, or one of: {known}")
    return colour


def _look(wanted: str, index: int) -> dict:
    if wanted in CELLS:
        return CELLS[wanted]
    if wanted in COLOURS:
        marker = _MARKERS[list(COLOURS).index(wanted)]
        return {"color": COLOURS[wanted], "linestyle": "-", "marker": marker}
    dash, marker = _DASHES[index % len(_DASHES)], _MARKERS[index % len(_MARKERS)]
    return {"color": as_colour(wanted), "linestyle": dash, "marker": marker}


def numbers(values, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """`values` as an array of the shape expected; None there stands for any length."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values, float)
    fits = array.ndim == len(shape) and all(
        want in (None, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or 0 in array.shape:
        want = " x ".join("any" if side is None else str(side) for side in shape)
        raise ValueError(
            f"{name} has the shape {array.shape}; expected {want}, not empty"
        )
    return array


def names(values, what: str, count: int) -> list[str]:
    """`values` as `count` strings."""
    given = [str(value) for value in values]
    if len(given) != count:
        raise ValueError(f"{what} has {len(given)} entries; expected {count}")
    return given
