"""The decoders: against brute force, against one another, and at their limits."""

import itertools
import math
from functools import partial

import contract
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import pad as pad_with

from lookback.autoregressive import Autoregressive
from lookback.decoding import beam, exact, gnmt, greedy, plain, power, sample
from lookback.decoding.sampling import keep_nucleus, keep_top
from lookback.models import REGISTRY
from lookback.models.encoder_decoder import EncoderDecoder
from lookback.models.recurrent import RecurrentLM

NAMES = pytest.mark.parametrize("name", REGISTRY)
SMALL = {"embedding": 4, "hidden": 6}
MODELS = {
    "gru": lambda: RecurrentLM(5, pad=0, eos=1, **SMALL),
    "no pad": lambda: RecurrentLM(3, eos=2, **SMALL),
    "fixed length": lambda: RecurrentLM(3, cell="lstm", length=4, **SMALL),
    "translator": lambda: EncoderDecoder(6, 4, **SMALL),
}
PENALTIES = {"plain": plain, "power": power(0.8), "gnmt": gnmt(1.5)}
ANY_MODEL = st.sampled_from(list(MODELS))
ANY_PENALTY = st.sampled_from(list(PENALTIES))
SEEDS = st.integers(0, 10**6)
LONGEST = 4
SOME = settings(max_examples=30, deadline=None)


def random_model(kind, seed):
    """A small model with weights large enough for some symbols to be rare."""
    torch.manual_seed(seed)
    model = MODELS[kind]().double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return model


def sources(model, batch, seed=0):
    """A context for the models that need one."""
    kind = "source" if isinstance(model, EncoderDecoder) else None
    return contract.contexts(model, kind, batch, seed)


def brute_force(model, context, penalty=plain, least=1, longest=LONGEST):
    """Every finished sequence and its score, best first; nothing of the decoders."""
    words = [s for s in range(model.vocabulary) if s not in (model.pad, model.eos)]
    if model.eos is None:
        rows = list(itertools.product(words, repeat=longest))
    else:
        rows = [
            (*start, model.eos)
            for n in range(least - 1, longest)
            for start in itertools.product(words, repeat=n)
        ]
    scored = []
    for length, group in itertools.groupby(rows, len):
        x = torch.tensor(list(group))
        repeated = None if context is None else context.expand(len(x), -1)
        for row, value in zip(x, model.log_prob(x, repeated).tolist(), strict=True):
            scored.append((value / penalty(length), tuple(row.tolist())))
    return sorted(scored, reverse=True)


class Story(Autoregressive):
    """A model spelled out by hand: what follows each prefix, and how probable it is.

    Symbols are letters of `alphabet`; "." ends. What is not in the table has ended.
    """

    def __init__(self, table, alphabet="_.abcdef"):
        super().__init__(len(alphabet), pad=0, eos=1)
        self.table, self.alphabet = table, alphabet
        self.anchor = nn.Parameter(torch.zeros(1, dtype=torch.double))

    def logits(self, x, context=None):
        rows = [[self.after(row[:t]) for t in range(len(row))] for row in x.tolist()]
        return torch.tensor(rows, dtype=torch.double).log() + self.anchor

    def after(self, prefix):
        written = "".join(self.alphabet[s] for s in prefix)
        follows = self.table.get(written, {".": 1.0})
        return [follows.get(letter, 0.0) for letter in self.alphabet]

    def read(self, hypothesis):
        return "".join(self.alphabet[s] for s in hypothesis.tokens)


GARDEN = Story(
    {
        "": {"a": 0.5, "b": 0.4, "c": 0.1},
        "a": {"c": 0.35, "d": 0.35, "e": 0.3},
        "b": {"f": 0.9, "c": 0.1},
    }
)  # greedy: ac. 0.175; best: bf. 0.36


