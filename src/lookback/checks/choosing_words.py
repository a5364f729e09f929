"""Checks of the exercises of chapter 3."""

import heapq
import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from lookback.checks.sheet import Learner, Sheet

check = Sheet()
START, END = "(start)", "(end)"
Next = Callable[[tuple[int, ...]], Tensor]  # tokens so far -> log-probabilities (V,)


def paths(follows: dict, word: str = START) -> list[tuple[float, tuple[str, ...]]]:
    """All sentences of a tree with their probabilities."""
    if word == END:
        return [(1.0, ())]
    return [
        (p * q, rest if after == END else (after, *rest))
        for after, p in follows[word].items()
        for q, rest in paths(follows, after)
    ]


def added(follows: dict, word: str = START) -> tuple[float, tuple[str, ...]]:
    """The best way on of somebody who adds probabilities instead of multiplying."""
    if word == END:
        return 0.0, ()
    ways = [(p, after, added(follows, after)) for after, p in follows[word].items()]
    return max((p + q, (after, *w) if after != END else w) for p, after, (q, w) in ways)


def greedily(follows: dict, word: str = START) -> tuple[str, ...]:
    after = max(follows[word], key=follows[word].get)
    return () if after == END else (after, *greedily(follows, after))


def tree(depth: int) -> dict:
    """A random tree; words are named after their place in it."""
    follows, row = {}, [START]
    for level in range(depth):
        below = []
        for i, word in enumerate(row):
            names = [f"{'abcd'[level]}{3 * i + k}" for k in range(1, 4)]
            follows[word] = dict(
                zip(names, torch.rand(3).softmax(0).tolist(), strict=True)
            )
            below += names
        row = below
    return follows | {word: {END: 1.0} for word in row}


GARDEN = {
    START: {"the": 0.6, "a": 0.4},
    "the": {"cat": 0.4, "dog": 0.35, "bird": 0.25},
    "a": {"fox": 0.9, "hen": 0.1},
    **{noun: {END: 1.0} for noun in ("cat", "dog", "bird", "fox", "hen")},
}
SHORT = {  # the best sentence has one word
    START: {"go": 0.4, "well": 0.6},
    "go": {END: 1.0},
    "well": {"so": 0.55, "then": 0.45},
    "so": {END: 0.55, "what": 0.45},
    "then": {END: 1.0},
    "what": {END: 1.0},
}

LONG = {  # the best sentence has one word, and adding finds it, too
    START: {"go": 0.9, "well": 0.1},
    "go": {END: 1.0},
    "well": {"so": 0.6, "then": 0.4},
    "so": {END: 1.0},
    "then": {END: 1.0},
}


@check.exercise("What greedy walks past")
def greedy_and_best(learner: Learner) -> None:
    """A table of what follows -> the greedy sentence and the likeliest."""
    for follows in (GARDEN, SHORT, LONG, tree(2), tree(3)):
        everything = paths(follows)
        best, greedy = max(everything)[1], greedily(follows)
        longest = max(everything, key=lambda found: (len(found[1]), found[0]))[1]
        learner.gives(
            (greedy, best), follows,
            mistakes={
                "the likeliest is not always the greedy one: look at all sentences":
                    (greedy, greedy),
                "greedy first, then the best": (best, greedy),
                "that is the unlikeliest of all": (greedy, min(everything)[1]),
                "the end mark is no word; leave it out": ((*greedy, END), (*best, END)),
                "the start mark is no word; leave it out":
                    ((START, *greedy), (START, *best)),
                "probabilities along a path are multiplied, not added":
                    (greedy, added(follows)[1]),
                "the longest sentence is not the likeliest": (greedy, longest),
                "greedy looks one word ahead only": (best, best),
            },
        )  # fmt: skip


