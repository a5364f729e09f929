"""Cells from equations equal PyTorch's, forwards and backwards."""

import pytest
import torch
from torch import nn

from lookback.models import cells

PAIRS = [
    (cells.RNNCell, nn.RNN),
    (cells.GRUCell, nn.GRU),
    (cells.LSTMCell, nn.LSTM),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_outputs_and_gradients_equal_pytorch(ours, theirs):
    torch.manual_seed(0)
    cell, layer = ours(5, 7).double(), theirs(5, 7, batch_first=True).double()
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            parameter.copy_(getattr(layer, f"{name}_l0"))
    x, h = torch.randn(3, 11, 5).double(), torch.randn(3, 7).double()
    first = (h, h.cos()) if ours is cells.LSTMCell else h
    stacked = tuple(s[None] for s in first) if isinstance(first, tuple) else h[None]
    found, (expected, _) = cells.unroll(cell, x, first), layer(x, stacked)
    torch.testing.assert_close(found, expected)
    found.cos().sum().backward()
    expected.cos().sum().backward()
    for name, parameter in cell.named_parameters():
        torch.testing.assert_close(parameter.grad, getattr(layer, f"{name}_l0").grad)
