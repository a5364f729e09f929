"""The beam: what the browser finds is what Python finds, and the reader can work it."""

import pytest
import torch
import traitlets
from explorables import REMOUNT, call
from playwright.sync_api import expect
from test_pages import overflow, violations

from lookback import zoo
from lookback.data import translation
from lookback.data.vocabulary import EOS, SOURCE, TARGET, tensors
from lookback.decoding import beam, power
from lookback.explore import Beam
from lookback.explore.beam import LARGEST, WIDEST
from lookback.models.encoder_decoder import EncoderDecoder

SENTENCES = [
    "the student that writes the story reads the book that the friend read",
    "the hungry farmer laughed and the famous singer that runs with the hungry student "
    "came to the garden",
    "the farmer that the boy liked went to the park because the quiet boy eats the warm "
    "bread and the boy played",
]  # fmt: skip
ALPHAS = [round(0.1 * tenth, 1) for tenth in range(int(10 * LARGEST) + 1)]
SETTINGS = [
    {"width": width, "alpha": alpha, "longest": 40}
    for width in range(1, WIDEST + 1)
    for alpha in ALPHAS
]


@pytest.fixture(scope="module")
def model():
    return zoo.load("one-vector")


@pytest.fixture(scope="module")
def widget(model):
    return Beam(model, SENTENCES)


def searched(model, english, width, alpha, longest):
    source = tensors([translation.translate(english)])[1]
    options = {"n_best": width, "max_length": longest, "tree": True}
    return beam(model, source, width=width, length_penalty=power(alpha), **options)[0]


# --- the search -------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(SENTENCES)))
def test_the_browser_finds_what_python_finds(model, widget, number):
    compare(model, widget, number, SETTINGS)


def test_so_it_does_where_little_ends():
    torch.manual_seed(0)
    untrained = EncoderDecoder(len(SOURCE), len(TARGET), embedding=8, hidden=16).eval()
    settings = [one | {"longest": 5} for one in SETTINGS]
    best = compare(untrained, Beam(untrained, "the dog runs", longest=5), 0, settings)
    assert not all(hypothesis["ended"] for hypothesis in best)


def compare(model, widget, number, settings):
    """Assert that all searches are Python's; return what the last one ranked."""
    stored = widget.sentences[number]
    found = call("beam_search", "beamSearch", [[stored, one] for one in settings])
    assert len(found) == WIDEST * len(ALPHAS)
    for ours, one in zip(found, settings, strict=True):
        theirs = searched(model, stored["english"], **one)
        assert hypotheses(widget, ours["best"]) == [h.tokens for h in theirs.best]
        for mine, yours in zip(ours["best"], theirs.best, strict=True):
            assert mine["log_prob"] == pytest.approx(yours.log_prob, abs=1e-4)
            assert mine["score"] == pytest.approx(yours.score, abs=1e-4)
            assert mine["ended"] == yours.finished
        assert ours["visited"] == theirs.visited
        assert kept_and_dropped(widget, ours) == prefixes(theirs.tree)
    return found[-1]["best"]


def hypotheses(widget, best):
    return [tokens(widget, one["words"]) for one in best]


def tokens(widget, places):
    known = [EOS, *(TARGET.ids[word] for word, _, _ in widget.words[1:])]
    return tuple(known[place] for place in places)


def kept_and_dropped(widget, found):
    """Each prefix that the browser shows, with whether it was kept."""
    tree, shown = found["tree"], {}
    for column in found["columns"]:
        for kept, nodes in ((True, column["kept"]), (False, column["dropped"])):
            for node in nodes:
                shown[tokens(widget, path(tree, node))] = kept
    return shown


def path(tree, node):
    places = []
    while node > 0:
        places.append(tree["word"][node])
        node = tree["parent"][node]
    return places[::-1]


def prefixes(nodes):
    """The same of Python's tree."""
    paths, shown = [()], {}
    for node in nodes[1:]:
        paths.append((*paths[node.parent], node.symbol))
        shown[paths[-1]] = node.kept
    return shown


def test_the_korean_is_written_as_python_writes_it(widget):
    for stored in widget.sentences:
        places = stored["reference"]["words"]
        [said] = call("beam", "inKorean", [[widget.words, places]])
        korean = translation.translate(stored["english"]).target
        assert said == translation.join(korean)


def test_what_the_tree_does_not_cover_is_refused(model):
    with pytest.raises(traitlets.TraitError, match="width must lie in"):
        Beam(model, SENTENCES[0], width=7)
    with pytest.raises(traitlets.TraitError, match="alpha must lie in"):
        Beam(model, SENTENCES[0], alpha=-0.5)
    with pytest.raises(translation.GrammarError, match="word 2"):
        Beam(model, "the robot sleeps")


