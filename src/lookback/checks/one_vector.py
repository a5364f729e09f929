"""Checks of the exercises of chapter 2."""

import math
from operator import eq

import torch
import torch.nn.functional as F
from torch import Tensor

from lookback.checks.sheet import Learner, Sheet

check = Sheet()
PAD = 0


def sentences(lengths: list[int], V: int = 9) -> Tensor:
    """Random sentences (B, T) without padding inside, padded with `PAD` behind."""
    words = torch.randint(1, V, (len(lengths), max(lengths)))
    return words * (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None])


def batches() -> list[Tensor]:
    """Padded batches; the first tells the mistakes apart."""
    return [sentences(n) for n in ([2, 5, 3], [4, 4], [1], [6, 1, 1, 3])]


@check.exercise("Another F: the mean of the states")
def mean_vector(learner: Learner) -> None:
    """States (B, S, H), source (B, S) -> (B, H)."""
    for source in batches():
        states = torch.randn(*source.shape, 3)
        words = (source != PAD)[..., None]
        total, count = (states * words).sum(1), words.sum(1)
        mixed = total / count[:, 0] if len(source) == states.shape[2] else None
        learner.gives(
            total / count, states, source,
            mistakes={
                "padding counts as words: it is in the sum and in the number":
                    states.mean(1),
                "padding is left out of the sum, but you divide by all S positions":
                    total / source.shape[1],
                "padding is not counted, but it is in the sum": states.sum(1) / count,
                "that is the sum; divide by the number of words": total,
                "you divide by the words of the whole batch; each sentence has its own":
                    total / count.sum(),
                "that is the mean over H; the words are axis 1": states.mean(2),
                "that is the mean of the padding, not of the words":
                    (states * ~words).sum(1) / (~words).sum(1),
                "that is one vector for the whole batch; each sentence has its own":
                    states[source != PAD].mean(0),
                "its numbers were divided by the lengths of other sentences: give the "
                "lengths a second axis, (B, 1)": mixed,
            },
        )  # fmt: skip


def turned(source: Tensor) -> Tensor:
    """Each sentence reversed, padding where it was."""
    return torch.stack(
        [torch.cat([row[row != PAD].flip(0), row[row == PAD]]) for row in source]
    )


def taken(source: Tensor, n: Tensor, last: Tensor) -> Tensor:
    """What stands at t < n comes from last - t; n and last are (B, 1). The rest stays."""
    place = torch.arange(source.shape[1]).expand_as(source)
    there = (last - place).clamp(0, source.shape[1] - 1)
    return torch.where(place < n, source.gather(1, there), source)


@check.exercise("Back to front")
def reverse_words(learner: Learner) -> None:
    """Padded words (B, S) -> the same, each sentence reversed."""
    for source in batches():
        n = (source != PAD).sum(1, keepdim=True)
        learner.gives(
            turned(source), source,
            mistakes={
                "padding has come to the front: reverse each sentence within its length":
                    source.flip(1),
                "that reverses the batch; a sentence runs along axis 1": source.flip(0),
                "nothing was reversed": source,
                "only the first sentence was reversed":
                    torch.cat([turned(source[:1]), source[1:]]),
                "only the last sentence was reversed":
                    torch.cat([source[:-1], turned(source[-1:])]),
                "you count from S, the length of the batch; each sentence has its own n":
                    taken(source, n, torch.full_like(n, source.shape[1] - 1)),
                "off by one: what stands at t comes from n − 1 − t": taken(source, n, n),
                "you used the length of the first sentence for all":
                    taken(source, n[:1], n[:1] - 1),
                "the last word stayed where it was; it is reversed with the others":
                    taken(source, n - 1, n - 2),
            },
        )  # fmt: skip