def same(found, expected, tolerance=1e-9):
    """Hypotheses with the same tokens and log-probabilities."""
    assert [h.tokens for h in found] == [h.tokens for h in expected]
    logs = [[h.log_prob for h in part] for part in (found, expected)]
    assert logs[0] == pytest.approx(logs[1], abs=tolerance)


# --- against brute force ---------------------------------------------------------------


@SOME
@given(ANY_MODEL, ANY_PENALTY, SEEDS, st.integers(1, 3))
def test_beam_that_drops_nothing_is_brute_force(kind, name, seed, least):
    model, penalty = random_model(kind, seed), PENALTIES[name]
    least = 1 if model.eos is None else least
    width = model.vocabulary**LONGEST
    options = {"max_length": LONGEST, "min_length": least, "length_penalty": penalty}
    context = sources(model, 2, seed)
    found = beam(model, context, batch=2, width=width, n_best=6, **options)
    for row, one in enumerate(found):
        given_ = None if context is None else context[row : row + 1]
        expected = brute_force(model, given_, penalty, least)[:6]
        assert [h.tokens for h in one.best] == [tokens for _, tokens in expected]
        scores = [score for score, _ in expected]
        assert [h.score for h in one.best] == pytest.approx(scores, abs=1e-9)


@SOME
@given(ANY_MODEL, ANY_PENALTY, SEEDS, st.integers(1, 3))
def test_exact_is_brute_force(kind, name, seed, least):
    model, penalty = random_model(kind, seed), PENALTIES[name]
    least = 1 if model.eos is None else least
    context = sources(model, 2, seed)
    found = exact(model, context, batch=2, min_length=least, max_length=LONGEST,
                  length_penalty=penalty)  # fmt: skip
    for row, one in enumerate(found):
        given_ = None if context is None else context[row : row + 1]
        score, tokens = brute_force(model, given_, penalty, least)[0]
        assert one.proved
        assert one.tokens == tokens
        assert one.score == pytest.approx(score, abs=1e-9)


@SOME
@given(ANY_MODEL, SEEDS, st.integers(1, 6))
def test_no_beam_beats_exact(kind, seed, width):
    model = random_model(kind, seed)
    context = sources(model, 3, seed)
    limits = {"batch": 3, "max_length": 4}
    best = exact(model, context, **limits)
    for one, two in zip(best, beam(model, context, width=width, **limits), strict=True):
        assert one.rank[0] >= two.rank[0]
        assert not two.finished or one.score >= two.score - 1e-9


def test_exact_finds_what_greedy_and_a_narrow_beam_walk_past():
    assert GARDEN.read(greedy(GARDEN, max_length=5)[0]) == "ac."
    assert GARDEN.read(beam(GARDEN, width=1, max_length=5)[0]) == "ac."
    for found in (beam(GARDEN, width=2, max_length=5)[0], exact(GARDEN, max_length=5)[0]):
        assert GARDEN.read(found) == "bf."
        assert found.log_prob == pytest.approx(math.log(0.36))


# --- against one another ---------------------------------------------------------------


@SOME
@given(ANY_MODEL, ANY_PENALTY, SEEDS, st.integers(1, 3))
def test_beam_of_width_one_is_greedy(kind, name, seed, least):
    model = random_model(kind, seed)
    least = 1 if model.eos is None else least
    context = sources(model, 3, seed)
    limits = {"batch": 3, "min_length": least, "max_length": 4}
    found = beam(model, context, width=1, length_penalty=PENALTIES[name], **limits)
    same(found, greedy(model, context, **limits))


@SOME
@given(ANY_MODEL, SEEDS, st.integers(2, 5))
def test_scores_are_the_log_prob_of_the_tokens(kind, seed, width):
    model = random_model(kind, seed)
    context = sources(model, 3, seed)
    limits = {"batch": 3, "max_length": 4}
    results = [
        greedy(model, context, **limits),
        sample(model, context, seed=seed, temperature=2.0, **limits),
        exact(model, context, **limits),
        beam(model, context, width=width, length_penalty=gnmt(1), **limits),
    ]
    for found in results:
        for row, one in enumerate(found):
            given_ = None if context is None else context[row : row + 1]
            for hypothesis in getattr(one, "best", [one]):
                expected = model.log_prob(torch.tensor([hypothesis.tokens]), given_)
                assert hypothesis.log_prob == pytest.approx(expected.item(), abs=1e-4)
                divisor = gnmt(1)(hypothesis.length) if found is results[3] else 1
                assert hypothesis.score == pytest.approx(expected.item() / divisor)


