"""Every shipped weight file keeps the contract, on a few positions of a sequence."""

import contract
import pytest
import torch

from lookback import zoo
from lookback.models import REGISTRY
from lookback.models.made import MADE

KINDS = {type(entry.build()).__name__: entry.context for entry in REGISTRY.values()}
NAMES = pytest.mark.parametrize("name", zoo.names())


def kind_of(model):
    """What context it needs; a model by label needs one only where it has classes."""
    if "classes" in model.config:
        return "label" if model.config["classes"] else None
    return KINDS[type(model).__name__]


@pytest.fixture
def model(name):
    return zoo.load(name).double()


@pytest.fixture
def places(model):
    """The first, one in the middle, one at the end of a row, the last but one."""
    if not model.length:
        return [0, 3, 5]
    return [0, model.length // 2 + 14, 13 * 28 - 1, model.length - 2]


@NAMES
def test_causality(model, places):
    contract.check_causality(model, kind_of(model), places)


@NAMES
def test_what_moves_is_claimed_and_the_next_symbol_moves_where_it_should(model, places):
    kind = kind_of(model)
    x, context = contract.sequences(model, 4), contract.contexts(model, kind, 4)
    before = model.logits(x, context)
    for source in places:
        changed = x.clone()
        changed[:, source] = contract.other(model, x[:, source])
        moved = (model.logits(changed, context) - before).nan_to_num().abs().amax((0, 2))
        targets = moved.nonzero()[:, 0].tolist()
        # MADE's wires from pixels at the margin, never ink, have learned nothing.
        if source == places[1] or not isinstance(model, MADE):
            assert (source + 1 in targets) == model.reaches(source, source + 1)
        assert all(model.reaches(source, target) for target in targets)


@NAMES
def test_step_agrees_with_logits(model):
    symbols = 64 if model.length else None  # two rows of a picture and some
    contract.check_step(model, kind_of(model), symbols=symbols)


@NAMES
def test_order_in_the_batch_does_not_matter(model):
    contract.check_batch_order(model, kind_of(model))


@NAMES
def test_states_can_be_reordered(model):
    contract.check_reorder(model, kind_of(model))


@NAMES
def test_saving_again_changes_nothing(name, tmp_path):
    model = zoo.load(name)
    zoo.save(model, tmp_path / "again.safetensors", half=True)
    again = zoo.load(tmp_path / "again.safetensors").state_dict()
    assert all(
        torch.equal(again[key], value) for key, value in model.state_dict().items()
    )


def test_the_weights_stay_small():
    """The image models together, in bytes."""
    pictures = [name for name in zoo.names() if zoo.load(name).length]
    sizes = [zoo.find(name).stat().st_size for name in pictures]
    assert 0 < sum(sizes) < 8_000_000