@check.exercise("Nats per word")
def word_loss(learner: Learner) -> None:
    """Logits (B, T, V), target (B, T) -> a number."""
    for target in batches():
        logits = 2 * torch.randn(*target.shape, 9)
        scores = logits.log_softmax(-1)
        each = -scores.gather(2, target[..., None])[..., 0]  # (B, T)
        real = target != PAD
        by_sentence = (each * real).sum(1) / real.sum(1)
        learner.gives(
            each[real].mean(), logits, target,
            mistakes={
                "padding was scored too: leave it out": each.mean(),
                "padding is left out of the sum, but it is counted":
                    (each * real).sum() / real.numel(),
                "the sign: a loss is minus the log-probability": -each[real].mean(),
                "logits are no log-probabilities: `log_softmax` over the V symbols":
                    -logits.gather(2, target[..., None])[real].mean(),
                "that is nats per sentence; divide by the number of words":
                    (each * real).sum() / len(target),
                "that is the mean of the sentences' means; every word counts the same":
                    by_sentence.mean(),
                "the softmax runs over the wrong axis; the V symbols are the last one":
                    -logits.log_softmax(1).gather(2, target[..., None])[real].mean(),
                "that is minus the probability; the logarithm is missing":
                    -(-each).exp()[real].mean(),
            },
        )  # fmt: skip


@check.exercise("Right words, right sentences")
def told(learner: Learner) -> None:
    """Logits (B, T, V), target (B, T) -> shares of right words and right sentences."""
    for target in [sentences([2, 5, 3, 4]), sentences([3, 3]), sentences([1, 7, 2])]:
        logits = torch.randn(*target.shape, 9)
        logits.scatter_(2, target[..., None], 9.0)  # all right, padding too ...
        spoilt = torch.rand(target.shape) < 0.2
        spoilt[0, 1:], spoilt[1, -1] = True, True  # ... but for these
        logits[..., 0] = logits[..., 0].masked_fill(target == PAD, -9)  # padding is wrong
        logits[spoilt] = logits[spoilt].roll(1, -1)
        right, real = logits.argmax(-1) == target, target != PAD
        words, whole = right[real].double().mean(), (right | ~real).all(1).double().mean()
        learner.gives(
            (words, whole), logits, target,
            mistakes={
                "padding counts as a word that was got wrong": (
                    right.double().mean(), right.all(1).double().mean(),
                ),
                "of the sentences: padding must not spoil one":
                    (words, right.all(1).double().mean()),
                "of the words: padding counts as a word": (right.double().mean(), whole),
                "of the words: padding counts as a right one":
                    ((right | ~real).double().mean(), whole),
                "of the words: that is the mean of the sentences' shares; every word "
                "counts the same": (((right & real).sum(1) / real.sum(1)).mean(), whole),
                "words first, then sentences": (whole, words),
                "two numbers are asked for; the share of the sentences is missing": words,
                "a sentence is right if all its words are, not if one is":
                    (words, (right & real).any(1).double().mean()),
            },
        )  # fmt: skip


def share(values: list) -> float | None:
    return sum(values) / len(values) if values else None


SMALL = (  # found, wanted, lengths: one to check by eye
    [(5, 2), (8, 4, 1), (6, 3, 3), (8, 7)],
    [(5, 2), (4, 8, 1), (6, 3, 3, 7), (8, 7)],
    [3, 6, 7, 2],
)


def corpus(count: int) -> tuple[list[tuple], list[tuple], list[int]]:
    """What was found, what was wanted, and source lengths, those at the edges first."""
    lengths = torch.randint(1, 10, (count,)).tolist()
    lengths[: min(3, count)] = [3, 6, 7][:count]
    wanted = [tuple(torch.randint(9, (n + 2,)).tolist()) for n in lengths]
    luck = torch.randint(6, (count,)).tolist()
    luck[0] = 5
    ways = [lambda w: w[:-1], lambda w: w[::-1], lambda w: (*w, 3)] + 3 * [lambda w: w]
    return [ways[i](w) for i, w in zip(luck, wanted, strict=True)], wanted, lengths


