"""The window: choose a pixel, and see which of the pixels before it can reach it."""

import torch
import traitlets
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from torch import Tensor

from lookback import figures
from lookback.explore.explorable import Explorable
from lookback.figures import style
from lookback.models.gated_pixelcnn import above
from lookback.models.pixelcnn import earlier

WIRINGS = "one stack", "two stacks", "attention"


class Window(Explorable):
    """What one pixel of a picture can see, through how many masked layers.

    image: rows of 0 and 1, drawn faintly below. row, column: the pixel, as chosen.
    """

    image = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    wiring = traitlets.Enum(WIRINGS, "one stack").tag(sync=True)
    first = traitlets.Enum(("A", "B"), "A").tag(sync=True)
    kernel = traitlets.Enum((3, 5, 7), 3).tag(sync=True)
    layers = traitlets.Int(8, min=1, max=20).tag(sync=True)
    row = traitlets.Int().tag(sync=True)
    column = traitlets.Int().tag(sync=True)

    def __init__(self, image, **traits):
        """image: (height, width), 0 for paper and 1 for ink."""
        image = torch.as_tensor(image).int()
        height, width = image.shape
        place = {"row": min(16, height - 1), "column": min(14, width - 1)}
        super().__init__(image=image.tolist(), **place | traits)

    @traitlets.validate("row", "column")
    def _inside(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        count = len(self.image if name == "row" else self.image[0])
        if not 0 <= value < count:
            raise traitlets.TraitError(
                f"{name} must lie in 0 .. {count - 1}, got {value}"
            )
        return value

    def reach(self) -> Tensor:
        """(height, width): by how many layers each pixel is seen; 0 if never."""
        here = torch.zeros(len(self.image), len(self.image[0]), dtype=torch.bool)
        here[self.row, self.column] = True
        if self.wiring == "attention":
            return before(here).int()
        return by_layers(here, self.wiring, self.first, self.kernel, self.layers)

    def picture(self) -> figures.Picture:
        reach, here = self.reach(), self.row * len(self.image[0]) + self.column
        place = torch.arange(reach.numel()).view_as(reach)
        shade = torch.where(reach > 0, 2, (place < here).int())
        shade[self.row, self.column] = 3
        colour = "attention" if self.wiring == "attention" else "neighbourhood"
        names = {
            "not drawn yet": style.PAPER, "drawn, unseen": "#C9CFD6",
            "seen": figures.COLOURS[colour], "the pixel": style.INK,
        }  # fmt: skip
        figure = figures.Picture(self.title(reach), 4.6)
        axes = figure.add_subplot(xticks=[], yticks=[])
        axes.imshow(shade.numpy(), ListedColormap(list(names.values())), vmin=0, vmax=3)
        axes.spines[:].set_visible(True)
        keys = [Patch(facecolor=c, edgecolor=style.MUTED) for c in names.values()]
        figure.legend(keys, names, loc="outside right upper", frameon=False)
        return figure

    def title(self, reach: Tensor) -> str:
        """What the picture shows."""
        how = f"{self.wiring}, {self.layers} layers of {self.kernel} × {self.kernel}"
        drawn = self.row * reach.shape[1] + self.column
        seen = int((reach.flatten()[:drawn] > 0).sum())  # type B sees the pixel too
        who = "attention" if self.wiring == "attention" else how
        return f"{seen} of {drawn} earlier pixels are seen ({who})"


def before(here: Tensor) -> Tensor:
    """The pixels drawn before the one that is True in `here` (height, width)."""
    return (torch.arange(here.numel()) < int(here.flatten().int().argmax())).view_as(here)


def by_layers(here: Tensor, wiring: str, first: str, kernel: int, layers: int) -> Tensor:
    """By how many layers each pixel is seen from `here` (height, width); 0 if never."""
    least = torch.zeros_like(here, dtype=torch.int)
    seen, seen_above = here, torch.zeros_like(here)  # by the layers after the first
    for depth in range(1, layers + 1):
        if wiring == "one stack":
            found = spread(seen, earlier(kernel, first))
            seen = spread(seen, earlier(kernel, "B"))
        else:
            both = seen | seen_above  # the horizontal stack is told by the vertical one
            found = spread(seen, beside(kernel, first)) | spread(both, above(kernel, "A"))
            seen_above = spread(both, above(kernel, "B"))
            seen = spread(seen, beside(kernel, "B"))
        least[found & (least == 0)] = depth
    return least


def beside(kernel: int, kind: str) -> Tensor:
    """The last row of the mask `earlier`, all else False."""
    mask = earlier(kernel, kind)
    mask[:-1] = False
    return mask


def spread(seen: Tensor, mask: Tensor) -> Tensor:
    """The pixels that a masked kernel reads at one of the pixels seen (height, width)."""
    found, half = torch.zeros_like(seen), mask.shape[1] // 2
    for i, j in mask.nonzero().tolist():
        rows, columns = seen.nonzero(as_tuple=True)
        rows, columns = rows + i - half, columns + j - half
        inside = (rows >= 0) & (columns >= 0) & (columns < seen.shape[1])
        found[rows[inside], columns[inside]] = True
    return found
