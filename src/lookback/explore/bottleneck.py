"""The bottleneck: grow a sentence clause by clause and watch its translation break."""

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

import torch
import traitlets

from lookback import decoding, figures
from lookback.autoregressive import Autoregressive
from lookback.data.grammar import Pair
from lookback.data.growth import added, growth
from lookback.data.lexicon import ATTACHED
from lookback.data.translation import gloss
from lookback.data.vocabulary import TARGET, tensors
from lookback.explore.explorable import Explorable
from lookback.figures import Picture

LONGEST = 60  # tokens that a translation may have
Probe = Callable[[Autoregressive, Pair], Mapping[int, str]]


class Bottleneck(Explorable):
    """Sentences grown clause by clause, their translations and what went wrong.

    `picked` is the word of the reference that was clicked: `english` (the sentence),
    `reader`, `clauses`, the `word`, what it says (`gloss`), its `log_prob` in nats after
    the right words, and what was `said` in its place.

    Args:
        model: a translator from English to Korean, or several: name -> translator.
        sentences: English sentences of several clauses, each to be grown.
        probe: what can be read back from a model's vector of a sentence: place of a
            source word -> the word that is read there; empty if nothing was asked.
        traits: how it begins: `sentence` (counted from 0), `clauses`, `reader`.

    Raises:
        GrammarError: a sentence that the grammar does not have.
    """

    sentences = traitlets.List().tag(sync=True)  # each a list of stages, see `stage`
    readers = traitlets.Dict().tag(sync=True)  # name -> size of the vector, or None
    sentence = traitlets.Int(0).tag(sync=True)
    clauses = traitlets.Int(2).tag(sync=True)
    reader = traitlets.Unicode().tag(sync=True)
    picked = traitlets.Dict().tag(sync=True)

    def __init__(self, model: Autoregressive | Mapping[str, Autoregressive],
                 sentences: str | Sequence[str], *, probe: Probe | None = None,
                 **traits):  # fmt: skip
        models = dict(model) if isinstance(model, Mapping) else {"the model": model}
        given = [sentences] if isinstance(sentences, str) else sentences
        super().__init__(
            sentences=[grown(models, sentence, probe) for sentence in given],
            readers={name: one.config.get("hidden") for name, one in models.items()},
            **{"reader": next(iter(models)), **traits},
        )

    def picture(self) -> Picture:
        stages = self.sentences[self.sentence]
        last = in_english_order(stages[-1])
        words = [stages[-1]["english"][stages[-1]["words"][i][2]] for i in last]
        sure = torch.full((len(stages), len(words)), float("nan"))
        for k, one in enumerate(stages):
            columns = [c for c, i in enumerate(last) if stages[-1]["words"][i][3] <= k]
            steps = torch.tensor(one["by"][self.reader]["log_prob"])
            sure[k, columns] = steps[in_english_order(one)].exp()
        return figures.heatmap(
            sure, [str(k + 1) for k in range(len(stages))], words,
            title="How sure the model is of each right word",
            xlabel="English word", ylabel="clauses", unit="probability",
            colour="one vector", limits=(0, 1),
        )  # fmt: skip


def grown(models: Mapping[str, Autoregressive], sentence: str, probe) -> list[dict]:
    """The stages of a sentence: its first clause, its first two, to the whole."""
    pairs = growth(sentence)
    clauses, since = [], []  # the clause of each word, stage by stage
    for k, pair in enumerate(pairs):
        new = added(pairs[k - 1].source if k else (), pair.source)
        since = [*since[: new.start], *[k] * len(new), *since[new.start :]]
        clauses.append(since)
    by = {name: results(model, pairs, probe) for name, model in models.items()}
    return [
        stage(pair, clauses[k], {name: found[k] for name, found in by.items()})
        for k, pair in enumerate(pairs)
    ]


def stage(pair: Pair, clauses: list[int], by: dict[str, dict]) -> dict:
    """One stage as the browser gets it.

    Returns:
        `english`: its words; `clause`: for each, at which stage it came, from 0;
        `words`: the reference as [Korean, what it says, place of the English word that
        it renders, stage at which that came]; `by`: name of a model -> `results`.
    """
    words = [
        [*told(pair.target, places), pair.alignment[places[0]][0]]
        for places in written(pair.target)
    ]
    return {
        "english": list(pair.source),
        "clause": clauses,
        "words": [[*word, clauses[word[-1]]] for word in words],
        "by": by,
    }


def results(model: Autoregressive, pairs: list[Pair], probe: Probe | None) -> list[dict]:
    """What a model makes of each stage.

    Returns:
        for each, `log_prob`: of each word of the reference, after the right words, nats,
        then of the end; `said`: its greedy translation as [Korean, what it says];
        `pairs`: which word of the reference stands beside which that was said, None for
        none; `read`: place of an English word -> the word that the probe reads there.
    """
    steps, found = score(model, pairs), translated(model, pairs)
    both = zip(pairs, steps, found, strict=True)
    return [
        {
            "log_prob": by_word(pair.target, log_probs),
            "said": [told(said, places) for places in written(said)],
            "pairs": side_by_side(pair.target, said),
            "read": {str(k): word for k, word in probe(model, pair).items()}
            if probe
            else {},
        }
        for pair, log_probs, said in both
    ]


@torch.no_grad()
def score(model: Autoregressive, pairs: list[Pair]) -> list[list[float]]:
    """Log-probability of each token of the references and of the end, nats."""
    device = next(model.parameters()).device
    x, context = (part.to(device) for part in tensors(pairs))
    steps = model.logits(x, context).log_softmax(-1).gather(2, x[..., None])[..., 0]
    return [
        row[: len(pair.target) + 1].tolist()
        for row, pair in zip(steps, pairs, strict=True)
    ]


def translated(model: Autoregressive, pairs: list[Pair]) -> list[tuple[str, ...]]:
    """The greedy translations."""
    context = tensors(pairs)[1].to(next(model.parameters()).device)
    found = decoding.greedy(model, context, max_length=LONGEST)
    return [TARGET.decode(hypothesis.tokens) for hypothesis in found]


def written(tokens: Sequence[str]) -> list[list[int]]:
    """The places of the tokens that are written together: a noun and its particle."""
    words: list[list[int]] = []
    for place, token in enumerate(tokens):
        if token in ATTACHED and words:
            words[-1].append(place)
        else:
            words.append([place])
    return words


def told(tokens: Sequence[str], places: list[int]) -> list[str]:
    """A written word and what it says."""
    chosen = [tokens[place] for place in places]
    return ["".join(chosen), " ".join(map(gloss, chosen))]


def by_word(tokens: Sequence[str], log_probs: list[float]) -> list[float]:
    """The log-probabilities of written words, then that of the end."""
    words = [sum(log_probs[place] for place in places) for places in written(tokens)]
    return [round(value, 5) for value in [*words, log_probs[-1]]]


def side_by_side(reference: Sequence[str], said: Sequence[str]) -> list[tuple]:
    """Places of written words in both, like beside like; None where one has no match."""
    both = [[told(s, places)[0] for places in written(s)] for s in (reference, said)]
    pairs = []
    for _, a, b, c, d in SequenceMatcher(None, *both, autojunk=False).get_opcodes():
        pairs += zip_longest(range(a, b), range(c, d))
    return pairs


def in_english_order(stage: dict) -> list[int]:
    """The places of the reference's words in the order of what they render."""
    places = range(len(stage["words"]))
    return sorted(places, key=lambda place: stage["words"][place][2])
