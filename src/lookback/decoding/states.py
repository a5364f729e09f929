"""Moving rows of a model's state about, and only those that differ.

The hypotheses of one sentence begin with the same state. A leaf that `step` hands on
untouched, such as the encoder's states, is still the very tensor of the beginning and
holds the same for all of them, so it need not be copied when they change places.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from lookback.autoregressive import State, map_state


def follow(state: State, old: State, new: State, change: Callable) -> State:
    """A state with `change` made to its leaves, but those of `new` where it has `old`'s.

    Args:
        state: a state that descends from `old`.
        old, new: two states of one shape, the same information in other rows.
        change: takes and gives a tensor; for the leaves that are not `old`'s any more.
    """
    if state is old:
        return new
    if isinstance(state, dict):
        return {
            name: follow(leaf, child(old, name), child(new, name), change)
            for name, leaf in state.items()
        }
    if isinstance(state, tuple | list):
        return type(state)(
            follow(leaf, child(old, i), child(new, i), change)
            for i, leaf in enumerate(state)
        )
    return map_state(change, state)


NOTHING = object()  # is no leaf of any state


def child(state: State, key) -> State:
    """The part of a state under a name or number, NOTHING where there is none."""
    try:
        return state[key] if isinstance(state, dict | tuple | list) else NOTHING
    except (KeyError, IndexError):
        return NOTHING


def widen(state: State, rows: int) -> State:
    """A state of one row seen as so many rows; nothing is copied."""
    return map_state(lambda leaf: leaf.expand(rows, *leaf.shape[1:]), state)


def gather(states: list[State], rows: list[int], start: State, wide: State) -> State:
    """One state (N rows) from one row of each of N states.

    Args:
        start, wide: the state all of them began with, as one row and as N.
    """
    first = states[0]
    if all(state is start for state in states):
        return wide
    if isinstance(first, Tensor):
        return torch.cat([s[r : r + 1] for s, r in zip(states, rows, strict=True)])
    if first is None:
        return None

    def part(key):
        parts = [state[key] for state in states]
        return gather(parts, rows, child(start, key), child(wide, key))

    if isinstance(first, dict):
        return {key: part(key) for key in first}
    return type(first)(part(i) for i in range(len(first)))
