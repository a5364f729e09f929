"""Looked up in the neighbourhood and anywhere: PixelSNAIL.

Masked convolutions look around a pixel; then attention looks at every pixel drawn so far
and picks by content and by place. A block is a few gated convolutions and one attention,
all residual; the kernels' blind spot is not blind to attention.

Sampling keeps each convolution's last columns, and each attention's keys and values.

Differences from the paper: a few layers instead of dozens; a gate in place of the ELU
inside a residual block; a first key that stands for nothing, so that the first pixel too
has something to look at; rows and columns have learned vectors.

References:
    1. Chen, Mishra, Rohaninejad and Abbeel (2018), PixelSNAIL: an improved autoregressive
       generative model.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookback.attention import MultiHeadAttention
from lookback.autoregressive import Autoregressive, check_symbols
from lookback.models.gated_pixelcnn import gate
from lookback.models.pixelcnn import (
    MaskedConv2d,
    as_sequence,
    earlier,
    head,
    pixels,
    planes,
)


class SnailBlock(nn.Module):
    """Gated convolutions, then attention: (B, H, height, width) -> the same."""

    def __init__(self, hidden: int, layers: int, kernel: int, heads: int):
        super().__init__()
        self.convolutions = nn.ModuleList(
            MaskedConv2d(hidden, 2 * hidden, earlier(kernel, "B"), gain=0)
            for _ in range(layers)
        )
        self.attention = MultiHeadAttention(hidden, heads)
        nn.init.zeros_(self.attention.out.weight)

    def forward(self, h: Tensor, drawn: Tensor, place: Tensor) -> Tensor:
        for convolution in self.convolutions:
            h = h + gate(convolution(h))
        query = as_sequence(h)  # (B, T, H)
        known = query + drawn
        # Key t is about pixel t - 1: with it, position t may look at keys 0 .. t.
        key, value = (F.pad(x, (0, 0, 1, -1)) for x in (known + place, known))
        found, _ = self.attention(query + place, key, value, is_causal=True)
        return h + found.transpose(1, 2).unflatten(2, h.shape[2:])


class PixelSNAIL(Autoregressive):
    """Blocks of masked convolutions and attention over everything drawn so far.

    Args:
        vocabulary: V, the number of values of a pixel.
        height, width: of the picture; a sequence is its pixels row by row.
        hidden: feature maps.  blocks: each `layers` convolutions and one attention.
        first, kernel: sizes of the type A kernel and of the type B kernels.
        heads: of each attention.
    """

    def __init__(self, vocabulary: int = 2, *, height=28, width=28, hidden=32, blocks=2,
                 layers=3, first=7, kernel=5, heads=2, length=None):  # fmt: skip
        config = {
            "height": height, "width": width, "hidden": hidden, "blocks": blocks,
            "layers": layers, "first": first, "kernel": kernel, "heads": heads,
        }  # fmt: skip
        super().__init__(vocabulary, length=pixels(height, width, length), **config)
        self.height, self.width = height, width
        self.first = MaskedConv2d(2, hidden, earlier(first, "A"))
        self.drawn = nn.Embedding(vocabulary, hidden)
        self.row = nn.Parameter(0.1 * torch.randn(height, 1, hidden))
        self.column = nn.Parameter(0.1 * torch.randn(1, width, hidden))
        self.blocks = nn.ModuleList(
            SnailBlock(hidden, layers, kernel, heads) for _ in range(blocks)
        )
        self.head = head(hidden, vocabulary)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        check_symbols(x, self.vocabulary, self.length)
        seen = planes(x, self.vocabulary, self.height, self.width)
        seen = seen.to(self.first.weight, memory_format=torch.channels_last)
        h = self.first(seen)  # (B, H, height, width)
        drawn, places = self.drawn(x.long()), self.places()  # (B, T, H), (T, H)
        for block in self.blocks:
            h = block(h, drawn, places)
        return self.head(as_sequence(h)).to(seen.dtype)  # (B, T, V)

    def places(self) -> Tensor:
        """A vector for each position, its row's plus its column's: (T, H)."""
        return (self.row + self.column).flatten(0, 1)

    def start(self, batch: int, context: Tensor | None = None):
        zeros = self.row.new_zeros(batch, self.config["hidden"])
        return {
            "t": torch.zeros(batch, dtype=torch.long, device=self.row.device),
            "seen": self.first.start(batch, self.width),
            "features": [
                [layer.start(batch, self.width) for layer in block.convolutions]
                for block in self.blocks
            ],
            # What the next pixel adds to the keys and values of each block, two (B, H).
            "late": [(zeros, zeros) for _ in self.blocks],
            "memories": [self.nothing(block, batch) for block in self.blocks],
        }

    def nothing(self, block: SnailBlock, batch: int) -> tuple[Tensor, Tensor]:
        """Keys and values before the first pixel: two of (B, heads, 0, D')."""
        empty = self.row.new_zeros(batch, 0, self.config["hidden"])
        return block.attention.remember(empty, empty)

    def step(self, previous: Tensor | None, state):
        t, seen, drawn = int(state["t"][0]), state["seen"], 0.0
        if previous is not None:
            drawn = self.drawn(previous)  # (B, H)
            column = planes(previous[:, None], self.vocabulary, 1, 1).flatten(1)  # (B, 2)
            seen = self.first.remember(seen, column.to(seen))
            seen = self.first.margin(seen) if t % self.width == 0 else seen
        unseen = seen.new_zeros(len(seen), 2)
        h = self.first.column(self.first.remember(seen, unseen), self.width)  # (B, H)
        new = {"features": [], "late": [], "memories": []}
        for i, block in enumerate(self.blocks):
            h, columns = self.look_around(block, h, state["features"][i], t)
            known = [late + drawn for late in state["late"][i]]
            memory = self.remember(block, known, state["memories"][i])
            where = h + self.places()[t]
            found, _ = block.attention.look(where[:, None], memory)
            new["features"].append(columns)
            new["late"].append((where, h))
            new["memories"].append(memory)
            h = h + found[:, 0]
        logits = self.head(h)  # (B, V)
        return logits, {"t": state["t"] + 1, "seen": seen, **new}

    def remember(self, block: SnailBlock, known: list[Tensor], memory: tuple) -> tuple:
        """One more key and value, from two (B, H): two of (B, heads, t + 1, D')."""
        new = block.attention.remember(*(one[:, None] for one in known))
        return tuple(torch.cat(pair, 2) for pair in zip(memory, new, strict=True))

    def look_around(self, block: SnailBlock, h: Tensor, memory: list, t: int):
        """The convolutions of a block at one pixel (B, H), and what they remember."""
        remembered = []
        for layer, columns in zip(block.convolutions, memory, strict=True):
            columns = layer.remember(columns, h)
            h = h + gate(layer.column(columns, self.width))
            last = (t + 1) % self.width == 0
            remembered.append(layer.margin(columns) if last else columns)
        return h, remembered
