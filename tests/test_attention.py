"""Attention equals PyTorch's and the papers' formulas; masks mean what they say."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lookback import attention
from lookback.attention import (
    MultiHeadAttention,
    attend,
    attend_near,
    attend_recent,
    causal,
    image_window,
    padding,
    window,
)
from lookback.data.vocabulary import SOURCE, TARGET
from lookback.models.attention_translator import AttentionTranslator
from lookback.models.encoder_decoder import EncoderDecoder
from lookback.models.transformer import TransformerTranslator

many = settings(deadline=None, max_examples=60, derandomize=True)
sizes = st.integers(1, 9)
seeds = st.integers(0, 2**20)
dtypes = st.sampled_from([torch.float32, torch.float64, torch.bfloat16])
exact = st.sampled_from([torch.float32, torch.float64])
mask_kinds = st.sampled_from([None, "TS", "B1S", "BTS"])
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5, torch.bfloat16: 4e-2}


def draw(seed, *shapes, dtype=torch.float64):
    """Random leaves of the given shapes that want a gradient."""
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]
    return [x.to(dtype).requires_grad_() for x in made]


def draw_mask(seed, kind, B, T, S, full=False):
    """A random mask; some rows may look nowhere, unless `full`."""
    if kind is None:
        return None
    shape = {"TS": (T, S), "B1S": (B, 1, S), "BTS": (B, T, S)}[kind]
    generator = torch.Generator().manual_seed(seed + 1)
    mask = torch.rand(shape, generator=generator) < 0.6
    if full:
        mask[..., 0] = True
    return mask


def gradients(output, leaves, seed=0):
    """Gradients of a random projection of the output."""
    (direction,) = draw(seed + 2, tuple(output.shape))
    loss = (output.double() * direction.detach()).sum()
    return torch.autograd.grad(loss, leaves, retain_graph=True)


def assert_close(found, expected, dtype=torch.float64):
    """Equal up to rounding: the tolerance is of the largest number, at least of 1."""
    largest = max(1.0, expected.detach().abs().max().item() if expected.numel() else 0)
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE[dtype] * largest)


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention):
    """Give PyTorch's layer the weights of ours."""
    parts = [ours.query, ours.key, ours.value]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)


# Equal to PyTorch


@many
@given(sizes, sizes, sizes, sizes, sizes, mask_kinds, dtypes, seeds)
def test_attend_equals_pytorch(B, T, S, D, E, kind, dtype, seed):
    leaves = draw(seed, (B, T, D), (B, S, D), (B, S, E), dtype=dtype)
    mask = draw_mask(seed, kind, B, T, S)
    found, weights = attend(*leaves, mask=mask)
    if mask is None:
        expected = F.scaled_dot_product_attention(*leaves)
    else:  # PyTorch's rows that see nothing differ by release: open them, then zero them
        some = mask.any(-1, keepdim=True)
        expected = F.scaled_dot_product_attention(*leaves, mask | ~some) * some
    assert found.dtype == weights.dtype == dtype
    assert_close(found, expected, dtype)
    for one, two in zip(
        gradients(found, leaves), gradients(expected, leaves), strict=True
    ):
        assert_close(one, two, dtype)


