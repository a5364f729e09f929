"""Looked up in the neighbourhood, without a blind spot: Gated PixelCNN.

Stacked masked kernels never see some pixels above and to the right. Two stacks do: the
vertical one looks at all rows above, the horizontal one along its own row to the left,
and at each layer the vertical one tells the horizontal one what it saw. The features pass
a gate, tanh(a) * sigmoid(b). A label, one-hot, adds to the scores of every gate.

Sampling computes the vertical stack a row at a time, since no pixel of the row moves it,
and the horizontal one a column at a time, as PixelCNN does.

Differences from the paper: the vertical stack has residual connections too; 5 x 5
kernels in fewer layers; a second input plane of ones marks what lies inside the picture.

References:
    1. van den Oord et al. (2016), Conditional image generation with PixelCNN decoders.
"""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookback.autoregressive import Autoregressive, check_symbols
from lookback.models.pixelcnn import (
    MaskedConv2d,
    Offset,
    as_sequence,
    earlier,
    head,
    pixels,
    planes,
    sums,
)


def above(size: int, kind: str) -> Tensor:
    """Mask of a vertical stack: whole rows above, and the pixel's own row by type "B"."""
    mask = torch.ones_like(earlier(size, kind))
    mask[-1] = kind == "B"
    return mask


def beside(size: int, kind: str) -> Tensor:
    """Mask of a horizontal stack: (1, size), the last row of `earlier`."""
    return earlier(size, kind)[-1:]


def gate(x: Tensor) -> Tensor:
    """tanh(first half) * sigmoid(second half): (B, 2H, ...) -> (B, H, ...)."""
    value, door = x.chunk(2, 1)
    return value.tanh() * door.sigmoid()


class GatedLayer(nn.Module):
    """One layer of both stacks: (B, H, height, width) twice -> the same."""

    def __init__(self, hidden: int, kernel: int, classes: int):
        super().__init__()
        self.vertical = MaskedConv2d(hidden, 2 * hidden, above(kernel, "B"))
        self.horizontal = MaskedConv2d(hidden, 2 * hidden, beside(kernel, "B"))
        self.link = nn.Conv2d(2 * hidden, 2 * hidden, 1)
        self.out = nn.Conv2d(hidden, hidden, 1)
        # PyTorch's own first weights are too small: they hide the vertical stack.
        for linear in (self.link, self.out):
            nn.init.normal_(linear.weight, std=linear.in_channels**-0.5)
        self.label = nn.Embedding(classes, 4 * hidden) if classes else None
        if classes:
            nn.init.zeros_(self.label.weight)

    def forward(self, v: Tensor, h: Tensor, labels: Tensor | None = None):
        seen = self.vertical(v)  # (B, 2H, height, width)
        mixed = self.horizontal(h) + self.link(seen)
        seen, mixed = self.tell(labels, seen, mixed)
        return v + gate(seen), h + self.out(gate(mixed))

    def tell(self, labels: Tensor | None, seen: Tensor, mixed: Tensor):
        """Add what the labels (B,) say to the gates of both stacks (B, 2H, ..., ...)."""
        if self.label is None:
            return seen, mixed
        told_v, told_h = self.label(labels.long())[:, :, None, None].chunk(2, 1)
        return seen + told_v, mixed + told_h