@SOME
@given(ANY_MODEL, SEEDS, st.integers(1, 5))
def test_nothing_follows_the_end(kind, seed, width):
    model = random_model(kind, seed)
    context = sources(model, 3, seed)
    limits = {"batch": 3, "max_length": 4}
    found = greedy(model, context, **limits) + sample(model, context, seed=1, **limits)
    found += exact(model, context, **limits)
    for one in beam(model, context, width=width, n_best=width, **limits):
        found += one.best
    for hypothesis in found:
        assert model.pad not in hypothesis.tokens
        assert model.eos not in hypothesis.tokens[:-1]
        ended = hypothesis.tokens[-1] == model.eos
        assert hypothesis.finished == (ended or hypothesis.length == model.length)


@SOME
@given(SEEDS, st.integers(1, 5), ANY_PENALTY)
def test_a_batch_is_what_its_sentences_are_alone(seed, width, name):
    """Sentences end at different times, so some leave a beam before others."""
    model = random_model("translator", seed)
    context = sources(model, 7, seed)
    searches = {
        "beam": lambda c: beam(model, c, width=width, n_best=width, max_length=9,
                               length_penalty=PENALTIES[name]),
        "exact": lambda c: exact(model, c, max_length=6),
        "greedy": lambda c: greedy(model, c, max_length=9),
    }  # fmt: skip
    for search in searches.values():
        whole = search(context)
        alone = [search(context[row : row + 1])[0] for row in range(7)]
        same(whole, alone)
        for one, two in zip(whole, alone, strict=True):
            same(getattr(one, "best", [one]), getattr(two, "best", [two]))
            assert getattr(one, "visited", 0) == getattr(two, "visited", 0)


@SOME
@given(SEEDS, st.integers(1, 5))
def test_padding_changes_nothing(seed, longer):
    model = random_model("translator", seed)
    context = sources(model, 4, seed)
    padded = pad_with(context, (0, longer))
    for search in (greedy, beam, exact):
        same(search(model, padded, max_length=6), search(model, context, max_length=6))


@NAMES
def test_caches_change_nothing(name, monkeypatch):
    """With the slow `step` of the base class, whose state grows, all find the same."""
    torch.manual_seed(0)
    model = contract.loud(REGISTRY[name].build())
    context = contract.contexts(model, REGISTRY[name].context, 3)
    limits = {"batch": 3, "max_length": model.length or 5}
    searches = [
        lambda: greedy(model, context, **limits),
        lambda: sample(model, context, seed=0, **limits),
        lambda: beam(model, context, width=3, **limits),
        lambda: exact(model, context, max_visited=64, **limits),
    ]
    cached = [search() for search in searches]
    monkeypatch.setattr(type(model), "start", Autoregressive.start)
    monkeypatch.setattr(type(model), "step", Autoregressive.step)
    for search, expected in zip(searches, cached, strict=True):
        same(search(), expected)


# --- length ----------------------------------------------------------------------------


@given(st.floats(0.01, 5), st.integers(1, 50), st.integers(1, 50), st.floats(-200, -1e-3))
def test_alpha_raises_the_score_of_the_longer(alpha, one, two, log_prob):
    shorter, longer = sorted((one, two))
    for penalty in (power(alpha), gnmt(alpha)):
        scores = [log_prob / penalty(length) for length in (shorter, longer)]
        assert scores[0] <= scores[1]
        assert shorter == longer or scores[0] < scores[1]


