"""What is to be decoded, checked once for every decoder."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lookback.autoregressive import Autoregressive, State, check_symbols


@dataclass(frozen=True)
class Task:
    """What every decoder is asked: which model, from what, how long.

    Attributes:
        context: what the model is conditioned on, first axis the batch, or None.
        batch: B, how many sequences; None where context or prefix tells, else 1.
        prefix: (B, t) int symbols that are already there, none of them the end; they
            count in length and log-probability. None for none.
        min_length: symbols at least, the end of sequence among them.
        max_length: symbols at most; None for the model's own length. What has not ended
            by then is returned as it is, with `finished` False, where nothing has.

    Raises:
        ValueError: if these contradict one another or the model.
    """

    model: Autoregressive
    context: Tensor | None = None
    batch: int | None = None
    prefix: Tensor | None = None
    min_length: int = 1
    max_length: int | None = None

    def __post_init__(self):
        batch = batch_size(self.batch, self.context, self.prefix)
        object.__setattr__(self, "batch", batch)
        longest = length_limit(self.model, self.max_length)
        object.__setattr__(self, "max_length", longest)
        check_least(self.model, self.min_length, longest)
        check_prefix(self.model, self.prefix, longest)

    @property
    def given(self) -> int:
        """How many symbols of each sequence are already there."""
        return 0 if self.prefix is None else self.prefix.shape[1]

    def only(self, row: int) -> "Task":
        """The same for one row of the batch."""
        one = slice(row, row + 1)
        context = None if self.context is None else self.context[one]
        prefix = None if self.prefix is None else self.prefix[one]
        return replace(self, context=context, prefix=prefix, batch=1)

    def read(self) -> tuple[Tensor | None, State, Tensor]:
        """Read the prefix.

        Returns:
            its last symbol (B,) or None, which the model has not heard yet; the state
            before that; log-probability of the prefix (B,), nats.
        """
        state, previous = self.model.start(self.batch, self.context), None
        like = next(self.model.parameters())
        total = like.new_zeros(self.batch)
        for t in range(self.given):
            scores, state = self.step(previous, state, t)
            previous = self.prefix[:, t].to(like.device)
            total = total + scores.gather(1, previous[:, None])[:, 0]
        self.check_possible(total)
        return previous, state, total

    def step(self, previous: Tensor | None, state: State, t: int):
        """The log-probabilities (N, V) of the symbols at position t, and the new state.

        The end is at minus infinity where t is too early for it.

        Raises:
            ValueError: if the model gives no probabilities.
        """
        logits, state = self.model.step(previous, state)
        scores = logits.log_softmax(-1)  # (N, V)
        # One NaN or infinite logit leaves nothing but NaN in its row.
        broken = scores[:, 0].isnan()
        if broken.any():
            raise ValueError(
                f"the model gives no probabilities at position {t} in "
                f"{int(broken.sum())} of {len(broken)} rows: its logits there are NaN, "
                "infinite, or all minus infinity; did its training diverge?"
            )
        if self.model.eos is not None and t + 1 < self.min_length:
            scores[:, self.model.eos] = -torch.inf
        return scores, state

    def ends(self, symbol: Tensor, t: int) -> Tensor:
        """Whether a sequence ends with these symbols at position t, as a boolean."""
        if self.model.eos is None:
            return torch.full_like(symbol, t + 1 == self.model.length).bool()
        return symbol == self.model.eos

    def check_possible(self, total: Tensor) -> None:
        """Raise a ValueError if one of these log-probabilities is minus infinity."""
        if bool((total == -torch.inf).any()):
            raise self.impossible()

    def impossible(self) -> ValueError:
        """Say that there is nothing to find."""
        return ValueError(
            f"no sequence of {self.min_length} to {self.max_length} symbols is possible: "
            "the model gives each of them probability zero; check prefix and min_length"
        )

    def finished(self, tokens: list[int]) -> bool:
        """Whether a sequence has ended by itself or has the model's fixed length."""
        if self.model.eos is None:
            return len(tokens) == self.model.length
        return self.model.eos in tokens


def batch_size(batch: int | None, context, prefix) -> int:
    """How many sequences to write, from whatever tells."""
    sizes = {len(given) for given in (context, prefix) if given is not None}
    sizes |= set() if batch is None else {batch}
    if len(sizes) > 1:
        raise ValueError(f"context, prefix and batch disagree on the batch: {sizes}")
    size = sizes.pop() if sizes else 1
    if size < 1:
        raise ValueError(f"the batch is empty: expected at least 1 sequence, got {size}")
    return size


def length_limit(model: Autoregressive, max_length: int | None) -> int:
    """How many symbols at most."""
    limit = model.length if max_length is None else max_length
    if limit is None:
        raise ValueError("this model may never end: give max_length")
    if limit < 1 or (model.length is not None and limit > model.length):
        bound = "at least 1" if model.length is None else f"in 1 .. {model.length}"
        raise ValueError(f"max_length must be {bound}, got {limit}")
    return limit


def check_least(model: Autoregressive, least: int, limit: int) -> None:
    """Raise a ValueError unless sequences of `least` symbols can be asked for."""
    if not 1 <= least <= limit:
        raise ValueError(f"min_length must lie in 1 .. {limit} (max_length), got {least}")
    if least > 1 and model.eos is None:
        raise ValueError(f"min_length is {least}, but this model never ends early")


def check_prefix(model: Autoregressive, prefix: Tensor | None, limit: int) -> None:
    """Raise a ValueError unless the prefix can be continued."""
    if prefix is None or prefix.shape[-1] == 0:
        return
    check_symbols(prefix, model.vocabulary)
    if prefix.shape[1] >= limit:
        raise ValueError(
            f"the prefix has {prefix.shape[1]} symbols and max_length is {limit}: "
            "nothing is left to decode"
        )
    if any(bool((prefix == s).any()) for s in (model.pad, model.eos) if s is not None):
        raise ValueError("the prefix holds the end of sequence or padding: cut it there")
