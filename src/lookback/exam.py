"""An exam with new numbers for every seed; no solutions are published.

A question is a function from a random generator to its text and its answer. The answers
are computed, and printed only for who asks with `--answers`.
"""

import argparse
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

Question = Callable[[random.Random], tuple[str, str]]
QUESTIONS: list[tuple[int, Question]] = []  # the chapter, and what is asked


@dataclass
class Exam:
    """The text of an exam, and its answers in the same order."""

    text: str
    answers: str


def question(chapter: int) -> Callable[[Question], Question]:
    """Register a question about a chapter."""

    def register(function: Question) -> Question:
        QUESTIONS.append((chapter, function))
        return function

    return register


@question(1)
def weights(draw: random.Random) -> tuple[str, str]:
    D, H = draw.choice([16, 24, 32, 48]), draw.choice([64, 96, 128])
    one = D * H + H * H + H
    text = (
        f"Inputs have {D} numbers, hidden states {H}. How many weights has a plain RNN "
        "cell "
        "with one bias, and how many an LSTM cell? Show the sum."
    )
    return text, f"RNN {one:,}; LSTM, four of each, {4 * one:,}."


@question(1)
def fading(draw: random.Random) -> tuple[str, str]:
    left, steps = draw.choice([0.5, 0.6, 0.7, 0.8]), draw.choice([10, 20, 30])
    text = (
        f"In an untrained cell each step leaves {left} of a small change of the state. "
        "What "
        f"is left after {steps} steps? Name one thing that this number does not tell "
        "about "
        "what the cell remembers."
    )
    return text, (
        f"{left}^{steps} = {left**steps:.1e}. It is not recall: a state that has been "
        "pushed "
        "to one side like a switch keeps what it was set to, and a small change does not "
        "move it."
    )


@question(2)
def all_right(draw: random.Random) -> tuple[str, str]:
    percent, words = draw.choice([90, 95, 97, 99]), draw.choice([10, 20, 30])
    text = (
        f"Told the right words before, a translator gets {percent} % of the words right. "
        f"Mistakes are independent. What share of the sentences of {words} words is "
        "right, "
        "and what does the number of words right in *free* translation have to do with "
        "it?"
    )
    return text, (
        f"{percent / 100}^{words} = {(percent / 100) ** words:.2f}. Sentences right at "
        "every "
        "step are those that greedy decoding writes; after a first mistake the decoder "
        "hears "
        "a word that it never heard in training, so the share of words says nothing."
    )


@question(3)
def garden(draw: random.Random) -> tuple[str, str]:
    first = draw.choice([0.55, 0.6, 0.62])
    a, b = draw.choice([(0.4, 0.35), (0.45, 0.3), (0.5, 0.3)]), draw.choice([0.9, 0.95])
    other = 1 - first
    text = (
        f"After the start come *the* ({first}) and *a* ({other:.2f}). After *the* come "
        "*cat* "
        f"({a[0]}), *dog* ({a[1]}) and *hen* ({1 - sum(a):.2f}); after *a* come *fox* "
        f"({b}) "
        f"and *owl* ({1 - b:.2f}). Then the sentence ends. What does greedy search say, "
        "what "
        "a beam of width 2, and which sentence is likeliest? Give the probabilities."
    )
    return text, (
        f"Greedy: the cat, {first * a[0]:.3f}. Width 2 keeps both first words and finds "
        "the "
        f"likeliest: a fox, {other * b:.3f}."
    )


@question(3)
def longer(draw: random.Random) -> tuple[str, str]:
    short, long = draw.choice([3, 4, 5]), draw.choice([8, 9, 10])
    mean = draw.choice([0.5, 0.6, 0.7])
    sums = -mean * short, -(mean - 0.1) * long
    text = (
        f"Hypothesis A has {short} words and the log-probability {sums[0]:.1f}, B has "
        f"{long} "
        f"words and {sums[1]:.1f}. Which wins with α = 0, which with α = 1? Which way "
        "does α "
        "push, and why?"
    )
    return text, (
        f"α = 0: A. α = 1: B, {sums[1] / long:.2f} against {sums[0] / short:.2f} a word. "
        "Towards longer ones: a negative number divided by more comes closer to zero."
    )


@question(4)
def bits(draw: random.Random) -> tuple[str, str]:
    side, nats = draw.choice([14, 16, 20, 28]), draw.choice([40, 55, 70, 85])
    value = nats / math.log(2) / side**2
    text = (
        f"A model pays {nats} nats for a binary picture of {side} × {side} pixels. How "
        "many "
        "bits a pixel is that, and what would fair coins pay?"
    )
    return text, f"{nats} / ln 2 / {side**2} = {value:.3f} bits; coins pay 1 bit."


