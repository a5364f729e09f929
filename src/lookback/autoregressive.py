"""The contract that every model of the course keeps.

A model gives p(x | c) = prod_t p(x_t | x_<t, c). Words or pixels, it is the same
sentence; models differ only in how they look back at x_<t.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = Any  # a tree (dict, tuple, list) of tensors, first axis the batch, or None


def map_state(function: Callable[[Tensor], Tensor], state: State) -> State:
    """Apply `function` to every tensor of a state, keeping the shape of the tree."""
    if state is None:
        return None
    if isinstance(state, Tensor):
        return function(state)
    if isinstance(state, dict):
        return {name: map_state(function, leaf) for name, leaf in state.items()}
    if isinstance(state, tuple | list):
        return type(state)(map_state(function, leaf) for leaf in state)
    raise TypeError(
        f"a state is a tree of tensors in dicts, tuples and lists; it holds a "
        f"{type(state).__name__}: store a tensor whose first axis is the batch"
    )


def reorder(state: State, index: Tensor) -> State:
    """Rows `index` (N,) of a state: how a decoder drops, copies and swaps hypotheses."""
    return map_state(lambda leaf: leaf.index_select(0, index), state)


class Autoregressive(nn.Module):
    """A model that predicts each symbol from those before it.

    Args:
        vocabulary: V, the number of symbols; symbols are 0 .. V - 1.
        pad: the symbol that fills up shorter sequences. It scores nothing in
            `log_prob` and is never predicted. None where there is no padding.
        eos: the symbol that ends a sequence; None where every length is `length`.
        length: T where all sequences have the same length, else None.
        config: what a subclass needs to be built again (numbers, strings, booleans).

    A sequence holds no start symbol: position t of `x` is predicted from `x[:, :t]`,
    the first one from nothing (and the context).

    Attributes:
        shared: entries of the state that `step` hands on untouched, and takes with B rows
            beside others with w * B: row i of these belongs to row i // w of those. So
            the prefixes of one sentence need not have a copy of its source each.
    """

    shared: tuple[str, ...] = ()

    def __init__(self, vocabulary: int, *, pad=None, eos=None, length=None, **config):
        super().__init__()
        self.vocabulary, self.pad, self.eos, self.length = vocabulary, pad, eos, length
        special = {"pad": pad, "eos": eos, "length": length}
        given = {name: value for name, value in special.items() if value is not None}
        self.config = {"vocabulary": vocabulary, **given, **config}

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Score all positions at once: (B, T) int -> (B, T, V).

        The scores at t depend on `x[:, :t]` and the context only.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define logits")

    def start(self, batch: int, context: Tensor | None = None) -> State:
        """The state before the first symbol; here, simply nothing written yet."""
        device = next(self.parameters()).device
        prefix = torch.empty(batch, 0, dtype=torch.long, device=device)
        return {"prefix": prefix, "context": context}

    def step(self, previous: Tensor | None, state: State) -> tuple[Tensor, State]:
        """Read one symbol, score the next: (B,) int, None at t = 0 -> (B, V), new state.

        Rows whose sequence has ended are stepped on with the others: whatever is answered
        there is not used, but must be finite somewhere.

        This one is correct for every model and slow: it scores the whole prefix again.
        A model with a memory of its own overrides `start` and `step`.
        """
        prefix = state["prefix"]
        if previous is not None:
            prefix = torch.cat([prefix, previous[:, None]], 1)  # (B, t)
        t = prefix.shape[1]
        # Position t sees none of the filler: that is what causality promises.
        filler = prefix.new_zeros(len(prefix), (self.length or t + 1) - t)
        x = torch.cat([prefix, filler], 1)  # (B, T) or (B, t + 1)
        logits = self.logits(x, state["context"])[:, t]  # (B, V)
        return logits, {**state, "prefix": prefix}

    def reaches(self, source: int, target: int) -> bool:
        """Whether `x[:, source]` can move the logits at position `target` at all."""
        return source < target

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Log-probability of whole sequences in nats: (B, T) int -> (B,)."""
        logits = self.logits(x, context)  # (B, T, V)
        ignored = -100 if self.pad is None else self.pad
        flat = logits.reshape(-1, self.vocabulary)  # (B * T, V)
        loss = F.cross_entropy(
            flat, x.reshape(-1).long(), ignore_index=ignored, reduction="none"
        )
        return -loss.reshape(x.shape).sum(1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """The same as `log_prob`, so that wrappers such as DDP can be used."""
        return self.log_prob(x, context)

    def shift(self, x: Tensor) -> Tensor:
        """What position t may hear of position t - 1: `x` moved right by one, (B, T).

        Symbol V, one past the last, stands where nothing comes before.

        Raises:
            ValueError: if `x` is not a (B, T) batch of symbols 0 .. V - 1.
        """
        check_symbols(x, self.vocabulary, self.length)
        return torch.cat([self.silence(len(x))[:, None], x[:, :-1].long()], 1)

    def silence(self, batch: int) -> Tensor:
        """What stands where nothing comes before: symbol V, one past the last, (B,)."""
        device = next(self.parameters()).device
        return torch.full((batch,), self.vocabulary, device=device)

    def never_pad(self, logits: Tensor) -> Tensor:
        """The logits with the pad symbol at minus infinity: it is never predicted."""
        if self.pad is None:
            return logits
        return logits.index_fill(
            -1, torch.tensor([self.pad], device=logits.device), -torch.inf
        )


def check_batch(context: Tensor | None, batch: int) -> None:
    """Raise a ValueError unless a context, if there is one, has a row a sequence."""
    if context is not None and len(context) != batch:
        raise ValueError(
            f"each sequence has its own row of the context: got {batch} sequences and a "
            f"context of {len(context)} rows"
        )


def check_symbols(x: Tensor, vocabulary: int, length: int | None = None) -> None:
    """Raise a ValueError unless `x` is a (B, T) integer batch of symbols 0 .. V - 1."""
    if x.ndim != 2 or x.is_floating_point() or x.dtype == torch.bool:
        raise ValueError(
            f"expected a batch of sequences (B, T) of integers, "
            f"got shape {tuple(x.shape)} of {x.dtype}"
        )
    if x.shape[0] == 0 or x.shape[1] == 0:
        raise ValueError(f"the batch is empty: got shape {tuple(x.shape)}")
    if length is not None and x.shape[1] != length:
        raise ValueError(
            f"expected sequences of length {length}, got shape {tuple(x.shape)}"
        )
    low, high = int(x.min()), int(x.max())
    if low < 0 or high >= vocabulary:
        raise ValueError(
            f"symbols must lie in 0 .. {vocabulary - 1}, got values in {low} .. {high}"
        )