class GatedPixelCNN(Autoregressive):
    """Vertical and horizontal stacks of gated convolutions.

    Args:
        vocabulary: V, the number of values of a pixel.
        height, width: of the picture; a sequence is its pixels row by row.
        hidden: feature maps of each stack.  layers: gated layers.
        first, kernel: sizes of the first kernels and of all others.
        classes: number of labels; the context is then labels (B,). 0 for none.
    """

    def __init__(self, vocabulary: int = 2, *, height=28, width=28, hidden=32, layers=6,
                 first=7, kernel=5, classes=0, length=None):  # fmt: skip
        config = {
            "height": height, "width": width, "hidden": hidden, "layers": layers,
            "first": first, "kernel": kernel, "classes": classes,
        }  # fmt: skip
        super().__init__(vocabulary, length=pixels(height, width, length), **config)
        self.height, self.width, self.classes = height, width, classes
        self.vertical = MaskedConv2d(2, hidden, above(first, "A"))
        self.horizontal = MaskedConv2d(2, hidden, beside(first, "A"))
        self.layers = nn.ModuleList(
            GatedLayer(hidden, kernel, classes) for _ in range(layers)
        )
        self.head = head(hidden, vocabulary)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        check_symbols(x, self.vocabulary, self.length)
        self.check_labels(context, len(x))
        return self.read(planes(x, self.vocabulary, self.height, self.width), context)

    def read(self, seen: Tensor, labels: Tensor | None = None) -> Tensor:
        """Planes (B, 2, height, width) -> logits (B, T, V); has a gradient in them."""
        seen = seen.to(self.vertical.weight, memory_format=torch.channels_last)
        v = self.vertical(seen)  # (B, H, height, width)
        h = self.horizontal(seen) + v
        for layer in self.layers:
            v, h = layer(v, h, labels)
        return self.head(as_sequence(h)).to(seen.dtype)  # (B, T, V)

    def check_labels(self, labels: Tensor | None, batch: int) -> None:
        """Raise a ValueError unless labels (B,) are there just where classes are."""
        if not self.classes:
            if labels is not None:
                raise ValueError(
                    "this model has learned no labels and would draw as if none were "
                    "given: leave the context out, or make one with `classes`"
                )
            return
        if labels is None or labels.shape != (batch,):
            given = "none" if labels is None else f"shape {tuple(labels.shape)}"
            raise ValueError(
                f"this model draws what a label names: give a context of labels "
                f"({batch},), got {given}"
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.classes:
            raise ValueError(
                f"labels must lie in 0 .. {self.classes - 1}, got {low} .. {high}"
            )

    def start(self, batch: int, context: Tensor | None = None):
        self.check_labels(context, batch)
        weight, width = self.vertical.weight, self.width
        hidden = self.config["hidden"]
        return {
            "t": torch.zeros(batch, dtype=torch.long, device=weight.device),
            "labels": context,
            "pixels": weight.new_zeros(batch, 2, self.vertical.up + 1, width),
            "seen": self.horizontal.start(batch, width),
            "rows": [
                weight.new_zeros(batch, hidden, layer.vertical.up, width)
                for layer in self.layers
            ],
            "above": weight.new_zeros(batch, hidden, width),
            "links": [weight.new_zeros(batch, 2 * hidden, width) for _ in self.layers],
            "features": [layer.horizontal.start(batch, width) for layer in self.layers],
        }

    def step(self, previous: Tensor | None, state):
        state = dict(state)
        t = int(state["t"][0])
        if previous is not None:
            self.hear(previous, t, state)
        if t % self.width == 0:
            self.look_up(state)
        h = self.horizontal.column(
            self.horizontal.remember(
                state["seen"], state["seen"].new_zeros(len(state["t"]), 2)
            ),
            self.width,
        )  # (B, H)
        h = h + state["above"][:, :, t % self.width]
        state["features"], h = self.look_left(h, t % self.width, state)
        logits = self.head(h)  # (B, V)
        return logits, {**state, "t": state["t"] + 1}

    def hear(self, previous: Tensor, t: int, state: dict) -> None:
        """Put the pixel (B,) just drawn where both stacks will look for it."""
        pixel = planes(previous[:, None], self.vocabulary, 1, 1).to(state["seen"])
        state["seen"] = self.horizontal.remember(state["seen"], pixel.flatten(1))
        place = state["t"].new_tensor([(t - 1) % self.width])
        row = state["pixels"][:, :, -1:].index_copy(3, place, pixel)  # (B, 2, 1, width)
        state["pixels"] = torch.cat([state["pixels"][:, :, :-1], row], 2)
        if t % self.width == 0:
            state["seen"] = self.horizontal.margin(state["seen"])
            blank = torch.zeros_like(row)
            state["pixels"] = torch.cat([state["pixels"][:, :, 1:], blank], 2)

    def look_up(self, state: dict) -> None:
        """The vertical stack for a whole new row: what it tells each layer's columns."""
        v = self.vertical.row(state["pixels"])  # (B, H, 1, width)
        state["above"] = v[:, :, 0]  # (B, H, width)
        rows, links = [], []
        for layer, before in zip(self.layers, state["rows"], strict=True):
            window = torch.cat([before, v], 2)  # (B, H, up + 1, width)
            seen = layer.vertical.row(window)
            seen, link = layer.tell(state["labels"], seen, layer.link(seen))
            links.append(link[:, :, 0])  # (B, 2H, width)
            rows.append(window[:, :, 1:])
            v = v + gate(seen)
        state["rows"], state["links"] = rows, links

    def look_left(self, h: Tensor, place: int, state: dict) -> tuple[list, Tensor]:
        """The horizontal stack for one pixel: all layers' columns, the last h (B, H)."""
        features = []
        for layer, link, columns in zip(
            self.layers, state["links"], state["features"], strict=True
        ):
            columns = layer.horizontal.remember(columns, h)
            mixed = layer.horizontal.column(columns, self.width) + link[:, :, place]
            h = h + F.linear(gate(mixed), layer.out.weight.flatten(1), layer.out.bias)
            last = place == self.width - 1
            features.append(layer.horizontal.margin(columns) if last else columns)
        return features, h

    def reaches(self, source: int, target: int) -> bool:
        up = target // self.width - source // self.width
        return (up, source % self.width - target % self.width) in self.field

    @functools.cached_property
    def field(self) -> frozenset[Offset]:
        """The receptive field: what the horizontal stack is told, and sees itself."""
        vertical = set(self.vertical.offsets)
        field = vertical | set(self.horizontal.offsets)
        for layer in self.layers:
            vertical = sums(vertical, layer.vertical.offsets)
            field = sums(field, layer.horizontal.offsets) | vertical
        return frozenset(field)
