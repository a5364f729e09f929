"""The pen's numbers: the page's model, sampler and questions against Python's."""

from pathlib import Path

import contract
import pytest
import torch
import traitlets
from explorables import call

from lookback import zoo
from lookback.data import digits
from lookback.explore import Pen
from lookback.explore.pen import chance, draw
from lookback.models.made import MADE
from lookback.models.pixelcnn import PixelCNN

NODE = str(Path(__file__).with_name("pen_under_node"))
SHIPPED = str(zoo.find("pixelcnn"))
OTHER = {"height": 9, "width": 7, "hidden": 5, "layers": 3, "first": 5, "kernel": 3}


@pytest.fixture(scope="module")
def shipped():
    return zoo.load("pixelcnn")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A model of another size, with loud random weights, and its file."""
    torch.manual_seed(0)
    model = contract.loud(PixelCNN(**OTHER)).float()
    path = tmp_path_factory.mktemp("pen") / "other.safetensors"
    path.write_bytes(zoo.packed(model))
    return model, str(path)


@pytest.fixture(scope="module")
def real():
    """Digits (20, 784) that no shipped model has seen."""
    return digits.sequences(digits.binarise(digits.embedded()[0][:20], seed=0))


def noise(model, number=20):
    """Random pictures, from nearly white to nearly black."""
    generator = torch.Generator().manual_seed(1)
    share = torch.linspace(0.02, 0.98, number)[:, None].expand(-1, model.length)
    return torch.bernoulli(share, generator=generator).long()


def same_logits(model, path, x):
    with torch.no_grad():
        expected = model.logits(x)
    found = torch.tensor(call(NODE, "scores", [[path, row] for row in x.tolist()]))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


def test_logits_are_those_of_python(shipped, real):
    same_logits(shipped, SHIPPED, torch.cat([noise(shipped, 10), real[:10]]))


def test_logits_of_a_model_of_another_size(other):
    same_logits(*other, noise(other[0]))


def test_chances_are_those_of_python():
    seeds, places = [0, 1, 99, 2**31, 2**32 - 1], [0, 1, 2, 391, 783]
    found = call(NODE, "chances", [[seed, places] for seed in seeds])
    assert found == [[chance(seed, t) for t in places] for seed in seeds]
    # The first numbers of mulberry32 from seed 0, of its author's program.
    assert [round(chance(0, t) * 2**32) for t in range(2)] == [1144304738, 1416247]


def test_chances_are_even():
    found = torch.tensor([[chance(seed, t) for t in range(784)] for seed in range(50)])
    counts = torch.histc(found, 20, 0, 1)
    assert ((counts - 1960).abs() < 5 * 1960**0.5).all()
    assert torch.corrcoef(found)[0, 1:].abs().max() < 0.15


def sheet(drawn, line, seed=0, temperature=1.0, at=0):
    return {
        "drawn": drawn.tolist(), "line": line, "seed": seed,
        "temperature": temperature, "at": at,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "seed", "temperature"),
    [(0, 3, 1.0), (14, 0, 1.0), (14, 1, 0.5), (9, 7, 2.0)],
)
def test_samples_are_those_of_python(shipped, real, line, seed, temperature):
    made = sheet(real[6], line, seed, temperature)
    [[pixels, chances, nats]] = call(NODE, "finished", [[SHIPPED, made]])
    expected, p = draw(shipped, real[6, : line * 28], seed, temperature)
    assert pixels == expected.tolist()
    assert pixels[: line * 28] == real[6, : line * 28].tolist()
    torch.testing.assert_close(torch.tensor(chances), p, atol=1e-4, rtol=0)
    with torch.no_grad():
        assert nats == pytest.approx(-shipped.log_prob(expected[None]).item(), abs=1e-2)


def test_samples_of_a_model_of_another_size(other):
    model, path = other
    paper = torch.zeros(model.length)
    found = call(NODE, "finished", [[path, sheet(paper, 0, seed)] for seed in range(20)])
    expected = [draw(model, paper[:0], seed)[0].tolist() for seed in range(20)]
    assert [pixels for pixels, *_ in found] == expected
    assert len({tuple(pixels) for pixels in expected}) == 20


def turned_over(model, x, t):
    """p(ink at t), and what it becomes when pixel s < t is turned over: (t,)."""
    copies = x.repeat(t + 1, 1)
    s = torch.arange(t)
    copies[s, s] = 1 - copies[s, s]
    with torch.no_grad():
        p = model.logits(copies)[:, t].softmax(1)[:, 1]
    return p[-1].item(), p[:-1]


def same_turns(model, path, x, t):
    [[p, seen, turned]] = call(NODE, "turns", [[path, sheet(x, model.height, at=t)]])
    expected, each = turned_over(model, x, t)
    assert p == pytest.approx(expected, abs=1e-4)
    assert set(seen) == {s for s in range(t) if model.reaches(s, t)}
    torch.testing.assert_close(torch.tensor(turned), each[seen], atol=1e-4, rtol=0)
    unseen = [s for s in range(t) if s not in seen]
    assert torch.allclose(each[unseen], torch.tensor(expected), atol=1e-5)


def test_pixels_turned_over_are_asked_anew(shipped, real):
    same_turns(shipped, SHIPPED, real[6], 14 * 28 + 15)


@pytest.mark.parametrize("t", [0, 1, 13, 31, 62])
def test_pixels_turned_over_in_a_model_of_another_size(other, t):
    same_turns(*other, noise(other[0])[10], t)


def test_near_pixels_are_asked_first(other):
    _model, path = other
    [[_, seen, _]] = call(NODE, "turns", [[path, sheet(torch.zeros(63), 9, at=38)]])
    rows, columns = [38 // 7 - s // 7 for s in seen], [s % 7 - 38 % 7 for s in seen]
    far = [up**2 + aside**2 for up, aside in zip(rows, columns, strict=True)]
    assert far == sorted(far)
    assert far[0] == 1


def follow(other, acts, drawn=None, line=4, at=28):
    """What a small sheet holds after each act, and its model."""
    model, path = other
    drawn = torch.zeros(model.length) if drawn is None else drawn
    [found] = call(NODE, "after", [[path, sheet(drawn, line, at=at), acts]])
    return model, found


def test_the_pen_goes_back_and_draws_the_same_again(other):
    acts = [["goTo", 63], ["goTo", 10], ["goTo", 40], ["goTo", 63]]
    _, ((first, *_), (start, *_), (middle, *_), (again, *_)) = follow(other, acts)
    assert first == again
    assert first[:40] == middle
    assert first[:10] == start
    assert sum(first) > 0


def test_what_the_reader_changes_is_heard(other):
    acts = [["goTo", 63], ["draw", 9, 1], ["draw", 23, 1], ["goTo", 63]]
    model, ((first, *_), *_, (second, _, drawn, nats)) = follow(other, acts)
    given = torch.zeros(28, dtype=torch.long)
    given[[9, 23]] = 1
    expected, _ = draw(model, given, 0)
    assert second == expected.tolist() != first
    assert drawn[9] == drawn[23] == 1
    assert sum(drawn) == 2
    with torch.no_grad():
        assert nats == pytest.approx(-model.log_prob(expected[None]).item(), abs=1e-3)


def test_the_reader_cannot_draw_below_the_line(other):
    _, ((before, *_), (after, _, drawn, _)) = follow(
        other, [["goTo", 40], ["draw", 30, 1]]
    )
    assert before == after
    assert sum(drawn) == 0


def test_rows_change_hands_with_the_line(other):
    acts = [["goTo", 63], ["moveLine", 6], ["moveLine", 2], ["moveLine", 6]]
    _, ((all_, *_), (kept, six, drawn, _), (two, *_), (back, *_)) = follow(other, acts)
    assert kept == all_
    assert six == 6
    assert drawn[28:42] == all_[28:42]  # what the model drew is now the reader's
    assert two == all_[:14]  # the pen waits at the line
    assert back == all_[:42]


def test_clear_leaves_paper_and_a_waiting_pen(other):
    drawn = torch.ones(63, dtype=torch.long)
    _, [(decided, line, left, _)] = follow(other, [["clear"]], drawn)
    assert decided == [0] * 28
    assert line == 4
    assert sum(left) == 0


def test_a_new_seed_or_temperature_sends_the_pen_back(other):
    acts = [
        ["goTo", 63],
        ["set", {"seed": 5}],
        ["goTo", 63],
        ["set", {"temperature": 0.3}],
    ]
    model, ((first, *_), (line, *_), (second, *_), (again, *_)) = follow(other, acts)
    assert len(line) == len(again) == 28
    assert second == draw(model, torch.zeros(28).long(), 5)[0].tolist() != first


def test_a_pen_takes_pixels_of_many_kinds(real):
    assert Pen(drawn=real[:1]).drawn == Pen(drawn=real[0].tolist()).drawn
    assert Pen(drawn=real[0].reshape(28, 28)).drawn == real[0].tolist()
    paper = Pen()
    assert sum(paper.drawn) == 0
    assert paper.line == 14
    assert paper.at == 14 * 28


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"drawn": [0] * 783}, "783 pixels; expected 784: 28 rows of 28"),
        ({"drawn": [2] * 784}, "drawn"),
        ({"line": 29}, "row 29; the page has 28"),
        ({"at": 785}, "pixel 785; the page has 784"),
        ({"seed": 100}, "seed"),
        ({"temperature": 0.0}, "temperature"),
    ],
)
def test_a_wrong_trait_is_refused(wrong, says):
    with pytest.raises(traitlets.TraitError, match=says):
        Pen(**wrong)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: MADE(length=784, hidden=4), "runs a PixelCNN, got a MADE"),
        (lambda: PixelCNN(vocabulary=4, layers=1), "a model with 4 values a pixel"),
    ],
)
def test_a_wrong_model_is_refused(model, says):
    with pytest.raises(ValueError, match=says):
        Pen(model())


def test_a_model_of_ones_own_is_handed_to_the_page(other, tmp_path):
    model, _ = other
    pen = Pen(model)
    assert (pen.line, pen.at, len(pen.drawn)) == (4, 28, 63)
    path = tmp_path / "asked.safetensors"
    path.write_bytes(pen.asset("pixelcnn"))
    handed = zoo.load(path)
    assert handed.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(handed.state_dict()[name], tensor), name
    assert Pen().asset("pixelcnn") == Path(SHIPPED).read_bytes()


def test_the_weights_are_small_and_not_in_the_notebook():
    assert Path(SHIPPED).stat().st_size <= 500_000
    state = Pen().get_state(drop_defaults=False)
    assert sum(len(str(value)) for value in state.values()) < 100_000


def test_the_picture_shows_what_the_model_draws(other):
    model, _ = other
    pen = Pen(model, line=3, seed=2)
    half, digit, chances = [axes.images[0].get_array() for axes in pen.picture().axes]
    expected, p = draw(model, torch.zeros(21).long(), 2)
    assert half.mask[3:].all()
    assert not half.mask[:3].any()
    assert (digit.flatten() == expected.numpy()).all()
    assert chances.flatten().data == pytest.approx(p.numpy())
