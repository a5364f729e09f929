"""Compare what came back with what was expected, and say it in words."""

import math
import numbers
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

TOLERANCE = 1e-4
TURNS = "first", "second", "third", "fourth"
SHOWN = 12  # so many numbers are shown; of larger tensors the shape
TABLE = 64  # of a table of True and False so many entries are shown, as 1 and 0


def difference(got: object, want: object, tolerance: float = TOLERANCE) -> str:
    """How `got` differs from `want`, in words; empty if it does not.

    A tensor is compared by type, shape and value; numbers by value, whether they come as
    int, float or a tensor with one entry; tuples and lists entry by entry.
    """
    if isinstance(want, Tensor) and want.ndim == 0:
        want = want.item()
    if isinstance(want, Tensor):
        return tensors_differ(got, want, tolerance)
    if isinstance(want, bool):
        return yes_or_no_differs(got, want)
    if isinstance(want, int | float):
        return numbers_differ(got, want, tolerance)
    if isinstance(want, list | tuple):
        return sequences_differ(got, want, tolerance)
    if type(got) is not type(want):
        return f"{kind(got)} came back; expected {kind(want)}"
    return "" if got == want else f"{brief(got)} instead of {brief(want)}"


def tensors_differ(got: object, want: Tensor, tolerance: float) -> str:
    if not isinstance(got, Tensor):
        return f"{kind(got)} came back; expected a tensor of shape {shape(want)}"
    if got.shape != want.shape:
        return f"the shape is {shape(got)}; expected {shape(want)}"
    if (want.dtype == torch.bool) != (got.dtype == torch.bool):
        return f"the type is {got.dtype}; expected {want.dtype}"
    if got.is_complex():
        return "the numbers are complex"
    a, b = got.detach().double(), want.detach().double()
    if a.isnan().any() and not b.isnan().any():
        return f"{int(a.isnan().sum())} of {a.numel()} numbers are NaN"
    wrong = ~torch.isclose(a, b, tolerance, tolerance, equal_nan=True)
    if not wrong.any():
        return ""
    at = tuple(wrong.nonzero()[0].tolist())
    return f"{int(wrong.sum())} of {a.numel()} entries differ; " + first(at, got, want)


def first(at: tuple[int, ...], got: Tensor, want: Tensor) -> str:
    return f"at {list(at)}: {brief(got[at].item())} instead of {brief(want[at].item())}"


def yes_or_no_differs(got: object, want: bool) -> str:
    if isinstance(got, Tensor) and got.numel() == 1 and got.dtype == torch.bool:
        got = bool(got)
    if isinstance(got, np.bool_):
        got = bool(got)
    if not isinstance(got, bool):
        return f"{kind(got)} came back; expected True or False"
    return "" if got == want else f"{got} instead of {want}"


def numbers_differ(got: object, want: float, tolerance: float) -> str:
    if isinstance(got, Tensor) and got.numel() == 1:
        got = got.item()
    if not isinstance(got, numbers.Real) or isinstance(got, bool):
        return f"{kind(got)} came back; expected a number"
    if math.isnan(got):
        return "" if math.isnan(want) else "NaN came back"
    if math.isclose(got, want, rel_tol=tolerance, abs_tol=tolerance):
        return ""
    return f"{brief(got)} instead of {brief(want)}"


def sequences_differ(got: object, want: Sequence, tolerance: float) -> str:
    if isinstance(got, Tensor) and all(map(is_number, want)):
        got = got.tolist()
    if not isinstance(got, list | tuple):
        return f"{kind(got)} came back; expected a {type(want).__name__} of {len(want)}"
    if len(got) != len(want):
        return f"{len(got)} came back, and there should be {len(want)}"
    for place, (g, w) in enumerate(zip(got, want, strict=True)):
        if said := difference(g, w, tolerance):
            return f"{which(place, got)}: {said}"
    return ""


def is_number(value: object) -> bool:
    """Whether it is a number, or a tensor that holds one."""
    return isinstance(value, int | float) or (
        isinstance(value, Tensor) and value.ndim == 0
    )


def which(place: int, among: Sequence) -> str:
    """One of several that came back: of a tuple by its turn, of a list by its index."""
    if isinstance(among, tuple) and place < len(TURNS):
        return f"the {TURNS[place]} of {len(among)}"
    return f"at [{place}]"


def kind(value: object) -> str:
    """What something is, with an article."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def shape(value: Tensor) -> str:
    return str(tuple(value.shape))


def brief(value: object, room: int = SHOWN) -> str:
    """Something in at most a few words; a tensor of up to `room` numbers with them."""
    if isinstance(value, Tensor):
        if room and is_table(value):
            return (
                f"[{', '.join(''.join(map(str, row)) for row in value.int().tolist())}]"
            )
        if entries(value) > room:
            return f"tensor {shape(value)}"
        numbers = value.int() if value.dtype == torch.bool else value.detach()
        return str(rounded(numbers.tolist()))
    if isinstance(value, dict) and all(isinstance(v, Tensor) for v in value.values()):
        return "{" + ", ".join(f"{k!r}: {shape(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, nn.Module) or callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, list | tuple) and any(isinstance(v, Tensor) for v in value):
        room = room if entries(value) <= room else 0
        return "(" + ", ".join(brief(part, room) for part in value) + ")"
    try:
        text = repr(rounded(value))
    except Exception:
        text = kind(value)
    return text if len(text) <= 90 else f"{text[:87]}…"


def is_table(value: Tensor) -> bool:
    """Whether it is True and False in rows, and fits into a line without commas only."""
    table = value.dtype == torch.bool and value.ndim == 2
    return table and entries(value) > SHOWN and value.numel() <= TABLE


def entries(value: object) -> float:
    """The room for the numbers of a tensor, or of all in a tree; whole ones are short."""
    if isinstance(value, list | tuple):
        return sum(map(entries, value))
    if not isinstance(value, Tensor):
        return 0
    short = not value.is_floating_point() and not value.is_complex()
    return value.numel() * (0.4 if short else 1)


def rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if type(value) in (list, tuple):
        return type(value)(map(rounded, value))
    return value


def same(a: object, b: object) -> bool:
    """Whether nothing was changed: NaN is equal to itself."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.shape == b.shape and equal(a, b)
    if isinstance(a, nn.Module):
        return same(a.state_dict(), b.state_dict())
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return True  # numbers and words cannot be changed in place


def equal(a: Tensor, b: Tensor) -> bool:
    return bool(((a == b) | ((a != a) & (b != b))).all())
