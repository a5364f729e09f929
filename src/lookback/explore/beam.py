"""The beam: width, alpha, step by step, and what was pruned stays in sight.

The browser searches. Its data is the part of the model's tree that any width up to
`WIDEST` and any alpha up to `LARGEST` can come to. How far a search goes depends on
alpha, where it goes does not; so one search a width, with the largest alpha, sees it all.
"""

import math

import torch
import traitlets

from lookback import decoding, figures
from lookback.autoregressive import Autoregressive
from lookback.data.lexicon import ATTACHED
from lookback.data.translation import gloss, translate
from lookback.data.vocabulary import EOS, TARGET, tensors
from lookback.decoding import Found, power
from lookback.explore.explorable import Explorable
from lookback.figures import Picture

WIDEST, LARGEST = 6, 1.5  # width, alpha


class Beam(Explorable):
    """A beam search for the translation of a sentence, to be stepped through.

    `picked` is the prefix or sentence that was clicked: `english`, `width`, `alpha`, its
    `words`, its `log_prob` in nats, its `score` at this alpha, whether it has `ended`.

    Args:
        model: a translator from English to Korean.
        sentences: an English sentence, or several to choose from.
        longest: tokens at most, the end among them.
        traits: how it begins: `width`, `alpha`, `sentence` (counted from 0), `position`
            (None for the end of the search).

    Raises:
        GrammarError: a sentence that the grammar does not have.
    """

    # The end comes first; then words as [Korean, what it says, joins the word before].
    words = traitlets.List().tag(sync=True)
    sentences = traitlets.List().tag(sync=True)
    longest = traitlets.Int().tag(sync=True)
    widest = traitlets.Int(WIDEST).tag(sync=True)
    largest = traitlets.Float(LARGEST).tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    width = traitlets.Int(2).tag(sync=True)
    alpha = traitlets.Float(0.0).tag(sync=True)
    position = traitlets.Int(None, allow_none=True).tag(sync=True)
    picked = traitlets.Dict().tag(sync=True)

    def __init__(self, model: Autoregressive, sentences: str | list[str], *,
                 longest: int = 40, **traits):  # fmt: skip
        given = [sentences] if isinstance(sentences, str) else list(sentences)
        self.model, places = model, {EOS: 0}  # a token -> its place among the words
        trees = [stored(model, sentence, longest, places) for sentence in given]
        words = [["(end)", "", False], *map(described, list(places)[1:])]
        super().__init__(words=words, sentences=trees, longest=longest, **traits)

    @traitlets.validate("width")
    def _width_is_stored(self, proposal):
        return within(proposal.value, 1, WIDEST, "width")

    @traitlets.validate("alpha")
    def _alpha_is_stored(self, proposal):
        return within(proposal.value, 0, LARGEST, "alpha")

    def picture(self) -> Picture:
        """Log-probability position by position: what was found, and greedy search's."""
        source = context(self.sentences[self.sentence]["english"])
        settings = {"found": (self.width, self.alpha), "greedy": (1, 0.0)}
        series = {}
        for name, (width, alpha) in settings.items():
            found = search(self.model, source, width, alpha, self.longest)
            series[name] = so_far(self.model, source, found.tokens)
        most = max(map(len, series.values()))
        series = {n: [*s, *[math.nan] * (most - len(s))] for n, s in series.items()}
        return figures.lines(
            range(1, most + 1), series, colours={"found": "one vector"},
            title=f"What a beam of width {self.width} found, and what greedy search says",
            xlabel="position", ylabel="log-probability so far (nats)",
        )  # fmt: skip


def within(value, least, most, name: str):
    """The value, if it lies in the range; a TraitError if not."""
    if not least <= value <= most:
        raise traitlets.TraitError(
            f"{name} must lie in {least} .. {most}, what the tree covers; got {value}"
        )
    return value


def described(token: int) -> list:
    """A Korean word, what it says, and whether it is written onto the word before."""
    word = TARGET.words[token]
    return [word, gloss(word), word in ATTACHED]


def context(english: str) -> torch.Tensor:
    """The English sentence as a batch of one (1, S)."""
    return tensors([translate(english)])[1]


def search(model, source, width: int, alpha: float, longest: int) -> Found:
    """The search that the browser repeats: as many hypotheses as the beam is wide."""
    return decoding.beam(
        model, source.to(next(model.parameters()).device), width=width, n_best=width,
        max_length=longest, length_penalty=power(alpha), tree=True,
    )[0]  # fmt: skip


@torch.no_grad()
def so_far(model, source, tokens: tuple[int, ...]) -> list[float]:
    """Log-probability of each beginning of a sentence, nats."""
    device = next(model.parameters()).device
    x = torch.tensor([tokens], device=device)
    steps = model.logits(x, source.to(device)).log_softmax(-1)  # (1, T, V)
    return steps.gather(2, x[..., None])[0, :, 0].cumsum(0).tolist()


def stored(model: Autoregressive, english: str, longest: int, places: dict[int, int]):
    """A sentence, its reference and the tree that the browser searches.

    Args:
        places: token -> its place in the list of words; grows as words are met.
    """
    pair = translate(english)
    x, source = tensors([pair])
    log_prob = so_far(model, source, tuple(x[0].tolist()))[-1]
    reference = [places.setdefault(token, len(places)) for token in x[0].tolist()]
    return {
        "english": " ".join(pair.source),
        "reference": {"words": reference, "log_prob": round(log_prob, 6)},
        **union(model, source, longest, places),
    }


def union(model, source, longest: int, places: dict[int, int]) -> dict[str, list]:
    """All prefixes that a search of any width comes to, parents first.

    Returns:
        `parent` and `word` by number, the root 0, and the `log_prob` of each step, nats.
    """
    numbers, parents, words, steps = {(): 0}, [-1], [-1], [0.0]
    for width in range(1, WIDEST + 1):
        nodes = search(model, source, width, LARGEST, longest).tree
        paths = [()]
        for node in nodes[1:]:
            parent = paths[node.parent]
            paths.append((*parent, node.symbol))
            if paths[-1] not in numbers:
                numbers[paths[-1]] = len(numbers)
                parents.append(numbers[parent])
                words.append(places.setdefault(node.symbol, len(places)))
                steps.append(round(node.log_prob - nodes[node.parent].log_prob, 6))
    return {"parent": parents, "word": words, "log_prob": steps}