@SOME
@given(st.floats(0.01, 5), st.integers(1, 4), st.integers(1, 4), st.integers(2, 5))
def test_alpha_never_prefers_the_shorter_of_two_as_probable(alpha, more, start, width):
    """ "aa." and "bbbb." have probability 1/2 each; the shorter ends first."""
    table = {"": {"a": 0.5, "b": 0.5}}
    table |= {"a" * n: {"a": 1.0} for n in range(1, start)}
    table |= {"b" * n: {"b": 1.0} for n in range(1, start + more)}
    story = Story(table)
    for penalty in (power(alpha), gnmt(alpha)):
        limits = {"max_length": 12, "length_penalty": penalty}
        for found in (beam(story, width=width, **limits), exact(story, **limits)):
            assert story.read(found[0]) == "b" * (start + more) + "."


def test_the_divisors_are_those_of_the_papers():
    assert plain(9) == 1
    assert power(2)(3) == pytest.approx(9)
    assert gnmt(0.5)(7) == pytest.approx(2**0.5)
    assert power(0)(7) == gnmt(0)(7) == gnmt(2)(1) == 1


def test_alpha_turns_a_choice_to_the_longer():
    story = Story(
        {"": {".": 0.4, "a": 0.6}, "a": {"b": 0.6, ".": 0.4}}
    )  # 0.4, 0.24, 0.36
    assert story.read(beam(story, width=3, max_length=5)[0]) == "."
    for penalty in (power(1), gnmt(1)):
        found = beam(story, width=3, max_length=5, length_penalty=penalty, n_best=3)[0]
        assert story.read(found) == "ab."
        assert found.penalty == penalty(3)
        assert [h.score for h in found.best] == sorted(h.score for h in found.best)[::-1]


@pytest.mark.parametrize("search", [greedy, sample, beam, exact])
def test_min_and_max_length(search):
    model = random_model("gru", 3)
    for least, most in ((1, 1), (3, 3), (2, 5), (6, 6)):
        for hypothesis in search(model, batch=4, min_length=least, max_length=most):
            assert hypothesis.length <= most
            assert hypothesis.length >= least or not hypothesis.finished


@pytest.mark.parametrize("search", [greedy, sample, beam, exact])
def test_a_model_that_never_ends_is_cut_and_says_so(search):
    table = {"a" * n: {"a": 0.7, "b": 0.3} for n in range(20)}
    table |= {prefix: {"a": 1.0} for prefix in endless("ab", 6) if "b" in prefix}
    found = search(Story(table), max_length=6)[0]
    assert found.length == 6
    assert not found.finished


def endless(letters, longest):
    for n in range(longest):
        yield from map("".join, itertools.product(letters, repeat=n))


def test_what_has_ended_comes_before_what_has_not():
    story = Story({"a" * n: {"a": 0.9, ".": 0.1} for n in range(9)})
    found = beam(story, width=3, max_length=4, n_best=3)[0]
    assert [h.finished for h in found.best] == [True, True, True]
    assert [story.read(h) for h in found.best] == [".", "a.", "aa."]
    assert story.read(exact(story, max_length=4)[0]) == "."
    story = Story({"a" * n: {"a": 0.9, "b": 0.1} for n in range(9)})  # b. ends
    found = beam(story, width=2, max_length=2, n_best=2)[0]
    assert [(story.read(h), h.finished) for h in found.best] == [
        ("b.", True),
        ("aa", False),
    ]
    assert story.read(exact(story, max_length=2)[0]) == "b."


def test_nothing_possible_is_an_error():
    story = Story({})  # says "." with certainty
    for search in (greedy, sample, beam, exact):
        with pytest.raises(ValueError, match="no sequence of 2 to 4 symbols is possible"):
            search(story, min_length=2, max_length=4)


# --- how the beam works ----------------------------------------------------------------


