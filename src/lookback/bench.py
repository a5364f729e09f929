"""`python -m lookback bench NAME`: what the package promises about speed, measured here.

A benchmark is a function that takes nothing and returns rows; `BENCHES` names them all.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from lookback import decoding, zoo
from lookback.autoregressive import Autoregressive, State
from lookback.data import translation
from lookback.data.vocabulary import tensors
from lookback.decoding import Hypothesis
from lookback.figures import table
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


# --- decoding --------------------------------------------------------------------------


def sentences(count: int, words: int) -> Tensor:
    """Sources (B, S) of test sentences whose translations have so many words, or near."""
    pairs = translation.corpus("test", 10 * count, seed=0, clauses=(4, 5))
    pairs.sort(key=lambda pair: abs(len(pair.target) - words))
    return tensors(pairs[:count])[1]


def bench_decoding() -> list[Row]:
    """Beam search beside greedy search, and beside a loop over single hypotheses.

    64 sentences, 40 tokens of each: the end is forbidden before and forced after.
    """
    model, batch, width = zoo.load("one-vector"), 64, 5
    source = sentences(batch, 40)
    limits = {"min_length": 40, "max_length": 40}
    runs = {
        "greedy": lambda: decoding.greedy(model, source, **limits),
        "beam": lambda: decoding.beam(model, source, width=width, **limits),
    }
    seconds = race(runs, times=12)
    began = time.perf_counter()
    expected = loop(model, source, width, 40)
    slow = time.perf_counter() - began
    same(runs["beam"](), expected)
    fast, each = seconds["beam"], seconds["beam"] / batch
    return [
        Row("greedy", seconds["greedy"]),
        at_most(f"beam {width} / greedy", fast, fast / seconds["greedy"], 2),
        at_most(f"beam {width}, a sentence / 3 ms", each, each / 0.003, 1),
        at_least(f"loop over hypotheses / beam {width}", slow, slow / fast, 20),
    ]


@torch.no_grad()
def loop(model: Autoregressive, source: Tensor, width: int, length: int) -> list:
    """Beam search as one writes it first: sentences of `length` tokens, one by one."""
    found = []
    with bar(len(source), "the loop", unit="sentence") as progress:
        for row in range(len(source)):
            state = model.start(1, source[row : row + 1])
            live = [(0.0, (), None, state)]
            for t in range(length):
                live = extend(model, live, width, t + 1 == length)
            total, tokens, *_ = max(live, key=lambda prefix: rank(prefix, model.eos))
            found.append(Hypothesis(tokens, total, tokens[-1] == model.eos))
            progress.update()
    return found


Prefix = tuple[float, tuple[int, ...], Tensor | None, State]


def extend(
    model: Autoregressive, live: list[Prefix], width: int, last: bool
) -> list[Prefix]:
    """The `width` best continuations of some prefixes; the end may come last only.

    A prefix is its log-probability, its tokens, the last of them, and the state before.
    """
    longer = []
    for total, tokens, previous, state in live:
        logits, after = model.step(previous, state)
        scores = logits.log_softmax(-1)[0]  # (V,)
        if not last:
            scores[model.eos] = -torch.inf
        best = scores.topk(width)
        for score, symbol in zip(
            best.values.tolist(), best.indices.tolist(), strict=True
        ):
            previous = torch.tensor([symbol])
            longer.append((total + score, (*tokens, symbol), previous, after))
    return sorted(longer, key=lambda prefix: prefix[0], reverse=True)[:width]


def rank(prefix: Prefix, eos: int) -> tuple[bool, float]:
    """Larger is better: whatever has ended comes first."""
    return prefix[1][-1] == eos, prefix[0]


def same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    """Raise a RuntimeError unless the hypotheses are equal, or as probable to 1e-3."""
    for one, two in zip(found, expected, strict=True):
        if one.tokens != two.tokens and abs(one.log_prob - two.log_prob) > 1e-3:
            raise RuntimeError(
                f"beam found {one.tokens} of {one.log_prob:.4f} nats, the loop "
                f"{two.tokens} of {two.log_prob:.4f}: they must be the same"
            )


# --- the command -----------------------------------------------------------------------

BENCHES: dict[str, Callable[[], list[Row]]] = {"decoding": bench_decoding}


def main(arguments: list[str] | None = None) -> int:
    """`python -m lookback bench NAME`; 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m lookback bench", description=__doc__)
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--threads", type=int, default=2, help="of torch (default 2)")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    options = parser.parse_args(arguments)
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        rows = [asdict(row) for row in BENCHES[options.name]()]
    finally:
        torch.set_num_threads(threads)
    show(rows, options.json)
    return 0 if all(row["ok"] is not False for row in rows) else 1


def show(rows: list[dict], as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return
    columns = {name: [written(row[name]) for row in rows] for name in rows[0]}
    print(table(columns))


def written(value) -> str:
    """A cell of the printed table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