@many
@given(sizes, sizes, st.integers(1, 4), st.integers(1, 4), mask_kinds, exact, seeds)
def test_heads_equal_pytorch(T, S, heads, width, kind, dtype, seed):
    B, D = 3, heads * width
    torch.manual_seed(seed)
    ours = MultiHeadAttention(D, heads).to(dtype)
    theirs = nn.MultiheadAttention(D, heads, batch_first=True).to(dtype)
    copy_attention(ours, theirs)
    leaves = draw(seed, (B, T, D), (B, S, D), (B, S, D), dtype=dtype)
    mask = draw_mask(seed, kind, B, T, S, full=True)
    blocked = None
    if (
        mask is not None
    ):  # PyTorch wants True where one may not look, a copy for each head
        blocked = ~mask.expand(B, T, S).repeat_interleave(heads, 0)
    expected, their_weights = theirs(
        *leaves, attn_mask=blocked, average_attn_weights=False
    )
    with_weights, weights = ours(*leaves, mask, need_weights=True)
    without, none = ours(*leaves, mask)
    assert none is None
    assert_close(weights, their_weights, dtype)
    wanted = gradients(expected, [*leaves, theirs.out_proj.weight, theirs.in_proj_weight])
    for found in (with_weights, without):
        assert_close(found, expected, dtype)
        inner = [ours.query.weight, ours.key.weight, ours.value.weight]
        *first, q, k, v = gradients(found, [*leaves, ours.out.weight, *inner])
        for one, two in zip([*first, torch.cat([q, k, v])], wanted, strict=True):
            assert_close(one, two, dtype)