@SOME
@given(ANY_MODEL, SEEDS, st.integers(1, 6))
def test_n_best_are_distinct_and_fall(kind, seed, width):
    model = random_model(kind, seed)
    context = sources(model, 2, seed)
    limits = {"batch": 2, "max_length": 4, "width": width}
    for found in beam(model, context, n_best=width, **limits):
        tokens = [h.tokens for h in found.best]
        assert 1 <= len(tokens) <= width
        assert len(set(tokens)) == len(tokens)
        assert tokens[0] == found.tokens
        ranks = [h.rank for h in found.best]
        assert ranks == sorted(ranks, reverse=True)


class Counting(RecurrentLM):
    """Counts the calls of `step` and their rows."""

    def step(self, previous, state):
        logits, state = super().step(previous, state)
        self.calls.append(len(logits))
        return logits, state


def test_one_call_of_the_model_a_position():
    torch.manual_seed(0)
    model = Counting(3, length=6, **SMALL)
    model.calls = []
    beam(model, batch=4, width=5)
    assert model.calls == [4, 12, 20, 20, 20, 20]  # 1, 3, 5, 5 ... hypotheses each


def test_the_search_stops_when_none_can_win():
    story = Story(
        {"": {".": 0.6, "a": 0.4}} | {"a" * n: {"a": 1.0} for n in range(1, 50)}
    )
    assert beam(story, width=3, max_length=40)[0].visited == 1
    # With a length penalty 0.4 could still win, until it is the longest.
    assert beam(story, width=3, max_length=40, length_penalty=power(1))[0].visited > 1
    for n in (1, 2):
        assert len(beam(story, width=3, n_best=n, max_length=60)[0].best) == n


def test_nothing_is_asked_once_all_have_ended(monkeypatch):
    calls, whole = [], Story.logits
    monkeypatch.setattr(Story, "logits", lambda *a: calls.append(1) or whole(*a))
    found = beam(Story({}), width=3, n_best=3, max_length=40)[0]
    assert (len(found.best), len(calls)) == (1, 1)


def test_the_bound_is_that_of_the_longest_hypothesis():
    """A long hypothesis wins by length alone; a search that stops early misses it."""
    story = Story({"": {".": 0.6, "a": 0.4}} | {"a" * n: {"a": 1.0} for n in range(1, 9)})
    for search in (beam, exact):
        found = search(story, max_length=10, length_penalty=power(1))[0]
        assert story.read(found) == "a" * 9 + "."  # log 0.4 / 10 > log 0.6 / 1


@pytest.mark.parametrize("width", [4, 10, 500])
def test_a_beam_wider_than_the_vocabulary(width):
    model = random_model("no pad", 1)  # V = 3
    found = beam(model, width=width, max_length=3, n_best=4)[0]
    if width >= 3**3:
        expected = brute_force(model, None, longest=3)[:4]
        assert [h.tokens for h in found.best] == [tokens for _, tokens in expected]
    assert found.finished


class Memory(RecurrentLM):
    """Carries something that never changes, and remembers where it was stored."""

    def start(self, batch, context=None):
        memory = {"source": torch.randn(batch, 50), "none": None}
        return {**super().start(batch, context), "memory": memory}

    def step(self, previous, state):
        self.stored.append(state["memory"]["source"].data_ptr())
        logits, new = super().step(previous, state)
        return logits, {**new, "memory": state["memory"]}


def test_what_hypotheses_share_is_not_copied():
    torch.manual_seed(0)
    model = Memory(3, length=9, **SMALL)
    model.stored = []
    beam(model, batch=4, width=3)
    assert len(set(model.stored)) == 2  # as B rows, then once as B * width
    model.stored = []
    exact(model, batch=1)
    assert len(set(model.stored[9:])) == 1  # after the beam that gives it a start


