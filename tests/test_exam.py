"""The exam: new numbers for each seed, and answers that are right."""

import math
import random
import re

import pytest
from torch import nn

from lookback import exam
from lookback.__main__ import main

SEEDS = range(30)
by_seed = pytest.mark.parametrize("seed", SEEDS)


def numbers(text):
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def asked(question, seed):
    """The numbers of a question, and its answer."""
    text, answer = question(random.Random(seed))
    return numbers(text), answer


def test_a_seed_is_an_exam():
    assert exam.exam(3) == exam.exam(3)
    texts = {exam.exam(seed).text.split("\n", 1)[1] for seed in SEEDS}  # no heading
    assert len(texts) == len(SEEDS)


def test_every_chapter_is_asked_about():
    assert {chapter for chapter, _ in exam.QUESTIONS} == set(range(1, 8))


def test_the_command_hides_the_answers(capsys):
    assert main(["exam", "--seed", "5"]) == 0
    said = capsys.readouterr().out
    assert said.count("\n\n**") == len(exam.QUESTIONS)
    assert main(["exam", "--seed", "5", "--answers"]) == 0
    answers = capsys.readouterr().out
    assert answers == exam.exam(5).answers
    assert not any(line[3:] in said for line in answers.splitlines())


@by_seed
def test_weights_are_those_of_pytorch(seed):
    (D, H), answer = asked(exam.weights, seed)
    cells = nn.RNNCell(int(D), int(H)), nn.LSTMCell(int(D), int(H))
    counts = [sum(p.numel() for p in cell.parameters()) for cell in cells]
    assert numbers(answer) == [counts[0] - H, counts[1] - 4 * H]  # one bias, not two


@by_seed
def test_greedy_misses_the_best_sentence(seed):
    (the, a, cat, dog, hen, fox, owl, _), answer = asked(exam.garden, seed)
    assert the + a == pytest.approx(1)
    assert cat + dog + hen == pytest.approx(1)
    assert fox + owl == pytest.approx(1)
    assert the > a
    assert cat > max(dog, hen)
    assert a * fox > the * cat
    assert f"the cat, {the * cat:.3f}" in answer
    assert f"a fox, {a * fox:.3f}" in answer


@by_seed
def test_alpha_changes_the_winner(seed):
    (short, a, long, b, *_), _ = asked(exam.longer, seed)
    assert -a > -b
    assert -a / short < -b / long


@by_seed
def test_shares_and_bits(seed):
    (percent, words), answer = asked(exam.all_right, seed)
    assert f"{math.exp(words * math.log(percent / 100)):.2f}" in answer
    (nats, side, _), answer = asked(exam.bits, seed)
    assert f"{math.log2(math.exp(nats / side**2)):.3f} bits" in answer
    (left, steps), answer = asked(exam.fading, seed)
    assert f"{math.exp(steps * math.log(left)):.1e}" in answer


@by_seed
def test_masks_of_the_exam_are_those_of_the_rule(seed):
    text, answer = exam.made(random.Random(seed))
    order = re.search(r"order (.*?)\. ", text)[1].split(", ")
    degree, pixel = (
        int(re.search(r"degree (\d)", text)[1]),
        re.search(r"for (.) ", text)[1],
    )
    known = [p for place, p in enumerate(order, start=1) if place <= degree]
    assert answer.startswith(f"At {', '.join(known)}. ")
    safe = all(order.index(p) < order.index(pixel) for p in known)
    assert ("Yes" in answer) == safe


@by_seed
def test_blind_spot_of_the_exam_is_that_of_the_network(seed):
    from lookback.checks.looking_around import plain_stack, reached

    text, answer = exam.reach(random.Random(seed))
    layers = int(re.search(r"has (\d) layers", text)[1])
    up, right = map(int, re.search(r"pixel (\d) up and (\d) to", text).groups())
    here = (8, 4)
    assert reached(plain_stack(3, layers), 10, here)[8 - up, 4 + right] == (
        "Yes" in answer
    )


@by_seed
def test_context_and_price(seed):
    (_, _, k, *values), answer = asked(exam.context, seed)
    exponentials = [1, 1, k]
    mean = sum(e * v for e, v in zip(exponentials, values, strict=True)) / (2 + k)
    assert f"answer {mean:.2f}" in answer
    (T, radius), answer = asked(exam.price, seed)
    steps, layers, _, scores, near = numbers(answer)
    assert steps == T - 1
    assert radius * (layers - 1) < T - 1 <= radius * layers
    assert (scores, near) == (T**2, T + T * radius)
    (L, D, T), answer = asked(exam.cache, seed)
    assert numbers(answer)[4] == 2 * L * D * T
    (D, _), answer = asked(exam.spread, seed)
    assert numbers(answer)[:3] == [D, D, D**0.5]