@check.exercise("Which way α pushes")
def winner(learner: Learner) -> None:
    """(log-probability, length) of some hypotheses, α -> the place of the best."""
    cases = [([(-2.0, 4), (-2.5, 6)], alpha) for alpha in (0.0, 1.0, 2.0)]
    cases.append(([(-1.0, 10), (-1.5, 2)], 1.0))
    cases += [
        ([(-3.0, 3), (-3.5, 4), (-9.0, 20)], alpha) for alpha in (0.0, 0.5, 1.0, 3.0)
    ]
    for count in (2, 5, 9):
        lengths = torch.randint(1, 15, (count,)).tolist()
        sums = [-n * (0.3 + torch.rand(()).item()) for n in lengths]
        cases.append((list(zip(sums, lengths, strict=True)), torch.rand(()).item() * 2))
    for hypotheses, alpha in cases:

        def best(score, hypotheses=hypotheses, alpha=alpha):
            return max(range(len(hypotheses)), key=lambda i: score(*hypotheses[i], alpha))

        learner.gives(
            best(lambda p, n, a: p / n**a), hypotheses, alpha,
            mistakes={
                "α was not used": best(lambda p, n, a: p),
                "the sign: divide by the length; a sum closer to zero is better, so "
                "dividing brings a long sentence up, multiplying pushes it down":
                    best(lambda p, n, a: p * n**a),
                "the best score is the largest, the one closest to zero":
                    best(lambda p, n, a: -p / n**a),
                "the length alone decides nothing": best(lambda p, n, a: n),
                "α is an exponent, not a factor": best(lambda p, n, a: p / (a * n or 1)),
                "that is the mean per word, whatever α is": best(lambda p, n, a: p / n),
                "that is the best score; asked is its place in the list":
                    max(p / n**alpha for p, n in hypotheses),
            },
        )  # fmt: skip


def machine(V: int, sharp: float = 1.5) -> Next:
    """Log-probabilities that depend on the last word and on the place, until it tires."""
    table = torch.randn(V + 1, 5, V) * sharp

    def next_log_probs(tokens):
        scores = table[tokens[-1] if tokens else V, len(tokens) % 5].clone()
        scores[0] += 0.6 * len(tokens) - 1  # the end grows likelier
        return scores.log_softmax(-1)

    return next_log_probs


def crowded(tokens: tuple[int, ...]) -> Tensor:
    """In a beam of 2 the end takes the place of a word that would win later."""
    after = {(): [0.4, 0.35, 0.25], (1,): [0.3, 0.36, 0.34]}
    return torch.tensor(after.get(tuple(tokens), [0.98, 0.01, 0.01])).log()


def searched(step: Next, width: int, eos: int, longest: int, alpha: float,
             early: bool = False, sign: int = 1, on: bool = False, few: bool = False,
             worst: bool = False, fill: bool = False, stop: str = "", alive: bool = True,
             end: int = 1) -> tuple[int, ...]:  # fmt: skip
    """Beam search, with or without the mistakes that a learner may make."""

    def score(h, a):
        length = len(h[1]) if end or h[1][-1] != eos else len(h[1]) - 1
        return h[0] / max(length, 1) ** (sign * a)

    live, done = [(0.0, ())], []
    for _ in range(longest):
        grown = [
            (total + p, (*tokens, word))
            for total, tokens in live
            for word, p in enumerate(step(tokens).tolist())
        ]
        room = width - len(done) if few else width
        grown = sorted(grown, key=lambda h: score(h, alpha if early else 0))
        grown = grown if worst else grown[::-1]
        rest = [h for h in grown if h[1][-1] != eos] if fill else grown
        done += [h for h in grown[:room] if h[1][-1] == eos]
        live = [h for h in rest[:room] if h[1][-1] != eos or on]
        if not live or (done and (stop == "first" or beaten(done, live, stop))):
            break
    return max(
        [*done, *(live if alive or not done else [])], key=lambda h: score(h, alpha)
    )[1]


def beaten(done: list, live: list, stop: str) -> bool:
    """The chapter's reason to stop, which holds without a length exponent."""
    return stop == "sum" and max(done)[0] >= live[0][0]


@check.exercise("A beam that may prefer long sentences")
def beam(learner: Learner) -> None:
    """Next log-probabilities, width, end symbol, longest, α -> the best tokens."""
    for V, width, longest, alpha in [(5, 3, 7, 0.0), (6, 4, 8, 1.0), (4, 1, 6, 1.0),
                                     (3, 9, 2, 0.5), *[(6, 4, 8, 1.5)] * 12,
                                     (0, 2, 2, 1.0)]:  # fmt: skip
        step = machine(V) if V else crowded
        given = step, width, 0, longest, alpha
        learner.gives(
            searched(*given), *given,
            mistakes={
                "that is greedy search: `width` hypotheses stay alive":
                    searched(given[0], 1, *given[2:]),
                "α is not used": searched(*given[:4], 0.0),
                "the sign of α: the sum is divided by the length to the power of α":
                    searched(*given, sign=-1),
                "α belongs to the last choice only; on the way the sums are compared":
                    searched(*given, early=True),
                "a hypothesis that has ended is not continued":
                    searched(*given, on=True),
                "a finished hypothesis takes no place in the next beam":
                    searched(*given, few=True),
                "the likeliest are kept, those with the largest sums":
                    searched(*given, worst=True),
                "off by one: up to `longest` symbols, the end counted":
                    searched(*given[:3], max(longest - 1, 1), alpha),
                "one symbol too many: up to `longest`, the end counted":
                    searched(*given[:3], longest + 1, alpha),
                "a finished sentence does not end the search: others still live":
                    searched(*given, stop="first"),
                "with α > 0 a longer one may still win, though its sum is smaller: go on "
                "while anything lives": searched(*given, stop="sum"),
                "what is still alive in the end may win, too":
                    searched(*given, alive=False),
                "the end symbol counts in the length": searched(*given, end=0),
                "the `width` likeliest are kept, finished ones among them; the beam is "
                "not filled up again": searched(*given, fill=True),
                "the end symbol belongs to the tokens":
                    tuple(token for token in searched(*given) if token != 0),
                "the last symbol is cut off; it belongs to the tokens":
                    searched(*given)[:-1],
            },
        )  # fmt: skip