@SOME
@given(ANY_MODEL, SEEDS, st.integers(1, 4))
def test_the_tree_holds_the_search(kind, seed, width):
    model = random_model(kind, seed)
    context = sources(model, 2, seed)
    limits = {"batch": 2, "max_length": 4, "tree": True}
    for found in beam(model, context, width=width, **limits):
        check_tree(found)
        depths = depth(found.tree)
        for level in range(1, max(depths) + 1):
            nodes = [n for n, d in zip(found.tree, depths, strict=True) if d == level]
            kept = [n.log_prob for n in nodes if n.kept]
            dropped = [n.log_prob for n in nodes if not n.kept]
            assert 1 <= len(kept) <= width
            assert min(kept) >= max(dropped, default=-math.inf)
    for found in exact(model, context, **limits):
        check_tree(found)


def check_tree(found):
    """Parents come first, log-probabilities fall, the best hypothesis is in it."""
    children = {}
    for number, node in enumerate(found.tree[1:], 1):
        assert node.parent < number
        assert node.log_prob <= found.tree[node.parent].log_prob
        assert found.tree[node.parent].kept
        assert (node.parent, node.symbol) not in children
        children[node.parent, node.symbol] = number
    assert (found.tree[0].parent, found.tree[0].symbol) == (-1, None)
    place = 0
    for symbol in found.tokens:
        place = children[place, symbol]
    assert found.tree[place].kept
    assert found.tree[place].log_prob == pytest.approx(found.log_prob)


def depth(tree):
    depths = [0]
    for node in tree[1:]:
        depths.append(depths[node.parent] + 1)
    return depths


# --- how exact search works ------------------------------------------------------------


def test_a_bound_that_is_hit_is_admitted():
    torch.manual_seed(0)
    model = RecurrentLM(4, length=12, **SMALL).double()  # nearly uniform: 16 million
    found = exact(model, max_visited=100)[0]
    assert found.visited == 100
    assert not found.proved
    assert found.log_prob >= beam(model, width=5)[0].log_prob
    assert found.length == 12


def test_the_bound_does_not_touch_a_proof():
    found = exact(GARDEN, max_length=5)[0]
    assert exact(GARDEN, max_length=5, max_visited=found.visited)[0].proved
    assert not exact(GARDEN, max_length=5, max_visited=found.visited - 1)[0].proved


