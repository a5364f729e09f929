"""The attention benchmark compares what computes the same."""

import pytest
import torch

from lookback.attention import MultiHeadAttention
from lookback.bench import attention


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return attention.pair(8, 2)


@pytest.mark.parametrize("name", ["no mask", "causal", "padding"])
def test_the_fused_kernel_by_hand_is_our_attention(layers, name):
    mine, other = attention.without_weights(*layers, 10)[name]
    x = torch.randn(attention.BATCH, 10, 8)
    torch.testing.assert_close(mine(x), other(x))
    plain, _ = attention.without_weights(*layers, 10)["no mask"]
    assert torch.allclose(mine(x), plain(x)) == (name == "no mask")


def test_with_weights_both_are_causal_and_the_same(layers):
    mine, other = attention.with_weights(*layers, 10)
    x = torch.randn(3, 10, 8)
    torch.testing.assert_close(mine(x), other(x))
    expected, _ = attention.without_weights(*layers, 10)["causal"]
    torch.testing.assert_close(mine(x), expected(x))


def test_our_fast_path_is_the_one_that_is_timed(layers, monkeypatch):
    ours, theirs = layers
    x = torch.randn(attention.BATCH, 10, 8)
    asked = []
    real = MultiHeadAttention.look
    monkeypatch.setattr(
        MultiHeadAttention, "look",
        lambda *given: asked.append(given[-1]) or real(*given),
    )  # fmt: skip
    for mine, _ in attention.without_weights(ours, theirs, 10).values():
        mine(x)
    attention.with_weights(ours, theirs, 10)[0](x)
    assert asked == [False, False, False, True]


def test_different_outputs_are_not_timed(layers):
    other = MultiHeadAttention(8, 2)
    mine, _ = attention.without_weights(other, layers[1], 10)["no mask"]
    _, theirs = attention.without_weights(*layers, 10)["no mask"]
    with pytest.raises(AssertionError, match="not close"):
        attention.timed(mine, theirs, torch.randn(4, 10, 8, requires_grad=True))


def test_rows_promise_the_fused_kernel_and_compare_the_weights(monkeypatch):
    monkeypatch.setattr(
        attention, "race", lambda runs, times: {"mine": 3.0, "other": 2.0}
    )
    rows = attention.measure_attention()
    promised = [row for row in rows if row.floor is not None]
    assert [row.name for row in promised] == [
        f"ours / projections and the fused kernel, {mask}, at most"
        for mask in ("no mask", "causal", "padding")
    ]
    assert all((row.ratio, row.floor, row.ok) == (1.5, 1.1, False) for row in promised)
    assert rows[-1].name == "ours / nn.MultiheadAttention, causal, with weights"
    assert (rows[-1].ratio, rows[-1].ok) == (1.5, None)
