"""The ladder: the same numbers for every image model, on a page and as JSON."""

import json

import pytest
import torch

from lookback import zoo
from lookback.data import digits
from lookback.zoo import image_recipes, ladder


@pytest.fixture
def one_rung(monkeypatch):
    """Only PixelCNN, on a few digits that come with the package."""

    def few(count=10_000):
        images, labels = digits.embedded()
        x = digits.sequences(digits.binarise(images[:count], 0))
        return x, labels[:count]

    monkeypatch.setattr(image_recipes, "held_out", few)
    monkeypatch.setattr(ladder, "RUNGS", {"pixelcnn": ladder.RUNGS["pixelcnn"]})


def test_json_has_the_fields_that_were_promised(one_rung, capsys):
    ladder.main(["--json", "--images", "20"])
    (rung,) = json.loads(capsys.readouterr().out)
    assert list(rung) == [
        "name", "nats", "parameters", "train_seconds", "sample_seconds",
    ]  # fmt: skip
    assert rung["name"] == "pixelcnn"
    assert 60 < rung["nats"] < 110
    assert rung["train_seconds"] == zoo.card("pixelcnn")["train_seconds"]
    assert rung["sample_seconds"] > 0


def test_the_page_is_written_whole(one_rung, capsys, tmp_path):
    page = tmp_path / "ladder.md"
    ladder.main(["--images", "20", "--page", f"{page}"])
    text = page.read_text(encoding="utf-8")
    assert "| PixelCNN | in the neighbourhood |" in text
    assert "first\n20 test images" in text
    assert "pixelcnn" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["ladder.md"]


def test_a_missing_folder_is_named_before_any_work(tmp_path, capsys):
    with pytest.raises(SystemExit):
        ladder.main(["--page", f"{tmp_path / 'gone' / 'ladder.md'}"])
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("images", ["0", "-3", "10001"])
def test_there_are_ten_thousand_test_images(images, capsys):
    with pytest.raises(SystemExit):
        ladder.main(["--json", "--images", images])
    assert f"--images is {images}; it has to be 1 to 10000" in capsys.readouterr().err


def test_a_rung_without_weights_is_named(one_rung, capsys, monkeypatch):
    rungs = {**ladder.RUNGS, "telepathy": ("Telepathy", "anywhere", None)}
    monkeypatch.setattr(ladder, "RUNGS", rungs)
    ladder.main(["--json", "--images", "20"])
    printed = capsys.readouterr()
    assert printed.err.startswith("no weights, no rung: telepathy.")
    assert [rung["name"] for rung in json.loads(printed.out)] == ["pixelcnn"]


def test_every_image_model_with_a_recipe_has_a_rung():
    labelled = {name for name in image_recipes.RECIPES if name.endswith("by-label")}
    assert image_recipes.RECIPES.keys() - labelled <= ladder.RUNGS.keys()
    assert "pixel-transformer" in ladder.RUNGS


def test_every_shipped_image_model_stands_on_the_ladder():
    unlabelled = [
        name for name in zoo.names()
        if zoo.load(name).length == 784 and not zoo.load(name).config.get("classes")
    ]  # fmt: skip
    assert set(unlabelled) <= set(ladder.RUNGS)


# At most so many nats, parameters and seconds of training; None: any number will do.
PROMISED = {
    "made": (90, 2_500_000, None),
    "pixelcnn": (86.5, 1_000_000, 60 * 60),
    "gated-pixelcnn": (86.5, 1_000_000, 60 * 60),
    "pixelsnail": (88, 1_000_000, 90 * 60),
    "pixel-transformer": (95, None, 120 * 60),
}


@pytest.mark.parametrize("name", PROMISED)
def test_what_ships_is_as_good_as_promised(name):
    if name not in zoo.names():
        pytest.skip(f"{name} does not ship")
    card, (nats, parameters, seconds) = zoo.card(name), PROMISED[name]
    assert card["results"]["nats"] <= nats
    assert parameters is None or card["parameters"] <= parameters
    assert seconds is None or card["train_seconds"] * card["threads"] <= 2 * seconds


def test_the_label_that_makes_an_image_likeliest(monkeypatch):
    class Told(torch.nn.Module):
        """Likes an image best when it is told the image's first three pixels' sum."""

        config = {"classes": 10}  # noqa: RUF012

        def log_prob(self, x, labels):
            return -(labels - x[:, :3].sum(1)).abs().float()

        def parameters(self):
            return iter([torch.zeros(1)])

    x = torch.randint(2, (50, 6), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(
        image_recipes, "held_out", lambda count=50: (x[:count], x[:count, :3].sum(1))
    )
    found = image_recipes.by_label(Told(), 50)
    assert found["accuracy_first_50"] == 1
    assert found["nats_given_label"] == 0
    assert found["nats_first_50"] > 0
