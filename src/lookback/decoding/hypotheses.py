"""What a decoder returns, and how hypotheses of different lengths compare.

References:
    1. Wu et al. (2016), Google's neural machine translation system (`gnmt`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

Penalty = Callable[[int], float]  # length -> what the log-probability is divided by


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that a decoder found.

    Attributes:
        tokens: its symbols, with the end of sequence if it has ended.
        log_prob: log-probability of the tokens, nats.
        finished: whether it ended by itself (or has the model's fixed length).
        penalty: what the log-probability is divided by when hypotheses compete.
    """

    tokens: tuple[int, ...]
    log_prob: float
    finished: bool
    penalty: float = 1.0

    @property
    def length(self) -> int:
        """Number of tokens; the end of sequence counts."""
        return len(self.tokens)

    @property
    def score(self) -> float:
        """The normalised log-probability, nats where nothing is normalised."""
        return self.log_prob / self.penalty

    @property
    def rank(self) -> tuple[bool, float]:
        """Larger is better: whatever has finished comes before what has not."""
        return self.finished, self.score


@dataclass(frozen=True)
class Node:
    """A prefix that a search looked at, for drawing.

    Attributes:
        parent: index of the prefix it continues; -1 for the root, which is the prefix
            that was given, or nothing.
        symbol: what it adds to its parent; None at the root.
        log_prob: log-probability of the whole prefix, nats.
        kept: whether the search went on with it (or it is a finished sequence that was
            kept); the others were seen and dropped.
    """

    parent: int
    symbol: int | None
    log_prob: float
    kept: bool


@dataclass(frozen=True)
class Found(Hypothesis):
    """The best hypothesis of a search, and what the search can say about it.

    Attributes:
        best: the n best, itself the first.
        visited: how many prefixes the model was asked to continue.
        proved: whether no other sequence within the lengths allowed scores higher.
        tree: the prefixes it looked at, parents before children, if asked for.
    """

    best: tuple[Hypothesis, ...] = ()
    visited: int = 0
    proved: bool = False
    tree: tuple[Node, ...] | None = None

    @classmethod
    def of(cls, best: list[Hypothesis], **facts) -> "Found":
        """The first of some hypotheses, best first, with what is known about it."""
        top = best[0]
        return cls(
            top.tokens, top.log_prob, top.finished, top.penalty, tuple(best), **facts
        )


def plain(length: int) -> float:
    """Divide by nothing: the likeliest sequence wins, and short ones are likely."""
    return 1.0


def power(alpha: float) -> Penalty:
    """Divide by length ** alpha; 1 compares the mean log-probability per token.

    Log-probabilities are negative. A larger divisor brings them closer to zero, which
    is up: alpha > 0 favours the *longer* of two hypotheses, although it is called a
    penalty. Negative alpha would favour the shorter one and is refused.

    Raises:
        ValueError: if alpha is negative or not a number.
    """
    check_alpha(alpha)
    return lambda length: length**alpha


def gnmt(alpha: float) -> Penalty:
    """Divide by ((5 + length) / 6) ** alpha, as Wu et al. (2016) do.

    The sign is that of `power`: alpha > 0 favours the longer. The 5 makes it milder
    among short hypotheses.

    Raises:
        ValueError: if alpha is negative or not a number.
    """
    check_alpha(alpha)
    return lambda length: ((5 + length) / 6) ** alpha


def check_alpha(alpha: float) -> None:
    """Raise a ValueError unless alpha is a number >= 0.

    The searches need it: they stop once no prefix can win, and count on the divisor
    of the longest sequence being the largest.
    """
    if not (alpha >= 0 and math.isfinite(alpha)):
        raise ValueError(f"alpha must be a number of at least 0, got {alpha}")
