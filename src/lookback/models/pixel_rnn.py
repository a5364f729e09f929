"""Handed along, pixel by pixel: an LSTM that draws.

What was drawn reaches a pixel as a message, re-told once a pixel: the pixel above is
`width` steps ago. With `position` the cell is told where it is: the row and the column of
the pixel to be drawn go straight into it, one-hot, beside the pixel before.

Differences from the paper: one plain LSTM along the raster order, where the Row and the
Diagonal BiLSTM hand a message from row to row in parallel.

References:
    1. van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks.
    2. Hochreiter and Schmidhuber (1997), Long short-term memory.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookback.autoregressive import Autoregressive
from lookback.models.pixelcnn import pixels


class PixelRNN(Autoregressive):
    """An LSTM over the pixels of a picture.

    Args:
        vocabulary: V, the number of values of a pixel.
        height, width: of the picture; a sequence is its pixels row by row.
        hidden: size of the LSTM's state.
        position: whether the cell is told the row and the column.
    """

    def __init__(self, vocabulary: int = 2, *, height=28, width=28, hidden=128,
                 position=True, length=None):  # fmt: skip
        config = {
            "height": height, "width": width, "hidden": hidden, "position": position
        }  # fmt: skip
        super().__init__(vocabulary, length=pixels(height, width, length), **config)
        self.height, self.width, self.position = height, width, position
        inputs = vocabulary + 1 + (height + width if position else 0)
        self.rnn = nn.LSTM(inputs, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocabulary)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        output, _ = self.rnn(self.inputs(self.shift(x), 0))  # (B, T, H)
        return self.out(output)

    def inputs(self, heard: Tensor, first: int) -> Tensor:
        """What the cell hears at positions `first` and on: (B, T) -> (B, T, I)."""
        told = F.one_hot(heard, self.vocabulary + 1).to(self.out.weight)
        if not self.position:
            return told
        place = torch.arange(first, first + heard.shape[1], device=heard.device)
        row = F.one_hot(place // self.width, self.height)
        column = F.one_hot(place % self.width, self.width)
        where = torch.cat([row, column], 1).to(told).expand(len(told), -1, -1)
        return torch.cat([told, where], 2)

    def start(self, batch: int, context: Tensor | None = None):
        zeros = self.out.weight.new_zeros(batch, self.rnn.hidden_size)
        return {"t": zeros.new_zeros(batch, dtype=torch.long), "hidden": (zeros, zeros)}

    def step(self, previous: Tensor | None, state):
        t, hidden = state["t"], tuple(leaf[None] for leaf in state["hidden"])
        if previous is None:
            previous = self.silence(len(t))
        told = self.inputs(previous[:, None], int(t[0]))  # (B, 1, I)
        output, hidden = self.rnn(told, hidden)
        new = tuple(leaf[0] for leaf in hidden)
        return self.out(output[:, 0]), {"t": t + 1, "hidden": new}
