"""Looked up in the neighbourhood: PixelCNN.

Each feature of a pixel is a weighted sum of the features around it, with the same weights
everywhere. A mask keeps the sum to pixels that come earlier in raster order: type A, in
the first layer, leaves out the pixel itself; type B, in all others, keeps it.

Sampling needs one column of features for each pixel, not a picture of them: a layer
remembers the last columns that its kernel can still reach and computes one new column.

Differences from the paper: a residual block is one masked convolution and starts as the
identity, where the paper has a bottleneck of three; kernels of 5 x 5, so that fewer
layers see as far; a second input plane of ones marks what lies inside the picture.

References:
    1. van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks.
    2. Bachlechner et al. (2021), ReZero is all you need (blocks that start silent).
"""

import functools
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookback.autoregressive import Autoregressive, check_symbols

Offset = tuple[int, int]  # (rows up, columns to the right) of a pixel that is seen


def earlier(size: int, kind: str) -> Tensor:
    """Mask of a `size` x `size` kernel down to its middle row: True where it may look.

    Rows above the middle are seen whole, the middle one up to its centre; the centre
    itself only by type "B".

    Raises:
        ValueError: an even size has no centre; there are only types A and B.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a kernel with a centre has an odd size, got {size}")
    if kind not in ("A", "B"):
        raise ValueError(f"a mask is of type 'A' or 'B', got {kind!r}")
    half = size // 2
    mask = torch.ones(half + 1, size, dtype=torch.bool)
    mask[half, half + (kind == "B") :] = False
    return mask


class MaskedConv2d(nn.Module):
    """A convolution that looks at earlier pixels only: (B, I, H, W) -> (B, O, H, W).

    Args:
        mask: (rows, columns) bool; the last row and the middle column are the centre.
        gain: scales the first weights: their variance is gain^2 / (inputs of a sum).
    """

    def __init__(self, inputs: int, outputs: int, mask: Tensor, gain: float = 1.0):
        super().__init__()
        rows, columns = mask.shape
        scale = gain / (inputs * int(mask.sum())) ** 0.5
        self.weight = nn.Parameter(torch.randn(outputs, inputs, rows, columns) * scale)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mask", mask, persistent=False)
        self.up, self.side = rows - 1, columns // 2
        self.offsets = [(self.up - i, j - self.side) for i, j in mask.nonzero().tolist()]
        taps = mask.flatten().nonzero()[:, 0]
        self.register_buffer("taps", taps, persistent=False)  # which weights are used

    def forward(self, x: Tensor) -> Tensor:
        # Rows of zeros below the centre: cheaper than to crop the picture afterwards.
        weight = F.pad(self.weight * self.mask, (0, 0, 0, self.up))
        return F.conv2d(x, weight, self.bias, padding=(self.up, self.side))

    def row(self, rows: Tensor) -> Tensor:
        """The outputs of the last of some rows: (B, I, up + 1, W) -> (B, O, 1, W)."""
        padding = (0, self.side)
        return F.conv2d(rows, self.weight * self.mask, self.bias, padding=padding)

    def behind(self, width: int) -> Tensor:
        """How many columns of features ago each pixel that is seen was computed: (n,).

        Columns are counted in raster order, with `side` columns of zeros between two
        rows: the right margin of one row is the left margin of the next.
        """
        up, right = torch.tensor(self.offsets, device=self.taps.device).unbind(1)
        return up * (width + self.side) - right

    def start(self, batch: int, width: int) -> Tensor:
        """The columns (B, L, I) before the first pixel: zeros."""
        return self.weight.new_zeros(
            batch, int(self.behind(width).max()) + 1, self.weight.shape[1]
        )

    def remember(self, columns: Tensor, column: Tensor) -> Tensor:
        """Take in one more column (B, I) and forget the oldest: (B, L, I)."""
        return torch.cat([columns[:, 1:], column[:, None]], 1)

    def margin(self, columns: Tensor) -> Tensor:
        """Take in the columns of zeros at the end of a row: (B, L, I)."""
        return F.pad(columns[:, self.side :], (0, 0, 0, self.side))

    def column(self, columns: Tensor, width: int) -> Tensor:
        """The output (B, O) at one pixel, whose own column is the last of (B, L, I)."""
        place = columns.shape[1] - 1 - self.behind(width)
        seen = columns.index_select(1, place).transpose(1, 2).flatten(1)  # (B, I * n)
        weight = self.weight.flatten(2).index_select(2, self.taps).flatten(1)
        return F.linear(seen, weight, self.bias)


def receptive_field(layers: Sequence[MaskedConv2d]) -> frozenset[Offset]:
    """What is seen through a stack of layers: every sum of one offset from each."""
    seen = {(0, 0)}
    for layer in layers:
        seen = sums(seen, layer.offsets)
    return frozenset(seen)


def sums(one: Iterable[Offset], two: Iterable[Offset]) -> set[Offset]:
    """Every offset of one layer followed by every offset of another."""
    return {(a + c, b + d) for a, b in one for c, d in two}


def planes(x: Tensor, vocabulary: int, height: int, width: int) -> Tensor:
    """Values 0 .. 1, and ones inside the picture: (B, T) -> (B, 2, height, width)."""
    values = x.reshape(-1, 1, height, width) / max(1, vocabulary - 1)
    return torch.cat([values, torch.ones_like(values)], 1)


def pixels(height: int, width: int, length: int | None = None) -> int:
    """How many pixels a picture has; `length` is what a weight file says of it.

    Raises:
        ValueError: the file says otherwise.
    """
    if length not in (None, height * width):
        raise ValueError(
            f"a picture of {height} x {width} has {height * width} pixels, not {length}: "
            "leave `length` out"
        )
    return height * width


def head(hidden: int, vocabulary: int) -> nn.Sequential:
    """From the features of each pixel to its logits: (..., H) -> (..., V)."""
    return nn.Sequential(
        nn.ReLU(), nn.Linear(hidden, hidden),
        nn.ReLU(), nn.Linear(hidden, vocabulary),
    )  # fmt: skip


def as_sequence(maps: Tensor) -> Tensor:
    """Feature maps (B, H, height, width) as a sequence of columns (B, T, H)."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


