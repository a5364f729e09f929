"""Captions for digits: "a thin seven leaning right", measured from the image.

A digit is thin or thick, and leans left or right, if it lies in the outer third of the
5,000 embedded digits of its class. The middle third goes without a word: captions have 2
to 5 words, and there are 90 of them.
"""

import functools

import torch
from torch import Tensor

from .digits import _expect_images, embedded
from .vocabulary import Vocabulary

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STROKES = ("thin", None, "thick")
SLANTS = ("left", None, "right")
CAPTION = Vocabulary(("a", "an", "thin", "thick", *NAMES, "leaning", "left", "right"))


def thickness(images: Tensor) -> Tensor:
    """The width of the pen in pixels: (B, height, width) -> (B,).

    A long stroke has an area of length times width and an outline of twice its length; so
    the width is twice the ink divided by the outline, which is the sum of all changes of
    grey from pixel to pixel. An empty image has the width 0.
    """
    _expect_images(images)
    grey = torch.nn.functional.pad(images.double(), (1, 1, 1, 1))
    down, right = (
        grey[:, 1:, :-1] - grey[:, :-1, :-1],
        grey[:, :-1, 1:] - grey[:, :-1, :-1],
    )
    outline = torch.hypot(down, right).sum((1, 2))
    return 2 * grey.sum((1, 2)) / outline.clamp(min=1)


def slant(images: Tensor) -> Tensor:
    """How far a digit leans to the right, in degrees: (B, height, width) -> (B,).

    From second moments: the line x = a + b y that fits the ink best has b = cov / var.
    """
    _expect_images(images)
    H, W = images.shape[1:]
    ink = images.double() / images.double().sum((1, 2), keepdim=True).clamp(min=1)
    x, y = torch.arange(W).to(ink), torch.arange(H, 0, -1).to(ink)[:, None]  # y goes up
    x, y = x - (ink * x).sum((1, 2), True), y - (ink * y).sum((1, 2), True)  # (B, H, W)
    shear = (ink * x * y).sum((1, 2)) / (ink * y**2).sum((1, 2)).clamp(min=1e-9)
    return torch.rad2deg(torch.atan(shear))


def captions(images: Tensor, labels: Tensor) -> list[tuple[str, ...]]:
    """What each digit is called: uint8 (B, 28, 28), int (B,) -> tuples of words.

    Raises:
        ValueError: if the labels are not one for each image, or are no digits.
    """
    _expect_images(images)
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels have the shape {tuple(labels.shape)}; "
            f"{len(images)} images need ({len(images)},)"
        )
    if len(labels) and (labels.min() < 0 or labels.max() > 9):
        raise ValueError(f"labels lie in {int(labels.min())} .. {int(labels.max())}, "
                         "not in 0 .. 9")  # fmt: skip
    labels = labels.long()  # an index; of bytes torch would make a mask
    strokes = third(thickness(images), _thirds(thickness)[labels])
    slants = third(slant(images), _thirds(slant)[labels])
    rows = zip(labels.tolist(), strokes.tolist(), slants.tolist(), strict=True)
    return [_caption(NAMES[d], STROKES[stroke], SLANTS[lean]) for d, stroke, lean in rows]


def third(values: Tensor, edges: Tensor) -> Tensor:
    """0, 1 or 2: below the edges (B, 2), between them or above."""
    return (values[:, None] >= edges).sum(1)


@functools.cache
def _thirds(measure) -> Tensor:
    """The two values that part the embedded digits of each class in three: (10, 2)."""
    images, labels = embedded()
    values = measure(images)
    cuts = torch.tensor([1 / 3, 2 / 3], dtype=values.dtype)
    return torch.stack([values[labels == digit].quantile(cuts) for digit in range(10)])


def _caption(name: str, stroke: str | None, lean: str | None) -> tuple[str, ...]:
    words = [*filter(None, [stroke]), name, *(["leaning", lean] if lean else [])]
    return ("an" if words[0] == "eight" else "a", *words)