@SOME
@given(ANY_MODEL, SEEDS)
def test_best_first_visits_only_what_is_likelier_than_the_winner(kind, seed):
    model = random_model(kind, seed)
    context = sources(model, 1, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lookback.decoding.exact_search.TOGETHER", 1)
        patch.setattr("lookback.decoding.exact_search.beam", partial(beam, width=1))
        found = exact(model, context, batch=1, max_length=LONGEST)[0]
    words = [s for s in range(model.vocabulary) if s not in (model.pad, model.eos)]
    likelier = 1  # nothing written yet
    for n in range(1, LONGEST):
        x = torch.tensor(list(itertools.product(words, repeat=n)))
        repeated = None if context is None else context.expand(len(x), -1)
        scores = model.logits(filled(model, x), repeated).log_softmax(-1)[:, :n]
        total = scores.gather(2, x[:, :, None]).sum((1, 2))
        likelier += int((total > found.log_prob + 1e-9).sum())
    assert found.visited == likelier


def filled(model, x):
    """Symbols (B, n) with anything after them where the model wants its full length."""
    return x if model.length is None else pad_with(x, (0, model.length - x.shape[1]))


def test_exact_with_a_penalty_cuts_nothing_that_length_could_save():
    """Six ways to begin; the sixth is the least likely, and wins by its length."""
    table = {"": dict.fromkeys("abcde", 0.18) | {"f": 0.1}}
    table |= {"f" * n: {"f": 1.0} for n in range(1, 9)}
    story, limits = Story(table), {"max_length": 10, "length_penalty": power(1)}
    assert beam(story, **limits)[0].length == 2  # width 5 drops the sixth
    found = exact(story, **limits)[0]
    assert story.read(found) == "f" * 9 + "."
    assert found.proved


# --- prefixes --------------------------------------------------------------------------


@SOME
@given(ANY_MODEL, SEEDS, st.integers(1, 2))
def test_a_prefix_is_continued(kind, seed, length):
    model = random_model(kind, seed)
    context = sources(model, 2, seed)
    words = [s for s in range(model.vocabulary) if s not in (model.pad, model.eos)]
    prefix = torch.tensor([words[:1] * length, words[-1:] * length])
    limits = {"prefix": prefix, "max_length": 4}
    for search in (greedy, sample, beam, exact):
        for row, found in enumerate(search(model, context, **limits)):
            assert found.tokens[:length] == tuple(prefix[row].tolist())
            given_ = None if context is None else context[row : row + 1]
            value = model.log_prob(torch.tensor([found.tokens]), given_).item()
            assert found.log_prob == pytest.approx(value, abs=1e-9)
            if search is exact:
                rows = brute_force(model, given_)
                start = tuple(prefix[row].tolist())
                expected = next(r for r in rows if r[1][:length] == start)
                assert found.tokens == expected[1]


def test_a_prefix_that_cannot_be_continued():
    model = random_model("gru", 0)
    for prefix, message in [
        ([[2, 1]], "holds the end"),
        ([[0, 2]], "holds the end"),
        ([[2, 2, 2]], "nothing is left"),
        ([[2, 9]], r"0 \.\. 4"),
    ]:
        with pytest.raises(ValueError, match=message):
            greedy(model, prefix=torch.tensor(prefix), max_length=3)
    for search in (greedy, beam):
        with pytest.raises(ValueError, match="is possible"):
            search(GARDEN, prefix=torch.tensor([[7]]), max_length=5)  # never says f first


# --- sampling --------------------------------------------------------------------------

COIN = {"": {"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05}}


def shares(**options):
    story, n = Story(COIN), 4000
    found = sample(story, batch=n, max_length=2, seed=0, **options)
    return {w: sum(story.read(h) == f"{w}." for h in found) / n for w in "abcd"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05}),
        ({"temperature": 0.5}, {"a": 0.685, "b": 0.247, "c": 0.062, "d": 0.007}),
        ({"top_k": 2}, {"a": 0.625, "b": 0.375, "c": 0, "d": 0}),
        ({"top_p": 0.6}, {"a": 0.625, "b": 0.375, "c": 0, "d": 0}),
        ({"top_p": 0.81}, {"a": 0.526, "b": 0.316, "c": 0.158, "d": 0}),
        ({"top_p": 0.3}, {"a": 1, "b": 0, "c": 0, "d": 0}),
        ({"top_k": 3, "top_p": 0.8}, {"a": 0.625, "b": 0.375, "c": 0, "d": 0}),
    ],
)
def test_shares_of_what_is_drawn(options, expected):
    found = shares(**options)
    for word, share in expected.items():
        assert found[word] == pytest.approx(share, abs=0.03)
        assert (found[word] == 0) == (share == 0)


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=9), st.floats(0.01, 1))
def test_the_nucleus_is_the_smallest_set_with_that_probability(weights, p):
    scores = torch.tensor([weights], dtype=torch.double).log()
    probability = scores.softmax(-1)[0]
    kept = keep_nucleus(scores, p)[0] > -torch.inf
    assert kept[probability.argmax()]
    assert probability[kept].sum() >= p - 1e-9
    without_least = probability[kept].sum() - probability[kept].min()
    assert without_least < p + 1e-9
    assert probability[kept].min() >= probability[~kept].max() if (~kept).any() else True


def test_top_k_keeps_k_even_among_equals():
    assert (keep_top(torch.zeros(2, 5), 3) > -torch.inf).sum(1).tolist() == [3, 3]


@SOME
@given(ANY_MODEL, SEEDS)
def test_narrowed_to_one_symbol_sampling_is_greedy(kind, seed):
    model = random_model(kind, seed)
    context = sources(model, 3, seed)
    limits = {"batch": 3, "max_length": 4}
    expected = greedy(model, context, **limits)
    for narrow in ({"top_k": 1}, {"top_p": 1e-9}):
        same(sample(model, context, **narrow, **limits), expected)


