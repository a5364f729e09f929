"""How each shipped image model is made. All learn the same digits, binarised afresh.

They train in bfloat16, which a processor with matrix units does several times faster (one
without, slower), and are evaluated and used in 32 bits.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from lookback import evaluation, zoo
from lookback.autoregressive import Autoregressive
from lookback.data import digits
from lookback.models.gated_pixelcnn import GatedPixelCNN
from lookback.models.made import MADE
from lookback.models.pixel_rnn import PixelRNN
from lookback.models.pixel_transformer import PixelTransformer
from lookback.models.pixelcnn import PixelCNN
from lookback.models.pixelsnail import PixelSNAIL
from lookback.zoo.recipe import Recipe, Task

TEST_SEED = 0  # of the one binarisation of the test images that all numbers are about


def held_out(count: int = 10_000) -> tuple[Tensor, Tensor]:
    """The first test digits as sequences (N, 784) of 0 and 1, and their labels (N,)."""
    images, labels = digits.full("test")
    return digits.sequences(digits.binarise(images, TEST_SEED))[:count], labels[:count]


def digits_task(batch: int = 16, labelled: bool = False) -> Task:
    """MNIST digits that no page of the book holds, with their labels or without."""
    images, labels = (part[digits.TRAIN_FROM :] for part in digits.full("train"))
    return Task(
        draw=digits.Batches(images, batch, seed=0, labels=labels if labelled else None),
        evaluate=lambda model: held_out_nats(model, 500),
        measure=by_label if labelled else in_nats,
        data=f"MNIST training images from index {digits.TRAIN_FROM:,} on, binarised "
        f"afresh each epoch, batches of {batch}; nats per image on the 10,000 test "
        f"images, binarised once with seed {TEST_SEED} (the curve: on the first 500)",
    )


def held_out_nats(model: Autoregressive, count: int = 10_000) -> float:
    """Nats per test image; of a model by label, given the right one."""
    x, labels = held_out(count)
    return evaluation.nats(model, x, labels if model.config.get("classes") else None)


def in_nats(model: Autoregressive) -> dict:
    return {"nats": round(held_out_nats(model), 3)}


def by_label(model: Autoregressive, count: int = 1000) -> dict:
    """Nats given the label; and without it, all ten labels being as likely.

    The label under which an image is likeliest is a guess at what the image shows.
    """
    x, labels = held_out(count)
    each = [torch.full_like(labels, label) for label in range(10)]
    scores = torch.stack([evaluation.log_probs(model, x, one) for one in each], 1)
    summed = scores.logsumexp(1) - torch.tensor(10.0).log()  # log p(x), label unknown
    return {
        "nats_given_label": round(held_out_nats(model), 3),
        f"nats_first_{count}": round(-summed.mean().item(), 3),
        f"accuracy_first_{count}": (scores.argmax(1) == labels).float().mean().item(),
    }


def gated(**options) -> GatedPixelCNN:
    """The Gated PixelCNN of chapter 5."""
    return GatedPixelCNN(hidden=32, layers=5, **options)


def gated_by_label() -> GatedPixelCNN:
    """One that has learned to draw and is yet to learn its labels."""
    model = gated(classes=10)
    model.load_state_dict(zoo.load("gated-pixelcnn").state_dict(), strict=False)
    return model


def recipe(build: Callable[[], Autoregressive], batch: int = 16, labelled: bool = False,
           **settings) -> Recipe:  # fmt: skip
    """Train `build()` on digits; the average remembers about a thousand steps."""
    shared = {"rate": 3e-3, "average": 0.999, "every": 1000, "bfloat16": True}
    return Recipe(build, lambda: digits_task(batch, labelled), shared | settings)


RECIPES: dict[str, Recipe] = {
    "pixel-rnn": recipe(lambda: PixelRNN(position=False), steps=2000, every=500),
    "pixel-rnn-told-where": recipe(PixelRNN, steps=2000, every=500),
    "made": recipe(lambda: MADE(hidden=600), 100, steps=12_000, rate=8e-3, every=2000),
    "pixelcnn": recipe(PixelCNN, steps=8000, every=2000),
    "gated-pixelcnn": recipe(gated, steps=6000),
    "gated-pixelcnn-by-label": recipe(
        gated_by_label, labelled=True, steps=5000, every=1000
    ),
    "pixelsnail": recipe(lambda: PixelSNAIL(layers=2, heads=1), steps=3000),
    "pixel-transformer": recipe(
        lambda: PixelTransformer(heads=2, layers=3), 8, steps=5000, rate=5e-3
    ),
}
