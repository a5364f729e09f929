"""The bottleneck: its numbers are the model's, and the reader can work it."""

import math
from itertools import pairwise

import pytest
import torch
from explorables import REMOUNT, call
from playwright.sync_api import expect
from test_pages import overflow, violations

from lookback import decoding, zoo
from lookback.data import translation
from lookback.data.growth import added, growth
from lookback.data.vocabulary import TARGET, tensors
from lookback.explore import Bottleneck

PLAIN = (
    "the fox likes the letter and the student writes the story and the grandmother saw "
    "the neighbour and the friend made the bread and the doctor bought the egg"
)
RICH = (
    "the neighbour that made the chair sold the milk because the farmer makes the black "
    "clock but the dog liked the letter and the doctor went to the new restaurant"
)


@pytest.fixture(scope="module")
def models():
    return {
        "forward": zoo.load("one-vector"),
        "reversed": zoo.load("one-vector-reversed"),
    }


@pytest.fixture(scope="module")
def widget(models):
    return Bottleneck(models, [PLAIN, RICH], probe=always_fox)


def always_fox(model, pair):
    """A probe that reads "fox" at each place where a plain sentence has a subject."""
    return dict.fromkeys(range(1, len(pair.source), 6), "fox")


# --- growing ----------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", [PLAIN, RICH])
def test_each_stage_adds_one_run_of_words_and_one_clause(sentence):
    pairs = growth(sentence)
    assert " ".join(pairs[-1].source) == sentence
    assert [pair.clauses for pair in pairs] == [1, 2, 3, 4, 5]
    for shorter, longer in pairwise(pairs):
        new = added(shorter.source, longer.source)
        rest = longer.source[: new.start] + longer.source[new.stop :]
        assert rest == shorter.source
        assert longer.source[new.start] in ("and", "but", "because", "that")
        assert translation.recognise(longer.source)


def test_a_sentence_out_of_the_language_is_refused():
    with pytest.raises(translation.GrammarError, match="word 2"):
        growth("the robot sleeps")


# --- the numbers ------------------------------------------------------------------------


def stages(widget):
    return [(s, one) for s in range(2) for one in enumerate(widget.sentences[s])]


def test_the_words_are_those_that_the_model_writes(models, widget):
    for number, (k, stage) in stages(widget):
        pair = growth((PLAIN, RICH)[number])[k]
        source = tensors([pair])[1]
        for name, model in models.items():
            found = decoding.greedy(model, source, max_length=60)[0]
            said = " ".join(word for word, _ in stage["by"][name]["said"])
            assert said == translation.join(TARGET.decode(found.tokens))
        assert translation.join(pair.target) == " ".join(w[0] for w in stage["words"])


def test_the_log_probabilities_add_up_to_that_of_the_reference(models, widget):
    for number, (k, stage) in stages(widget):
        x, source = tensors([growth((PLAIN, RICH)[number])[k]])
        for name, model in models.items():
            with torch.no_grad():
                whole = model.log_prob(x, source).item()
            [told] = call("bottleneck", "tally", [[stage, stage["by"][name]]])
            assert told["log_prob"] == pytest.approx(whole, abs=1e-3)


def test_right_words_are_counted_where_both_say_the_same(widget):
    first, last = widget.sentences[0][0], widget.sentences[0][-1]
    inputs = [[stage, stage["by"]["forward"]] for stage in (first, last)]
    whole, broken = call("bottleneck", "tally", inputs)
    assert whole["right"] == whole["of"] == 3
    assert broken["right"] < broken["of"] == 15


def test_a_cell_is_the_probability_of_the_word_of_its_column(widget):
    for sentence in widget.sentences:
        [rows] = call("bottleneck", "surenesses", [[sentence, "reversed"]])
        for stage, row in zip(sentence, rows, strict=True):
            steps = stage["by"]["reversed"]["log_prob"][:-1]
            known = sorted(zip([w[2] for w in stage["words"]], steps, strict=True))
            expected = [math.exp(step) for _, step in known]
            assert [cell for cell in row if cell is not None] == pytest.approx(expected)
        assert None not in rows[-1]
        assert len({len(row) for row in rows}) == 1