class PixelCNN(Autoregressive):
    """A stack of masked convolutions with residual connections.

    Args:
        vocabulary: V, the number of values of a pixel.
        height, width: of the picture; a sequence is its pixels row by row.
        hidden: feature maps.  layers: residual blocks.
        first, kernel: sizes of the type A kernel and of the type B kernels.
    """

    def __init__(self, vocabulary: int = 2, *, height=28, width=28, hidden=32, layers=8,
                 first=7, kernel=5, length=None):  # fmt: skip
        config = {
            "height": height, "width": width, "hidden": hidden, "layers": layers,
            "first": first, "kernel": kernel,
        }  # fmt: skip
        super().__init__(vocabulary, length=pixels(height, width, length), **config)
        self.height, self.width = height, width
        self.first = MaskedConv2d(2, hidden, earlier(first, "A"))
        self.blocks = nn.ModuleList(
            MaskedConv2d(hidden, hidden, earlier(kernel, "B"), gain=0)
            for _ in range(layers)
        )
        self.head = head(hidden, vocabulary)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        check_symbols(x, self.vocabulary, self.length)
        return self.read(planes(x, self.vocabulary, self.height, self.width))

    def read(self, seen: Tensor) -> Tensor:
        """Planes (B, 2, height, width) -> logits (B, T, V); has a gradient in them."""
        seen = seen.to(self.first.weight, memory_format=torch.channels_last)
        h = self.first(seen)  # (B, H, height, width)
        for block in self.blocks:
            h = h + block(h.relu())
        return self.head(as_sequence(h)).to(seen.dtype)  # (B, T, V)

    def start(self, batch: int, context: Tensor | None = None):
        return {
            "t": torch.zeros(batch, dtype=torch.long, device=self.first.weight.device),
            "seen": self.first.start(batch, self.width),
            "features": [block.start(batch, self.width) for block in self.blocks],
        }

    def step(self, previous: Tensor | None, state):
        t, seen = int(state["t"][0]), state["seen"]
        last = (t + 1) % self.width == 0
        if previous is not None:
            column = planes(previous[:, None], self.vocabulary, 1, 1).flatten(1)  # (B, 2)
            seen = self.first.remember(seen, column.to(seen))
            seen = self.first.margin(seen) if t % self.width == 0 else seen
        unseen = seen.new_zeros(len(seen), 2)
        h = self.first.column(self.first.remember(seen, unseen), self.width)  # (B, H)
        features = []
        for block, columns in zip(self.blocks, state["features"], strict=True):
            columns = block.remember(columns, h.relu())
            h = h + block.column(columns, self.width)
            features.append(block.margin(columns) if last else columns)
        logits = self.head(h)  # (B, V)
        return logits, {"t": state["t"] + 1, "seen": seen, "features": features}

    def reaches(self, source: int, target: int) -> bool:
        up = target // self.width - source // self.width
        return (up, source % self.width - target % self.width) in self.field

    @functools.cached_property
    def field(self) -> frozenset[Offset]:
        """The receptive field: all offsets that some path of kernels adds up to."""
        return receptive_field([self.first, *self.blocks])
