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
             ("attention", 700, 2)]  # fmt: skip
    for way, distance, radius in cases:
        steps = {
            "recurrent": distance,
            "window": math.ceil(distance / radius),
            "attention": 1,
        }
        learner.gives(
            steps[way], way, distance, radius,
            mistakes={
                "13 steps with a radius of 3 take five layers: round up":
                    steps[way] if way != "window" else distance // radius,
                "full attention needs one layer, however far":
                    distance if way == "attention" else steps[way],
                "attention does look: one layer, not none":
                    0 if way == "attention" else steps[way],
                "a layer of a window reaches `radius` far, not one":
                    distance if way == "window" else steps[way],
                "a loop hands a message on once a step; the radius is not its own":
                    math.ceil(distance / radius) if way == "recurrent" else steps[way],
                "a radius reaches `radius` back, not half of it": (
                    math.ceil(2 * distance / radius) if way == "window" else steps[way]
                ),
            },
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
                "the factor D^(−1/2) is missing": min(rise, fall),
                "D^(−1/2) makes the rate smaller": size**0.5 * min(rise, fall),
                "rise and fall meet after `warm` steps: its power is −3/2":
                    size**-0.5 * min(step / warm, fall),
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
        learner.gives(
            middle + think(norm_2(middle)), x, look, think, norm_1, norm_2,
            mistakes={
                "the norm stands before each part, not after the sum":
                    norm_2(after + think(after)),
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
                    norm_1(x) + bare + think(norm_2(norm_1(x) + bare)),
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
        scores = logits.log_softmax(1)
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


def turned(x: Tensor, place: Tensor, sign: int = 1, power: float = 1.0,
           halves: bool = False) -> Tensor:  # fmt: skip
    """Rotary positions, with or without the mistakes of a learner."""
    D = x.shape[-1]
    angle = sign * place[:, None] / 10_000 ** (power * torch.arange(0, D, 2) / D)
    cos, sin = angle.cos(), angle.sin()
    a, b = x.chunk(2, -1) if halves else (x[..., ::2], x[..., 1::2])
    parts = a * cos - b * sin, a * sin + b * cos
    return torch.cat(parts, -1) if halves else torch.stack(parts, -1).flatten(-2)


@check.exercise("Positions that turn")
def rotate(learner: Learner) -> None:
    """x (B, T, D), places (T,) -> (B, T, D)."""
    for B, T, D, first in [(2, 5, 6, 0), (1, 1, 2, 3), (2, 4, 8, 10), (1, 3, 4, 1000)]:
        x, place = torch.randn(B, T, D), first + torch.arange(T)
        right = turned(x, place)
        a, b = x[..., ::2], x[..., 1::2]
        angle = place[:, None] / 10_000 ** (torch.arange(0, D, 2) / D)
        mirrored = torch.stack(
            [a * angle.cos() + b * angle.sin(), a * angle.sin() - b * angle.cos()], -1
        )
        learner.gives(
            right, x, place,
            mistakes={
                "you turn the other way: the signs of the sines": turned(x, place, -1),
                "pairs are neighbours, entries 0 and 1, 2 and 3; yours are half a vector "
                "apart": turned(x, place, halves=True),
                "the places are given; yours count from 0": turned(x, torch.arange(T)),
                "the exponent is 2 i / D for pair i; yours is twice that":
                    turned(x, place, power=2.0),
                "the exponent is 2 i / D for pair i; yours is half of that":
                    turned(x, place, power=0.5),
                "all pairs turn equally fast; pair i turns by place / 10000^(2 i / D)":
                    turned(x, place, power=0.0),
                "that mirrors; in a rotation the sines have different signs":
                    mirrored.flatten(-2),
                "put the pairs together again: yours are first entries, then second":
                    torch.cat([right[..., ::2], right[..., 1::2]], -1),
                "a position is turned, not added": x + turned(torch.ones(T, D), place),
            },
        )  # fmt: skip


def uncached(x: Tensor, W: tuple[Tensor, ...], t: int, scale: float) -> Tensor:
    """What position t gets if all is computed anew: (B, D)."""
    q, k, v = (x[:, : t + 1] @ w.T for w in W)
    return attend(q * scale * q.shape[-1] ** 0.5, k, v, mask=causal(t + 1))[0][:, -1]


@check.exercise("Keys and values kept")
def cached_step(learner: Learner) -> None:
    """x (B, D), three matrices, cache -> context (B, D), cache."""
    for B, T, D in [(2, 5, 4), (1, 3, 1), (3, 6, 8)]:
        x, W = torch.randn(B, T, D), tuple(torch.randn(D, D) for _ in range(3))
        keys, values = x @ W[1].T, x @ W[2].T
        for t in range(T):
            cache = None if t == 0 else (keys[:, :t], values[:, :t])
            kept = keys[:, : t + 1], values[:, : t + 1]
            right = uncached(x, W, t, D**-0.5)
            past = right if t == 0 else attend(
                x[:, t, None] @ W[0].T, keys[:, :t], values[:, :t]
            )[0][:, 0]  # fmt: skip
            learner.gives(
                (right, kept), x[:, t], *W, cache,
                mistakes={
                    "scores are divided by √D; yours are not":
                        (uncached(x, W, t, 1.0), kept),
                    "a position sees itself too: look after the new key has been added":
                        (past, kept),
                    "the cache forgets: return all keys and values, the old and the new":
                        (right, (keys[:, t : t + 1], values[:, t : t + 1])),
                    "the new key and value are not in the cache that you return":
                        (right, kept if cache is None else cache),
                    "the cache was not looked at: the old positions are missing":
                        (values[:, t], kept),
                    "keys first, then values": (right, kept[::-1]),
                    "new ones go to the end of the cache, yours stand in front": (
                        right, tuple(torch.cat([y[:, t : t + 1], y[:, :t]], 1)
                                     for y in (keys, values)),
                    ),
                },
            )  # fmt: skip