@many
@given(sizes, st.booleans(), st.booleans(), seeds)
def test_causal_heads_equal_the_causal_mask(T, need_weights, padded, seed):
    torch.manual_seed(seed)
    layer = MultiHeadAttention(6, 2).double()
    (x,) = draw(seed, (3, T, 6))
    mask = padding(torch.tensor([T, 1, max(1, T // 2)])) if padded else None
    both = causal(T) if mask is None else causal(T) & mask
    found, _ = layer(x, x, x, mask, is_causal=True, need_weights=need_weights)
    expected, _ = layer(x, x, x, both, need_weights=True)
    assert_close(found, expected)


@pytest.mark.parametrize("need_weights", [False, True])
def test_heads_in_bfloat16(need_weights):
    torch.manual_seed(0)
    layer = MultiHeadAttention(16, 4)
    (x,) = draw(0, (2, 5, 16), dtype=torch.float32)
    expected, _ = layer(x, x, x, causal(5))
    half = x.bfloat16()
    found, weights = layer.bfloat16()(
        half, half, half, causal(5), need_weights=need_weights
    )
    assert found.dtype == torch.bfloat16
    assert weights is None or weights.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)


# Scores equal their formulas


@many
@given(sizes, sizes, sizes, sizes, exact, seeds)
def test_additive_equals_a_loop(T, S, D, E, dtype, seed):
    torch.manual_seed(seed)
    score = attention.Additive(D, E, 5).to(dtype)
    query, key = draw(seed, (2, T, D), (2, S, E), dtype=dtype)
    W, b, U = score.from_query.weight, score.from_query.bias, score.from_key.weight
    v = score.v.weight[0]
    rows = [[[v @ torch.tanh(W @ q + b + U @ k) for k in keys] for q in queries]
            for queries, keys in zip(query, key, strict=True)]  # fmt: skip
    expected = torch.stack([torch.stack([torch.stack(r) for r in rs]) for rs in rows])
    compare(score, query, key, expected, dtype)


@many
@given(sizes, sizes, sizes, sizes, exact, seeds)
def test_bilinear_equals_a_loop(T, S, D, E, dtype, seed):
    torch.manual_seed(seed)
    score = attention.Bilinear(D, E).to(dtype)
    query, key = draw(seed, (2, T, D), (2, S, E), dtype=dtype)
    W = score.to_key.weight.T  # (D, E): q W k
    rows = [[[q @ W @ k for k in keys] for q in queries]
            for queries, keys in zip(query, key, strict=True)]  # fmt: skip
    expected = torch.stack([torch.stack([torch.stack(r) for r in rs]) for rs in rows])
    compare(score, query, key, expected, dtype)


def compare(score, query, key, expected, dtype):
    """A score's values, and the gradients of `attend` with it, equal a loop's."""
    assert_close(score(query, key), expected, dtype)
    leaves = [query, key, *score.parameters()]
    found, _ = attend(query, key, key, score)
    wanted = expected.softmax(-1) @ key
    for one, two in zip(gradients(found, leaves), gradients(wanted, leaves), strict=True):
        assert_close(one, two, dtype)


def test_scores_by_name():
    query, key = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    for name in attention.SCORES:
        assert attention.make_score(name, 8)(query, key).shape == (2, 3, 5)
    assert_close(
        attention.dot(query, key),
        attention.scaled_dot(query, key) * 8**0.5,
        torch.float32,
    )
    with pytest.raises(ValueError, match="choose one of dot, scaled_dot, bilinear"):
        attention.make_score("cosine", 8)
    with pytest.raises(ValueError, match="4 and 6: use the bilinear"):
        attention.dot(torch.ones(1, 4), torch.ones(1, 6))


# A query that may look nowhere


@pytest.mark.parametrize("name", attention.SCORES)
def test_looking_nowhere_gives_zeros_and_no_gradient(name):
    torch.manual_seed(0)
    score = attention.make_score(name, 4)
    query, key, value = draw(0, (2, 3, 4), (2, 5, 4), (2, 5, 4), dtype=torch.float32)
    mask = torch.ones(2, 3, 5, dtype=torch.bool)
    mask[0, 1] = False
    context, weights = attend(query, key, value, score, mask)
    with torch.autograd.set_detect_anomaly(True):  # raises at NaN on the way back
        context.square().sum().backward()
    assert (context[0, 1] == 0).all()
    assert (weights[0, 1] == 0).all()
    assert (query.grad[0, 1] == 0).all()
    for leaf in (query, key, value):
        assert leaf.grad.isfinite().all()
    assert (query.grad[0, 0] != 0).any()


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_heads_looking_nowhere_give_only_the_bias(need_weights, dtype):
    torch.manual_seed(0)
    layer = MultiHeadAttention(6, 2).to(dtype)
    query, key = draw(0, (2, 3, 6), (2, 4, 6), dtype=dtype)
    mask = padding(torch.tensor([[7, 7, 0, 0], [0, 0, 0, 0]]))
    found, weights = layer(query, key, key, mask, need_weights=need_weights)
    assert torch.equal(found[1], layer.out.bias.expand(3, 6))
    assert weights is None or (weights[1] == 0).all()
    found.square().sum().backward()
    assert query.grad.isfinite().all()
    assert key.grad.isfinite().all()
    assert (query.grad[1] == 0).all()
    assert (key.grad[1] == 0).all()
    assert (key.grad[0, 2:] == 0).all()
    assert (key.grad[0, :2] != 0).any()


def test_attending_to_no_keys_at_all():
    context, weights = attend(
        torch.randn(2, 3, 4), torch.randn(2, 0, 4), torch.randn(2, 0, 5)
    )
    assert torch.equal(context, torch.zeros(2, 3, 5))
    assert weights.shape == (2, 3, 0)


# What weights promise


@many
@given(sizes, sizes, mask_kinds.filter(bool), st.sampled_from([*attention.SCORES]), seeds)
def test_weights_keep_to_the_mask(T, S, kind, name, seed):
    torch.manual_seed(seed)
    score = attention.make_score(name, 4).to(torch.float64) if name in (
        "bilinear", "additive") else attention.make_score(name, 4)  # fmt: skip
    query, key, value = draw(seed, (3, T, 4), (3, S, 4), (3, S, 2))
    mask = draw_mask(seed, kind, 3, T, S)
    context, weights = attend(query, key, value, score, mask)
    allowed = mask.expand(3, T, S)
    assert (weights[~allowed] == 0).all()
    assert (weights >= 0).all()
    assert_close(weights.sum(-1), allowed.any(-1).double())
    # Whatever is hidden from everyone may change: nothing is seen of it.
    hidden = ~allowed.any(1).unsqueeze(-1)  # (3, S, 1)
    changed, _ = attend(query, key + 5 * hidden, value - 9 * hidden, score, mask)
    assert torch.equal(changed, context)


@many
@given(sizes, sizes, seeds)
def test_permuting_words_permutes_the_weights_and_nothing_else(T, S, seed):
    query, words = draw(seed, (2, T, 4), (2, S, 4))
    order = torch.randperm(S, generator=torch.Generator().manual_seed(seed))
    context, weights = attend(query, words, words)
    permuted, moved = attend(query, words[:, order], words[:, order])
    assert_close(permuted, context)
    assert_close(moved, weights[:, :, order])


# Masks


@many
@given(st.integers(1, 12))
def test_causal(T):
    assert causal(T).tolist() == [[s <= t for s in range(T)] for t in range(T)]
    assert causal(T, itself=False).tolist() == [
        [s < t for s in range(T)] for t in range(T)
    ]


@many
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(any))
def test_padding_by_symbols_and_by_lengths(lengths):
    S = max(lengths)
    symbols = torch.tensor([[9] * n + [3] * (S - n) for n in lengths])
    mask = padding(symbols, pad=3)
    assert mask.shape == (len(lengths), 1, S)
    assert torch.equal(mask, padding(torch.tensor(lengths)))
    assert mask.sum(-1).flatten().tolist() == lengths
    assert (causal(S) & mask).shape == (len(lengths), S, S)


@many
@given(sizes, sizes, st.integers(0, 9))
def test_window(T, S, radius):
    expected = [[abs(s - t) <= radius for s in range(S)] for t in range(T)]
    assert window(T, S, radius).tolist() == expected
    centre = torch.linspace(-1.5, 7.2, T).expand(2, T)
    near = window(T, S, radius, centre)
    assert near.shape == (2, T, S)
    for t in range(T):
        c = centre[0, t].item()
        assert near[1, t].tolist() == [abs(s - c) <= radius for s in range(S)]


@many
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 5))
def test_image_window(height, width, radius):
    mask = image_window(height, width, radius)
    assert mask.shape == (height * width, height * width)
    for t, s in torch.cartesian_prod(*[torch.arange(height * width)] * 2).tolist():
        (y, x), (v, u) = divmod(t, width), divmod(s, width)
        assert mask[t, s] == (max(abs(y - v), abs(x - u)) <= radius)


