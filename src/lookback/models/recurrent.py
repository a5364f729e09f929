"""Handed along: a recurrent language model.

All that position t knows of the past is one hidden state, passed from cell to cell. The
layers are PyTorch's, for speed; `lookback.models.cells` has the same equations spelled
out. With `feedback=False` the model never hears what it has said: each position gets the
start symbol again, so the hidden state can only count.

References:
    1. Elman (1990), Finding structure in time.
    2. Mikolov et al. (2010), Recurrent neural network based language model.
"""

from torch import Tensor, nn

from lookback.autoregressive import Autoregressive, map_state

LAYERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def layer(cell: str, inputs: int, hidden: int, layers: int = 1) -> nn.Module:
    """A batch-first recurrent layer: `cell` is "rnn", "gru" or "lstm"."""
    if cell not in LAYERS:
        raise ValueError(f"unknown cell {cell!r}: choose one of {', '.join(LAYERS)}")
    return LAYERS[cell](inputs, hidden, num_layers=layers, batch_first=True)


def swap(state):
    """Layers first, as PyTorch keeps a hidden state, to batch first, and back."""
    return map_state(lambda leaf: leaf.transpose(0, 1).contiguous(), state)


class RecurrentLM(Autoregressive):
    """Embedding, recurrent layers, a linear map to logits."""

    def __init__(self, vocabulary: int, *, embedding=64, hidden=128, cell="gru",
                 layers=1, feedback=True, **special):  # fmt: skip
        super().__init__(
            vocabulary, embedding=embedding, hidden=hidden, cell=cell, layers=layers,
            feedback=feedback, **special,
        )  # fmt: skip
        self.feedback = feedback
        self.embed = nn.Embedding(vocabulary + 1, embedding)  # the last row: start
        self.rnn = layer(cell, embedding, hidden, layers)
        self.out = nn.Linear(hidden, vocabulary)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return self.read(self.shift(x), None)[0]

    def start(self, batch: int, context: Tensor | None = None):
        first = self.embed.weight.new_zeros(
            batch, self.rnn.num_layers, self.rnn.hidden_size
        )
        hidden = (first, first) if isinstance(self.rnn, nn.LSTM) else first
        return {"hidden": hidden}

    def step(self, previous: Tensor | None, state):
        hidden = state["hidden"]
        if previous is None:
            some = hidden[0] if isinstance(hidden, tuple) else hidden
            previous = self.silence(len(some))
        logits, hidden = self.read(previous[:, None], swap(hidden))
        return logits[:, 0], {"hidden": swap(hidden)}

    def read(self, heard: Tensor, hidden):
        """Heard symbols (B, T), hidden state -> logits (B, T, V), last hidden state."""
        if not self.feedback:
            heard = heard.new_full(heard.shape, self.vocabulary)
        output, hidden = self.rnn(self.embed(heard), hidden)  # (B, T, H)
        return self.never_pad(self.out(output)), hidden

    def reaches(self, source: int, target: int) -> bool:
        return self.feedback and source < target
