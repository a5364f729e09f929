"""What a recipe is: a model, its data, what to measure, a budget, a seed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from lookback.autoregressive import Autoregressive


@dataclass(frozen=True)
class Task:
    """Data to train on, and what to measure.

    Attributes:
        draw: step -> (x, context), the training batches.
        evaluate: model -> held-out nats, for the curve.
        measure: model -> the results that go on the card.
        data: what the data are, in words.
    """

    draw: Callable[[int], tuple[Tensor, Tensor | None]]
    evaluate: Callable[[Autoregressive], float]
    measure: Callable[[Autoregressive], dict]
    data: str


@dataclass(frozen=True)
class Recipe:
    """What `python -m lookback train NAME` does.

    Attributes:
        build: makes the untrained model.
        task: makes its data and measures.
        settings: fields of `lookback.training.Settings`.
    """

    build: Callable[[], Autoregressive]
    task: Callable[[], Task]
    settings: dict = field(default_factory=dict)
    seed: int = 0