def test_masks_combine():
    both = image_window(4, 4, 1) & causal(16)
    assert both[5].nonzero().flatten().tolist() == [0, 1, 2, 4, 5]
    near = window(4, 4, 1) & causal(4) & padding(torch.tensor([4, 2]))
    assert near.sum(-1).tolist() == [[1, 2, 2, 2], [1, 2, 1, 0]]


# Errors


def test_a_mask_of_the_wrong_kind_is_named():
    x = torch.randn(2, 3, 4)
    for layer in (lambda mask: attend(x, x, x, mask=mask),
                  lambda mask: MultiHeadAttention(4, 2)(x, x, x, mask)):  # fmt: skip
        with pytest.raises(TypeError, match=r"True where a query may look; got torch.fl"):
            layer(torch.zeros(3, 3))
        with pytest.raises(TypeError, match=r"got torch.int64"):
            layer(torch.ones(3, 3, dtype=torch.long))
        with pytest.raises(ValueError, match=r"\(2, 4\) does not fit scores"):
            layer(torch.ones(2, 4, dtype=torch.bool))
        with pytest.raises(ValueError, match=r"a padding mask, for one, is \(B, 1, S\)"):
            layer(torch.ones(5, 3, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"\(7, 2, 3, 3\) does not fit"):
        attend(x, x, x, mask=torch.ones(7, 2, 3, 3, dtype=torch.bool))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="10 is not a multiple of 4"):
        MultiHeadAttention(10, 4)
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        window(3, 3, -1)
    with pytest.raises(ValueError, match=r"\(..., 3\), got shape \(2,\)"):
        window(3, 3, 1, torch.zeros(2))
    with pytest.raises(ValueError, match="both integers, got shape"):
        padding(torch.ones(2, 3))
    with pytest.raises(ValueError, match="both integers, got shape"):
        padding(torch.ones(2, 3, 1, dtype=torch.long))
    x = torch.randn(1, 3, 4)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        attend_near(x, x, x, attention.dot, None, torch.zeros(1, 3), 0, bell=True)
    with pytest.raises(ValueError, match="size is 0"):
        attend_recent(x, x, x, 0)
    with pytest.raises(ValueError, match="3, not 2"):
        attend_recent(x, x[:, :2], x[:, :2], 2)


