"""Looked up anywhere, by content: the encoder-decoder with attention.

The translator of `lookback.models.encoder_decoder` with one change: `look_back` no longer
gives every word the same vector, but a mean of all encoder states, weighted by how well
each fits the decoder's state. With `local`, only states around a centre count: the
word's own place (monotonic), or one that is predicted.

Differences from the papers: as in Luong et al., the decoder looks back after its cell has
moved, for the additive score too (Bahdanau et al. look before); the context is not fed
into the next cell, so that all positions look at once.

References:
    1. Bahdanau, Cho and Bengio (2015), Neural machine translation by jointly learning to
       align and translate.
    2. Luong, Pham and Manning (2015), Effective approaches to attention-based neural
       machine translation.
"""

import torch
from torch import Tensor

from lookback.attention import PredictedCentre, attend, attend_near, make_score
from lookback.autoregressive import check_batch
from lookback.models.encoder_decoder import EncoderDecoder

LOCAL = ("", "monotonic", "predicted")


class AttentionTranslator(EncoderDecoder):
    """p(target | source) with a look at the whole source for every word.

    Args:
        score: how states are compared: "dot", "scaled_dot", "bilinear" or "additive".
        local: "" to look anywhere, "monotonic" or "predicted" for a window.
        radius: of the window, in words (D in Luong et al.); unused when looking anywhere.
        config: as for `EncoderDecoder`.
    """

    def __init__(self, source_vocabulary: int, vocabulary: int, *, score="dot", local="",
                 radius=4, **config):  # fmt: skip
        super().__init__(
            source_vocabulary, vocabulary, score=score, local=local, radius=radius,
            **config,
        )  # fmt: skip
        if local not in LOCAL:
            raise ValueError(f"unknown window {local!r}: choose one of {LOCAL}")
        if self.reverse:
            raise ValueError("with attention the source is not reversed: leave it out")
        size = self.decoder.hidden_size
        self.score = make_score(score, size)
        self.local, self.radius = local, radius
        if local == "monotonic":
            self.shared = ()  # each row of the memory has a place of its own
        if local == "predicted":
            self.centre = PredictedCentre(size, max(1, size // 8))

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """As the `EncoderDecoder`; monotonic, also `place` (B,): words so far."""
        memory = super().encode(source)
        if self.local == "monotonic":
            memory["place"] = source.new_zeros(len(source))
        return memory

    def look_back(self, hidden: Tensor, memory: dict[str, Tensor]) -> Tensor:
        return self.look(hidden, memory)[0]

    def look(self, hidden: Tensor, memory: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Decoder states (B, T, H) -> what they see (B, T, H), weights (B, T, S)."""
        states, mask = memory["states"], memory["mask"].unsqueeze(1)  # (B, 1, S)
        if not self.local:
            return attend(hidden, states, states, self.score, mask)
        return attend_near(
            hidden, states, states, self.score, mask, self.centres(hidden, memory),
            self.radius, bell=self.local == "predicted",
        )  # fmt: skip

    def centres(self, hidden: Tensor, memory: dict[str, Tensor]) -> Tensor:
        """The middle of each position's window: (B, T)."""
        if self.local == "predicted":
            return self.centre(hidden, memory["mask"].sum(1))
        ahead = torch.arange(hidden.shape[1], device=hidden.device)
        return memory["place"].unsqueeze(1) + ahead

    def step(self, previous: Tensor | None, state):
        logits, state = super().step(previous, state)
        memory = state["memory"]
        if "place" in memory:
            state["memory"] = {**memory, "place": memory["place"] + 1}
        return logits, state

    def weights(self, x: Tensor, context: Tensor) -> Tensor:
        """Where each target position looks: (B, T), (B, S) -> (B, T, S)."""
        check_batch(context, len(x))
        memory = self.encode(context)
        states, _ = self.decoder(self.embed(self.shift(x)), self.first(memory)[None])
        return self.look(states, memory)[1]