def test_a_seed_is_a_draw():
    model = random_model("gru", 0)
    one, two, other = (
        sample(model, batch=9, max_length=9, seed=seed, temperature=3.0)
        for seed in (1, 1, 2)
    )
    same(one, two)
    assert [h.tokens for h in one] != [h.tokens for h in other]


# --- limits and errors -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "options", "message"),
    [
        (beam, {"width": 0}, "width must be at least 1, got 0"),
        (beam, {"width": 2, "n_best": 3}, r"n_best must lie in 1 \.\. 2 .*got 3"),
        (beam, {"n_best": 0}, "n_best .*got 0"),
        (exact, {"max_visited": 0}, "max_visited must be at least 1, got 0"),
        (sample, {"temperature": 0}, "temperature must be positive, got 0; use greedy"),
        (sample, {"temperature": math.nan}, "temperature must be positive, got nan"),
        (sample, {"top_k": 0}, r"top_k must lie in 1 \.\. 5, got 0"),
        (sample, {"top_k": 6}, r"top_k must lie in 1 \.\. 5, got 6"),
        (sample, {"top_p": 0}, "top_p must lie above 0 and up to 1, got 0"),
        (sample, {"top_p": 1.5}, "got 1.5"),
    ],
)
def test_options_out_of_range(search, options, message):
    with pytest.raises(ValueError, match=message):
        search(random_model("gru", 0), max_length=3, **options)


@pytest.mark.parametrize("search", [greedy, sample, beam, exact])
def test_what_no_decoder_takes(search):
    model, fixed = random_model("gru", 0), random_model("fixed length", 0)
    with pytest.raises(ValueError, match="max_length must be at least 1, got 0"):
        search(model, max_length=0)
    with pytest.raises(ValueError, match=r"max_length must be in 1 \.\. 4, got 5"):
        search(fixed, max_length=5)
    with pytest.raises(ValueError, match="give max_length"):
        search(model)
    with pytest.raises(ValueError, match=r"min_length must lie in 1 \.\. 3 .*got 4"):
        search(model, min_length=4, max_length=3)
    with pytest.raises(ValueError, match="never ends early"):
        search(fixed, min_length=2)
    with pytest.raises(ValueError, match="disagree"):
        search(model, batch=2, prefix=torch.tensor([[2]]), max_length=3)
    with pytest.raises(ValueError, match="empty"):
        search(model, batch=0, max_length=3)


@pytest.mark.parametrize("search", [greedy, sample, beam, exact])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_broken_logits_are_named(search, value):
    model = random_model("gru", 0)
    with torch.no_grad():
        model.out.bias[3] = value
    with pytest.raises(ValueError, match="no probabilities at position 0 in 2 of 2 rows"):
        search(model, batch=2, max_length=3)


@pytest.mark.parametrize("penalty", [power, gnmt])
@pytest.mark.parametrize("alpha", [-0.1, math.nan, math.inf])
def test_alpha_must_not_be_negative(penalty, alpha):
    with pytest.raises(ValueError, match="at least 0"):
        penalty(alpha)


@NAMES
def test_every_registered_model_can_be_decoded(name):
    torch.manual_seed(0)
    model = contract.loud(REGISTRY[name].build())
    context = contract.contexts(model, REGISTRY[name].context, 2)
    limits = {"batch": 2, "max_length": model.length or 5}
    for search in (greedy, sample, beam, lambda *a, **k: exact(*a, max_visited=40, **k)):
        for row, found in enumerate(search(model, context, **limits)):
            x = torch.tensor([found.tokens])
            given_ = None if context is None else context[row : row + 1]
            expected = model.log_prob(x, given_).item()
            assert found.log_prob == pytest.approx(expected, abs=1e-6)