# Local attention


@many
@given(sizes, sizes, st.integers(1, 4), st.booleans(), seeds)
def test_local_attention_equals_the_formula(T, S, D, bell, seed):
    query, key, value = draw(seed, (2, T, 4), (2, S, 4), (2, S, 3))
    centre = torch.rand(2, T, generator=torch.Generator().manual_seed(seed)) * S
    context, weights = attend_near(
        query, key, value, attention.dot, None, centre, D, bell
    )
    for b, t in torch.cartesian_prod(torch.arange(2), torch.arange(T)).tolist():
        p = centre[b, t].item()
        near = [s for s in range(S) if abs(s - p) <= D]
        above = {s: (query[b, t] @ key[b, s]).exp().item() for s in near}
        for s in range(S):
            expected = above[s] / sum(above.values()) if s in near else 0.0
            if bell:
                expected *= math.exp(-((s - p) ** 2) / (2 * (D / 2) ** 2))
            assert weights[b, t, s].item() == pytest.approx(expected, abs=1e-6)
    assert_close(context, weights @ value)


@many
@given(st.integers(1, 20), st.integers(1, 25), sizes,
       st.sampled_from(sorted(attention.SCORES)), seeds)  # fmt: skip
def test_recent_attention_equals_the_mask_and_costs_less(T, size, D, name, seed):
    query, key, value = draw(seed, (2, 3, T, D), (2, 3, T, D), (2, 3, T, 5))
    torch.manual_seed(seed)
    score, asked = attention.make_score(name, D), []
    if isinstance(score, torch.nn.Module):
        score = score.double()

    def counted(query, key):
        asked.append(scores := score(query, key))
        return scores

    found = attend_recent(query, key, value, size, counted)
    assert asked[0].numel() <= 2 * 3 * (T + size) * 2 * size
    mask = window(T, T, size - 1) & causal(T)
    expected, _ = attend(query, key, value, score, mask)
    torch.testing.assert_close(found, expected)
    leaves = [query, key, value]
    for one, two in zip(
        gradients(found, leaves), gradients(expected, leaves), strict=True
    ):
        torch.testing.assert_close(one, two)


@many
@given(sizes, seeds)
def test_predicted_centre_equals_the_formula(T, seed):
    torch.manual_seed(seed)
    centre = attention.PredictedCentre(4, 3).double()
    (query,) = draw(seed, (2, T, 4))
    lengths = torch.tensor([7, 2])
    found = centre(query, lengths)
    for b, t in torch.cartesian_prod(torch.arange(2), torch.arange(T)).tolist():
        inner = centre.v.weight[0] @ torch.tanh(centre.w.weight @ query[b, t])
        assert_close(found[b, t], lengths[b] * torch.sigmoid(inner))


def test_the_bell_teaches_the_centre():
    query, key = draw(0, (1, 2, 4), (1, 9, 4))
    centre = torch.tensor([[3.3, 5.1]], dtype=torch.double, requires_grad=True)
    context, _ = attend_near(query, key, key, attention.dot, None, centre, 3, bell=True)
    context.sum().backward()
    assert (centre.grad != 0).all()


# The translator with attention

SMALL = {"embedding": 6, "hidden": 8}


def sources(*lengths):
    """Random sources of these lengths, padded."""
    torch.manual_seed(1)
    source = torch.randint(2, 9, (len(lengths), max(lengths)))
    for row, n in zip(source, lengths, strict=True):
        row[n:] = 0
    return source


