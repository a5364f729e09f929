"""Everything looks at everything: the Transformer as a translator.

No state is handed along. Source words look at each other, target words at those before
them and at the source, all positions at once; only `step` goes one by one, and keeps the
keys and values of what it has seen.

Differences from the paper: the norm comes first, no dropout (the grammar does not run out
of sentences), no weights shared between embeddings and output, embeddings not multiplied
by sqrt(D), no label smoothing.

References:
    1. Vaswani et al. (2017), Attention is all you need.
"""

import torch
from torch import Tensor, nn

from lookback.attention import padding
from lookback.autoregressive import Autoregressive, check_batch
from lookback.models.blocks import Block, Positions, no_past, past_length
from lookback.models.encoder_decoder import EncoderDecoder


class TransformerTranslator(Autoregressive):
    """p(target | source) by attention alone.

    Args:
        source_vocabulary: number of source symbols; 0 is padding on both sides.
        size: D.  heads: of each attention.  feedforward: width of each block's network.
        layers: blocks in the encoder, and as many in the decoder.
        positions: "sinusoidal", or "learned" for the first `longest` positions.
    """

    shared = ("memory", "mask")
    check_source = EncoderDecoder.check_source

    def __init__(self, source_vocabulary: int, vocabulary: int, *, size=128, heads=4,
                 layers=2, feedforward=256, positions="sinusoidal", longest=128,
                 pad=0, eos=1):  # fmt: skip
        super().__init__(
            vocabulary, pad=pad, eos=eos, source_vocabulary=source_vocabulary, size=size,
            heads=heads, layers=layers, feedforward=feedforward, positions=positions,
            longest=longest,
        )  # fmt: skip
        self.source_vocabulary = source_vocabulary
        self.embed_source = nn.Embedding(source_vocabulary, size)
        self.embed = nn.Embedding(vocabulary + 1, size)  # the last row: start
        self.place_source = Positions(size, positions, longest)
        self.place = Positions(size, positions, longest)
        shape = size, heads, feedforward
        self.encoder = nn.ModuleList(Block(*shape) for _ in range(layers))
        self.decoder = nn.ModuleList(Block(*shape, cross=True) for _ in range(layers))
        self.norm_source, self.norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.out = nn.Linear(size, vocabulary)

    def encode(self, source: Tensor, need_weights: bool = False) -> dict:
        """Read the source (B, S).

        Returns:
            `memory`: keys and values for each block of the decoder; `mask` (B, 1, S);
            `weights`: (B, heads, S, S) of each block, or None.
        """
        self.check_source(source)
        mask = padding(source, self.pad)
        h, weights = self.place_source(self.embed_source(source.long())), []  # (B, S, D)
        for block in self.encoder:
            h, seen = block(h, mask, need_weights=need_weights)
            weights.append(seen["inward"])
        h = self.norm_source(h)
        memory = [block.outward.remember(h, h) for block in self.decoder]
        return {"memory": memory, "mask": mask, "weights": weights}

    def decode(self, heard: Tensor, source: dict, past=None, need_weights=False):
        """Heard symbols (B, T), what `encode` gave -> logits (B, T, V), what was seen."""
        h = self.place(
            self.embed(heard), past_length(past[0]) if past else 0
        )  # (B, T, D)
        seen = []
        for i, block in enumerate(self.decoder):
            h, new = block(
                h, is_causal=past is None, past=past and past[i],
                memory=source["memory"][i], memory_mask=source["mask"],
                need_weights=need_weights,
            )  # fmt: skip
            seen.append(new)
        return self.never_pad(self.out(self.norm(h))), seen

    def logits(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        heard = self.shift(x)
        check_batch(context, len(x))
        return self.decode(heard, self.encode(context))[0]

    def start(self, batch: int, context: Tensor | None = None):
        check_batch(context, batch)
        source = self.encode(context)
        past = [no_past(block, batch) for block in self.decoder]
        return {"past": past, "memory": source["memory"], "mask": source["mask"]}

    def step(self, previous: Tensor | None, state):
        if previous is None:
            (keys, _), _ = state["past"][0]
            previous = self.silence(len(keys))
        logits, seen = self.decode(previous[:, None], state, state["past"])
        return logits[:, 0], {**state, "past": [new["past"] for new in seen]}

    def weights(self, x: Tensor, context: Tensor) -> dict[str, Tensor]:
        """Where every head of every layer looks, for target (B, T) and source (B, S).

        Returns:
            `encoder` (B, L, heads, S, S), `decoder` (B, L, heads, T, T) and `cross`
            (B, L, heads, T, S).
        """
        check_batch(context, len(x))
        source = self.encode(context, need_weights=True)
        _, seen = self.decode(self.shift(x), source, need_weights=True)
        return {
            "encoder": torch.stack(source["weights"], 1),
            "decoder": torch.stack([new["inward"] for new in seen], 1),
            "cross": torch.stack([new["outward"] for new in seen], 1),
        }
