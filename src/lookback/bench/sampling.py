"""Drawing digits with each model's memory, beside re-scoring the image at every pixel.

What is compared is the model's own `step` and that of `Autoregressive`, which looks at
the whole image again. All 784 pixels the slow way take minutes, and each of them costs
the same; so some are timed, spread over the image, and the fastest counts for all.
"""

import time

import torch
from torch import Tensor

from lookback import decoding, zoo
from lookback.autoregressive import Autoregressive
from lookback.bench.race import Row, at_least, race
from lookback.models.gated_pixelcnn import GatedPixelCNN
from lookback.models.made import MADE
from lookback.models.pixel_rnn import PixelRNN
from lookback.models.pixel_transformer import PixelTransformer
from lookback.models.pixelcnn import PixelCNN
from lookback.models.pixelsnail import PixelSNAIL
from lookback.zoo.image_recipes import RECIPES

DIGITS = 16
PLACES = 16  # pixels that are drawn the slow way
FLOORS: dict[type[Autoregressive], float | None] = {
    PixelRNN: None,
    MADE: None,
    PixelCNN: 15,
    GatedPixelCNN: 15,
    PixelSNAIL: 15,
    PixelTransformer: 20,
}


def measure_sampling() -> list[Row]:
    """Each image model: 16 digits with its memory, and how much that saves."""
    return [row for name, model in models().items() for row in measure(name, model)]


def models() -> dict[str, Autoregressive]:
    """Every image model: as it ships, or else in its recipe's size, with random weights.

    A family without a recipe has the size that its class has by default.
    """
    found = {}
    for name, recipe in RECIPES.items():
        if name in zoo.names():
            found[name] = zoo.load(name)
            continue
        try:
            model = recipe.build()
        except zoo.WeightsError:  # it starts from weights that do not ship
            continue
        found[f"{name}, random weights"] = nudged(model)
    for family in FLOORS.keys() - {type(model) for model in found.values()}:
        found[f"{family.__name__}, random weights"] = nudged(family())
    return found


@torch.no_grad()
def nudged(model: Autoregressive) -> Autoregressive:
    """A model whose branches that start silent are so no longer."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def measure(name: str, model: Autoregressive) -> list[Row]:
    """The rows of one model, once both ways have drawn the same digits.

    Raises:
        RuntimeError: they have not.
    """
    context = labels(model)
    options = {"batch": DIGITS, "seed": 0}
    slow = Rescoring(model, spread(model.length, PLACES))
    same(
        name,
        decoding.sample(model, context, **options),
        decoding.sample(slow, context, **options),
    )
    run = {name: lambda: decoding.sample(model, context, **options)}
    cached = race(run, times=3)[name]
    rescored = model.length * min(slow.seconds)
    label = f"{name}: re-scored ({model.length} x the fastest of {PLACES}) / cached"
    ratio, floor = rescored / cached, FLOORS[type(model)]
    if floor is None:
        return [Row(f"{name}: cached", cached), Row(label, rescored, ratio)]
    return [Row(f"{name}: cached", cached), at_least(label, rescored, ratio, floor)]


def labels(model: Autoregressive) -> Tensor | None:
    """A label for each digit to draw, where the model wants them."""
    classes = model.config.get("classes")
    return torch.arange(DIGITS) % classes if classes else None


def spread(length: int, count: int) -> list[int]:
    """So many places from the first of `length` to the last, evenly."""
    return torch.linspace(0, length - 1, min(count, length)).long().tolist()


class Rescoring(Autoregressive):
    """A model that scores some places by looking at the whole sequence again.

    Attributes:
        seconds: what each of these took.
    """

    def __init__(self, model: Autoregressive, places: list[int]):
        super().__init__(model.vocabulary, length=model.length)
        self.model, self.places, self.seconds = model, set(places), []

    def start(self, batch: int, context: Tensor | None = None):
        cached = self.model.start(batch, context)
        return {"cached": cached, "plain": Autoregressive.start(self, batch, context)}

    def step(self, previous: Tensor | None, state):
        logits, cached = self.model.step(previous, state["cached"])
        plain = state["plain"]
        if previous is not None:
            plain = {
                **plain,
                "prefix": torch.cat([plain["prefix"], previous[:, None]], 1),
            }
        if plain["prefix"].shape[1] in self.places:
            began = time.perf_counter()
            logits, _ = Autoregressive.step(self.model, None, plain)
            self.seconds.append(time.perf_counter() - began)
        return logits, {"cached": cached, "plain": plain}


def same(name: str, found: list, expected: list) -> None:
    """Raise a RuntimeError unless the hypotheses have the same tokens."""
    for row, (one, two) in enumerate(zip(found, expected, strict=True)):
        if one.tokens != two.tokens:
            pairs = enumerate(zip(one.tokens, two.tokens, strict=True))
            place = next(t for t, (a, b) in pairs if a != b)
            raise RuntimeError(
                f"{name} draws another digit {row} with its memory than without it, from "
                f"pixel {place} on: its `step` does not agree with its `logits`"
            )
