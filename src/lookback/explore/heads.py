"""The heads: who looks at whom in a Transformer, on a few stored sentences."""

import numpy as np
import torch
import traitlets

from lookback import figures, zoo
from lookback.data import translation
from lookback.data.vocabulary import tensors
from lookback.explore.explorable import Explorable
from lookback.explore.vocabulary import END, check_vocabulary, korean_word
from lookback.models.transformer import TransformerTranslator

SENTENCES = [
    "the cat that sees the dog sleeps in the garden",
    "the kind girl helps the boy that reads the book",
    "the dog sees the cat because the cat sees the dog",
    "yesterday the old teacher met the student and now the student works",
]
KINDS = ("encoder", "decoder", "cross")
SHOWN = {  # who looks, at whom
    "encoder": ("English", "English"),
    "decoder": ("Korean, being written", "Korean, heard"),
    "cross": ("Korean, being written", "English"),
}


class Heads(Explorable):
    """Every head of every layer of a Transformer: where it looks.

    Args:
        model: a `TransformerTranslator` of this course's vocabularies; the shipped
            `transformer` if not given.
        sentences: English sentences of the grammar; the model is told their translations.
        traits: see below.

    Traits, which the figure sets and Python may set or observe:
        index: which of the sentences.
        kind: "encoder" (English looks at English), "decoder" (Korean at the Korean heard
            before) or "cross" (Korean at English).
        layer, head: which head, from 1.

    Raises:
        TypeError: the model is no Transformer.
        ValueError: it has another vocabulary, or a sentence is not in the grammar.
    """

    sentences = traitlets.List().tag(sync=True)
    layers = traitlets.Int().tag(sync=True)
    heads = traitlets.Int().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)  # float16; see `packed`

    index = traitlets.Int(0).tag(sync=True)
    kind = traitlets.Enum(KINDS, "cross").tag(sync=True)
    layer = traitlets.Int(1).tag(sync=True)
    head = traitlets.Int(1).tag(sync=True)

    def __init__(self, model=None, sentences=SENTENCES, **traits):
        model = zoo.load("transformer") if model is None else checked(model)
        pairs = [translation.translate(sentence) for sentence in sentences]
        self._looks = [looks(model, pair) for pair in pairs]
        super().__init__(
            sentences=[shown(pair) for pair in pairs], layers=model.config["layers"],
            heads=model.config["heads"], weights=packed(self._looks), **traits,
        )  # fmt: skip

    @traitlets.validate("index", "layer", "head")
    def _there(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        first = 0 if name == "index" else 1
        counts = {"index": len(self.sentences), "layer": self.layers, "head": self.heads}
        if not first <= value < first + counts[name]:
            raise traitlets.TraitError(
                f"{name} must lie in {first} .. {first + counts[name] - 1}, got {value}"
            )
        return value

    @property
    def picked(self) -> torch.Tensor:
        """The weights that are shown: a row for each word that looks."""
        return self._looks[self.index][self.kind][self.layer - 1, self.head - 1]

    def picture(self):
        sentence = self.sentences[self.index]
        english = [word["word"] for word in sentence["source"]]
        korean = [f"{w['word']}  {w['gloss']}".strip() for w in sentence["target"]]
        rows = english if self.kind == "encoder" else korean
        columns = ["(start)", *korean[:-1]] if self.kind == "decoder" else english
        who, whom = SHOWN[self.kind]
        return figures.heatmap(
            self.picked, rows, columns, ylabel=who, xlabel=whom, unit="weight",
            title=f"Where head {self.head} of layer {self.layer} looks", limits=(0, 1),
        )  # fmt: skip


def checked(model) -> TransformerTranslator:
    """The model, if its heads can be shown; else a `TypeError` or `ValueError`."""
    if not isinstance(model, TransformerTranslator):
        raise TypeError(
            f"{type(model).__name__} has no heads to show: give a TransformerTranslator"
        )
    check_vocabulary(model)
    return model


@torch.no_grad()
def looks(model: TransformerTranslator, pair) -> dict[str, torch.Tensor]:
    """Where each head looks, by kind: (L, heads, rows, columns)."""
    x, source = tensors([pair])
    device = next(model.parameters()).device
    weights = model.weights(x.to(device), source.to(device))
    return {kind: weights[kind][0].cpu() for kind in KINDS}


def packed(all_looks) -> bytes:
    """Weights as float16, one sentence after the other, each in the order of `KINDS`."""
    parts = [weights[kind].flatten() for weights in all_looks for kind in KINDS]
    return torch.cat(parts).numpy().astype(np.float16).tobytes()


def shown(pair) -> dict:
    """The words of a pair with what the browser needs to know about them."""
    return {
        "source": [{"word": word} for word in (*pair.source, "(end)")],
        "target": [*map(korean_word, pair.target), END],
    }
