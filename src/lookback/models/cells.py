"""Recurrent cells from their equations: a message is read, changed and handed along.

Parameters have the names and the shapes of `torch.nn.RNNCell`, `GRUCell` and `LSTMCell`,
so weights can be copied over; outputs and gradients are the same.

References:
    1. Elman (1990), Finding structure in time.
    2. Hochreiter and Schmidhuber (1997), Long short-term memory (with the forget gate
       of Gers, Schmidhuber and Cummins, 2000).
    3. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder. As
       in PyTorch, the reset gate acts after the product with the hidden state.
"""

import torch
from torch import Tensor, nn


class Cell(nn.Module):
    """What the cells share: an affine map of the input, one of the hidden state."""

    gates = 1

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        bound = hidden**-0.5
        rows = self.gates * hidden
        shapes = {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, hidden),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for name, shape in shapes.items():
            uniform = torch.empty(shape).uniform_(-bound, bound)
            self.register_parameter(name, nn.Parameter(uniform))

    def affine(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """What input and hidden state say to each gate: two tensors (B, gates * H)."""
        return x @ self.weight_ih.T + self.bias_ih, h @ self.weight_hh.T + self.bias_hh


class RNNCell(Cell):
    """h' = tanh(W x + U h + b): (B, I), (B, H) -> (B, H)."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        from_x, from_h = self.affine(x, h)
        return torch.tanh(from_x + from_h)


class GRUCell(Cell):
    """h' = (1 - z) n + z h, gates r and z: (B, I), (B, H) -> (B, H)."""

    gates = 3

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        from_x, from_h = self.affine(x, h)
        xr, xz, xn = from_x.chunk(3, -1)
        hr, hz, hn = from_h.chunk(3, -1)
        reset, update = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        new = torch.tanh(xn + reset * hn)
        return (1 - update) * new + update * h


class LSTMCell(Cell):
    """c' = f c + i g, h' = o tanh(c'): (B, I), ((B, H), (B, H)) -> ((B, H), (B, H))."""

    gates = 4

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        from_x, from_h = self.affine(x, h)
        i, f, g, o = (from_x + from_h).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


def unroll(cell: Cell, x: Tensor, state) -> Tensor:
    """Hand the state along a sequence: (B, T, I), first state -> all hidden (B, T, H)."""
    hidden = []
    for t in range(x.shape[1]):
        state = cell(x[:, t], state)
        hidden.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(hidden, 1)  # (B, T, H)