@check.exercise("Exact match by length")
def exact_by_length(learner: Learner) -> None:
    """Sentences found and wanted, bands of source lengths -> a share or None for each."""
    bands = [(1, 3), (4, 6), (7, 9), (10, 12)]
    for found, wanted, lengths in [SMALL, *(corpus(count) for count in (40, 7, 1))]:
        both = list(zip(found, wanted, strict=True))

        def by(inside, right, lengths=lengths):
            return [
                share(
                    [r for r, n in zip(right, lengths, strict=True) if inside(n, *band)]
                )
                for band in bands
            ]

        def within(n, low, high):
            return low <= n <= high

        right = [f == w for f, w in both]
        want = by(within, right)
        everywhere = [sum(within(n, *band) for n in lengths) for band in bands]
        learner.gives(
            want, found, wanted, lengths, bands,
            failing="a band may have no sentence; then there is nothing to divide by",
            mistakes={
                "a band holds both its ends; the upper one is missing":
                    by(lambda n, low, high: low <= n < high, right),
                "a band holds both its ends; the lower one is missing":
                    by(lambda n, low, high: low < n <= high, right),
                "you sort by the length of the target; asked is that of the source":
                    by(within, right, [len(w) for w in wanted]),
                "you sort by the length of what was found; asked is that of the source":
                    by(within, right, [len(f) for f in found]),
                "where there is no sentence nothing is known: None, not 0":
                    [0.0 if value is None else value for value in want],
                "where there is no sentence nothing is known: None, not NaN":
                    [math.nan if value is None else value for value in want],
                "divide by the sentences of the band, not by all": [
                    None if value is None else value * many / len(lengths)
                    for value, many in zip(want, everywhere, strict=True)
                ],
                "the same words in another order are another sentence":
                    by(within, [sorted(f) == sorted(w) for f, w in both]),
                "`zip` stops where the shorter one ends: compare the whole tuples":
                    by(within, [all(map(eq, f, w)) for f, w in both]),
                "that is the share of the words; a sentence is right or it is not":
                    by(within, [sum(map(eq, f, w)) / len(w) for f, w in both]),
            },
        )  # fmt: skip


def with_one(vectors: Tensor) -> Tensor:
    return F.pad(vectors, (0, 1), value=1.0)


def read_back(X: Tensor, words: Tensor, new: Tensor, V: int, ridge: float) -> Tensor:
    """The words that a linear probe reads from new vectors."""
    Y = F.one_hot(words, V).to(X.dtype)
    W = torch.linalg.solve(
        X.T @ X + ridge * torch.eye(X.shape[1], dtype=X.dtype), X.T @ Y
    )
    return (new @ W).argmax(-1)


@check.exercise("Ask a vector")
def probe(learner: Learner) -> None:
    """Vectors and words to fit on, new ones to be asked -> (read back, guessed)."""
    for N, H, V, size in [(60, 4, 4, 1), (40, 3, 5, 0.01), (80, 6, 3, 1)]:
        centres = torch.randn(V, H).double()
        words, truth = torch.randint(V, (N,)), torch.randint(V, (N // 2 + 1,))
        words[: N // 3], truth[: N // 4] = 1, 2  # what is frequent differs
        X = size * (3 + centres[words] + 0.8 * torch.randn(N, H).double())
        new = size * (3 + centres[truth] + 0.8 * torch.randn(len(truth), H).double())

        def right(guess, truth=truth):
            return (guess == truth).double().mean()

        read = right(read_back(with_one(X), words, with_one(new), V, 1e-5))
        guess = right(words.mode().values)
        often = (words == words.mode().values).double().mean()
        own = (
            (read_back(with_one(X), words, with_one(X), V, 1e-5) == words).double().mean()
        )
        learner.gives(
            (read, guess), X, words, new, truth, V,
            failing="X, Y and the identity are double, and `new` has a 1 at the end",
            mistakes={
                "the baseline is the most frequent word of those it was fitted on":
                    (read, right(truth.mode().values)),
                "a probe is asked about vectors that it was not fitted on": (own, guess),
                "fit it on `vectors` and `words`, not on the new ones": (
                    right(read_back(with_one(new), truth, with_one(new), V, 1e-5)), guess,
                ),
                "there is no 1 at the end of the vectors: scores cannot have a constant":
                    (right(read_back(X, words, new, V, 1e-5)), guess),
                "the baseline is not chance": (read, 1 / V),
                "the baseline, too, is asked about the new words": (read, often),
                "both numbers are of what it was fitted on; ask the new ones":
                    (own, often),
                "it was fitted on the new vectors, which it is to be asked about": (
                    right(read_back(with_one(new), truth, with_one(new), V, 1e-5)),
                    right(truth.mode().values),
                ),
                "λ is 1e-5, and yours is larger: small vectors are not heard any more":
                    (right(read_back(with_one(X), words, with_one(new), V, 1.0)), guess),
                "what the probe reads first, then the baseline": (guess, read),
            },
        )  # fmt: skip
