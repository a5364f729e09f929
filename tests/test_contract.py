"""Every registered model keeps the contract."""

import contract
import pytest
import torch

from lookback import zoo
from lookback.autoregressive import Autoregressive
from lookback.models import CLASSES, REGISTRY

NAMES = pytest.mark.parametrize("name", REGISTRY)


@pytest.fixture
def model(name):
    torch.manual_seed(0)
    return contract.loud(REGISTRY[name].build())


@pytest.fixture
def kind(name):
    return REGISTRY[name].context


@NAMES
def test_causality(model, kind):
    contract.check_causality(model, kind, range(model.length or 7))


@NAMES
def test_reach(model, kind):
    contract.check_reach(model, kind, range(model.length or 7))


@NAMES
def test_step_agrees_with_logits(model, kind):
    contract.check_step(model, kind, tolerance=1e-9)


@NAMES
def test_slow_step_agrees_with_logits(model, kind, monkeypatch):
    monkeypatch.setattr(type(model), "start", Autoregressive.start)
    monkeypatch.setattr(type(model), "step", Autoregressive.step)
    contract.check_step(model, kind, tolerance=1e-9)


@NAMES
def test_probabilities_sum_to_one(model, kind):
    contract.check_total(model, kind)


@NAMES
def test_order_in_the_batch_does_not_matter(model, kind):
    contract.check_batch_order(model, kind)


@NAMES
def test_states_can_be_reordered(model, kind):
    contract.check_reorder(model, kind)


@NAMES
def test_prefixes_of_a_sentence_share_its_memory(model, kind):
    if not model.shared:
        pytest.skip("this model shares nothing")
    contract.check_shared(model, kind)


@NAMES
def test_padding_of_any_length_changes_nothing(model, kind):
    if model.pad is None:
        pytest.skip("this model has no padding")
    x, context = contract.sequences(model, 3), contract.contexts(model, kind, 3)
    x[:, 4] = model.eos
    x = x[:, :5]
    expected = model.log_prob(x, context)
    longer = torch.nn.functional.pad(x, (0, 3), value=model.pad)
    if kind == "source":
        context = torch.nn.functional.pad(context, (0, 4), value=0)
    torch.testing.assert_close(model.log_prob(longer, context), expected)


@NAMES
def test_save_and_load_give_the_same_numbers(model, kind, tmp_path):
    x, context = contract.sequences(model, 3), contract.contexts(model, kind, 3)
    model = model.float()
    zoo.save(model, tmp_path / "model.safetensors")
    loaded = zoo.load(tmp_path / "model.safetensors")
    assert type(loaded) is type(model)
    assert torch.equal(loaded.logits(x, context), model.logits(x, context))


@NAMES
def test_wrong_symbols_are_named(model, kind):
    context = contract.contexts(model, kind, 2)
    x = contract.sequences(model, 2)
    with pytest.raises(ValueError, match=f"0 .. {model.vocabulary - 1}"):
        model.logits(x + model.vocabulary, context)
    with pytest.raises(ValueError, match=r"\(B, T\) of integers"):
        model.logits(x.float(), context)
    with pytest.raises(ValueError, match=r"\(B, T\) of integers"):
        model.logits(x[0], context)
    with pytest.raises(ValueError, match="empty"):
        model.logits(x[:0], context)


def test_every_class_is_registered():
    built = {type(entry.build()) for entry in REGISTRY.values()}
    missing = {kind.__name__ for kind in built ^ set(CLASSES.values())}
    assert not missing, f"{missing} must stand in REGISTRY and in CLASSES"


@NAMES
def test_each_sequence_has_its_own_context(model, kind):
    if kind is None:
        pytest.skip("this model has no context")
    x, context = contract.sequences(model, 2), contract.contexts(model, kind, 4)
    with pytest.raises(ValueError, match=r"2 sequences and a context of 4 rows|\(2,\)"):
        model.log_prob(x, context)
    with pytest.raises(ValueError, match=r"4 sequences and a context of 3 rows|\(4,\)"):
        model.start(4, context[:3])
    if kind == "source" and hasattr(model, "weights"):
        with pytest.raises(ValueError, match="2 sequences and a context of 4 rows"):
            model.weights(x, context)


@NAMES
@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_integers_of_any_size_are_symbols(model, kind, dtype):
    x, context = contract.sequences(model, 3), contract.contexts(model, kind, 3)
    given = None if context is None else context.to(dtype)
    found = model.log_prob(x.to(dtype), given)
    assert torch.equal(found, model.log_prob(x, context))


@pytest.mark.parametrize("name", ["gru", "transformer", "pixel transformer"])
def test_the_start_symbol_is_not_rounded(name):
    """In bfloat16, 257 is 256."""
    model = REGISTRY[name].build().bfloat16()
    model.vocabulary = 257
    assert model.silence(2).tolist() == [257, 257]
    assert model.shift(torch.ones(1, model.length or 3, dtype=torch.long))[0, 0] == 257