def test_reference_and_translation_stand_side_by_side(widget):
    for sentence in widget.sentences:
        for stage in sentence:
            for found in stage["by"].values():
                left, right = zip(*found["pairs"], strict=True)
                known = [i for i in left if i is not None]
                assert known == list(range(len(stage["words"])))
                assert [j for j in right if j is not None] == [*range(len(found["said"]))]


# --- as a reader uses it ----------------------------------------------------------------


def choose(page, text):
    page.locator(".choice").get_by_text(text, exact=True).click()


def test_a_clause_is_added_and_taken_away(mount, widget):
    seen = mount(widget)
    page, says = seen.page, seen.page.locator(".says")
    expect(says).to_contain_text("2 clauses, 11 words in. The translation is")
    for _ in range(3):
        page.get_by_role("button", name="Add a clause").click()
    expect(says).to_contain_text("5 clauses, 29 words in.")
    expect(page.get_by_role("button", name="Add a clause")).to_be_disabled()
    assert page.locator(".english .new").all_inner_texts()[0] == "and"
    assert page.locator(".korean .wrong").count() > 2
    page.get_by_role("button", name="Take one away").click()
    expect(says).to_contain_text("4 clauses, 23 words in.")
    assert seen.faults == []


def test_keys_move_the_slider_the_rows_and_the_words(mount, widget):
    page = mount(widget).page
    says, slider = page.locator(".says"), page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(says).to_contain_text("3 clauses")
    page.locator(".rows [aria-pressed=true]").focus()
    page.keyboard.press("ArrowDown")
    expect(says).to_contain_text("4 clauses")
    assert page.evaluate("document.activeElement.className") == "stage"
    page.locator(".korean button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(says).to_contain_text("letter (object), renders “letter”")
    assert page.locator(".korean [aria-pressed=true]").count() == 1


def test_the_other_model_and_another_sentence(mount, widget):
    page = mount(widget).page
    choose(page, "reversed")
    page.locator(".rows button").nth(4).click()
    says = page.locator(".says")
    expect(says).to_contain_text("5 clauses, 29 words in.")
    before = says.inner_text()
    choose(page, "forward")
    expect(says).not_to_have_text(before)
    page.get_by_role("combobox").select_option("1")
    expect(says).to_contain_text("5 clauses, 30 words in.")


def test_the_probe_is_told_and_marked(mount, widget):
    page = mount(widget).page
    expect(page.locator(".says")).to_contain_text("A probe reads 1 of 2 words back")
    assert page.locator(".english .lost").all_inner_texts() == ["student"]
    page.locator(".korean button").nth(3).click()
    expect(page.locator(".says")).to_contain_text("The probe reads “fox”")


def test_without_a_probe_nothing_is_said_of_one(mount, models):
    page = mount(Bottleneck(models["forward"], RICH, clauses=5)).page
    expect(page.locator(".says")).to_contain_text("5 clauses")
    assert "robe" not in page.locator(".explorable").inner_text()
    assert page.get_by_role("radio").count() == 0  # one model: nothing to choose


def test_a_finger_picks_a_word_and_it_comes_back(mount, widget):
    page = mount(widget, 390, touch=True).page
    page.evaluate(REMOUNT)
    page.locator(".korean button").nth(5).tap()
    picked = page.evaluate("window.model.get('picked')")
    stage = widget.sentences[0][1]
    assert picked == {
        "english": " ".join(stage["english"]),
        "reader": "forward",
        "clauses": 2,
        "word": stage["words"][5][0],
        "gloss": stage["words"][5][1],
        "log_prob": stage["by"]["forward"]["log_prob"][5],
        "said": stage["words"][5][0],
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_too_wide(mount, widget, width, scheme):
    seen = mount(widget, width, scheme)
    seen.page.locator(".rows button").nth(4).click()
    seen.page.locator(".korean button").nth(2).click()
    assert overflow(seen.page) == 0
    assert violations(seen.page) == []
    assert seen.faults == []


def test_the_picture_shows_the_same_numbers(widget):
    assert len(widget.picture()._repr_png_()) < 60_000
