"""The sampling benchmark covers every image model and believes no memory unchecked."""

import contract
import pytest
import torch

from lookback import decoding, zoo
from lookback.autoregressive import Autoregressive
from lookback.bench import sampling
from lookback.models import CLASSES, REGISTRY
from lookback.models.pixel_transformer import PixelTransformer
from lookback.models.pixelcnn import PixelCNN
from lookback.zoo.image_recipes import RECIPES


def small():
    torch.manual_seed(0)
    return contract.loud(PixelCNN(height=5, width=6, hidden=8, layers=2))


def test_every_family_of_image_models_is_measured():
    fixed = {type(model.build()) for model in REGISTRY.values() if model.build().length}
    assert set(sampling.FLOORS) == fixed <= set(CLASSES.values())


def test_what_ships_is_measured_as_it_ships_and_the_rest_at_its_size(monkeypatch):
    monkeypatch.setattr(zoo, "names", lambda: ["pixelcnn"])
    monkeypatch.delitem(RECIPES, "made")
    monkeypatch.delitem(RECIPES, "pixel-transformer", raising=False)
    found = sampling.models()
    assert {type(model) for model in found.values()} == set(sampling.FLOORS)
    shipped = zoo.load("pixelcnn").state_dict()
    assert all(v.equal(shipped[k]) for k, v in found["pixelcnn"].state_dict().items())
    gated = found["gated-pixelcnn, random weights"]
    assert gated.config == RECIPES["gated-pixelcnn"].build().config
    assert found["MADE, random weights"].length == 784
    assert all(p.any() for p in gated.parameters())  # none starts silent


def test_the_slow_way_is_the_slow_way(monkeypatch):
    model = small()
    slow = sampling.Rescoring(model, sampling.spread(30, 30))
    found = decoding.sample(slow, batch=4, seed=1)
    assert len(slow.seconds) == 30
    monkeypatch.setattr(PixelCNN, "start", Autoregressive.start)
    monkeypatch.setattr(PixelCNN, "step", Autoregressive.step)
    expected = decoding.sample(model, batch=4, seed=1)
    assert [one.tokens for one in found] == [one.tokens for one in expected]


def test_places_are_spread_over_the_image():
    assert sampling.spread(784, 4) == [0, 261, 522, 783]
    assert sampling.spread(3, 16) == [0, 1, 2]


class Forgetful(PixelCNN):
    """Forgets what it has seen at one pixel."""

    def step(self, previous, state):
        if int(state["t"][0]) == 20:
            state = {**state, "seen": torch.zeros_like(state["seen"])}
        return super().step(previous, state)


def test_a_wrong_memory_is_not_believed(monkeypatch):
    torch.manual_seed(0)
    model = contract.loud(Forgetful(height=5, width=6, hidden=8, layers=2))
    monkeypatch.setitem(sampling.FLOORS, Forgetful, 0)
    monkeypatch.setattr(sampling, "PLACES", 30)
    with pytest.raises(
        RuntimeError, match=r"forgetful draws another digit .* from pixel"
    ):
        sampling.measure("forgetful", model)


@pytest.mark.parametrize(("floor", "ok"), [(0, True), (1e9, False), (None, None)])
def test_rows_say_what_was_timed(floor, ok, monkeypatch):
    monkeypatch.setitem(sampling.FLOORS, PixelCNN, floor)
    cached, slow = sampling.measure("tiny", small())
    assert cached.name == "tiny: cached"
    assert slow.name.startswith("tiny: re-scored (30 x the fastest of 16) / cached")
    assert slow.ratio == pytest.approx(slow.seconds / cached.seconds)
    assert (slow.floor, slow.ok) == (floor, ok)


def test_labels_are_given_where_they_are_wanted():
    assert sampling.labels(PixelTransformer(length=6, width=3)) is None
    model = REGISTRY["gated pixelcnn, by label"].build()
    assert sampling.labels(model).tolist() == [0, 1, 2] * 5 + [0]
    monkey = sampling.Rescoring(model, [3])
    assert len(decoding.sample(monkey, sampling.labels(model), seed=0)) == 16
