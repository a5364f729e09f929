"""What it costs to look back, by the length of the sequence: seconds, memory, waiting.

One layer of each kind reads the same sequence (B, T, D) and gives one of the same shape,
in which position t has seen 0 .. t only. What is measured is a step of training: forward
and backward.

References:
    1. Vaswani et al. (2017), Attention is all you need (table 1: complexity, sequential
       operations, path length).
"""

import itertools
import math
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lookback.attention import MultiHeadAttention, attend_recent
from lookback.progress import bar

LENGTHS = (64, 256, 1024, 4096)
SIZE, WINDOW = 64, 32  # D; and how many positions a convolution or a window sees


class Recurrent(nn.Module):
    """Handed along: a GRU."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(SIZE, SIZE, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0]


class Convolution(nn.Module):
    """Looked up in the neighbourhood, with weights by offset: a causal convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(SIZE, SIZE, WINDOW)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x.transpose(1, 2), (WINDOW - 1, 0))  # (B, D, WINDOW - 1 + T)
        return self.conv(x).transpose(1, 2)  # (B, T, D)


class LocalAttention(nn.Module):
    """Looked up in the neighbourhood, by content: a window of attention."""

    def __init__(self):
        super().__init__()
        self.attention = MultiHeadAttention(SIZE, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.attention.query, self.attention.key, self.attention.value
        return self.attention.out(attend_recent(q(x), k(x), v(x), WINDOW))


class FullAttention(nn.Module):
    """Looked up anywhere: every position looks at all before it.

    Args:
        fused: take PyTorch's fused kernel, which never stores the weights (T, T).
    """

    def __init__(self, fused: bool):
        super().__init__()
        self.attention, self.fused = MultiHeadAttention(SIZE, 1), fused

    def forward(self, x: Tensor) -> Tensor:
        need_weights = not self.fused
        return self.attention(x, x, x, is_causal=True, need_weights=need_weights)[0]


@dataclass(frozen=True)
class Way:
    """A way of looking back.

    Attributes:
        layer: makes one, for (B, T, SIZE).
        waits: T -> how many steps have to wait for one another in one layer.
        path: T -> layers or steps that a message takes from the first position to the
            last: how often it is told again.
    """

    layer: Callable[[], nn.Module]
    waits: Callable[[int], int]
    path: Callable[[int], int]


def in_windows(length: int) -> int:
    """Layers until the last position hears of the first, WINDOW - 1 back in each."""
    return math.ceil((length - 1) / (WINDOW - 1))


WAYS: dict[str, Way] = {
    "RNN": Way(Recurrent, lambda length: length, lambda length: length - 1),
    "convolution": Way(Convolution, lambda length: 1, in_windows),
    "local attention": Way(LocalAttention, lambda length: 1, in_windows),
    "attention": Way(lambda: FullAttention(False), lambda length: 1, lambda length: 1),
    "attention, fused": Way(
        lambda: FullAttention(True), lambda length: 1, lambda length: 1
    ),
}


@dataclass(frozen=True)
class Cost:
    """What one way of looking back cost at one length.

    Attributes:
        name, length: which of `WAYS`, and T.
        seconds: of a step of training, forward and backward; the fastest of several.
        megabytes: the most memory that its tensors took at once, inputs and weights not
            counted.
        waits, path: see `Way`.
    """

    name: str
    length: int
    seconds: float
    megabytes: float
    waits: int
    path: int


@dataclass(frozen=True)
class Crossing:
    """A length at which one way starts or stops to cost more than another.

    It has the fields of `Cost`, of which a crossing has none but the first two.
    """

    name: str
    length: int
    seconds: None = None
    megabytes: None = None
    waits: None = None
    path: None = None


def measure_cost() -> list[Cost | Crossing]:
    """Each way at each length, and where their costs cross."""
    costs = by_length()
    return costs + [
        Crossing(f"{one} = {two} in {what}", length)
        for what in ("seconds", "megabytes")
        for one, two in itertools.combinations(WAYS, 2)
        for length in crossings(costs, one, two, what)
    ]


def by_length(lengths: Sequence[int] = LENGTHS, names: Iterable[str] = WAYS,
              batch: int = 1, times: int = 3) -> list[Cost]:  # fmt: skip
    """Measure ways of looking back at several lengths, one length after the other.

    Args:
        lengths: values of T.  names: which of `WAYS`.  batch: B.
        times: runs of each, of which the fastest counts.
    """
    todo = [*itertools.product(lengths, names)]
    costs = []
    with bar(len(todo), "cost by length", unit="run") as progress:
        for length, name in todo:
            costs.append(measure(name, length, batch, times))
            progress.update()
    return costs


def measure(name: str, length: int, batch: int = 1, times: int = 3) -> Cost:
    """The cost of one of `WAYS` on a random sequence (B, T, SIZE).

    Raises:
        ValueError: there is no such way.
    """
    if name not in WAYS:
        raise ValueError(f"unknown way {name!r}: choose one of {', '.join(WAYS)}")
    way = WAYS[name]
    layer, x = way.layer(), torch.randn(batch, length, SIZE)

    def train() -> None:
        layer.zero_grad(set_to_none=True)
        layer(x).sum().backward()

    megabytes = peak(train) / 1e6  # and this warms up
    seconds = min(seconds_of(train) for _ in range(times))
    return Cost(name, length, seconds, megabytes, way.waits(length), way.path(length))


def seconds_of(run: Callable[[], object]) -> float:
    """By the clock."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def peak(run: Callable[[], object]) -> int:
    """The most bytes that the tensors which `run` makes take at once."""
    with Memory() as memory:
        run()
    return memory.peak


class Memory(TorchDispatchMode):
    """Counts the bytes of all tensors made inside a `with`, for as long as they live.

    It looks at what each operation of PyTorch returns, forward and backward, so the
    count is the same on every machine. What a kernel keeps for itself while it runs is
    not seen. Tensors that share memory count once; those from outside do not count.
    """

    def __init__(self):
        super().__init__()
        self.known: set[int] = set()
        self.bytes = self.peak = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        for storage in self.unknown((args, kwargs)):
            self.keep(storage, 0)
        result = operation(*args, **kwargs)
        for storage in self.unknown(result):
            self.keep(storage, storage.nbytes())
        return result

    def unknown(self, tree) -> Iterable[torch.UntypedStorage]:
        """The memory of the tensors in a tree that has not been seen before."""
        for leaf in tree_leaves(tree):
            if isinstance(leaf, Tensor):
                storage = leaf.untyped_storage()
                if storage.nbytes() and storage.data_ptr() not in self.known:
                    yield storage

    def keep(self, storage: torch.UntypedStorage, size: int) -> None:
        """Count `size` bytes until the memory is free again."""
        place = storage.data_ptr()
        self.known.add(place)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self.free, place, size)

    def free(self, place: int, size: int) -> None:
        """What `keep` counted is gone."""
        self.known.discard(place)
        self.bytes -= size


def crossings(costs: Sequence[Cost], one: str, two: str,
              what: str = "seconds") -> list[int]:  # fmt: skip
    """The lengths at which `one` starts or stops to cost more than `two`.

    Args:
        costs: of `by_length`, lengths rising.
        what: "seconds" or "megabytes".

    Returns:
        Of each change between two neighbouring lengths the length where the curves
        cross, straight lines on two logarithmic scales; rounded. Empty without a change.
    """
    first, second = ({c.length: getattr(c, what) for c in costs if c.name == name}
                     for name in (one, two))  # fmt: skip
    gaps = [(t, math.log(first[t] / second[t])) for t in first]
    return [
        round(math.exp(math.log(t) + math.log(u / t) * gap / (gap - after)))
        for (t, gap), (u, after) in itertools.pairwise(gaps)
        if (gap > 0) != (after > 0)
    ]
