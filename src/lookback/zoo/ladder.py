"""`python -m lookback ladder`: every image model that ships, on the same held-out digits.

Nats are computed again from the weights, seconds of training are those on the card, and
seconds of sampling are measured now. The page of the book is written from them.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch

from lookback import decoding, zoo
from lookback.autoregressive import Autoregressive
from lookback.files import whole
from lookback.progress import bar
from lookback.zoo.image_recipes import TEST_SEED, held_out_nats

PAGE = Path("book/ladder.md")
SAMPLES, IMAGES = 16, 10_000

# What each model is called, how it looks back, and what others report of its kind: nats
# with dynamic binarisation, README of EugenHotaj/pytorch-generative (457 epochs by its
# code; its Transformer begins with a masked 3 x 3 convolution, ours does not).
RUNGS = {
    "pixel-rnn": ("Pixel RNN", "handed along", None),
    "pixel-rnn-told-where": ("Pixel RNN, told where", "handed along", None),
    "made": ("MADE", "wired directly", 84.87),
    "pixelcnn": ("PixelCNN", "in the neighbourhood", 81.45),
    "gated-pixelcnn": ("Gated PixelCNN", "in the neighbourhood", 81.50),
    "pixelsnail": ("PixelSNAIL", "in the neighbourhood, and anywhere", 78.61),
    "pixel-transformer": ("Transformer", "anywhere, by content", 79.17),
}


class Rung(NamedTuple):
    """One line of the ladder: nats per image, and what they cost."""

    name: str
    nats: float
    parameters: int
    train_seconds: float
    sample_seconds: float


def main(arguments: list[str]) -> None:
    """Measure the shipped image models; print them, and write the page."""
    parser = argparse.ArgumentParser("python -m lookback ladder", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, write no page")
    parser.add_argument("--images", type=int, default=IMAGES, metavar="N",
                        help=f"score the first N of {IMAGES:,} test images")  # fmt: skip
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE")
    given = parser.parse_args(arguments)
    if not 1 <= given.images <= IMAGES:
        parser.error(f"--images is {given.images}; it has to be 1 to {IMAGES}")
    if not given.json and not given.page.parent.is_dir():
        parser.error(
            f"there is no folder {given.page.parent} to write the page to: start in the "
            "folder of the book, name another with --page, or use --json"
        )
    if missing := sorted(RUNGS.keys() - set(zoo.names())):
        print(f"no weights, no rung: {', '.join(missing)}. "
              "`python -m lookback train NAME` makes them.", file=sys.stderr)  # fmt: skip
    rungs = measure_all(given.images)
    if given.json:
        print(json.dumps([rung._asdict() for rung in rungs], indent=1))
        return
    print(as_text(rungs))
    write(given.page, as_page(rungs, given.images))


def measure_all(images: int) -> list[Rung]:
    """Every rung whose weights ship, in the order of the ladder."""
    names = [name for name in RUNGS if name in zoo.names()]
    rungs = []
    with bar(len(names), "ladder", unit="model") as progress:
        for name in names:
            rungs.append(measure(name, images))
            progress.update()
    return rungs


def measure(name: str, images: int) -> Rung:
    """Score the first test images, and time the drawing of sixteen digits."""
    model, card = zoo.load(name), zoo.card(name)
    return Rung(
        name=name,
        nats=round(held_out_nats(model, images), 2),
        parameters=sum(p.numel() for p in model.parameters()),
        train_seconds=card["train_seconds"],
        sample_seconds=round(seconds_to_sample(model), 2),
    )


def seconds_to_sample(model: Autoregressive) -> float:
    """Wall-clock seconds to draw sixteen digits with the model's own `step`."""
    began = time.perf_counter()
    decoding.sample(model, batch=SAMPLES, seed=0)
    return time.perf_counter() - began


def as_text(rungs: list[Rung]) -> str:
    """The ladder for a terminal."""
    lines = [f"{'':<22} {'nats':>7} {'parameters':>11} {'train s':>8} {'sample s':>9}"]
    lines += [
        f"{rung.name:<22} {rung.nats:7.2f} {rung.parameters:11,} "
        f"{rung.train_seconds:8,.0f} {rung.sample_seconds:9.2f}"
        for rung in rungs
    ]
    return "\n".join(lines)


def as_page(rungs: list[Rung], images: int) -> str:
    """The ladder as a page of the book."""
    rows = [
        f"| {RUNGS[rung.name][0]} | {RUNGS[rung.name][1]} | {rung.nats:.2f} | "
        f"{written(RUNGS[rung.name][2])} | {rung.parameters:,} | "
        f"{rung.train_seconds:,.0f} | {rung.sample_seconds:.1f} |"
        for rung in rungs
    ]
    return PAGE_TEXT.format(
        images=images, seed=TEST_SEED, samples=SAMPLES, rows="\n".join(rows),
        threads=torch.get_num_threads(),
    )  # fmt: skip


def written(reference: float | None) -> str:
    """A reference's nats, or a dash where there is none."""
    return "–" if reference is None else f"{reference:.2f}"


PAGE_TEXT = """---
myst:
  html_meta:
    description: The image models of the book on the same digits, by nats per image.
og:description: The image models of the book on the same digits, by nats per image.
---
<!-- Written by `python -m lookback ladder`. -->
# The ladder

Every image model of the book that ships with weights and draws without a label, on the
same digits. Lower is better: nats per image are the mean of −ln p(x).

| model | looks back | nats | reference | parameters | seconds to train | to draw |
| :-- | :-- | --: | --: | --: | --: | --: |
{rows}

**Data.** MNIST, binarised dynamically: each time an image is used, each pixel is ink with
a probability of its grey level. Training images from index 6,000 on; nats on the first
{images:,} test images, binarised once with seed {seed}.

**Reference.** What the README of
[pytorch-generative](https://github.com/EugenHotaj/pytorch-generative) reports for a model
of the same kind, also with dynamic binarisation; its code sets 457 epochs. The
Transformer's is ImageGPT, which begins with a masked 3 × 3 convolution; ours does not.

**Seconds to train** are by the clock, on the processor and the threads that each model's
card in `src/lookback/zoo/weights` names. Other programs ran beside it, so they are an
upper bound. **Seconds to draw** are those of {samples} digits at once, one pixel after
the other, with each model's own memory, on {threads} threads.
"""


def write(path: Path, text: str) -> None:
    """Write a page, and say so."""
    with whole(path) as aside:
        aside.write_text(text, encoding="utf-8")
    print(f"wrote {path}")
