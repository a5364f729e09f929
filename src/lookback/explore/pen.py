"""The pen: draw the top of a digit, and a PixelCNN goes on below the line.

A model that draws in raster order takes over where the reader's rows end. It has seen
what lies above; of what lies below it cannot be told. `draw` is what the page does, in
Python: the same seed gives the same pixels.
"""

from collections.abc import Sequence

import torch
import traitlets
from torch import Tensor

from lookback import zoo
from lookback.explore.explorable import Explorable
from lookback.figures import COLOURS, Picture
from lookback.figures.style import GRID
from lookback.models.pixelcnn import PixelCNN

BITS = 2**32


def chance(seed: int, t: int) -> float:
    """The number in [0, 1) that decides pixel t: the t-th of mulberry32 from this seed.

    Source: Tommy Ettinger (2017), public domain.
    """
    a = (seed + (t + 1) * 0x6D2B79F5) % BITS
    a = (a ^ a >> 15) * (a | 1) % BITS
    a ^= (a + (a ^ a >> 7) * (a | 61)) % BITS
    return (a ^ a >> 14) / BITS


@torch.no_grad()
def draw(
    model: PixelCNN, given: Tensor, seed: int, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Go on from the pixels given, in raster order, to the end of the picture.

    Args:
        given: (G,) pixels, 0 or 1, kept as they are; G may be 0.
        temperature: divides the logits of every pixel, before its probability.

    Returns:
        The pixels (T,), and p(ink) of each of them (T,).
    """
    pixels, chances = given.tolist(), []
    previous, state = None, model.start(1)
    for t in range(model.length):
        logits, state = model.step(previous, state)
        p = (logits[0] / temperature).softmax(0)[1].item()
        if t == len(pixels):
            pixels.append(int(chance(seed, t) < p))
        chances.append(p)
        previous = torch.tensor(pixels[t : t + 1])
    return torch.tensor(pixels), torch.tensor(chances)


class Pen(Explorable):
    """A page that the reader and a PixelCNN share: above the line, and below it.

    Args:
        model: a PixelCNN of your own with two values a pixel; None is the shipped one.
        drawn: what the reader has drawn: T pixels in raster order, 0 or 1; None is paper.
        line: how many rows of it count, from the top; None is the upper half.
        at: where the pen waits; None is at the line.

    Traits:
        drawn, line: as above, and as the reader leaves them.
        at: the pixel that the pen is at, from 0 to T; those before it are decided.
        pixels: those that are decided, the reader's and the model's.
        seed: 0 to 99.  temperature: 0.2 to 2, divides the logits.

    Raises:
        ValueError: a model of another class, or with other than two values a pixel.
        traitlets.TraitError: pixels, a line, a seed or a temperature out of range.
    """

    assets = ("pixelcnn",)

    weights = traitlets.Unicode(assets[0]).tag(sync=True)  # what the page asks for
    drawn = traitlets.List(traitlets.Int(min=0, max=1)).tag(sync=True)
    pixels = traitlets.List(traitlets.Int(min=0, max=1)).tag(sync=True)
    line = traitlets.Int(min=0).tag(sync=True)
    seed = traitlets.Int(0, min=0, max=99).tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.2, max=2.0).tag(sync=True)
    at = traitlets.Int(min=0).tag(sync=True)

    def __init__(
        self,
        model: PixelCNN | None = None,
        drawn: Tensor | Sequence[int] | None = None,
        line: int | None = None,
        at: int | None = None,
        **traits,
    ):
        self.own = model
        self.model = checked(zoo.load(self.assets[0]) if model is None else model)
        paper = torch.zeros(self.model.length, dtype=torch.long)
        super().__init__(
            drawn=(paper if drawn is None else torch.as_tensor(drawn)).flatten().tolist(),
            line=self.model.height // 2 if line is None else line,
            **traits,
        )
        self.at = self.line * self.model.width if at is None else at

    def asset(self, name: str) -> bytes:
        return self.shipped(name) if self.own is None else zoo.packed(self.own)

    @traitlets.validate("drawn")
    def _check_drawn(self, proposal):
        if len(proposal.value) != self.model.length:
            raise traitlets.TraitError(
                f"drawn has {len(proposal.value)} pixels; expected {self.model.length}: "
                f"{self.model.height} rows of {self.model.width}"
            )
        return proposal.value

    @traitlets.validate("line")
    def _check_line(self, proposal):
        if proposal.value > self.model.height:
            raise traitlets.TraitError(
                f"the line lies under row {proposal.value}; "
                f"the page has {self.model.height}"
            )
        return proposal.value

    @traitlets.validate("at")
    def _check_at(self, proposal):
        if proposal.value > self.model.length:
            raise traitlets.TraitError(
                f"the pen is at pixel {proposal.value}; the page has {self.model.length}"
            )
        return proposal.value

    def picture(self) -> Picture:
        """The reader's rows, how the model finishes them, and p(ink) of each pixel."""
        given = torch.tensor(self.drawn)[: self.line * self.model.width]
        pixels, chances = draw(self.model, given, self.seed, self.temperature)
        half = torch.full((self.model.length,), torch.nan)  # grey: not yet drawn
        half[: len(given)] = given
        title = "The reader draws the top, the model goes on below the line"
        figure = Picture(title, 2.7)
        shades = {"the top": half, "the digit": pixels, "p(ink) of each pixel": chances}
        for axes, name in zip(figure.subplots(1, 3), shades, strict=True):
            self._panel(axes, name, shades[name])
        return figure

    def _panel(self, axes, name: str, shade: Tensor) -> None:
        picture = shade.reshape(self.model.height, self.model.width).numpy()
        axes.set_facecolor(GRID)
        axes.imshow(picture, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        axes.axhline(self.line - 0.5, color=COLOURS["neighbourhood"], linestyle="--")
        axes.set(xticks=[], yticks=[], title=name)
        axes.spines[:].set(visible=True, color=GRID)
        axes.grid(visible=False)


def checked(model) -> PixelCNN:
    """The model, if the page can run it; else a ValueError."""
    if not isinstance(model, PixelCNN):
        raise ValueError(
            f"the pen runs a PixelCNN, got a {type(model).__name__}: "
            "train one of lookback.models.pixelcnn"
        )
    if model.vocabulary != 2:
        raise ValueError(
            "the pen draws with paper and ink, got a model with "
            f"{model.vocabulary} values a pixel: train one with vocabulary=2"
        )
    return model
