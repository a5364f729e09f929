"""One file per way of looking back, and the place where models are registered.

`REGISTRY` names, for every model, a small random instance: what the contract tests
(`tests/test_contract.py`) run on. `CLASSES` finds a class by name, to load weights.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lookback.autoregressive import Autoregressive
from lookback.models.attention_translator import AttentionTranslator
from lookback.models.encoder_decoder import EncoderDecoder
from lookback.models.gated_pixelcnn import GatedPixelCNN
from lookback.models.made import MADE
from lookback.models.pixel_rnn import PixelRNN
from lookback.models.pixel_transformer import PixelTransformer
from lookback.models.pixelcnn import PixelCNN
from lookback.models.pixelsnail import PixelSNAIL
from lookback.models.recurrent import RecurrentLM
from lookback.models.transformer import TransformerTranslator


@dataclass(frozen=True)
class Registered:
    """How to make a small instance of a model for its tests.

    Attributes:
        build: returns the model with few, random weights and a vocabulary of at most 4.
        context: the kind of context it needs: None, "source" (symbols below
            `source_vocabulary`, padded with 0) or "label" (below `classes`).
    """

    build: Callable[[], Autoregressive]
    context: str | None = None


SMALL = {"embedding": 5, "hidden": 7}

TINY = {"size": 8, "heads": 2, "layers": 2, "feedforward": 6}

PICTURE = {"height": 3, "width": 4, "hidden": 16}


def attention(**options) -> Registered:
    """A small `AttentionTranslator`."""
    return Registered(lambda: AttentionTranslator(6, 4, **SMALL, **options), "source")


REGISTRY: dict[str, Registered] = {
    "rnn": Registered(lambda: RecurrentLM(4, cell="rnn", pad=0, eos=1, **SMALL)),
    "gru": Registered(lambda: RecurrentLM(4, cell="gru", pad=0, eos=1, **SMALL)),
    "lstm": Registered(lambda: RecurrentLM(3, cell="lstm", layers=2, **SMALL)),
    "no feedback": Registered(lambda: RecurrentLM(3, feedback=False, **SMALL)),
    "encoder-decoder": Registered(lambda: EncoderDecoder(6, 4, **SMALL), "source"),
    "encoder-decoder, source reversed": Registered(
        lambda: EncoderDecoder(6, 4, reverse=True, **SMALL), "source"
    ),
    "encoder-decoder, both ways": Registered(
        lambda: EncoderDecoder(6, 4, bidirectional=True, embedding=5, hidden=8), "source"
    ),
    "attention, dot": attention(score="dot"),
    "attention, scaled dot": attention(score="scaled_dot"),
    "attention, bilinear": attention(score="bilinear"),
    "attention, additive": attention(score="additive"),
    "attention, both ways": Registered(
        lambda: AttentionTranslator(6, 4, bidirectional=True, embedding=5, hidden=8),
        "source",
    ),
    "attention, monotonic": attention(local="monotonic", radius=1),
    "attention, predicted": attention(local="predicted", radius=2),
    "transformer": Registered(lambda: TransformerTranslator(6, 4, **TINY), "source"),
    "transformer, learned positions": Registered(
        lambda: TransformerTranslator(6, 4, positions="learned", longest=12, **TINY),
        "source",
    ),
    "pixelcnn": Registered(lambda: PixelCNN(kernel=3, first=3, layers=1, **PICTURE)),
    "pixelcnn, 5 x 5": Registered(lambda: PixelCNN(first=5, layers=2, **PICTURE)),
    "gated pixelcnn": Registered(
        lambda: GatedPixelCNN(kernel=3, first=3, layers=1, **PICTURE)
    ),
    "gated pixelcnn, by label": Registered(
        lambda: GatedPixelCNN(first=3, layers=2, classes=3, **PICTURE), "label"
    ),
    "pixelsnail": Registered(lambda: PixelSNAIL(kernel=3, first=3, layers=1, **PICTURE)),
    "pixel rnn": Registered(lambda: PixelRNN(position=False, **PICTURE)),
    "pixel rnn, told where": Registered(lambda: PixelRNN(position=True, **PICTURE)),
    "made": Registered(lambda: MADE(length=7, hidden=16)),
    "made, three values": Registered(lambda: MADE(3, length=6, hidden=20)),
    "made, hidden layers only": Registered(
        lambda: MADE(length=7, hidden=120, layers=2, direct=False)
    ),
    "made, several masks": Registered(
        lambda: MADE(3, length=6, hidden=60, layers=2, direct=False, connectivity=3)
    ),
    "pixel transformer": Registered(lambda: PixelTransformer(length=6, width=3, **TINY)),
}

CLASSES: dict[str, type[Autoregressive]] = {
    model.__name__: model
    for model in (
        RecurrentLM,
        EncoderDecoder,
        AttentionTranslator,
        TransformerTranslator,
        PixelTransformer,
        PixelRNN,
        MADE,
        PixelCNN,
        GatedPixelCNN,
        PixelSNAIL,
    )
}
__all__ = ["CLASSES", "REGISTRY", "Registered"]