def best_first(
    step: Next, eos: int, add: bool = True, sign: int = 1, visits: int = 1000
) -> tuple[tuple[int, ...], float] | None:
    """The likeliest sentence; None if a mistake (`add`, `sign`) takes more visits."""
    waiting: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for _ in range(visits):
        cost, tokens = heapq.heappop(waiting)
        if tokens[-1:] == (eos,):
            return tokens, -sign * cost
        for word, p in enumerate(step(tokens).tolist()):
            heapq.heappush(waiting, (add * cost - sign * p, (*tokens, word)))
    return None


def first_seen(step: Next, eos: int) -> tuple[tuple[int, ...], float]:
    """Best-first search that stops when it sees an end, not when it takes one."""
    waiting: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    while True:
        cost, tokens = heapq.heappop(waiting)
        scores = step(tokens).tolist()
        if max(scores) == scores[eos]:
            return (*tokens, eos), scores[eos] - cost
        for word, p in enumerate(scores):
            if word != eos:
                heapq.heappush(waiting, (cost - p, (*tokens, word)))


def greedy_tokens(step: Next, eos: int) -> tuple[tuple[int, ...], float]:
    tokens, total = (), 0.0
    while tokens[-1:] != (eos,):
        scores = step(tokens)
        total, tokens = total + float(scores.max()), (*tokens, int(scores.argmax()))
    return tokens, total


def maze(doors: int) -> Next:
    """Behind each door a sentence goes on in many ways, behind the last it ends.

    The last is the least likely, by little: it begins the best sentence, and a beam with
    fewer places than doors drops it at once.
    """
    first = torch.linspace(1, 0.99, doors + 1)
    first[0] = 0.0
    onward = torch.ones(doors + 1)
    onward[0] = 1.5  # the end
    ending = torch.zeros(doors + 1)
    ending[0] = 1.0

    def next_log_probs(tokens):
        if not tokens:
            return (first / first.sum()).log().clamp(min=-99)
        weights = ending if len(tokens) > 1 or tokens[0] == doors else onward
        return (weights / weights.sum()).log().clamp(min=-99)

    return next_log_probs


@check.exercise("Nothing better exists")
def exact(learner: Learner) -> None:
    """Next log-probabilities, end symbol -> tokens and their log-probability."""
    for V in [5, 4, 9, *[6] * 8, 0]:
        step = machine(V) if V else maze(400)
        tokens, total = best_first(step, 0)
        for _ in range(20):  # a machine on which greedy fails tells more
            if greedy_tokens(step, 0)[0] != tokens:
                break
            step = machine(V)
            tokens, total = best_first(step, 0)
        unlikely = best_first(step, 0, sign=-1, visits=50) if V else None
        learner.gives(
            (tokens, total), step, 0,
            mistakes={
                "that is the greedy sentence; a likelier one begins with another word":
                    greedy_tokens(step, 0),
                "stop when a finished sentence is *taken* from those that wait, not when "
                "one is put there": first_seen(step, 0),
                "the sign: return the log-probability": (tokens, -total),
                "`heapq` has the smallest in front: push minus the log-probability":
                    unlikely,
                "the smallest is in front of the heap: push minus the log-probability":
                    unlikely and (unlikely[0], -unlikely[1]),
                "to have *put* a finished sentence there proves nothing: stop when it is "
                "taken": ((0,), float(step(())[0])),
                "two are asked for, tokens and log-probability": tokens,
                "tokens first, then the log-probability": (total, tokens),
                "a beam proves nothing, however wide: the best sentence may begin with a "
                "word that it drops": (tokens, total) if V else greedy_tokens(step, 0),
                "a sentence costs the sum of all its steps, not its last step alone":
                    best_first(step, 0, add=False),
                "the end symbol belongs to the tokens": (tokens[:-1], total),
                "return its log-probability, not its probability":
                    (tokens, math.exp(total)),
            },
        )  # fmt: skip


