"""Checks of the exercises of chapter 7."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lookback.attention import attend, causal
from lookback.checks.sheet import Learner, Sheet

check = Sheet()


@check.exercise("How far is it from there to here?")
def path_length(learner: Learner) -> None:
    """Way of looking back, distance, radius -> layers or steps."""
    cases = [("recurrent", 12, 3), ("window", 12, 3), ("attention", 12, 3),
             ("window", 13, 3), ("window", 2, 5), ("recurrent", 1, 4),
             ("attention", 700, 2), ("window", 15, 3)]  # fmt: skip
    mistakes = {  # a sentence: the way that it is about, and what is said there
        "13 steps with a radius of 3 take five layers: round up":
            ("window", lambda distance, radius: distance // radius),
        "12 steps with a radius of 3 take four layers: round up, do not add one":
            ("window", lambda distance, radius: distance // radius + 1),
        "a number of layers is whole: round up":
            ("window", lambda distance, radius: distance / radius),
        "the window looks back only: it reaches `radius` far, not 2 · radius + 1":
            ("window", lambda distance, radius: math.ceil(distance / (2 * radius + 1))),
        "a layer of a window reaches `radius` far, not one":
            ("window", lambda distance, radius: distance),
        "a radius reaches `radius` back, not half of it":
            ("window", lambda distance, radius: math.ceil(2 * distance / radius)),
        "full attention needs one layer, however far":
            ("attention", lambda distance, radius: distance),
        "attention does look: one layer, not none":
            ("attention", lambda distance, radius: 0),
        "a loop hands a message on once a step; the radius is not its own":
            ("recurrent", lambda distance, radius: math.ceil(distance / radius)),
        "from one position to the next is one step: `distance` steps, not one fewer":
            ("recurrent", lambda distance, radius: distance - 1),
        "from one position to the next is one step: `distance` steps, not one more":
            ("recurrent", lambda distance, radius: distance + 1),
    }  # fmt: skip
    for way, distance, radius in cases:
        steps = {"recurrent": distance, "window": math.ceil(distance / radius)}
        right = steps.get(way, 1)
        learner.gives(
            right, way, distance, radius,
            mistakes={said: gives(distance, radius) if way == about else right
                      for said, (about, gives) in mistakes.items()},
        )  # fmt: skip


@check.exercise("Warm-up")
def warm_up(learner: Learner) -> None:
    """Step, D, steps of warm-up -> the rate."""
    for step, size, warm in [(1, 64, 100), (50, 64, 100), (100, 64, 100), (400, 64, 100),
                             (10_000, 512, 4000), (7, 16, 3)]:  # fmt: skip
        rise, fall = step * warm**-1.5, step**-0.5
        learner.gives(
            size**-0.5 * min(rise, fall), step, size, warm,
            mistakes={
                "the smaller of the two, not the larger": size**-0.5 * max(rise, fall),
                "the rate falls from the beginning: the warm-up is missing":
                    size**-0.5 * fall,
                "the rate rises for ever: after the warm-up it falls": size**-0.5 * rise,
                "the factor size^(−1/2) is missing": min(rise, fall),
                "size^(−1/2) makes the rate smaller": size**0.5 * min(rise, fall),
                "rise and fall meet after `warm` steps: its power is −3/2":
                    size**-0.5 * min(step / warm, fall),
                "the power of `warm` is −3/2; yours is −1/2":
                    size**-0.5 * min(step * warm**-0.5, fall),
                "the first step is step 1: nothing has to be added":
                    size**-0.5 * min((step + 1) * warm**-1.5, (step + 1) ** -0.5),
            },
        )  # fmt: skip


@check.exercise("The block")
def block(learner: Learner) -> None:
    """x (B, T, D), look, think, two norms -> (B, T, D)."""
    for B, T, D in [(2, 3, 4), (1, 1, 2), (3, 5, 6)]:
        x, A, C = 2 + torch.randn(B, T, D), torch.randn(D, D), torch.randn(D, D)
        scale = torch.rand(D) + 0.5

        def look(x, A=A):
            return attend(x @ A, x, x)[0]

        def think(x, C=C):
            return (x @ C).relu()

        def norm_1(x, scale=scale):
            return F.layer_norm(x, x.shape[-1:]) * scale

        def norm_2(x):
            return F.layer_norm(x, x.shape[-1:]) + 0.3

        middle = x + look(norm_1(x))
        bare = look(norm_1(x))
        after = norm_1(x + look(x))
        swapped = x + look(norm_2(x))
        thought = x + think(norm_1(x))
        plain = x + look(x)
        behind = x + norm_1(look(x))
        normed = norm_2(norm_1(x) + bare)
        learner.gives(
            middle + think(norm_2(middle)), x, look, think, norm_1, norm_2,
            mistakes={
                "the norm stands before each part, not after the sum":
                    norm_2(after + think(after)),
                "the norm stands before each part, not behind it":
                    behind + norm_2(think(behind)),
                "the second part has a norm of its own, `norm_2`":
                    middle + think(norm_1(middle)),
                "both parts add to the stream; yours replace it": think(norm_2(bare)),
                "what `look` finds is added to the stream before `think` reads it":
                    x + think(norm_2(bare)),
                "both parts add to the stream: the first `x +` is missing":
                    bare + think(norm_2(bare)),
                "both parts add to the stream: the second `x +` is missing":
                    think(norm_2(middle)),
                "the second part starts from what the first has made, not from x":
                    x + think(norm_2(middle)),
                "both parts work at once; `think` comes after `look`":
                    middle + think(norm_2(x)),
                "the two norms have changed places": swapped + think(norm_1(swapped)),
                "first look, then think": thought + look(norm_2(thought)),
                "the norms are missing": plain + think(plain),
                "the stream itself is never normed: it passes beside each part":
                    norm_1(x) + bare + think(normed),
                "the stream itself is never normed: yours is, twice":
                    normed + think(normed),
            },
        )  # fmt: skip


def smoothed(
    logits: Tensor, target: Tensor, share: float, others: bool = False
) -> Tensor:
    """Cross-entropy with a share of the target spread over all (or the other) words."""
    N, V = logits.shape
    spread = torch.full((N, V), share / (V - 1 if others else V))
    right = F.one_hot(target, V).bool()
    spread[right] = 1 - share + (0 if others else share / V)
    return -(spread * logits.log_softmax(1)).sum(1).mean()


@check.exercise("Label smoothing")
def label_smoothing(learner: Learner) -> None:
    """Logits (N, V), target (N,), share -> a number."""
    for N, V, share in [(5, 4, 0.1), (1, 3, 0.0), (4, 7, 0.3), (3, 2, 0.5)]:
        logits, target = 2 * torch.randn(N, V), torch.randint(V, (N,))
        right = F.cross_entropy(logits, target)
        scores, across = logits.log_softmax(1), logits.log_softmax(0)
        want = F.cross_entropy(logits, target, label_smoothing=share)
        learner.gives(
            want, logits, target, share,
            mistakes={
                "the targets are not smoothed": right,
                "the share is spread over all V words, the right one among them":
                    smoothed(logits, target, share, others=True),
                "the right word keeps 1 − share; yours keeps all: the sum is above one":
                    right - share * scores.mean(1).mean(),
                "the right word keeps 1 − share; nothing is spread over the others":
                    (1 - share) * right,
                "the right word gets its part of the share, too: 1 − share + share / V":
                    want + share / V * scores.gather(1, target[:, None]).mean(),
                "spread evenly: each of the V words gets share / V, not share":
                    (1 - share) * right - share * scores.sum(1).mean(),
                "the softmax goes over the V words, not over the N": -(
                    (1 - share) * across.gather(1, target[:, None]).mean()
                    + share * across.mean()
                ),
                "the average over the words of the batch is missing": want * N,
                "1 − share and share have changed places":
                    smoothed(logits, target, 1 - share),
                "the sign: a loss is minus the log-probability": -want,
                "logits are no log-probabilities": -(
                    (1 - share) * logits.gather(1, target[:, None]).mean()
                    + share * logits.mean()
                ),
            },
        )  # fmt: skip


def angles(place: Tensor, D: int, power: float = 1.0) -> Tensor:
    """By how much each pair turns at each place: (T, D / 2)."""
    return place[:, None] / 10_000 ** (power * torch.arange(0, D, 2) / D)


def paired(a: Tensor, b: Tensor) -> Tensor:
    """First and second entries, pair by pair: (..., D / 2) twice -> (..., D)."""
    return torch.stack([a, b], -1).flatten(-2)


def turned(x: Tensor, angle: Tensor, join=paired, halves: bool = False) -> Tensor:
    """Rotary positions, with or without the mistakes of a learner."""
    a, b = x.chunk(2, -1) if halves else (x[..., ::2], x[..., 1::2])
    cos, sin = angle.cos(), angle.sin()
    return join(a * cos - b * sin, a * sin + b * cos)


def side_by_side(a: Tensor, b: Tensor) -> Tensor:
    return torch.cat([a, b], -1)


@check.exercise("Positions that turn")
def rotate(learner: Learner) -> None:
    """x (B, T, D), places (T,) -> (B, T, D)."""
    for B, T, D, first in [(2, 5, 4, 0), (1, 1, 2, 3), (2, 4, 8, 10), (1, 3, 4, 1000)]:
        x, place = torch.randn(B, T, D), first + torch.arange(T)
        mistakes = misturned(x, place)
        if angles(place, D, -1.0).max() > 500:  # such a sine depends on the rounding
            del mistakes["the exponent is negative: later pairs turn more slowly"]
        learner.gives(turned(x, angles(place, D)), x, place, mistakes=mistakes)


def misturned(x: Tensor, place: Tensor) -> dict[str, Tensor]:
    """What somebody gets who makes a known mistake in rotary positions."""
    (T, D), angle = x.shape[1:], angles(place, x.shape[2])
    a, b, cos, sin = x[..., ::2], x[..., 1::2], angle.cos(), angle.sin()
    overwritten = a * cos - b * sin
    floor = place[:, None] * 10_000.0 ** (-torch.arange(0, D, 2) // D)
    only_first = place[:, None] * (torch.arange(0, D, 2) == 0)
    return {
        "you turn the other way: the signs of the sines": turned(x, -angle),
        "pairs are neighbours, entries 0 and 1, 2 and 3; yours are half a vector apart":
            turned(x, angle, side_by_side, halves=True),
        "pairs are neighbours, entries 0 and 1, 2 and 3; yours are half a vector apart, "
        "and come back as neighbours": turned(x, angle, halves=True),
        "put the pairs together again: yours are first entries, then second":
            turned(x, angle, side_by_side),
        "the places are given; yours count from 0":
            turned(x, angles(torch.arange(T), D)),
        "the exponent is 2 i / D for pair i; yours is twice that":
            turned(x, angles(place, D, 2.0)),
        "the exponent is 2 i / D for pair i; yours is half of that":
            turned(x, angles(place, D, 0.5)),
        "all pairs turn equally fast; pair i turns by place / 10000^(2 i / D)":
            turned(x, angles(place, D, 0.0)),
        "the exponent is negative: later pairs turn more slowly":
            turned(x, angles(place, D, -1.0)),
        "2 i / D is a fraction: divide with /, not with //": turned(x, floor),
        "2 i / D is a fraction; with // only the first pair turns": turned(x, only_first),
        "that mirrors; in a rotation the sines have different signs":
            paired(a * cos + b * sin, a * sin - b * cos),
        "the second entry is a sin θ + b cos θ; yours subtracts":
            paired(overwritten, a * sin - b * cos),
        "the second entry needs the old first one; yours was overwritten before":
            paired(overwritten, overwritten * sin + b * cos),
        "a position is turned, not added: yours adds sines and cosines":
            x + paired(sin, cos),
        "a position is turned, not added": x + turned(torch.ones(T, D), angle),
    }  # fmt: skip


def uncached(x: Tensor, W: tuple[Tensor, ...], t: int, scale: float) -> Tensor:
    """What position t gets if all is computed anew: (B, D)."""
    q, k, v = (x[:, : t + 1] @ w.T for w in W)
    return attend(q * scale * q.shape[-1] ** 0.5, k, v, mask=causal(t + 1))[0][:, -1]


@check.exercise("Keys and values kept")
def cached_step(learner: Learner) -> None:
    """x (B, D), three matrices, cache -> context (B, D), cache."""
    for B, T, D in [(2, 5, 4), (1, 3, 1), (3, 6, 8)]:
        x, W = torch.randn(B, T, D), tuple(torch.randn(D, D) for _ in range(3))
        for t in range(T):
            old, kept = cache_of(x, W, t), cache_of(x, W, t + 1)
            right = uncached(x, W, t, D**-0.5), kept
            learner.gives(
                right, x[:, t], *W, old if t else None, mistakes=steps(x, W, t, *right)
            )


def cache_of(x: Tensor, W: tuple[Tensor, ...], t: int) -> tuple[Tensor, Tensor]:
    """Keys and values of the first t positions: (B, t, D) each."""
    return x[:, :t] @ W[1].T, x[:, :t] @ W[2].T


def steps(x: Tensor, W: tuple[Tensor, ...], t: int, right: Tensor,
          kept: tuple[Tensor, Tensor]) -> dict[str, tuple]:  # fmt: skip
    """What somebody gets at position t who makes a known mistake."""
    old, (_, values) = cache_of(x, W, t), kept
    new = tuple(y[:, t:] for y in kept)
    flipped = tuple(w.T for w in W)
    straight = cache_of(x[:, t:], flipped, 1)
    mixed = tuple(torch.cat(pair, 1) for pair in zip(old, straight, strict=True))
    asked = x[:, t : t + 1] @ W[0].T
    past = attend(asked, *old)[0][:, 0] if t else right
    return {
        "scores are divided by √D; yours are not": (uncached(x, W, t, 1.0), kept),
        "scores are divided by √D, not by the root of the number of keys":
            (uncached(x, W, t, (t + 1) ** -0.5), kept),
        "the softmax goes over the keys, the last axis; over an axis of length 1 all "
        "weights are 1": (values.sum(1), kept),
        "weights are stored as (out, in): x @ W.T":
            (attend(x[:, t : t + 1] @ W[0], *mixed)[0][:, 0], mixed),
        "a position sees itself too: look after the new key has been added":
            (past, kept),
        "the cache is not used: it belongs in front of the new key and value":
            (values[:, t], new),
        "the cache forgets: return all keys and values, the old and the new":
            (right, new),
        "the new key and value are not in the cache that you return":
            (right, old if t else kept),
        "the cache was not looked at: the old positions are missing":
            (values[:, t], kept),
        "keys first, then values": (right, kept[::-1]),
        "new ones go to the end of the cache, yours stand in front":
            (right, tuple(torch.cat([y[:, t:], y[:, :t]], 1) for y in kept)),
    }  # fmt: skip
