"""Blocks equal PyTorch's layers; positions, weights and caches of the Transformers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_attention import (
    assert_close,
    copy_attention,
    draw,
    exact,
    gradients,
    many,
    seeds,
)
from torch import nn

from lookback import decoding
from lookback.attention import causal, padding
from lookback.autoregressive import Autoregressive
from lookback.models.blocks import Block, Positions, no_past, past_length, sinusoids
from lookback.models.pixel_transformer import PixelTransformer
from lookback.models.transformer import TransformerTranslator

sizes = st.integers(1, 7)


def copy_block(ours: Block, theirs: nn.Module):
    """Give PyTorch's layer the weights of our block."""
    copy_attention(ours.inward, theirs.self_attn)
    if ours.outward is not None:
        copy_attention(ours.outward, theirs.multihead_attn)
    theirs.linear1.load_state_dict(ours.think[0].state_dict())
    theirs.linear2.load_state_dict(ours.think[2].state_dict())
    for i, norm in enumerate(ours.norms, 1):
        getattr(theirs, f"norm{i}").load_state_dict(norm.state_dict())


def pair(layer, dtype, heads, width, norm_first, seed):
    """Our block and PyTorch's layer with the same random weights."""
    torch.manual_seed(seed)
    D = heads * width
    ours = Block(D, heads, 5, layer is nn.TransformerDecoderLayer, norm_first)
    for norm in ours.norms:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    theirs = layer(D, heads, 5, dropout=0.0, batch_first=True, norm_first=norm_first)
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    copy_block(ours, theirs)
    return ours, theirs


def assert_same(found, expected, leaves, ours, theirs, dtype):
    """Outputs, and gradients of inputs and of two weights deep inside, are the same."""
    assert_close(found, expected, dtype)
    found_leaves = [*leaves, ours.think[0].weight, ours.inward.out.weight]
    wanted_leaves = [*leaves, theirs.linear1.weight, theirs.self_attn.out_proj.weight]
    for one, two in zip(
        gradients(found, found_leaves), gradients(expected, wanted_leaves), strict=True
    ):
        assert_close(one, two, dtype)