@check.exercise("Who is to blame?")
def verdict(learner: Learner) -> None:
    """Tokens and log-probability of the reference, and of what was found -> a word."""
    a, b = (3, 4, 1), (3, 5, 1)
    cases = [(a, -2.0, b, -1.0), (a, -1.0, b, -2.0), (a, -1.0, a, -1.0),
             (a, -3.0, a + b, -2.5), (a + b, -2.5, a, -3.0),
             (a, -1.0, b, -1.0)]  # fmt: skip
    for _ in range(10):
        found = [a, b][int(torch.randint(2, ()))]
        logs = -5 * torch.rand(2)
        other = logs[0] if found == a else logs[1]
        cases.append((a, float(logs[0]), found, float(other)))
    for reference, log_reference, found, log_found in cases:
        tie = log_found == log_reference and found != reference
        if found == reference:
            want, swapped, blind = "right", "right", "model"
        else:
            want = "search" if log_reference > log_found else "model"
            swapped = "search" if log_reference < log_found else "model"
            blind = want
        learner.gives(
            want, reference, log_reference, found, log_found,
            mistakes={
                "the other way round: the search missed a reference that was likelier":
                    swapped,
                "what equals the reference is right, and nobody is to blame": blind,
                "compare the tokens: two sentences may have one log-probability":
                    "right" if log_found == log_reference else want,
                "the search is to blame only if the reference was likelier than what it "
                "found": "right" if found == reference else "search",
                "the model is to blame only if it finds the wrong sentence likelier":
                    "right" if found == reference else "model",
                "of two that are equally likely no search can choose the right one":
                    "search" if tie else want,
                "the other way round, and a tie is no search error":
                    "search" if tie else swapped,
            },
        )  # fmt: skip


def cut(p: Tensor, total: float, over: int = 1, norm: bool = True) -> Tensor:
    """The nucleus; `over`: how many words beyond those that stay below the total."""
    order = p.sort(descending=True)
    many = int((order.values.cumsum(0) < total - 1e-6).sum()) + over
    kept = torch.zeros_like(p)
    kept[order.indices[:many]] = order.values[:many]
    return kept / kept.sum() if norm else kept


def listed(p: Tensor, total: float) -> Tensor:
    """The nucleus of somebody who does not sort."""
    kept = torch.where(p.cumsum(0) - p < total, p, 0)
    return kept / kept.sum()


def rare(p: Tensor, total: float) -> Tensor:
    """The nucleus of somebody who sorts the wrong way."""
    order = p.sort()
    many = int((order.values.cumsum(0) < total - 1e-6).sum()) + 1
    kept = torch.zeros_like(p)
    kept[order.indices[:many]] = order.values[:many]
    return kept / kept.sum()


@check.exercise("The nucleus")
def nucleus(learner: Learner) -> None:
    """Probabilities (V,), a total -> probabilities (V,)."""
    fixed = torch.tensor([0.05, 0.4, 0.1, 0.3, 0.15])
    cases = [(fixed, total) for total in (0.6, 0.9, 0.1, 0.99)]
    sizes = itertools.product((4, 30), (0.5, 0.9))
    cases += [((2 * torch.randn(V)).softmax(0), total) for V, total in sizes]
    cases += [(torch.tensor([0.25, 0.5, 0.25]), 0.5)]  # reached by one word, exactly
    for p, total in cases:
        order = p.sort(descending=True).values
        few = int((cut(p, total) > 0).sum())
        learner.gives(
            cut(p, total), p, total,
            mistakes={
                "one word too few: the word that carries the sum over the total stays":
                    cut(p, total, over=0),
                "one word too many: stop as soon as the total is reached":
                    cut(p, total, over=2),
                "a total that is reached exactly is reached: no further word is needed":
                    cut(p, total + 1e-5),
                "what is left must sum to one again": cut(p, total, norm=False),
                "put the words back in their places: yours are sorted": torch.cat(
                    [order[:few] / order[:few].sum(), 0 * order[few:]]
                ),
                "the total is that of several words, not a limit for each":
                    torch.where(p >= total, p, 0) / p[p >= total].sum(),
                "divide by the sum; a softmax gives the words that left something again":
                    cut(p, total, norm=False).softmax(0),
                "the likeliest stay, not the first in the list: sort": listed(p, total),
                "the likeliest words stay, not the unlikeliest": rare(p, total),
            },
        )  # fmt: skip
