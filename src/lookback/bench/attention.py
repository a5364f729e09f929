"""Our attention beside PyTorch's: with its fused kernel, and with weights.

Both have the same weights, and their outputs are compared before the time is believed.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookback.attention import MultiHeadAttention, causal, padding
from lookback.bench.race import Row, at_most, race

BATCH, LENGTH, SIZE, HEADS = 4, 256, 64, 4
Run = Callable[[Tensor], Tensor]  # (B, T, D) -> (B, T, D)


def measure_attention() -> list[Row]:
    """A step of training, forward and backward, with each mask, without and with weights.

    Raises:
        AssertionError: the outputs differ.
    """
    torch.manual_seed(0)
    ours, theirs = pair(SIZE, HEADS)
    x = torch.randn(BATCH, LENGTH, SIZE, requires_grad=True)
    rows = []
    for name, (mine, other) in without_weights(ours, theirs, LENGTH).items():
        one, two = timed(mine, other, x)
        title = f"ours / projections and the fused kernel, {name}"
        rows += [Row(f"fused kernel, {name}", two), at_most(title, one, one / two, 1.1)]
    mine, other = with_weights(ours, theirs, LENGTH)
    one, two = timed(mine, other, x)
    title = "ours / nn.MultiheadAttention, causal, with weights"
    return [*rows, Row("nn.MultiheadAttention, causal, with weights", two),
            Row(title, one, one / two)]  # fmt: skip


def pair(size: int, heads: int) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Ours and PyTorch's, with the same weights."""
    ours = MultiHeadAttention(size, heads)
    theirs = nn.MultiheadAttention(size, heads, batch_first=True)
    parts = ours.query, ours.key, ours.value
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    theirs.out_proj.load_state_dict(ours.out.state_dict())
    return ours, theirs


def without_weights(ours: MultiHeadAttention, theirs: nn.MultiheadAttention,
                    length: int) -> dict[str, tuple[Run, Run]]:  # fmt: skip
    """Ours and the fused kernel by hand, for each mask."""
    lengths = torch.linspace(length // 2, length, BATCH).long()
    words = padding(lengths)  # (B, 1, T)
    options = {
        "no mask": ({}, {}),
        "causal": ({"is_causal": True}, {"is_causal": True}),
        "padding": ({"mask": words}, {"attn_mask": words[:, None]}),
    }
    return {
        name: (lambda x, o=mine: ours(x, x, x, **o)[0],
               lambda x, o=other: by_hand(theirs, x, **o))
        for name, (mine, other) in options.items()
    }  # fmt: skip


def by_hand(theirs: nn.MultiheadAttention, x: Tensor, **options) -> Tensor:
    """What `nn.MultiheadAttention` does without weights, with nothing around it."""
    B, T, D = x.shape
    projected = F.linear(x, theirs.in_proj_weight, theirs.in_proj_bias)  # (B, T, 3 D)
    heads = projected.view(B, T, 3, theirs.num_heads, -1)
    query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (B, heads, T, D')
    context = F.scaled_dot_product_attention(query, key, value, **options)
    return theirs.out_proj(context.transpose(1, 2).reshape(B, T, D))


def with_weights(ours: MultiHeadAttention, theirs: nn.MultiheadAttention,
                 length: int) -> tuple[Run, Run]:  # fmt: skip
    """Ours and PyTorch's where each position looks at those before it, with weights."""
    hidden = ~causal(length)
    options = {"attn_mask": hidden, "need_weights": True, "average_attn_weights": False}
    return (
        lambda x: ours(x, x, x, is_causal=True, need_weights=True)[0],
        lambda x: theirs(x, x, x, **options)[0],
    )


def timed(mine: Run, other: Run, x: Tensor) -> tuple[float, float]:
    """Seconds of both for a step of training, once their outputs agree."""
    torch.testing.assert_close(mine(x), other(x), rtol=0, atol=1e-5)
    runs = {
        name: lambda run=run: torch.autograd.grad(run(x).sum(), x)
        for name, run in (("mine", mine), ("other", other))
    }
    seconds = race(runs, times=200)
    return seconds["mine"], seconds["other"]
