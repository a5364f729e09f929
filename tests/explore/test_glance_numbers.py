"""The translator and the grammar in the page are those in Python."""

import json
import random
import subprocess
from pathlib import Path

import pytest
import torch
from explorables import call

from lookback import decoding, zoo
from lookback.data import translation
from lookback.data.lexicon import ENGLISH, TIMES
from lookback.data.parser import EnglishReader, GrammarError
from lookback.data.vocabulary import PAD, SOURCE, TARGET
from lookback.explore import glance
from lookback.models.attention_translator import AttentionTranslator

PAIRS = translation.corpus("test", 20, seed=5)
LANGUAGE = glance.language()


def in_node(path, sources, **options):
    """What `translate` of translator.mjs finds for lists of ids."""
    cases = [{"source": source, "options": options} for source in sources]
    done = subprocess.run(
        ["node", Path(__file__).with_name("translate.mjs")],
        input=json.dumps({"path": str(path), "cases": cases}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@torch.no_grad()
def agrees(model, found, source):
    """Whether logits and weights of a translation are the model's, to 1e-3."""
    x, source = torch.tensor([found["tokens"]]), torch.tensor([source])
    logits, theirs = model.logits(x, source)[0], torch.tensor(found["logits"])
    words = torch.arange(logits.shape[1]) != PAD  # the pad's logit is minus infinity
    weights = torch.tensor(found["weights"])
    return bool(
        torch.allclose(theirs[:, words], logits[:, words], atol=1e-3, rtol=0)
        and torch.allclose(weights, model.weights(x, source)[0], atol=1e-3, rtol=0)
        and abs(model.log_prob(x, source).item() - found["total"]) < 1e-3
    )


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_shipped_translator_is_pythons(width):
    path, model = zoo.find(glance.SHIPPED), zoo.load(glance.SHIPPED)
    sources = [SOURCE.encode(pair.source) for pair in PAIRS]
    for source, found in zip(
        sources, in_node(path, sources, width=width, longest=80), strict=True
    ):
        context = torch.tensor([source])
        best = decoding.beam(model, context, width=width, max_length=80)[0]
        assert tuple(found["tokens"]) == best.tokens
        assert found["finished"] is best.finished
        assert agrees(model, found, source)


def test_width_one_is_greedy_and_unfinished_ones_are_cut():
    path, model = zoo.find(glance.SHIPPED), zoo.load(glance.SHIPPED)
    sources = [SOURCE.encode(pair.source) for pair in PAIRS[:5]]
    for source, found in zip(sources, in_node(path, sources, longest=3), strict=True):
        best = decoding.greedy(model, torch.tensor([source]), max_length=3)[0]
        assert (tuple(found["tokens"]), found["finished"]) == (best.tokens, False)


def test_a_temperature_divides_the_scores():
    path, model = zoo.find(glance.SHIPPED), zoo.load(glance.SHIPPED)
    sources = [SOURCE.encode(pair.source) for pair in PAIRS]
    cold, warm = (in_node(path, sources, temperature=t, longest=80) for t in (1, 8))
    even = glance.tempered(model, 8.0)
    assert all(map(agrees, [even] * 20, warm, sources))
    assert not any(map(agrees, [even] * 20, cold, sources))


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("local", ["", "monotonic", "predicted"])
@pytest.mark.parametrize("score", ["dot", "scaled_dot", "bilinear", "additive"])
def test_a_learners_model_is_pythons(tmp_path, score, local, bidirectional):
    torch.manual_seed(0)
    model = AttentionTranslator(
        len(SOURCE), len(TARGET), score=score, local=local, radius=3,
        hidden=16, embedding=6, bidirectional=bidirectional,
    )  # fmt: skip
    for parameter in model.parameters():
        parameter.data *= 3  # far from even weights
    zoo.save(model, tmp_path / "own.safetensors")
    sources = [SOURCE.encode(pair.source) for pair in PAIRS[:3]]
    found = in_node(tmp_path / "own.safetensors", sources, longest=12)
    assert all(map(agrees, [model.eval()] * 3, found, sources))


# --- the grammar ------------------------------------------------------------------------


def begins(words):
    """Whether a sentence can begin with these words: what Python's parser says."""
    tails = [time[k:] for time in TIMES for k in range(1, len(time))
             if tuple(words[-k:]) == time[:k]]  # fmt: skip
    for tail in [(), *tails]:
        reader = EnglishReader([*words, *tail])
        try:
            reader.sentence()
        except GrammarError:
            if reader.at < len(words) + len(tail):
                continue
        return True
    return False


def following(words):
    return {word for word in ENGLISH if begins([*words, word])}


def beginnings():
    """Beginnings of sentences, some with a wrong word, and walks at random."""
    rng = random.Random(0)
    for pair in translation.corpus("test", 40, seed=3):
        words = list(pair.source)
        yield words[: rng.randrange(len(words) + 1)]
        words[rng.randrange(len(words))] = rng.choice(ENGLISH)
        yield words
    for length in range(1, 25):
        words = []
        for _ in range(length):
            words.append(rng.choice(sorted(following(words))))
        yield words


def test_the_page_knows_what_can_come_next():
    given = list(beginnings())
    for words, found in zip(
        given, call("english", "read", [[w, LANGUAGE] for w in given]), strict=True
    ):
        right = max(i for i in range(len(words) + 1) if begins(words[:i]))
        assert found["right"] == right
        assert found["complete"] == translation.recognise(words)
        assert set(found["next"]) == following(words[:right])


def test_an_exchanged_word_leaves_a_sentence():
    words = list(
        translation.translate("yesterday the cat that sleeps ate the fish").source
    )
    inputs = [[words, at, LANGUAGE] for at in range(len(words))]
    for at, found in enumerate(call("english", "instead", inputs)):
        fits = {w for w in ENGLISH
                if translation.recognise([*words[:at], w, *words[at + 1 :]])}  # fmt: skip
        assert set(found) == fits


def test_near_words_are_spelled_alike():
    words = list(ENGLISH)
    inputs = [[word, words] for word in ("teecher", "gardne", "sleep", "xyzzy")]
    found = call("english", "nearest", inputs)
    assert found[0][0] == "teacher"
    assert found[1][0] == "garden"
    assert {"sleeps", "slept"} & set(found[2])
    assert found[3] == []


def test_what_can_come_is_said_in_words():
    def said(text):
        (found,) = call("english", "read", [[text.split(), LANGUAGE]])
        return call("composer", "inWords", [[found["next"], LANGUAGE]])[0]

    assert said("the") == "an adjective or a noun"
    assert said("the cat") == "“that” or a verb"
    assert "“because”" in said("the cat sleeps")
