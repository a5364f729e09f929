"""The row of backs: pass a drawing down a row of people, and see where it fades."""

from collections.abc import Mapping

import torch
import traitlets

from lookback import figures
from lookback.explore.explorable import Explorable


class Backs(Explorable):
    """What each back in a row answers when it is asked what was drawn on the first.

    All data were measured on trained cells, up to T backs: `answers` by one training of
    each, `recall` and `slopes` (norms of the Jacobian) as typical of all trainings.
    """

    cells = traitlets.List(traitlets.Unicode()).tag(sync=True)
    answers = traitlets.List().tag(sync=True)
    recall = traitlets.List().tag(sync=True)
    slopes = traitlets.List().tag(sync=True)
    cell = traitlets.Unicode().tag(sync=True)
    drawing = traitlets.Int(3, min=0).tag(sync=True)
    length = traitlets.Int(20, min=1).tag(sync=True)

    def __init__(self, answers: Mapping, recall: Mapping, slopes: Mapping, **traits):
        """Each maps the name of a cell to its numbers.

        answers: (T + 1, N): what is answered at backs 0 to T for each of N drawings.
        recall: (T,): the share of drawings recalled at backs 1 to T.
        slopes: (T,): how much of a small change gets over 1 to T steps.
        """
        cells = list(answers)
        given = {
            "answers": [torch.as_tensor(answers[cell]).int().tolist() for cell in cells],
            "recall": [rounded(recall[cell], "{:.3f}") for cell in cells],
            "slopes": [rounded(slopes[cell], "{:.2e}") for cell in cells],
        }
        for cell, *found in zip(cells, *given.values(), strict=True):
            if not len(found[0]) - 1 == len(found[1]) == len(found[2]):
                raise ValueError(
                    f"{cell} has {len(found[0])} rows of answers, {len(found[1])} of "
                    f"recall and {len(found[2])} of slopes; expected T + 1, T and T"
                )
        super().__init__(cells=cells, **given, **{"cell": cells[0]} | traits)

    def picture(self) -> figures.Picture:
        recall = dict(zip(self.cells, self.recall, strict=True))
        known = {cell: cell.split(",")[0].lower() for cell in self.cells}
        return figures.lines(
            range(1, len(self.recall[0]) + 1), recall, ylim=(0, 1.05),
            title="How many of the drawings each back can tell",
            xlabel="distance (backs)", ylabel="recalled (share)",
            colours={c: n for c, n in known.items() if n in figures.CELLS},
        )  # fmt: skip


def rounded(numbers, form: str) -> list[float]:
    """Numbers as they are shown, so that the last digits of a machine do not matter."""
    return [float(form.format(float(number))) for number in numbers]
