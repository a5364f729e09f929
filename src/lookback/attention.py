"""Attention: a query looks at keys, and gets a mean of their values.

`attend` is the whole idea. A score says how well a query fits a key, a mask says where a
query may look (True: it may), softmax turns scores into weights. Everything else here
builds a score or a mask, or reshapes around `attend`. Shapes are (..., T, D) for
queries, (..., S, D) for keys, (..., S, E) for values.

References:
    1. Bahdanau, Cho and Bengio (2015), Neural machine translation by jointly learning to
       align and translate (the additive score).
    2. Luong, Pham and Manning (2015), Effective approaches to attention-based neural
       machine translation (dot and bilinear score, local attention).
    3. Vaswani et al. (2017), Attention is all you need (scaled dot product, heads).
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Score = Callable[[Tensor, Tensor], Tensor]
Pair = tuple[Tensor, Tensor]  # keys and values, each (B, heads, S, D / heads)


# Scores: (..., T, D), (..., S, D) -> (..., T, S)


def dot(query: Tensor, key: Tensor) -> Tensor:
    """q . k"""
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"a dot product needs queries and keys of one size, got {query.shape[-1]} "
            f"and {key.shape[-1]}: use the bilinear or the additive score"
        )
    return query @ key.transpose(-2, -1)


def scaled_dot(query: Tensor, key: Tensor) -> Tensor:
    """q . k / sqrt(D): variance 1 whatever D is, if the entries have variance 1."""
    return dot(query * query.shape[-1] ** -0.5, key)


class Bilinear(nn.Module):
    """q W k, which Luong et al. call *general*."""

    def __init__(self, query: int, key: int):
        super().__init__()
        self.to_key = nn.Linear(query, key, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return dot(self.to_key(query), key)


class Additive(nn.Module):
    """v . tanh(W q + U k): a network with one hidden layer (Bahdanau et al.)."""

    def __init__(self, query: int, key: int, hidden: int):
        super().__init__()
        self.from_query = nn.Linear(query, hidden)
        self.from_key = nn.Linear(key, hidden, bias=False)
        self.v = nn.Linear(hidden, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        q = self.from_query(query).unsqueeze(-2)  # (..., T, 1, hidden)
        k = self.from_key(key).unsqueeze(-3)  # (..., 1, S, hidden)
        return self.v(torch.tanh(q + k)).squeeze(-1)  # (..., T, S)


SCORES: dict[str, Callable[[int], Score]] = {
    "dot": lambda size: dot,
    "scaled_dot": lambda size: scaled_dot,
    "bilinear": lambda size: Bilinear(size, size),
    "additive": lambda size: Additive(size, size, max(1, size // 2)),
}


def make_score(name: str, size: int) -> Score:
    """A new score by its name in `SCORES`, for queries and keys of one size."""
    if name not in SCORES:
        raise ValueError(f"unknown score {name!r}: choose one of {', '.join(SCORES)}")
    return SCORES[name](size)


# Attention


def attend(query: Tensor, key: Tensor, value: Tensor, score: Score = scaled_dot,
           mask: Tensor | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Look from every query at every key the mask allows.

    Args:
        query, key, value: (..., T, D), (..., S, D), (..., S, E).
        score: how well a query fits a key.
        mask: boolean, broadcastable to (..., T, S); True where a query may look.

    Returns:
        The context (..., T, E) and the weights (..., T, S). Weights are not negative and
        sum to one over S; a query that may look nowhere gets zeros.

    Raises:
        TypeError: the mask is not boolean.
        ValueError: the mask does not fit the scores.
    """
    scores = score(query, key)  # (..., T, S)
    if mask is None:
        weights = scores.softmax(-1)
    else:
        check_mask(mask, scores.shape)
        lowest = torch.finfo(scores.dtype).min  # finite: a row of these is not NaN
        weights = scores.masked_fill(~mask, lowest).softmax(-1).masked_fill(~mask, 0)
    return weights @ value, weights  # (..., T, E)


def fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None,
          is_causal: bool = False) -> Tensor:  # fmt: skip
    """The context of `attend` with the scaled dot product; weights are never stored.

    Args:
        query, key, value, mask: as for `attend`.
        is_causal: the same as the mask `causal(T)`, faster; instead of a mask.

    Raises:
        ValueError: both a mask and `is_causal`.
    """
    if is_causal and mask is not None:
        raise ValueError("a mask or is_causal, not both: give mask & causal(T)")
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, is_causal=is_causal)
    check_mask(mask, (*query.shape[:-1], key.shape[-2]))
    somewhere = mask.any(-1, keepdim=True)  # (..., T, 1)
    if somewhere.all():
        return F.scaled_dot_product_attention(query, key, value, mask)
    # A row without any True gives NaN in some releases of PyTorch and zeros in others.
    context = F.scaled_dot_product_attention(query, key, value, mask | ~somewhere)
    return context.masked_fill(~somewhere, 0)


