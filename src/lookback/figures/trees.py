"""A picture of a search: which prefixes were kept, and which were dropped."""

import math
from collections.abc import Callable, Mapping, Sequence

from lookback.decoding import Node
from lookback.figures.style import INK, MUTED, NEUTRAL, PAPER, WIDTH, Picture, as_colour


def tree(
    nodes: Sequence[Node],
    words: Callable[[int], str],
    *,
    title: str,
    paths: Mapping[str, Sequence[int]] | None = None,
    colours: Mapping[str, str] | None = None,
    number: Callable[[float], str] = lambda log_prob: f"{log_prob:.2f}".replace("-", "−"),
    least: float = -math.inf,
    start: str = "start",
) -> Picture:
    """A search tree, one position below the other; what was dropped is dashed.

    nodes: the prefixes of a search, parents first, as `Found.tree` holds them.
    words: how a symbol is written; at most two lines.
    paths: name -> the symbols of a hypothesis, drawn in the colour of that name.
    colours: name -> a name from COLOURS, or a colour.
    number: how a log-probability is written.
    least: dropped prefixes of a lower log-probability are left out.
    start: what stands at the root.
    """
    if not nodes:
        raise ValueError("the tree is empty: ask the search for it with tree=True")
    levels = rows(nodes, least)
    tall = max((words(n.symbol).count("\n") for n in nodes[1:]), default=0)
    row, legend = 0.52 + 0.2 * tall, 0.4 * bool(paths)  # inches
    figure = Picture(title, 0.6 + legend + row * len(levels), layout=None)
    height = figure.get_size_inches()[1]
    axes = figure.add_axes((0, 0, 1, row * len(levels) / height), xlim=(0, WIDTH))
    axes.set_ylim(len(levels) - 0.5, -0.5)
    axes.set_axis_off()
    where = {n: (x, y) for y, level in enumerate(levels) for n, x in spread(level)}
    tints = tint(nodes, paths or {}, colours or {})
    for index, place in where.items():
        node, colour = nodes[index], tints.get(index)
        if index:
            connect(axes, where[node.parent], place, colour, node.kept)
        text = f"{words(node.symbol)}  {number(node.log_prob)}" if index else start
        write(axes, place, text, colour, node.kept)
    for index, name in enumerate(paths or {}):
        place = 0.03 + 0.5 * index, (row * len(levels) + legend / 2) / height
        colour = as_colour((colours or {}).get(name, INK))
        figure.text(*place, f"— {name}", color=colour, va="center")
    return figure


def rows(nodes: Sequence[Node], least: float) -> list[list[int]]:
    """The numbers of the nodes by position, children below their parents, best first."""
    shown = [i for i, n in enumerate(nodes) if i and (n.kept or n.log_prob >= least)]
    levels = [[0]]
    while levels[-1]:
        order = {number: place for place, number in enumerate(levels[-1])}
        below = [i for i in shown if nodes[i].parent in order]
        below.sort(key=lambda i: (order[nodes[i].parent], -nodes[i].log_prob))
        levels.append(below)
    return levels[:-1]


def spread(level: Sequence[int]) -> list[tuple[int, float]]:
    """A place, in inches from the left, for each node of one position."""
    step = WIDTH / len(level)
    return [(number, (place + 0.5) * step) for place, number in enumerate(level)]


def tint(nodes: Sequence[Node], paths: Mapping, colours: Mapping) -> dict[int, str]:
    """The colour of each node on a path; the first path that comes by decides."""
    children = {(n.parent, n.symbol): i for i, n in enumerate(nodes) if i}
    found = {}
    for name, symbols in paths.items():
        place = 0
        for symbol in symbols:
            if (place, symbol) not in children:
                raise ValueError(f"{name!r} leaves the tree at symbol {symbol}")
            place = children[place, symbol]
            found.setdefault(place, as_colour(colours.get(name, INK)))
    return found


def connect(axes, above, below, colour: str | None, kept: bool) -> None:
    """The line from a prefix to one that continues it."""
    style = {"linestyle": "-" if kept else (0, (3, 3)), "zorder": 1}
    width = 3 if colour else 1.2
    points = zip(above, below, strict=True)
    axes.plot(*points, color=colour or NEUTRAL, linewidth=width, **style)


def write(axes, place, text: str, colour: str | None, kept: bool) -> None:
    """The name of a prefix, in a box if it was kept."""
    edge = (colour or NEUTRAL) if kept else "none"
    box = {"boxstyle": "round,pad=0.3", "facecolor": PAPER, "edgecolor": edge}
    axes.text(
        *place, text, ha="center", va="center", fontsize=12, linespacing=1.15, zorder=2,
        color=INK if kept else MUTED, bbox=box | {"linewidth": 2 if colour else 1},
    )  # fmt: skip
