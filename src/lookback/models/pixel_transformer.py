"""Looked up anywhere, by content, in a picture: a causal Transformer on pixels.

Position t hears the pixel before it, knows its own row and column, and may look at
everything drawn so far. Rows and columns have a learned vector each, and a pixel's place
is their sum.

Differences from the paper: small, trained from nothing, ReLU in the blocks; positions in
two dimensions instead of one vector for each of the T places.

References:
    1. Chen et al. (2020), Generative pretraining from pixels (Image GPT).
"""

import torch
from torch import Tensor, nn

from lookback.autoregressive import Autoregressive
from lookback.models.blocks import Block, no_past, past_length


class PixelTransformer(Autoregressive):
    """p(image), pixel by pixel in raster order, by attention alone.

    Args:
        vocabulary: V, the values of a pixel.
        length: T, the number of pixels.  width: pixels in a row.
        size: D.  heads: of each attention.  feedforward: width of each block's network.
        layers: number of blocks.
    """

    def __init__(self, vocabulary: int = 2, *, length=784, width=28, size=64, heads=4,
                 layers=4, feedforward=256):  # fmt: skip
        super().__init__(
            vocabulary, length=length, width=width, size=size, heads=heads,
            layers=layers, feedforward=feedforward,
        )  # fmt: skip
        if length % width:
            raise ValueError(f"{length} pixels do not fill rows of {width}")
        self.width = width
        self.embed = nn.Embedding(vocabulary + 1, size)  # the last row: start
        self.row = nn.Embedding(length // width, size)
        self.column = nn.Embedding(width, size)
        blocks = [Block(size, heads, feedforward) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(size)
        self.out = nn.Linear(size, vocabulary)

    def read(self, heard: Tensor, past=None, need_weights=False):
        """Heard symbols (B, T) -> logits (B, T, V), and what each block has seen."""
        first = past_length(past[0]) if past else 0
        place = torch.arange(first, first + heard.shape[1], device=heard.device)
        h = self.embed(heard) + self.row(place // self.width)  # (B, T, D)
        h, seen = h + self.column(place % self.width), []
        for i, block in enumerate(self.blocks):
            h, new = block(
                h, is_causal=past is None, past=past and past[i],
                need_weights=need_weights,
            )  # fmt: skip
            seen.append(new)
        return self.out(self.norm(h)), seen

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return self.read(self.shift(x))[0]

    def start(self, batch: int, context: Tensor | None = None):
        return {"past": [no_past(block, batch) for block in self.blocks]}

    def step(self, previous: Tensor | None, state):
        if previous is None:
            (keys, _), _ = state["past"][0]
            previous = self.silence(len(keys))
        logits, seen = self.read(previous[:, None], state["past"])
        return logits[:, 0], {"past": [new["past"] for new in seen]}

    def weights(self, x: Tensor) -> Tensor:
        """Where every head of every layer looks: (B, T) -> (B, L, heads, T, T)."""
        _, seen = self.read(self.shift(x), need_weights=True)
        return torch.stack([new["inward"] for new in seen], 1)
