"""The Transformer's block and its positions.

A block is arithmetic on a stream x: x + look(x), then x + look(memory) where there is a
source, then x + think(x). Here the norm stands before each part (`norm_first`), which
trains without warm-up at rates where post-norm does not; in the first paper it stands
after each sum.

References:
    1. Vaswani et al. (2017), Attention is all you need.
    2. Xiong et al. (2020), On layer normalization in the Transformer architecture.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lookback.attention import MultiHeadAttention, Pair

Past = tuple[Pair, Pair]  # keys and values of old positions, and of recent ones
PIECE = 32  # recent positions become old ones in pieces of this size


class Block(nn.Module):
    """Self-attention, cross-attention if asked for, and a network at each position.

    Computes what `torch.nn.TransformerEncoderLayer` (without `cross`) and
    `TransformerDecoderLayer` (with it) do with the same weights and no dropout.

    Args:
        size: D.  heads: they share D evenly.  feedforward: width of the network.
        cross: also look at a memory.
    """

    def __init__(self, size: int, heads: int, feedforward: int, cross: bool = False,
                 norm_first: bool = True):  # fmt: skip
        super().__init__()
        self.norm_first = norm_first
        self.inward = MultiHeadAttention(size, heads)
        self.outward = MultiHeadAttention(size, heads) if cross else None
        self.think = nn.Sequential(
            nn.Linear(size, feedforward), nn.ReLU(), nn.Linear(feedforward, size)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(2 + cross))

    def forward(self, x: Tensor, mask: Tensor | None = None, *, is_causal: bool = False,
                past: Past | None = None, memory: Pair | None = None,
                memory_mask: Tensor | None = None,
                need_weights: bool = False) -> tuple[Tensor, dict]:  # fmt: skip
        """Change the stream: (B, T, D) -> (B, T, D).

        Args:
            mask, is_causal: where x may look in itself, as for `MultiHeadAttention`.
            past: what earlier positions left; x is then the one after, (B, 1, D).
            memory: keys and values of a source, from `outward.remember`; B is a
                multiple of its rows: several may look at the same source.
            memory_mask: where x may look in the memory.

        Returns:
            The stream, and what was seen: the `past` with this position added, if there
            was one; weights `inward` (B, heads, T, T) and `outward` (B, heads, T, S) if
            `need_weights`.
        """
        seen = {}

        def inward(h: Tensor) -> Tensor:
            own = self.inward.remember(h, h)
            if past is not None:
                seen["past"] = append(past, own)
                return self.inward.recall(h, seen["past"])
            context, seen["inward"] = self.inward.look(
                h, own, mask, is_causal, need_weights
            )
            return context

        def outward(h: Tensor) -> Tensor:
            together = h.reshape(len(memory[0]), -1, h.shape[-1])
            context, seen["outward"] = self.outward.look(
                together, memory, memory_mask, need_weights=need_weights
            )
            return context.reshape(h.shape)

        x = self.add(x, inward, self.norms[0])
        if self.outward is not None:
            x = self.add(x, outward, self.norms[1])
        return self.add(x, self.think, self.norms[-1]), seen

    def add(self, x: Tensor, part: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        """A part of the block beside the stream, and its norm."""
        return x + part(norm(x)) if self.norm_first else norm(x + part(x))


def no_past(block: Block, batch: int) -> Past:
    """What no positions at all leave behind: pieces of shape (B, heads, 0, D / heads)."""
    heads, weight = block.inward.heads, block.inward.key.weight
    empty = weight.new_zeros(batch, heads, 0, len(weight) // heads)
    return (empty, empty), (empty, empty)


def append(past: Past, new: Pair) -> Past:
    """The past with one more position, in new tensors.

    To copy all keys for every position would cost more than to look at them, so only
    the recent ones are copied each time, and the old ones once in `PIECE` positions.
    """
    old, recent = past
    recent = join(recent, new)
    if recent[0].shape[2] < PIECE:
        return old, recent
    return join(old, recent), (recent[0][:, :, :0], recent[1][:, :, :0])


def join(one: Pair, two: Pair) -> Pair:
    """Keys and values of two stretches of positions, as one."""
    return torch.cat([one[0], two[0]], 2), torch.cat([one[1], two[1]], 2)


def past_length(past: Past) -> int:
    """How many positions it holds."""
    return sum(keys.shape[2] for keys, _ in past)


def sinusoids(place: Tensor, size: int) -> Tensor:
    """Positions (T,) as sines and cosines of wavelengths 2 pi .. 20,000 pi: (T, D)."""
    even = torch.arange(0, size, 2, device=place.device)
    angle = place.unsqueeze(-1) / 10_000 ** (even / size)  # (T, D / 2)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)[..., :size]


class Positions(nn.Module):
    """Tell each position where it is: x + P.

    Args:
        kind: "sinusoidal", which knows any length, or "learned".
        longest: how many positions are learned.
    """

    def __init__(self, size: int, kind: str = "sinusoidal", longest: int = 128):
        super().__init__()
        if kind not in ("sinusoidal", "learned"):
            raise ValueError(
                f'unknown positions {kind!r}: choose "sinusoidal" or "learned"'
            )
        self.table = nn.Embedding(longest, size) if kind == "learned" else None

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """(B, T, D), whose first position is `first` -> (B, T, D)."""
        end = first + x.shape[1]
        place = torch.arange(first, end, device=x.device)
        if self.table is None:
            return x + sinusoids(place, x.shape[2]).to(x.dtype)
        if end > self.table.num_embeddings:
            raise ValueError(
                f"{self.table.num_embeddings} positions are learned, position {end - 1} "
                'is not: give a larger `longest`, or choose "sinusoidal"'
            )
        return x + self.table(place)