def test_the_picture_fits(widget):
    assert len(widget.picture()._repr_png_()) < 60_000


# --- as a reader uses it ----------------------------------------------------------------


def choose(page, text):
    page.locator(".choice").get_by_text(text, exact=True).click()


STUDENT, SINGER, FARMER = "0", "1", "2"


def test_a_wider_beam_finds_what_greedy_search_misses(mount, widget):
    seen = mount(widget)
    page, says = seen.page, seen.page.locator(".says")
    expect(says).to_contain_text("It is the reference. Greedy search finds something")
    choose(page, "1")
    expect(says).to_contain_text("the search is to blame. This is greedy search.")
    assert page.locator(".chip.greedy").count() == page.locator(".chip.kept").count()
    assert page.locator(".tag").all_inner_texts() == ["greedy", "the reference"]
    assert seen.faults == []


def test_alpha_pushes_towards_longer_sentences(mount, widget):
    page = mount(widget).page
    page.get_by_role("combobox").select_option(FARMER)
    choose(page, "3")
    first = page.locator(".ranking tbody tr").first.locator(".number").first
    expect(first).to_have_text("17")
    expect(page.locator(".says")).to_contain_text("the model is to blame")
    page.get_by_role("slider", name="α").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(first).to_have_text("20")
    expect(page.locator(".says")).to_contain_text("Width 3, α 1:")
    expect(page.locator(".says")).to_contain_text("It is the reference.")


def test_stepping_shows_one_position_more(mount, widget):
    page = mount(widget).page
    says, chips = page.locator(".says"), page.locator(".chip")
    page.get_by_role("button", name="Begin").click()
    expect(says).to_contain_text("position 0 of 12. Nothing")
    assert chips.count() == 0
    expect(page.get_by_role("button", name="Back")).to_be_disabled()
    step = page.get_by_role("button", name="Step")
    for _ in range(3):
        step.click()
    expect(says).to_contain_text("position 3 of 12. Kept 2, pruned the rest")
    expect(says).to_contain_text("In the lead: story (object) that-read")
    assert page.locator(".chip.pruned").count() >= 2
    page.get_by_role("slider", name="position").focus()
    page.keyboard.press("End")
    expect(says).to_contain_text("The search is over")
    expect(step).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    expect(says).to_contain_text("position 11 of 12")


def test_the_tree_scrolls_along_with_the_steps(mount, widget):
    page = mount(widget, 390, still=True).page
    left = "document.querySelector('.scroller').scrollLeft"
    assert page.evaluate(left) == 0
    page.get_by_role("slider", name="position").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{left} > 500")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_function(f"{left} === 0")


def test_arrow_keys_walk_the_tree(mount, widget):
    page = mount(widget).page
    page.locator(".chip.leads").first.focus()
    focused = "document.activeElement.getAttribute('aria-label')"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("position 3, kept, number 1:")
    page.keyboard.press("ArrowDown")
    assert "that-writes" in page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused).startswith("position 3, pruned:")
    page.keyboard.press("Enter")
    expect(page.locator(".says")).to_contain_text("It was pruned here.")
    assert page.locator(".chip[aria-pressed=true]").count() == 1
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused).startswith("position 2,")


def test_a_finger_picks_a_sentence_and_it_comes_back(mount, widget):
    page = mount(widget, 390, touch=True).page
    page.evaluate(REMOUNT)
    page.locator(".ranking button").nth(1).tap()
    picked = page.evaluate("window.model.get('picked')")
    assert picked.pop("log_prob") == picked.pop("score") == pytest.approx(-1.74, abs=0.01)
    greedy = "이야기 를 읽은 학생 은 친구 가 읽은 책 을 쓴다"
    assert picked.pop("words") == greedy.split()
    search = {"english": SENTENCES[0], "width": 2, "alpha": 0}
    assert picked == {**search, "ended": True}


def test_python_can_set_what_is_shown(mount, widget):
    page = mount(widget).page
    page.evaluate(REMOUNT)
    page.evaluate("window.model.set('sentence', 1); window.model.set('width', 4)")
    expect(page.get_by_role("radio", name="4")).to_be_checked()
    assert page.get_by_role("combobox").input_value() == SINGER
    expect(page.locator(".says")).to_contain_text("Width 4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_too_wide(mount, widget, width, scheme):
    seen = mount(widget, width, scheme)
    choose(seen.page, "6")
    seen.page.locator(".ranking button").nth(1).click()
    assert overflow(seen.page) == 0
    assert violations(seen.page) == []
    assert seen.faults == []