@pytest.mark.parametrize("score", attention.SCORES)
@pytest.mark.parametrize("local", ["", "monotonic", "predicted"])
def test_translator_weights_lie_on_the_source(score, local):
    torch.manual_seed(0)
    model = AttentionTranslator(9, 7, score=score, local=local, radius=2, **SMALL)
    x, context = torch.randint(1, 7, (3, 6)), sources(5, 2, 1)
    weights = model.weights(x, context)
    assert weights.shape == (3, 6, 5)
    allowed = (context != 0).unsqueeze(1).expand(3, 6, 5)
    if local == "monotonic":
        allowed = allowed & window(6, 5, 2)
    assert (weights[~allowed] == 0).all()
    if local != "predicted":
        assert_close(weights.sum(-1), allowed.any(-1).float(), torch.float32)


@pytest.mark.parametrize("score", attention.SCORES)
@pytest.mark.parametrize("local", ["", "predicted"])
def test_translators_have_nearly_the_same_size(score, local):
    def count(model):
        return sum(parameter.numel() for parameter in model.parameters())

    words = len(SOURCE), len(TARGET)
    for hidden in (96, 128, 256):
        one = count(EncoderDecoder(*words, hidden=hidden))
        many = count(AttentionTranslator(*words, hidden=hidden, score=score, local=local))
        assert one <= many <= 1.1 * one


def test_with_a_source_of_one_word_attention_is_the_one_vector():
    torch.manual_seed(0)
    one = EncoderDecoder(9, 7, **SMALL)
    looking = AttentionTranslator(9, 7, score="dot", **SMALL)
    looking.load_state_dict(one.state_dict())
    x, context = torch.randint(1, 7, (3, 6)), sources(1, 1, 1)
    assert_close(looking.logits(x, context), one.logits(x, context), torch.float32)
    longer = sources(3, 4, 5)
    assert not torch.allclose(looking.logits(x, longer), one.logits(x, longer))


def test_translator_options_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="unknown window 'near'"):
        AttentionTranslator(9, 7, local="near", **SMALL)
    with pytest.raises(ValueError, match="unknown score 'cosine'"):
        AttentionTranslator(9, 7, score="cosine", **SMALL)
    with pytest.raises(ValueError, match="not reversed"):
        AttentionTranslator(9, 7, reverse=True, **SMALL)


def test_a_transformer_without_positions_reads_a_bag_of_words():
    torch.manual_seed(0)
    model = TransformerTranslator(9, 7, size=8, heads=2, feedforward=8).double()
    model.place_source = nn.Identity()
    x, context = torch.randint(1, 7, (2, 6)), torch.randint(2, 9, (2, 5))
    order = torch.tensor([3, 0, 4, 1, 2])
    assert_close(model.logits(x, context[:, order]), model.logits(x, context))
    before, after = model.weights(x, context), model.weights(x, context[:, order])
    assert_close(after["cross"], before["cross"][..., order])
    assert_close(after["encoder"], before["encoder"][..., order, :][..., order])
    assert_close(after["decoder"], before["decoder"])


def test_causal_attention_is_of_a_sequence_in_itself():
    layer, x = MultiHeadAttention(4, 2), torch.randn(1, 5, 4)
    for need_weights in (False, True):
        with pytest.raises(ValueError, match="3 queries and 5 keys"):
            layer(x[:, :3], x, x, is_causal=True, need_weights=need_weights)


def test_a_mask_and_causal_are_not_given_both():
    x = torch.randn(1, 3, 4)
    with pytest.raises(ValueError, match="not both"):
        attention.fused(x, x, x, torch.ones(3, 3, dtype=torch.bool), is_causal=True)


def test_recent_values_are_as_many_as_keys():
    x = torch.randn(1, 5, 4)
    with pytest.raises(ValueError, match="as many values as queries"):
        attend_recent(x, x, x[:, :4], 3)
