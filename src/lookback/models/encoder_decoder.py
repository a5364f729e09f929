"""Squeezed into one vector: the encoder-decoder.

An encoder reads the source; F(h_1 .. h_S) = h_S, its last hidden state, is all that the
decoder gets. It sets the decoder's first state and stands beside every hidden state
when a word is chosen. `look_back` is the one method that a model with attention changes.

Differences from the papers: one GRU layer on each side (Sutskever et al. stack four
LSTMs); the vector reaches every word directly, as in Cho et al.

References:
    1. Sutskever, Vinyals and Le (2014), Sequence to sequence learning with neural
       networks.
    2. Cho et al. (2014), Learning phrase representations using RNN encoder-decoder.
"""

import torch
from torch import Tensor, nn

from lookback.autoregressive import Autoregressive, check_batch, check_symbols


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Each row of (B, S, ...) backwards, its padding left where it was."""
    place = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
    mirrored = lengths[:, None] - 1 - place  # negative in the padding
    rows = torch.arange(len(x), device=x.device)[:, None]
    return x[rows, torch.where(mirrored >= 0, mirrored, place)]


class EncoderDecoder(Autoregressive):
    """p(target | source) through one vector of `hidden` numbers.

    Args:
        source_vocabulary: number of source symbols; 0 is padding on both sides.
        reverse: read the source from its last word to its first.
        bidirectional: read it both ways, with half of the hidden numbers each.
    """

    shared = ("memory",)

    def __init__(self, source_vocabulary: int, vocabulary: int, *, embedding=64,
                 hidden=256, reverse=False, bidirectional=False, pad=0, eos=1,
                 **config):  # fmt: skip
        super().__init__(
            vocabulary, pad=pad, eos=eos, source_vocabulary=source_vocabulary,
            embedding=embedding, hidden=hidden, reverse=reverse,
            bidirectional=bidirectional, **config,
        )  # fmt: skip
        if bidirectional and hidden % 2:
            raise ValueError(f"both directions share the hidden numbers evenly: {hidden} "
                             "is odd; choose an even one")  # fmt: skip
        self.source_vocabulary, self.reverse = source_vocabulary, reverse
        self.bidirectional = bidirectional
        self.embed_source = nn.Embedding(source_vocabulary, embedding)
        self.embed = nn.Embedding(vocabulary + 1, embedding)  # the last row: start
        each = hidden // 2 if bidirectional else hidden
        self.encoder = nn.GRU(embedding, each, batch_first=True)
        if bidirectional:
            self.backward_encoder = nn.GRU(embedding, each, batch_first=True)
        self.bridge = nn.Linear(hidden, hidden)
        self.decoder = nn.GRU(embedding, hidden, batch_first=True)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.out = nn.Linear(hidden, vocabulary)

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """Read the source (B, S).

        Returns:
            `states` (B, S, H), `mask` (B, S) True at words, `vector` (B, H).
        """
        self.check_source(source)
        mask = source != self.pad
        lengths = mask.sum(1)
        if self.reverse:
            source = reverse(source, lengths)
        states, vector = self.run(self.encoder, source, lengths)
        if self.bidirectional:
            mirrored, last = self.run(
                self.backward_encoder, reverse(source, lengths), lengths
            )
            states = torch.cat([states, reverse(mirrored, lengths)], -1)  # (B, S, H)
            vector = torch.cat([vector, last], -1)  # (B, H)
        return {"states": states, "mask": mask, "vector": vector}

    def run(self, encoder: nn.GRU, source: Tensor, lengths: Tensor):
        """All states (B, S, H') of one reading, and that at the last word (B, H')."""
        states, _ = encoder(self.embed_source(source.long()))  # (B, S, H')
        return states, states[torch.arange(len(source)), lengths - 1]

    def look_back(self, hidden: Tensor, memory: dict[str, Tensor]) -> Tensor:
        """What each decoder state (B, T, H) gets to see of the source: (B, T, H)."""
        return memory["vector"][:, None].expand_as(hidden)

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        heard = self.shift(x)
        check_batch(context, len(x))
        memory = self.encode(context)
        return self.decode(heard, self.first(memory), memory)[0]

    def start(self, batch: int, context: Tensor | None = None):
        check_batch(context, batch)
        memory = self.encode(context)
        return {"hidden": self.first(memory), "memory": memory}

    def step(self, previous: Tensor | None, state):
        hidden, memory = state["hidden"], state["memory"]
        if previous is None:
            previous = self.silence(len(hidden))
        logits, hidden = self.decode(previous[:, None], hidden, memory)
        return logits[:, 0], {"hidden": hidden, "memory": memory}

    def first(self, memory: dict[str, Tensor]) -> Tensor:
        """The decoder's first hidden state (B, H)."""
        return torch.tanh(self.bridge(memory["vector"]))

    def decode(self, heard: Tensor, hidden: Tensor, memory: dict[str, Tensor]):
        """Heard symbols (B, T), state (B, H) -> logits (B, T, V), last state (B, H).

        B is a multiple of the rows of the memory: several may look at the same source.
        """
        states, last = self.decoder(self.embed(heard), hidden[None])  # (B, T, H)
        together = states.reshape(len(memory["mask"]), -1, states.shape[-1])
        seen = self.look_back(together, memory).reshape(states.shape)  # (B, T, H)
        mixed = torch.tanh(self.combine(torch.cat([states, seen], -1)))
        return self.never_pad(self.out(mixed)), last[0]

    def check_source(self, source: Tensor | None) -> None:
        """Raise a ValueError unless `source` is (B, S), each row words, then padding."""
        if source is None:
            raise ValueError("a translator needs a source: pass context=(B, S) integers")
        check_symbols(source, self.source_vocabulary)
        word = source != self.pad
        if not bool(word[:, 0].all()) or bool((word[:, 1:] & ~word[:, :-1]).any()):
            raise ValueError(
                f"each source row must be words followed by padding ({self.pad}); "
                "a row is empty or has padding before a word"
            )
