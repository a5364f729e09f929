"""What every benchmark shares: a row of its table, and fair timing."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from lookback.progress import bar


@dataclass(frozen=True)
class Row:
    """One line of a benchmark.

    Attributes:
        name: what was measured; for a promise, what is divided by what, and whether the
            ratio may be "at most" or must be "at least" the floor.
        seconds: of one run, the fastest of several.
        ratio: what the promise is about; None for a measurement without one.
        floor: the bound that the ratio has to keep; None without a promise.
        ok: whether it does.
    """

    name: str
    seconds: float
    ratio: float | None = None
    floor: float | None = None
    ok: bool | None = None


def at_most(name: str, seconds: float, ratio: float, floor: float) -> Row:
    """A row that promises a ratio of at most `floor`."""
    return Row(f"{name}, at most", seconds, ratio, floor, ratio <= floor)


def at_least(name: str, seconds: float, ratio: float, floor: float) -> Row:
    """A row that promises a ratio of at least `floor`."""
    return Row(f"{name}, at least", seconds, ratio, floor, ratio >= floor)


def race(runs: dict[str, Callable], times: int) -> dict[str, float]:
    """The seconds of each function: the fastest of several runs, taken in turn.

    In turn, so that a machine that is busy for a while slows all of them; the fastest,
    since whatever else runs can only add.
    """
    seconds = dict.fromkeys(runs, float("inf"))
    with bar(times * len(runs), "runs", unit="run") as progress:
        for _ in range(times):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                seconds[name] = min(seconds[name], time.perf_counter() - began)
                progress.update()
    return seconds
