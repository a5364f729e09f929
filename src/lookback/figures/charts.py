"""Charts of numbers: lines, bars, points."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from lookback.figures.style import (
    CELLS,
    COLOURS,
    INK,
    MUTED,
    NEUTRAL,
    Picture,
    as_colour,
    looks,
    names,
    numbers,
    wrap,
)


def lines(
    x: Sequence,
    ys: Mapping[str, Sequence[float]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    spread: Mapping[str, tuple] | None = None,
    colours: Mapping[str, str] | str | None = None,
    reference: Mapping[str, float] | None = None,
    logx: bool = False,
    logy: bool = False,
    ylim: tuple[float, float] | None = None,
) -> Picture:
    """One line for each entry of `ys`, named at its end.

    x: N numbers, or N strings for bands such as "3 to 8 words".
    ys: label -> N numbers; NaN leaves a gap.
    spread: label -> (low, high), N numbers each, shaded around the line.
    colours: label -> a name from COLOURS or CELLS, or a colour; or one such name, for
    shades of it. A label that is itself such a name needs none; the rest is grey.
    reference: label -> a height, drawn as a dashed horizontal line.
    """
    figure, N = Picture(title, 4), len(x)
    axes = figure.add_subplot(xlabel=xlabel, ylabel=_axis_label(ylabel))
    bands = N > 0 and isinstance(x[0], str)
    places = np.arange(N) if bands else numbers(x, "x", (None,))
    _expect_series(ys, spread)
    styles, ends = looks(list(ys), colours), []
    for label, values in ys.items():
        y, style = numbers(values, f"ys[{label!r}]", (N,)), styles[label]
        axes.plot(places, y, **style | ({"marker": ""} if N > 25 else {}))
        if spread and label in spread:
            low, high = numbers(spread[label], f"spread[{label!r}]", (2, N))
            axes.fill_between(places, low, high, color=style["color"], alpha=0.18, lw=0)
        ends.append((label, y[np.isfinite(y)][-1:], style["color"]))
    axes.set_xscale("log" if logx else "linear")
    axes.set_yscale("log" if logy else "linear")
    if ylim is not None:
        axes.set_ylim(*ylim)
    if bands or (logx and N <= 9):
        _name_places(axes, places, x)
    for label, height in (reference or {}).items():
        axes.axhline(height, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.4, zorder=1)
        ends.append((label, np.array([height]), MUTED))
    _label_ends(axes, [(label, *end, colour) for label, end, colour in ends if len(end)])
    return figure


def bars(
    rows: Sequence[str],
    values: Mapping[str, Sequence[float]],
    *,
    title: str,
    xlabel: str,
    spread: Mapping[str, tuple] | None = None,
    colours: Mapping[str, str] | str | None = None,
    form: str = "{:.2f}",
) -> Picture:
    """Horizontal bars: in the row of each name a bar for each series, and its number.

    values: label -> one number for each row.
    colours: as in `lines`, for the labels; with a single series, for the rows.
    spread: label -> (low, high), drawn as a thin line over the bar's end.
    form: how a number is written, as in `str.format`.
    """
    _expect_series(values, spread)
    N, S = len(rows), len(values)
    rows = names(rows, "rows", N)
    figure = Picture(title, 1.3 + 0.3 * (S > 1) + N * (0.18 + 0.28 * S))
    axes = figure.add_subplot(xlabel=xlabel)
    axes.grid(visible=False, axis="y")
    paint = {key: style["color"] for key, style in looks(list(values), colours).items()}
    if S == 1:
        paint = {key: [_bar_colour(row, colours) for row in rows] for key in values}
    thick = 0.8 / S
    for index, (label, series) in enumerate(values.items()):
        ends, at = (
            numbers(series, f"values[{label!r}]", (N,)),
            np.arange(N) + thick * index,
        )
        axes.barh(at, ends, thick * 0.9, color=paint[label], label=label)
        low = high = ends
        if spread and label in spread:
            low, high = numbers(spread[label], f"spread[{label!r}]", (2, N))
            axes.hlines(at, low, high, color=INK, linewidth=1.4)
        tips = np.where(ends < 0, np.minimum(ends, low), np.maximum(ends, high))
        _write_beside(axes, tips, at, [form.format(end) for end in ends])
    axes.set_yticks(np.arange(N) + thick * (S - 1) / 2, [wrap(row, 18) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.14)
    if S > 1:
        figure.legend(loc="outside lower left", ncols=min(S, 3), frameon=False)
    return figure


def scatter(
    points,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    labels: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    colours: Mapping[str, str] | None = None,
) -> Picture:
    """Points in a plane, with a word beside each and a colour and marker for each group.

    points: (N, 2). labels: N words, or None. groups: N group names, or None.
    colours: group -> colour, as in `lines`; without it groups take turns.
    """
    points = numbers(points, "points", (None, 2))
    N = len(points)
    groups = names(groups, "groups", N) if groups is not None else [""] * N
    figure = Picture(title, 4.8)
    axes = figure.add_subplot(xlabel=xlabel, ylabel=_axis_label(ylabel))
    axes.margins(0.08)
    kinds = list(dict.fromkeys(groups))
    turns = dict(zip(kinds, [*COLOURS, NEUTRAL] * N, strict=False))
    for group, style in looks(kinds, turns | dict(colours or {})).items():
        member = points[[g == group for g in groups]]
        axes.scatter(*member.T, color=style["color"], marker=style["marker"], label=group)
    if len(kinds) > 1:
        figure.legend(loc="outside lower left", ncols=4, frameon=False)
    if labels is not None:
        _label_points(axes, points, names(labels, "labels", N))
    return figure


def _expect_series(series: Mapping, spread: Mapping | None) -> None:
    if not isinstance(series, Mapping) or not series:
        raise ValueError(
            f"expected {{label: numbers}}, one label or more, not {series!r}"
        )
    if unknown := set(spread or {}) - set(series):
        raise ValueError(f"spread has {sorted(unknown)}; the labels are {list(series)}")


def _short(value) -> str:
    return value if isinstance(value, str) else f"{float(value):,g}"


def _axis_label(text: str) -> str:
    """A long label in lines, the unit on one of its own."""
    return wrap(text if len(text) <= 26 else text.replace(" (", "\n("), 28)


def _name_places(axes: Axes, places: np.ndarray, x: Sequence) -> None:
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_major_formatter(FixedFormatter([wrap(_short(v), 9) for v in x]))
    axes.xaxis.set_minor_locator(NullLocator())


def _bar_colour(row: str, colours: Mapping | str | None) -> str:
    if isinstance(colours, str):
        return as_colour(colours)
    own = row if row in {*COLOURS, *CELLS} else NEUTRAL
    return as_colour((colours or {}).get(row, own))


def _write_beside(axes: Axes, tips: np.ndarray, at: np.ndarray, texts: list[str]) -> None:
    for tip, y, text in zip(tips, at, texts, strict=True):
        aside = {"xytext": (-4, 0), "ha": "right"} if tip < 0 else {"xytext": (4, 0)}
        axes.annotate(
            text, (tip, y), **aside, va="center", textcoords="offset points", fontsize=13
        )


def _label_ends(axes: Axes, ends: list[tuple[str, float, str]]) -> None:
    """Write each label at the right of the axes at its line's end, pushed apart."""
    axes.figure.draw_without_rendering()  # settles where a height lies on the page
    ends = sorted(ends, key=lambda end: end[1])
    texts = [wrap(label, 15) for label, _, _ in ends]
    to_axes = axes.transData + axes.transAxes.inverted()
    height = axes.get_window_extent().height * 72 / axes.figure.dpi  # in points
    wanted = [np.clip(to_axes.transform((1, y))[1], 0, 1) * height for _, y, _ in ends]
    room = [16.0 * (text.count("\n") + 1) for text in texts]
    placed = _apart(np.array(wanted), np.array(room), height) / height
    for text, (_, _, colour), y in zip(texts, ends, placed, strict=True):
        axes.annotate(
            text,
            (1, y),
            (7, 0),
            color=colour,
            va="center_baseline",
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=13,
            linespacing=1.05,
            annotation_clip=False,
        )