class MultiHeadAttention(nn.Module):
    """`attend` in several subspaces at once: project, split into heads, attend, merge.

    Computes what `torch.nn.MultiheadAttention` does with the same weights.

    Args:
        size: D of queries, keys, values and output; a multiple of `heads`.
    """

    def __init__(self, size: int, heads: int):
        super().__init__()
        if heads < 1 or size % heads:
            raise ValueError(
                f"the heads share the size evenly: {size} is not a multiple of {heads}"
            )
        self.heads = heads
        self.query, self.key = nn.Linear(size, size), nn.Linear(size, size)
        self.value, self.out = nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, query: Tensor, key: Tensor, value: Tensor,
                mask: Tensor | None = None, *, is_causal: bool = False,
                need_weights: bool = False) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Look from (B, T, D) at (B, S, D).

        Args:
            mask: boolean (T, S), (B, T, S) or (B, heads, T, S), or broadcastable to it;
                True where a query may look.
            is_causal: position t may look at 0 .. t only (also with a mask).
            need_weights: also return the weights, which costs time and memory.

        Returns:
            (B, T, D), and the weights (B, heads, T, S) or None.
        """
        return self.look(query, self.remember(key, value), mask, is_causal, need_weights)

    def remember(self, key: Tensor, value: Tensor) -> Pair:
        """What is looked at, ready for `look`: (B, S, D) -> two of (B, heads, S, D')."""
        return self.split(self.key(key)), self.split(self.value(value))

    def look(self, query: Tensor, memory: Pair,
             mask: Tensor | None = None, is_causal: bool = False,
             need_weights: bool = False) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """`forward`, with keys and values from `remember`.

        Raises:
            ValueError: causal, and there are not as many keys as queries.
        """
        q, (k, v), weights = self.split(self.query(query)), memory, None
        if is_causal and q.shape[2] != k.shape[2]:
            raise ValueError(
                f"causal attention is of a sequence in itself: {q.shape[2]} queries and "
                f"{k.shape[2]} keys are two; say with a mask where each may look"
            )
        if mask is not None and mask.ndim == 3:
            mask = mask.unsqueeze(1)  # (B, 1, T, S): the same for every head
        if is_causal and (need_weights or mask is not None):
            past = causal(q.shape[2], device=q.device)
            mask, is_causal = past if mask is None else mask & past, False
        if need_weights:
            context, weights = attend(q, k, v, scaled_dot, mask)
        else:
            context = fused(q, k, v, mask, is_causal)
        return self.out(context.transpose(1, 2).flatten(2)), weights  # (B, T, D)

    def recall(self, query: Tensor, pieces: Sequence[Pair]) -> Tensor:
        """`look` at everything in several pieces, as if they were joined: (B, T, D)."""
        q = self.split(self.query(query))
        scores = torch.cat([scaled_dot(q, k) for k, _ in pieces], -1)
        weights = scores.softmax(-1).split([k.shape[2] for k, _ in pieces], -1)
        seen = [part @ v for part, (_, v) in zip(weights, pieces, strict=True)]
        return self.out(sum(seen).transpose(1, 2).flatten(2))  # (B, T, D)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, heads, T, D / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


# Local attention


def attend_near(query: Tensor, key: Tensor, value: Tensor, score: Score,
                mask: Tensor | None, centre: Tensor, radius: int,
                bell: bool = False) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Local attention: each query looks only at keys around a centre of its own.

    Args:
        query, key, value, score, mask: as for `attend`.
        centre: (..., T) numbers on the scale of positions, 0 .. S - 1.
        radius: D in the paper; keys with |s - centre| <= D can be seen.
        bell: multiply the weights by exp(-(s - centre)^2 / (2 sigma^2)), sigma = D / 2,
            so that the centre gets a gradient. They then sum to less than one.

    Returns:
        As `attend`: the context (..., T, E) and the weights (..., T, S).
    """
    if bell and radius < 1:
        raise ValueError(f"a bell needs a radius of at least 1, got {radius}")
    near = window(query.shape[-2], key.shape[-2], radius, centre)
    mask = near if mask is None else mask & near
    context, weights = attend(query, key, value, score, mask)
    if bell:
        place = torch.arange(key.shape[-2], device=key.device)
        away = (place - centre.unsqueeze(-1)) / (radius / 2)  # (..., T, S), in sigmas
        weights = weights * torch.exp(-(away**2) / 2).to(weights.dtype)
        context = weights @ value
    return context, weights


def attend_recent(query: Tensor, key: Tensor, value: Tensor, size: int,
                  score: Score = scaled_dot) -> Tensor:  # fmt: skip
    """Causal local attention that costs T x 2 size scores, where a mask costs T x T.

    Computes the context of `attend` with the mask `window(T, T, size - 1) & causal(T)`.
    Positions are cut into blocks of `size`; each block looks at itself and at the block
    before it, where everything lies that its positions may see.

    Args:
        query, key, value: (..., T, D), (..., T, D), (..., T, E).
        size: how many positions each one sees: itself and the `size` - 1 before it.

    Returns:
        The context (..., T, E).

    Raises:
        ValueError: the size is below 1, or queries, keys and values differ in number.
    """
    T = query.shape[-2]
    if size < 1:
        raise ValueError(f"each position sees at least itself: size is {size}, not >= 1")
    for name, given in ("keys", key), ("values", value):
        if given.shape[-2] != T:
            raise ValueError(
                f"as many {name} as queries are needed: {T}, not {given.shape[-2]}"
            )
    query, key, value = (in_blocks(x, size) for x in (query, key, value))
    key, value = with_block_before(key), with_block_before(value)  # (..., N, 2 size, D)
    place = torch.arange(2 * size, device=query.device)
    back = place[size:, None] - place  # (size, 2 size): how far back a key lies
    mask = ((back >= 0) & (back < size)).repeat(query.shape[-3], 1, 1)
    mask[0, :, :size] = False  # before the first block there is nothing
    context, _ = attend(query, key, value, score, mask)  # (..., N, size, E)
    return context.flatten(-3, -2)[..., :T, :]


def in_blocks(x: Tensor, size: int) -> Tensor:
    """(..., T, D) -> (..., N, size, D), the last block filled up with zeros."""
    return F.pad(x, (0, 0, 0, -x.shape[-2] % size)).unflatten(-2, (-1, size))


def with_block_before(blocks: Tensor) -> Tensor:
    """(..., N, size, D) -> (..., N, 2 size, D): zeros stand before the first block."""
    before = F.pad(blocks, (0, 0, 0, 0, 1, 0))[..., :-1, :, :]
    return torch.cat([before, blocks], -2)


class PredictedCentre(nn.Module):
    """Where to look: p = S sigmoid(v . tanh(W h)), for a source of S words."""

    def __init__(self, size: int, hidden: int):
        super().__init__()
        self.w = nn.Linear(size, hidden, bias=False)
        self.v = nn.Linear(hidden, 1, bias=False)

    def forward(self, query: Tensor, lengths: Tensor) -> Tensor:
        """Queries (B, T, D), source lengths (B,) -> centres (B, T)."""
        share = torch.sigmoid(self.v(torch.tanh(self.w(query)))).squeeze(-1)  # (B, T)
        return lengths.unsqueeze(-1) * share


# Masks: boolean, True where a query may look. Combine them with &.


def causal(T: int, itself: bool = True, device=None) -> Tensor:
    """Position t may look at 0 .. t, or at 0 .. t - 1 without `itself`: (T, T)."""
    everything = torch.ones(T, T, dtype=torch.bool, device=device)
    return everything.tril(0 if itself else -1)


def padding(words: Tensor, pad: int = 0) -> Tensor:
    """Every query may look at words, none at padding.

    Args:
        words: (B, S) symbols, `pad` where there is no word; or (B,) lengths, then S is
            the largest of them.

    Returns:
        (B, 1, S), to be combined with a (T, S) mask.

    Raises:
        ValueError: `words` are not integers of shape (B, S) or (B,).
    """
    if words.ndim not in (1, 2) or words.is_floating_point() or words.dtype == torch.bool:
        raise ValueError(
            f"expected symbols (B, S) or lengths (B,), both integers, got shape "
            f"{tuple(words.shape)} of {words.dtype}"
        )
    if words.ndim == 2:
        return (words != pad).unsqueeze(1)  # (B, 1, S)
    place = torch.arange(int(words.max()), device=words.device)
    return place < words[:, None, None]  # (B, 1, S)


def window(T: int, S: int, radius: int, centre: Tensor | None = None,
           device=None) -> Tensor:  # fmt: skip
    """Query t may look at keys s with |s - centre_t| <= radius.

    Args:
        centre: (..., T) numbers; t itself if not given.

    Returns:
        (..., T, S). A query whose window lies outside of the keys may look nowhere.
    """
    if radius < 0:
        raise ValueError(f"a window's radius must not be negative, got {radius}")
    if centre is None:
        centre = torch.arange(T, device=device)
    if centre.shape[-1] != T:
        raise ValueError(
            f"expected one centre a query, (..., {T}), got shape {tuple(centre.shape)}"
        )
    place = torch.arange(S, device=centre.device)
    return (place - centre.unsqueeze(-1)).abs() <= radius  # (..., T, S)


def image_window(height: int, width: int, radius: int, device=None) -> Tensor:
    """A pixel may look at pixels at most `radius` rows and columns away.

    Returns:
        (N, N) for the N = height * width pixels in raster order.
    """
    rows = window(height, height, radius, device=device)
    columns = window(width, width, radius, device=device)
    both = rows[:, None, :, None] & columns[None, :, None, :]  # (h, w, h, w)
    return both.reshape(height * width, height * width)


def check_mask(mask: Tensor, shape: tuple[int, ...]) -> None:
    """Raise an error unless a mask is boolean and fits scores of shape (..., T, S)."""
    if mask.dtype != torch.bool:
        raise TypeError(
            f"a mask is boolean, True where a query may look; got {mask.dtype}: build it "
            "with causal, padding or window, or compare, as in `symbols != pad`"
        )
    try:
        fits = torch.broadcast_shapes(mask.shape, shape) == torch.Size(shape)
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} does not fit scores (..., T, S) of "
            f"shape {tuple(shape)}: a padding mask, for one, is (B, 1, S)"
        )
