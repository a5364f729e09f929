"""The query: drag it among keys in the plane, and see the weights and the mixed value."""

import math

import torch
import traitlets
from torch import Tensor

from lookback import attention, figures
from lookback.explore.explorable import Explorable
from lookback.figures import style


class Query(Explorable):
    """A query among keys in the plane: whom it looks at, and what it gets.

    key: arrows, one a name. value: a number for each, in `unit`. query: an arrow.
    dimension: d. A score is the dot product in the plane times √(d / 2), as wide as that
    of vectors with d independent entries; `scaled` divides it by √d.
    """

    key = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    value = traitlets.List(traitlets.Float()).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)
    query = traitlets.List(traitlets.Float(), [1.0, 1.0]).tag(sync=True)
    dimension = traitlets.Int(2, min=1).tag(sync=True)
    scaled = traitlets.Bool(False).tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.01).tag(sync=True)

    def __init__(self, key, value, names, **traits):
        """key: (N, 2). value: N numbers. names: N words."""
        key = torch.as_tensor(key, dtype=torch.float)
        value = torch.as_tensor(value, dtype=torch.float).flatten()
        names = list(names)
        if key.shape != (len(names), 2) or len(value) != len(names):
            raise ValueError(
                f"{len(names)} names need keys ({len(names)}, 2) and as many values; got "
                f"keys {tuple(key.shape)} and {len(value)} values"
            )
        given = {"key": key.tolist(), "value": value.tolist(), "names": names}
        if "query" in traits:
            traits["query"] = torch.as_tensor(traits["query"]).flatten().tolist()
        super().__init__(**given, **traits)

    def look(self) -> tuple[float, Tensor]:
        """The answer, and the weights (N,)."""
        query, key = torch.tensor([self.query]), torch.tensor(self.key)
        value = torch.tensor(self.value)[:, None]  # (N, 1)
        answer, weights = attention.attend(query, key, value, self.score)
        return answer.item(), weights[0]

    def score(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (1, N) of a query (1, 2) for keys (N, 2)."""
        root = math.sqrt(self.dimension)
        scale = root / math.sqrt(2) / (root if self.scaled else 1)
        return attention.dot(query, key) * scale / self.temperature

    def picture(self) -> figures.Picture:
        answer, weights = self.look()
        figure = figures.Picture(f"The answer is {answer:.1f} {self.unit}", 3.4)
        plane, bars = figure.subplots(1, 2)
        plane.set(aspect="equal", xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
        arrow = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.012}
        plane.quiver(*[[0] * len(weights)] * 2, *zip(*self.key, strict=True),
                     color=style.COLOURS["attention"], **arrow)  # fmt: skip
        plane.quiver(0, 0, *self.query, color=style.INK, **arrow)
        plane.text(*(1.15 * place for place in self.query), "query", ha="center")
        for (x, y), name in zip(self.key, self.names, strict=True):
            side = "left" if x > 0 else "right"
            plane.text(1.2 * x, 1.2 * y, name, ha=side, va="center")
        bars.barh(self.names, weights, color=style.COLOURS["attention"])
        bars.invert_yaxis()
        bars.set(xlim=(0, 1), xlabel="weight")
        return figure
