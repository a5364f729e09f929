import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lookback.data.translation import corpus
from lookback.data.vocabulary import (
    EOS,
    PAD,
    SOURCE,
    TARGET,
    Batches,
    Vocabulary,
    pad,
    tensors,
)


@pytest.fixture(scope="module")
def pairs():
    return corpus("train", 500, seed=2)


@given(st.lists(st.sampled_from(TARGET.words[2:])))
def test_decode_inverts_encode(words):
    ids = TARGET.encode(words)
    assert ids[-1] == EOS
    assert PAD not in ids
    assert TARGET.decode([*ids, PAD, PAD]) == tuple(words)
    assert TARGET.decode(torch.tensor([PAD, *ids, 5])) == tuple(words)


def test_ids_are_in_a_fixed_order():
    vocabulary = Vocabulary(["b", "a"])
    assert vocabulary.words == ("<pad>", "<eos>", "b", "a")
    assert len(vocabulary) == 4
    assert vocabulary.encode(["a", "b"]) == [3, 2, 1]
    # Stored weights depend on these: another word means other ids, and new weights.
    assert (len(SOURCE), len(TARGET)) == (130, 292)
    assert (SOURCE.ids["the"], SOURCE.ids["last"]) == (2, 129)
    assert (TARGET.ids["은"], TARGET.ids["온"]) == (2, 291)


def test_an_unknown_word_is_named_with_those_near_it():
    with pytest.raises(ValueError, match=r'"slep" is not .* near it: slept, sleeps'):
        SOURCE.encode(["the", "cat", "slep"])
    with pytest.raises(ValueError, match=r'"qqq" is not in the vocabulary$'):
        SOURCE.encode(["qqq"])


def test_other_errors_say_what_was_given():
    with pytest.raises(ValueError, match=r"\['a'\]"):
        Vocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="<pad>"):
        Vocabulary(["<pad>"])
    with pytest.raises(ValueError, match="0 to 129, but 130"):
        SOURCE.decode([2, 130])
    with pytest.raises(ValueError, match="-1"):
        SOURCE.decode([-1])
    with pytest.raises(ValueError, match="empty batch"):
        tensors([])
    with pytest.raises(ValueError, match="empty batch"):
        Batches([], 4)
    with pytest.raises(ValueError, match="size=0"):
        Batches(corpus("train", 2), 0)
    with pytest.raises(ValueError, match="step=-1"):
        Batches(corpus("train", 2), 1)(-1)


def test_pad_fills_up_on_the_right():
    x = pad([[5, 1], [4, 3, 2, 1]])
    assert x.dtype == torch.long
    assert x.tolist() == [[5, 1, 0, 0], [4, 3, 2, 1]]


def test_tensors_hold_the_sentences(pairs):
    x, context = tensors(pairs[:20])
    assert x.dtype == context.dtype == torch.long
    assert [TARGET.decode(row) for row in x] == [pair.target for pair in pairs[:20]]
    assert [SOURCE.decode(row) for row in context] == [p.source for p in pairs[:20]]
    for ids in (x, context):
        assert ((ids == EOS).sum(1) == 1).all()
        assert (ids != PAD).sum(1).max() == ids.shape[1]


def _rows(batches, steps):
    return [SOURCE.decode(row) for step in steps for row in batches(step)[1]]


@pytest.mark.parametrize("size", [1, 64, 100, 1000])
def test_an_epoch_uses_every_pair_once(pairs, size):
    batches = Batches(pairs, size)
    n = len(batches)
    assert n == -(-500 // size)
    everything = sorted(pair.source for pair in pairs)
    assert sorted(_rows(batches, range(n))) == everything
    assert sorted(_rows(batches, range(n, 2 * n))) == everything


def test_batches_keep_pairs_together(pairs):
    translation = {pair.source: pair.target for pair in pairs}
    x, context = Batches(pairs, 32)(5)
    assert len(x) == len(context) == 32
    for target, source in zip(x, context, strict=True):
        assert TARGET.decode(target) == translation[SOURCE.decode(source)]
    for ids in (x, context):
        assert (ids != PAD).sum(1).max() == ids.shape[1]


def test_a_step_has_its_batch_whatever_was_drawn_before(pairs):
    one, other = Batches(pairs, 32, seed=1), Batches(pairs, 32, seed=1)
    late = [one(step) for step in range(40)][37]
    assert all(map(torch.equal, late, other(37)))
    assert all(map(torch.equal, one(3), other(3)))
    assert _rows(one, [0]) != _rows(Batches(pairs, 32, seed=2), [0])
    assert _rows(one, range(3)) != _rows(one, range(len(one), len(one) + 3))


def test_batches_are_of_similar_length_and_in_random_order(pairs):
    batches = Batches(corpus("train", 2000), 50)
    drawn = [batches(step) for step in range(len(batches))]
    padding = sum((x == PAD).sum() + (c == PAD).sum() for x, c in drawn)
    assert padding < 0.12 * sum(x.numel() + c.numel() for x, c in drawn)
    lengths = [c.shape[1] for _, c in drawn]
    assert sorted(lengths) != lengths
    first, second = sum(lengths[:20]) / 20, sum(lengths[20:]) / 20
    assert abs(first - second) < 12  # sorted, it would be about 19


def test_batches_mix_anew_in_each_epoch(pairs):
    batches = Batches(pairs, 50)
    epochs = [
        {frozenset(_rows(batches, [step])) for step in range(start, start + 10)}
        for start in (0, 10)
    ]
    assert not epochs[0] & epochs[1]