def _apart(wanted: np.ndarray, room: np.ndarray, height: float) -> np.ndarray:
    """Positions nearest to the rising `wanted` at which labels of this room fit."""
    gaps = np.concatenate([[0], np.cumsum((room[1:] + room[:-1]) / 2)])
    # Without the gaps the positions only have to rise: pool those that would cross.
    pools = []
    for value in wanted - gaps:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) >= np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    rising = np.concatenate([[np.mean(pool)] * len(pool) for pool in pools])
    return rising.clip(0, max(0, height - gaps[-1])) + gaps


def _label_points(axes: Axes, points: np.ndarray, labels: list[str]) -> None:
    """Put each word on the side of its point where it covers least."""
    axes.figure.draw_without_rendering()  # settles where a point lies on the page
    scale = axes.figure.dpi / 72
    dots = axes.transData.transform(points) / scale  # in typographic points
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in dots]
    for point, dot, label in zip(points, dots, labels, strict=True):
        text = axes.annotate(
            label, point, (0, 0), va="bottom", textcoords="offset points", fontsize=13
        )
        size = np.array(text.get_window_extent().size) / scale
        boxes = [_box(dot, size, side) for side in _SIDES]
        box = min(boxes, key=lambda box: _covered(box, taken))
        text.set_position(box[:2] - dot)
        taken.append(box)


# Right, left, above, below, and the corners: where a word stands from its point.
_SIDES = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]


def _box(dot: np.ndarray, size: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    """The corners x0, y0, x1, y1 of a word of this size beside the dot."""
    across, up = side
    gap = 6 if 0 in side else 4
    centre = dot + np.array([across, up]) * (size / 2 + gap)
    return np.concatenate([centre - size / 2, centre + size / 2])


def _covered(box, taken) -> float:
    """The area of `box`, and a little around it, over the boxes taken already."""
    x0, y0, x1, y1 = box + np.array([-2, -1, 2, 1])
    return sum(
        max(0, min(x1, b[2]) - max(x0, b[0])) * max(0, min(y1, b[3]) - max(y0, b[1]))
        for b in taken
    )
