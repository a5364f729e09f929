"""Weight files: written whole, read safely, refused with a reason."""

import functools
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from lookback import zoo
from lookback.__main__ import main
from lookback.files import WriteError, whole
from lookback.models import CLASSES
from lookback.models.recurrent import RecurrentLM
from lookback.zoo import WeightsError
from lookback.zoo.recipes import RECIPES
from lookback.zoo.translation_recipes import translation_task


@pytest.fixture
def model():
    torch.manual_seed(0)
    return RecurrentLM(5, embedding=4, hidden=6)


def test_half_precision_is_close_and_half_the_size(model, tmp_path):
    zoo.save(model, tmp_path / "whole.safetensors")
    zoo.save(model, tmp_path / "half.safetensors", half=True)
    x = torch.randint(5, (3, 8))
    loaded = zoo.load(tmp_path / "half.safetensors")
    torch.testing.assert_close(loaded.logits(x), model.logits(x), atol=1e-2, rtol=0)
    assert next(loaded.parameters()).dtype == torch.float32
    size = (tmp_path / "half.safetensors").stat().st_size
    assert size < (tmp_path / "whole.safetensors").stat().st_size


def test_an_unknown_name_says_what_is_shipped():
    with pytest.raises(WeightsError, match="no weights for 'nobody': shipped are"):
        zoo.load("nobody")


@pytest.mark.parametrize("size", [0, 4, 100, -10])
def test_a_damaged_file_is_named(model, tmp_path, size):
    path = tmp_path / "model.safetensors"
    zoo.save(model, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(WeightsError, match=r"model\.safetensors is damaged"):
        zoo.load(path)


def test_a_file_of_another_version_is_refused(model, tmp_path):
    path = tmp_path / "model.safetensors"
    zoo.save(model, path)
    save_file(
        {"other": torch.zeros(2)}, path,
        metadata={"class": "RecurrentLM", "config": json.dumps(model.config)},
    )  # fmt: skip
    with pytest.raises(WeightsError, match="does not fit this version of RecurrentLM"):
        zoo.load(path)
    save_file({"other": torch.zeros(2)}, path, metadata={"class": "Gone"})
    with pytest.raises(WeightsError, match="'Gone', which this version does not know"):
        zoo.load(path)


@pytest.mark.parametrize(
    "config", [{}, {"config": "{"}, {"config": '{"vocabulary": 4, "cell": "tube"}'}]
)
def test_a_description_that_cannot_be_read_names_the_file(config, tmp_path):
    path = tmp_path / "model.safetensors"
    described = {"class": "RecurrentLM", **config}
    save_file({"other": torch.zeros(2)}, path, metadata=described)
    with pytest.raises(WeightsError, match=r"model\.safetensors does not fit"):
        zoo.load(path)


def test_a_budget_that_is_none_is_a_mistake_of_the_command(short, capsys):
    with pytest.raises(SystemExit):
        main([*short, "--steps", "0"])
    assert "steps must be a number above 0, got 0" in capsys.readouterr().err


def test_a_failed_save_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    zoo.save(model, path)
    before = path.read_bytes()

    def full_disk(tensors, aside, metadata):
        aside.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(zoo, "save_file", full_disk)
    with pytest.raises(OSError, match="No space"):
        zoo.save(model, path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_the_old_weights(model, small_disk):
    path = small_disk / "model.safetensors"
    zoo.save(model, path)
    before = path.read_bytes()
    large = RecurrentLM(5, embedding=4, hidden=200)
    with pytest.raises(WriteError, match=r"safetensors could not be written.*make room"):
        zoo.save(large, path)
    assert path.read_bytes() == before
    assert [file.name for file in small_disk.iterdir()] == [path.name]


@pytest.mark.parametrize("name", zoo.names())
def test_every_shipped_model_has_a_recipe_and_a_card(name):
    card = zoo.card(name)
    model = zoo.load(name)
    assert card["class"] == type(model).__name__ == type(RECIPES[name].build()).__name__
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert model.config == RECIPES[name].build().config
    assert card["command"] == f"python -m lookback train {name}"
    assert {"data", "train_seconds", "device", "threads", "seed", "curve"} <= set(card)


@pytest.fixture
def short(tmp_path, monkeypatch):
    """The arguments of a training that takes seconds."""
    small = functools.partial(translation_task, size=200, batch=16, tested=20)
    recipe = replace(RECIPES["one-vector"], task=small)
    monkeypatch.setitem(RECIPES, "one-vector", recipe)
    folders = ["--output", f"{tmp_path}", "--checkpoints", f"{tmp_path}/checkpoints"]
    return ["train", "one-vector", "--steps", "2", *folders]


def out_of_space(*_, **__):
    raise OSError("No space left on device")


@pytest.mark.parametrize("broken", ["zoo.save_file", "zoo.train.describe"])
def test_weights_and_card_change_together(short, broken, tmp_path, monkeypatch):
    files = [tmp_path / f"one-vector.{kind}" for kind in ("json", "safetensors")]
    for file in files:
        file.write_text("old")
    monkeypatch.setattr(f"lookback.{broken}", out_of_space)
    with pytest.raises(OSError, match="No space"):
        main(short)
    assert [file.read_text() for file in files] == ["old", "old"]


@pytest.mark.parametrize("kept", [False, True])
def test_a_training_that_is_stopped_says_how_to_go_on(short, kept, monkeypatch, capsys):
    def stop(*_, checkpoint, **__):
        if kept:
            checkpoint.parent.mkdir()
            checkpoint.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("lookback.training.fit", stop)
    assert main(short) == 130
    said = capsys.readouterr().err
    assert ("goes on from the checkpoint" in said) == kept
    assert ("nothing was written" in said) != kept


def test_training_writes_weights_and_card(short, tmp_path, capsys):
    assert main([*short, "--json"]) == 0
    card = json.loads((tmp_path / "one-vector.json").read_text())
    assert json.loads(capsys.readouterr().out) == [card]
    assert card["steps"] == 2
    assert card["settings"]["seconds"] is None
    assert len(card["curve"]["nats"]) == 1
    assert set(card["results"]["exact_match"]) == {"1", "2", "3", "4", "5"}
    model = zoo.load(tmp_path / "one-vector.safetensors")
    assert isinstance(model, CLASSES[card["class"]])


def test_a_file_inside_of_another_is_blamed_once(tmp_path):
    with (
        pytest.raises(WriteError) as caught,
        whole(tmp_path / "card.json"),
        whole(tmp_path / "weights.safetensors"),
    ):
        raise OSError("No space left on device")
    assert str(caught.value).count("make room") == 1
    assert "weights.safetensors could not be written" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
