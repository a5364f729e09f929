"""The heads, used as a reader would."""

import json

import pytest
import torch
import traitlets
from explorables import call, shares, stored
from playwright.sync_api import expect
from test_pages import overflow, violations

from lookback import zoo
from lookback.data import translation
from lookback.data.vocabulary import SOURCE, TARGET, tensors
from lookback.explore import Heads
from lookback.explore.heads import SENTENCES
from lookback.models.encoder_decoder import EncoderDecoder
from lookback.models.transformer import TransformerTranslator


@pytest.fixture(scope="module")
def widget():
    return Heads()


def row(page, name):
    return page.get_by_role("toolbar", name=name)


def test_python_shows_the_models_own_weights(widget):
    model = zoo.load("transformer")
    pair = translation.translate(SENTENCES[2])
    with torch.no_grad():
        weights = model.weights(*tensors([pair]))
    shown = Heads(kind="decoder", index=2, layer=2, head=3).picked
    assert torch.allclose(shown, weights["decoder"][0, 1, 2], atol=1e-6)
    assert widget.picture()._repr_png_()


def test_the_page_unpacks_them(widget):
    bits = torch.frombuffer(bytearray(widget.weights), dtype=torch.int16)
    bits = (bits.int() & 0xFFFF).tolist()
    begin = 0
    for index, sentence in enumerate(widget.sentences):
        inputs = [[bits, begin, sentence, widget.layers, widget.heads]]
        (found,) = call("heads", "unpacked", inputs)
        begin = found["end"]
        for kind, weights in found["weights"].items():
            expected = widget._looks[index][kind]
            assert torch.allclose(torch.tensor(weights), expected, atol=1e-3)
    assert begin == len(bits)


def test_a_reader_picks_a_head_and_a_word(mount):
    seen = mount(Heads())
    page = seen.page
    page.get_by_role("button", name="layer 2, head 3").click()
    expected = Heads(layer=2, head=3).picked
    korean = row(page, "Korean, being written").get_by_role("button")
    korean.nth(2).hover()
    found = row(page, "English, looked at").locator(".share").all_inner_texts()
    assert found == shares(expected[2].half().tolist())
    expect(page.locator(".says")).to_contain_text("Head 3 of layer 2: to write ")
    row(page, "English, looked at").get_by_role("button").nth(1).hover()
    found = row(page, "Korean, being written").locator(".share").all_inner_texts()
    assert found == shares(expected[:, 1].half().tolist())
    assert seen.faults == []


@pytest.mark.parametrize(
    ("kind", "label", "who", "whom"),
    [
        ("encoder", "English at English", "English, looking", "English, looked at"),
        ("decoder", "Korean at Korean", "Korean, being written", "Korean, heard"),
    ],
)
def test_a_reader_picks_who_looks_at_whom(mount, kind, label, who, whom):
    page = mount(Heads()).page
    page.get_by_label("sentence").select_option(SENTENCES[1])
    page.get_by_text(label, exact=True).click()
    expected = Heads(kind=kind, index=1).picked
    row(page, who).get_by_role("button").nth(3).click()
    found = row(page, whom).locator(".share").all_inner_texts()
    assert found == shares(expected[3].half().tolist())


def test_arrow_keys_go_from_head_to_head(mount):
    page = mount(Heads()).page
    page.get_by_role("button", name="layer 1, head 1").focus()
    for key, head in (
        ("ArrowRight", "layer 1, head 2"),
        ("ArrowDown", "layer 2, head 2"),
    ):
        page.keyboard.press(key)
        button = page.get_by_role("button", name=head)
        expect(button).to_be_focused()
        expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".says")).to_contain_text("Head 2 of layer 2")


def test_a_tap_picks(mount):
    page = mount(Heads(), width=390, touch=True).page
    page.get_by_role("button", name="layer 2, head 1").tap()
    expect(page.locator(".says")).to_contain_text("Head 1 of layer 2")
    word = row(page, "English, looked at").get_by_role("button", name="dog")
    word.tap()
    expect(word).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".says")).to_contain_text("looked at “dog”")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_axe_finds_nothing(mount, width, scheme):
    seen = mount(Heads(kind="decoder"), width, scheme)
    assert overflow(seen.page) == 0
    assert violations(seen.page) == []
    row(seen.page, "Korean, heard").get_by_role("button").nth(1).click()
    assert violations(seen.page) == []
    assert seen.faults == []


def test_the_stored_state_is_light(widget):
    assert len(json.dumps(stored(widget)["states"])) < 100_000


def test_a_learners_model_is_shown():
    model = TransformerTranslator(len(SOURCE), len(TARGET), size=8, heads=2, layers=3)
    own = Heads(model, ["the cat sleeps"], kind="encoder", layer=3, head=2)
    assert own.picked.shape == (4, 4)
    assert torch.allclose(own.picked.sum(1), torch.ones(4))


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(TypeError, match="EncoderDecoder has no heads"):
        Heads(EncoderDecoder(len(SOURCE), len(TARGET)))
    with pytest.raises(ValueError, match="9 source and 9 target words"):
        Heads(TransformerTranslator(9, 9))
    with pytest.raises(traitlets.TraitError, match=r"head must lie in 1 \.\. 4, got 5"):
        Heads(head=5)
