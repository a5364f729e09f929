"""Charts of images: grids of digits, and matrices of weights."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb

from lookback.figures.style import (
    COLOURS,
    GRID,
    INK,
    PAPER,
    WIDTH,
    Picture,
    names,
    numbers,
    span,
    wrap,
)


def digits(
    images,
    *,
    title: str,
    columns: int = 10,
    labels: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
) -> Picture:
    """Images side by side, dark ink on white, `columns` to a row.

    images: (N, height, width), or sequences of pixels (N, T) of square images; uint8 from
    0 to 255, or any numbers from 0 to 1. labels: N words, one under each image.
    rows: a name for each row.
    """
    images = _ink(images)
    N, H, W = images.shape
    R = math.ceil(N / columns)
    labels = names(labels, "labels", N) if labels is not None else [""] * N
    rows = names(rows, "rows", R) if rows is not None else [""] * R
    left, top, gap = 0.1 + 0.1 * max(map(span, rows)), 0.42, 0.07  # inches
    side = (WIDTH - left - 0.03) / columns - gap
    labels = [wrap(label, max(1, int(side * 11.5))) for label in labels]
    lines = max(label.count("\n") + (label > "") for label in labels)
    under = 0.22 * lines + 0.06 * (lines > 0)
    figure = Picture(title, top + R * (side * H / W + under + gap) + 0.05, layout=None)
    width, height = figure.get_size_inches()
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        x = left + column * (side + gap)
        y = 0.05 + under + gap / 2 + (R - 1 - row) * (side * H / W + under + gap)
        axes = figure.add_axes(
            (x / width, y / height, side / width, side * H / W / height)
        )
        axes.imshow(_paint(image), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(labels[index], labelpad=3, linespacing=1.05)
        axes.spines[:].set(visible=True, color=GRID)
        if column == 0:
            axes.set_ylabel(rows[row], rotation=0, ha="right", va="center")
    return figure


def heatmap(
    weights,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    unit: str,
    colour: str = "attention",
    limits: tuple[float, float] | None = None,
) -> Picture:
    """A matrix in shades: row i, column j shows weights[i, j]; NaN is grey.

    weights: (R, C). rows, columns: a word for each, or None for plain numbers.
    unit: what a shade means, written beside the scale.
    colour: a name from COLOURS, or a colour, for the highest weight.
    limits: (low, high) of the scale. By default it goes from 0 to the largest weight, or
    as far to both sides of 0, in two colours, when a weight is negative.
    """
    weights = numbers(weights, "weights", (None, None))
    R, C = weights.shape
    low, high = limits or _limits(weights)
    words = rows is not None or columns is not None
    height = 1.9 + 0.27 * R if words else 1.4 + 4 * R / C
    figure = Picture(
        title, min(9, height), layout="constrained" if words else "compressed"
    )
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    shown = axes.imshow(
        weights,
        _shades(colour, low < 0),
        vmin=low,
        vmax=high,
        aspect="auto" if words else "equal",
        interpolation="nearest",
    )
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if columns is not None:
        _name_columns(axes, names(columns, "columns", C))
    if rows is not None:
        axes.set_yticks(range(R), names(rows, "rows", R), fontsize=min(13, 430 / R))
    figure.colorbar(
        shown, label=unit, shrink=0.8, pad=0.02, aspect=25
    ).outline.set_visible(False)
    return figure


def _ink(images) -> np.ndarray:
    """Images as (N, H, W), 0 for paper and 1 for ink."""
    grey = "uint8" in str(getattr(images, "dtype", ""))
    shape = tuple(getattr(images, "shape", np.shape(images)))
    array = numbers(images, "images", (None,) * (3 if len(shape) == 3 else 2))
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        if side * side != array.shape[1]:
            raise ValueError(
                f"images are sequences of {array.shape[1]} pixels, which is "
                "no square; give them as (N, height, width)"
            )
        array = array.reshape(-1, side, side)  # (N, H, W)
    array = array / 255 if grey else array
    if not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            f"pixels go from {array.min():g} to {array.max():g}; expected 0 "
            "to 1, or uint8 from 0 to 255"
        )
    return array


def _paint(image: np.ndarray) -> np.ndarray:
    """Shares of ink (H, W) as colours (H, W, 3)."""
    paper, ink = np.array(to_rgb(PAPER)), np.array(to_rgb(INK))
    return paper + image[..., None] * (ink - paper)


def _limits(weights: np.ndarray) -> tuple[float, float]:
    largest = float(np.nanmax(np.abs(weights))) or 1.0
    return (-largest if np.nanmin(weights) < 0 else 0.0), largest


def _shades(colour: str, signed: bool) -> Colormap:
    high = COLOURS.get(colour, colour)
    low = COLOURS["handed along" if high == COLOURS["one vector"] else "one vector"]
    ends = [low, PAPER, high] if signed else [PAPER, high]
    return LinearSegmentedColormap.from_list(colour, ends).with_extremes(bad="#D5D9DE")


def _name_columns(axes, words: list[str]) -> None:
    """Words over the columns: level where they fit, else slanted, else upright."""
    width = 72 * 4.4 / len(words)  # points to a column
    size = min(13, width)
    level = all((span(word) + 1) * size * 0.47 < width for word in words)
    slant = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
    turn = {} if level else slant if width > 18 else {"rotation": 90}
    axes.set_xticks(range(len(words)), words, **turn, fontsize=size)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.xaxis.labelpad = 8
