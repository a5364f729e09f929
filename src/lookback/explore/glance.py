"""The glance: compose a sentence, see its translation and where the translator looked.

The browser runs the translator itself (`translator.mjs`) and knows the grammar
(`english.mjs`): what is picked comes back in `sentence`, `translation` and `weights`.
"""

import copy
from collections.abc import Mapping
from typing import ClassVar

import torch
import traitlets
from torch import nn

from lookback import decoding, figures, zoo
from lookback.data import translation
from lookback.data.lexicon import ADJECTIVES, NOUNS, TIMES, VERBS
from lookback.data.vocabulary import SOURCE, SPECIAL, TARGET
from lookback.explore.explorable import Explorable
from lookback.explore.vocabulary import check_vocabulary, korean_word
from lookback.models.attention_translator import AttentionTranslator

SHIPPED = "attention-small"
LONGEST = 80  # Korean words, the end among them
EXAMPLES = [
    "the kind girl helps the boy that reads the book",
    "the cat sleeps in the garden because the dog sees the cat",
    "yesterday the old teacher wrote the letter at the school and the student read the "
    "letter",
    "the bear that eats the fish goes to the forest but at night the fox comes to the "
    "village because the bird that the child likes sleeps",
]
TENSES = {None: None, True: "past", False: "present"}


def language() -> dict:
    """The English that `english.mjs` reads, from the lexicon."""
    frames = [(v.present, "present", v.frame) for v in VERBS.values()]
    frames += [(v.past, "past", v.frame) for v in VERBS.values()]
    return {
        "nouns": list(NOUNS),
        "kinds": {noun.english: noun.kind for noun in NOUNS.values()},
        "adjectives": list(ADJECTIVES),
        "verbs": [{"word": w, "tense": t, "frame": f} for w, t, f in frames],
        "times": [
            {"words": list(words), "tense": TENSES[time.past]}
            for words, time in TIMES.items()
        ],
        "places": {
            preposition: [
                n.english for n in NOUNS.values() if n.preposition == preposition
            ]
            for preposition in ("in", "at")
        },
    }


def korean() -> list[dict]:
    """Every target word by its id; padding and the end say nothing."""
    special = [{"word": word, "gloss": ""} for word in SPECIAL]
    return special + [korean_word(word) for word in TARGET.words[len(SPECIAL) :]]


def named(model) -> dict[str, AttentionTranslator]:
    """One model or several, by name; a `TypeError` or `ValueError` if one cannot be used.

    A single model is called by its score.
    """
    several = isinstance(model, Mapping)
    models = (
        dict(model) if several else {getattr(model, "config", {}).get("score"): model}
    )
    for one in models.values():
        if not isinstance(one, AttentionTranslator):
            raise TypeError(
                f"{type(one).__name__} has no weights to show: give an "
                "AttentionTranslator, or several as {name: model}"
            )
        check_vocabulary(one)
    return models


class Tempered(nn.Module):
    """A score divided by a temperature: (..., T, D), (..., S, D) -> (..., T, S)."""

    def __init__(self, score, temperature: float):
        super().__init__()
        self.score, self.temperature = score, temperature

    def forward(self, query, key):
        return self.score(query, key) / self.temperature


def tempered(model: AttentionTranslator, temperature: float) -> AttentionTranslator:
    """A copy of a model that looks with a temperature: low is sharp, high is even."""
    model = copy.deepcopy(model).cpu().eval()
    model.score = Tempered(model.score, temperature)
    return model


class Glance(Explorable):
    """A translator at work: any sentence of the grammar, and where each word looked.

    Args:
        model: an `AttentionTranslator` of this course's vocabularies, or several by name
            (`{"dot": ..., "additive": ...}`), of which one is chosen in the figure; the
            shipped `attention-small` if not given. Its weights are copied.
        sentence: English, a sentence of the grammar.
        traits: see below.

    Traits, which the figure sets and Python may set or observe:
        sentence: the English sentence; the one thing that a reader composes.
        score: which of the models translates.
        decoder, width: "greedy", or "beam" with that many prefixes.
        temperature: what the scores are divided by before the softmax.
        translation: the Korean sentence.
        weights: a row for each Korean word and the end, in it a number for each English
            word and the end.

    Raises:
        TypeError: the model has no attention.
        ValueError: it has another vocabulary, or the sentence is not in the grammar.
    """

    assets: ClassVar[tuple[str, ...]] = (SHIPPED,)

    language = traitlets.Dict().tag(sync=True)
    source = traitlets.List().tag(sync=True)
    target = traitlets.List().tag(sync=True)
    examples = traitlets.List(EXAMPLES).tag(sync=True)
    models = traitlets.Dict().tag(sync=True)  # name -> asset
    longest = traitlets.Int(LONGEST).tag(sync=True)

    sentence = traitlets.Unicode().tag(sync=True)
    score = traitlets.Unicode().tag(sync=True)
    decoder = traitlets.Enum(["greedy", "beam"], "greedy").tag(sync=True)
    width = traitlets.Int(5).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    translation = traitlets.Unicode().tag(sync=True)
    weights = traitlets.List().tag(sync=True)

    def __init__(self, model=None, sentence=EXAMPLES[0], **traits):
        given = named(zoo.load(SHIPPED) if model is None else model)
        mine = [] if model is None else given.values()
        own = {f"own-{i}": zoo.packed(one) for i, one in enumerate(mine)}
        self._own, self._given = own, given
        super().__init__(
            language=language(), source=list(SOURCE.words), target=korean(),
            models=dict(zip(given, own or self.assets, strict=True)),
            sentence=sentence, **{"score": next(iter(given)), **traits},
        )  # fmt: skip
        if own:
            self.assets = tuple(own)
        words, weights = self._translated()
        self.translation, self.weights = translation.join(words), weights.tolist()

    def asset(self, name: str) -> bytes:
        """The weights of one of the models."""
        return self._own[name] if self._own else self.shipped(name)

    @traitlets.validate("sentence")
    def _in_the_grammar(self, proposal):
        words = translation.translate(proposal["value"]).source
        return " ".join(words)

    @traitlets.validate("score")
    def _known(self, proposal):
        if proposal["value"] not in self._given:
            raise traitlets.TraitError(
                f"no model {proposal['value']!r}: choose one of {', '.join(self._given)}"
            )
        return proposal["value"]

    @traitlets.validate("temperature")
    def _positive(self, proposal):
        if not proposal["value"] > 0:
            raise traitlets.TraitError(
                f"temperature must be positive, got {proposal['value']}"
            )
        return proposal["value"]

    @torch.no_grad()
    def _translated(self) -> tuple[tuple[str, ...], torch.Tensor]:
        """What the browser computes as well: Korean words, weights (T, S)."""
        model = tempered(self._given[self.score], self.temperature)
        source = torch.tensor([SOURCE.encode(self.sentence.split())])  # (1, S)
        width = self.width if self.decoder == "beam" else 1
        found = decoding.beam(model, source, width=width, max_length=self.longest)[0]
        weights = model.weights(torch.tensor([found.tokens]), source)[0]  # (T, S)
        return TARGET.decode(found.tokens), weights

    def picture(self):
        words, weights = self._translated()
        rows = [f"{word}  {translation.gloss(word)}" for word in words]
        return figures.heatmap(
            weights, [*rows, "(end)"][: len(weights)], [*self.sentence.split(), "(end)"],
            title="Where the translator looked as it wrote each word",
            xlabel="English", ylabel="Korean, and what it says", unit="weight",
            limits=(0, 1),
        )  # fmt: skip
