"""Beam search beside greedy search, and beside the loop that one writes first."""

import time

import torch
from torch import Tensor

from lookback import decoding, zoo
from lookback.autoregressive import Autoregressive, State
from lookback.bench.race import Row, at_least, at_most, race
from lookback.data import translation
from lookback.data.vocabulary import tensors
from lookback.decoding import Hypothesis
from lookback.progress import bar


def sentences(count: int, words: int) -> Tensor:
    """Sources (B, S) of test sentences whose translations have so many words, or near."""
    pairs = translation.corpus("test", 10 * count, seed=0, clauses=(4, 5))
    pairs.sort(key=lambda pair: abs(len(pair.target) - words))
    return tensors(pairs[:count])[1]


def measure_decoding() -> list[Row]:
    """Beam search beside greedy search, and beside a loop over single hypotheses.

    64 sentences, 40 tokens of each: the end is forbidden before and forced after. What
    so many rows cost the model by itself is told by a greedy search on `width` times the
    sentences: a beam saves what its prefixes share, and no more.
    """
    model, batch, width = zoo.load("one-vector"), 64, 5
    source = sentences(batch, 40)
    wide = source.repeat(width, 1)
    limits = {"min_length": 40, "max_length": 40}
    runs = {
        "greedy": lambda: decoding.greedy(model, source, **limits),
        "wide": lambda: decoding.greedy(model, wide, **limits),
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
        Row(
            f"greedy, {width} times the sentences / greedy",
            seconds["wide"],
            seconds["wide"] / seconds["greedy"],
        ),
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