@many
@given(sizes, st.integers(1, 3), st.integers(4, 8), st.booleans(), exact, seeds)
def test_encoder_block_equals_pytorch(T, heads, width, norm_first, dtype, seed):
    ours, theirs = pair(nn.TransformerEncoderLayer, dtype, heads, width, norm_first, seed)
    (x,) = draw(seed, (3, T, heads * width), dtype=dtype)
    lengths = torch.tensor([T, 1, (T + 1) // 2])
    mask = padding(lengths)
    for need_weights in (False, True):
        found, seen = ours(x, mask, need_weights=need_weights)
        assert (seen["inward"] is not None) == need_weights
        expected = theirs(x, src_key_padding_mask=~mask[:, 0])
        assert_same(found, expected, [x], ours, theirs, dtype)


@many
@given(sizes, sizes, st.integers(1, 3), st.integers(4, 8), st.booleans(), exact, seeds)
def test_decoder_block_equals_pytorch(T, S, heads, width, norm_first, dtype, seed):
    ours, theirs = pair(nn.TransformerDecoderLayer, dtype, heads, width, norm_first, seed)
    x, source = draw(seed, (3, T, heads * width), (3, S, heads * width), dtype=dtype)
    mask = padding(torch.tensor([S, 1, (S + 1) // 2]))
    found, _ = ours(
        x, is_causal=True, memory=ours.outward.remember(source, source), memory_mask=mask
    )
    expected = theirs(x, source, tgt_mask=~causal(T), memory_key_padding_mask=~mask[:, 0])
    assert_same(found, expected, [x, source], ours, theirs, dtype)


def test_a_block_that_remembers_equals_one_that_sees_all():
    torch.manual_seed(0)
    block = Block(8, 2, 5).double()
    (x,) = draw(0, (2, 70, 8))  # longer than two pieces of the past
    expected, _ = block(x, is_causal=True)
    past, found = no_past(block, 2), []
    for t in range(70):
        assert past_length(past) == t
        out, seen = block(x[:, t : t + 1], past=past)
        past = seen["past"]
        found.append(out)
    assert_close(torch.cat(found, 1), expected)


# Positions


def test_sinusoids_follow_the_formula():
    found = sinusoids(torch.arange(30), 7)
    for t in range(30):
        for i in range(7):
            angle = t / 10_000 ** (2 * (i // 2) / 7)
            expected = math.cos(angle) if i % 2 else math.sin(angle)
            assert found[t, i].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_positions_can_begin_in_the_middle(kind):
    positions = Positions(6, kind, longest=9)
    x = torch.randn(2, 9, 6)
    assert torch.equal(positions(x)[:, 4:], positions(x[:, 4:], first=4))
    assert not torch.equal(positions(x)[:, 4:], positions(x[:, 4:]))
    narrow = {"sinusoidal": torch.bfloat16, "learned": torch.float32}  # 32-bit weights
    assert positions(x.bfloat16()).dtype == narrow[kind]


def test_positions_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="9 positions are learned, position 9 is not"):
        Positions(6, "learned", longest=9)(torch.zeros(1, 10, 6))
    with pytest.raises(ValueError, match="unknown positions 'rotary'"):
        Positions(6, "rotary")
    assert Positions(6, longest=9)(torch.zeros(1, 10, 6)).shape == (1, 10, 6)


# The models


def test_translator_weights():
    torch.manual_seed(0)
    model = TransformerTranslator(9, 7, size=8, heads=2, layers=3, feedforward=8)
    x = torch.randint(1, 7, (2, 5))
    source = torch.tensor([[3, 4, 5, 1], [6, 1, 0, 0]])
    weights = model.weights(x, source)
    assert weights["encoder"].shape == (2, 3, 2, 4, 4)
    assert weights["decoder"].shape == (2, 3, 2, 5, 5)
    assert weights["cross"].shape == (2, 3, 2, 5, 4)
    for part in weights.values():
        assert_close(part.sum(-1), torch.ones(part.shape[:-1]), torch.float32)
    assert (weights["decoder"].triu(1) == 0).all()
    assert (weights["cross"][1, ..., 2:] == 0).all()
    assert (weights["encoder"][1, ..., 2:] == 0).all()


def test_pixel_weights():
    torch.manual_seed(0)
    model = PixelTransformer(length=6, width=3, size=8, heads=2, layers=3, feedforward=8)
    weights = model.weights(torch.randint(0, 2, (2, 6)))
    assert weights.shape == (2, 3, 2, 6, 6)
    assert (weights.triu(1) == 0).all()
    assert_close(weights.sum(-1), torch.ones(2, 3, 2, 6), torch.float32)


def test_pixels_fill_their_rows():
    with pytest.raises(ValueError, match="7 pixels do not fill rows of 3"):
        PixelTransformer(length=7, width=3)


@pytest.mark.parametrize("words", [True, False])
def test_samples_are_the_same_without_the_cache(words, monkeypatch):
    torch.manual_seed(0)
    small = {"size": 8, "heads": 2, "layers": 2, "feedforward": 8}
    if words:
        model, source = (
            TransformerTranslator(9, 7, **small),
            torch.tensor([[3, 4, 1]] * 8),
        )
        options = {"context": source, "max_length": 20}
    else:
        model, options = PixelTransformer(length=70, width=7, **small), {"batch": 8}
    model = model.double()
    fast = decoding.sample(model, seed=3, **options)
    monkeypatch.setattr(type(model), "start", Autoregressive.start)
    monkeypatch.setattr(type(model), "step", Autoregressive.step)
    slow = decoding.sample(model, seed=3, **options)
    assert [one.tokens for one in fast] == [one.tokens for one in slow]
    assert [one.log_prob for one in fast] == pytest.approx([one.log_prob for one in slow])