@question(4)
def made(draw: random.Random) -> tuple[str, str]:
    order = draw.sample("ABCD", 4)
    while order == sorted(order):
        order = draw.sample("ABCD", 4)
    degree = draw.choice([1, 2, 3])
    asked = draw.choice(order)
    place = order.index(asked)
    text = (
        f"A MADE draws its four pixels in the order {', '.join(order)}. At which pixels "
        "may a "
        f"hidden unit of degree {degree} look? May the output for {asked} look at that "
        "unit?"
    )
    return text, (
        f"At {', '.join(order[:degree])}. {'Yes' if place >= degree else 'No'}: the "
        "output's "
        f"degree is {place}, one less than its place."
    )


@question(5)
def reach(draw: random.Random) -> tuple[str, str]:
    layers, up = draw.choice([4, 6, 8]), draw.choice([1, 2, 3])
    right = draw.choice([up, up + 1, up + 2])
    seen = right <= up
    text = (
        f"A plain PixelCNN has {layers} layers with 3 × 3 kernels, the first of type A. "
        "How "
        f"many rows up can a pixel see? Can it see the pixel {up} up and {right} to the "
        "right? What would help?"
    )
    return text, (
        f"{layers} rows. {'Yes' if seen else 'No, at no depth'}: one to the right costs "
        "one "
        "up. Two stacks, one for the rows above and one for the own row, have no blind "
        "spot."
    )


@question(6)
def context(draw: random.Random) -> tuple[str, str]:
    k = draw.choice([2, 3, 4, 6])
    values = [draw.randrange(2, 12, 2) for _ in range(3)]
    total = sum(v * w for v, w in zip(values, (1, 1, k), strict=True)) / (2 + k)
    text = (
        f"A query has the scores 0, 0 and ln {k} with three keys whose values are "
        f"{', '.join(map(str, values))}. What are the weights, and what is the answer? "
        "What "
        "becomes of both if the third key is masked?"
    )
    return text, (
        f"Weights 1/{2 + k}, 1/{2 + k}, {k}/{2 + k}; answer {total:.2f}. Masked: 1/2, "
        "1/2, 0; "
        f"answer {(values[0] + values[1]) / 2:.1f}."
    )


@question(6)
def spread(draw: random.Random) -> tuple[str, str]:
    D = draw.choice([16, 36, 64, 100])
    text = (
        f"Queries and keys have {D} independent entries of variance 1. What is the "
        "variance of "
        "their dot product, what is it divided by, and what goes wrong without that?"
    )
    return text, (
        f"{D}; by √{D} = {math.isqrt(D)}. Without it one weight is close to 1, the "
        "softmax's "
        "gradient close to 0, and the scores stop learning."
    )


@question(7)
def price(draw: random.Random) -> tuple[str, str]:
    T, radius = draw.choice([100, 200, 400]), draw.choice([4, 5, 8])
    text = (
        f"A sequence has {T} positions. How many steps or layers does something need to "
        "get "
        "from the first position to the last in an RNN, in layers that look at most "
        f"{radius} positions back, and in full attention? How many scores has one layer "
        "of "
        "full attention, and one of the windows (the position itself counted, borders "
        "ignored)?"
    )
    layers = math.ceil((T - 1) / radius)
    return text, f"{T - 1}, {layers}, 1; {T * T:,} and {T * (radius + 1):,} scores."


@question(7)
def cache(draw: random.Random) -> tuple[str, str]:
    T, D, L = draw.choice([50, 100, 200]), draw.choice([64, 128]), draw.choice([2, 4, 6])
    text = (
        f"A causal Transformer with {L} layers and vectors of {D} numbers writes {T} "
        "symbols. "
        "How many numbers are kept in its cache at the end? How often would the key of "
        "the "
        "first position be computed in one layer without a cache? Why may it be kept?"
    )
    return text, (
        f"2 · {L} · {T} · {D} = {2 * L * T * D:,}. {T} times. Under a causal mask a "
        "position "
        "does not see later ones, so its key does not change."
    )


def exam(seed: int) -> Exam:
    """The exam of a seed: the same questions for all, with numbers of its own."""
    draw = random.Random(seed)
    text, answers = [f"# Look Back: exam {seed}\n\n90 minutes, 5 points each."], []
    for number, (chapter, ask) in enumerate(QUESTIONS, start=1):
        asked, answer = ask(draw)
        text.append(f"**{number}.** (chapter {chapter}) {asked}")
        answers.append(f"{number}. {answer}")
    return Exam("\n\n".join(text) + "\n", "\n".join(answers) + "\n")


def main(arguments: list[str]) -> None:
    """`python -m lookback exam --seed N [--answers]`"""
    parser = argparse.ArgumentParser("python -m lookback exam", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="keep it to yourself")
    parser.add_argument("--answers", action="store_true", help="the answers instead")
    options = parser.parse_args(arguments)
    made = exam(options.seed)
    print(made.answers if options.answers else made.text, end="")
