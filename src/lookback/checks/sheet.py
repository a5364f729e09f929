"""A chapter's exercises: what tells a learner whether an exercise is right.

A check is a function of one argument, the `Learner`: it calls the learner's function on
fixed, random and adversarial inputs and compares. It raises `Wrong` through `gives` or
`wrong`; the `Sheet` turns that into words. No check needs the solution in the page.
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from lookback.checks import guard
from lookback.checks.compare import brief, difference, kind, same

MARKING_SEEDS = 1, 2  # the page's own check draws with seed 0


class NotYetError(Exception):
    """Nothing has been written so far."""


class WrongError(Exception):
    """The answer is wrong; the message says how."""


class FailedError(WrongError):
    """What the learner wrote raised an error, or did not end."""


@dataclass
class Comparison:
    """One call: what came back, what should have, and what known mistakes would give."""

    called: str
    got: object
    want: object
    mistakes: Mapping[str, object]


class Learner:
    """What a learner wrote, called with care."""

    def __init__(self, name: str, function: object):
        self.name, self.function = name, function
        self.called = f"{name}(…)"
        self.history: list[Comparison] = []

    def __call__(self, *given):
        """Call it with copies of what is given, and hand its result on.

        Raises `NotYetError` if nothing comes back, `WrongError` if it fails, takes too
        long, or changes what it was given.
        """
        self.called = self.describe(given)
        copies = copy.deepcopy(given)
        outcome = guard.attempt(lambda: self.function(*copies))
        if outcome.unwritten or (outcome.failure is None and empty(outcome.value)):
            raise NotYetError
        if outcome.failure:
            raise FailedError(f"called:   {self.called}\nIt {outcome.failure}.")
        for name, before, after in zip(self.names(given), given, copies, strict=True):
            if not same(before, after):
                self.wrong(
                    f"it changed {name}, which belongs to the caller; make a new one"
                )
        return outcome.value

    def gives(self, want: object, *given, mistakes: Mapping[str, object] | None = None,
              failing: str = ""):  # fmt: skip
        """Call it, remember what came back beside `want`, and hand it on.

        mistakes: from a sentence to what somebody who makes that mistake gets.
        failing: what is likely if this call fails.
        """
        try:
            got = self(*given)
        except FailedError as failed:
            raise WrongError(
                f"{failed}\nlikely:   {failing}." if failing else str(failed)
            ) from None
        self.history.append(Comparison(self.called, got, want, mistakes or {}))
        return got

    def judge(self) -> None:
        """Raise `WrongError` for the first call that gave something else than expected.

        The mistake is named that explains all calls, the right answers among them: a
        wrong rule may be right by chance.
        """
        for first in self.history:
            if said := difference(first.got, first.want):
                likely = next(filter(self.explains, first.mistakes), said)
                raise WrongError(
                    f"called:   {first.called}\nreturned: {brief(first.got)}\n"
                    f"expected: {brief(first.want)}\nlikely:   {likely}."
                )

    def explains(self, mistake: str) -> bool:
        """Whether all that came back is what somebody gets who makes this mistake."""
        known = [c for c in self.history if mistake in c.mistakes]
        return not any(difference(c.got, c.mistakes[mistake]) for c in known)

    def wrong(self, likely: str) -> None:
        """Raise `WrongError` about the last call."""
        raise WrongError(f"called:   {self.called}\nlikely:   {likely}.")

    def names(self, given: tuple) -> list[str]:
        """The names of the arguments, as the learner calls them."""
        try:
            names = list(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):
            names = []
        return [*names, *map(str, range(len(names) + 1, len(given) + 1))][: len(given)]

    def describe(self, given: tuple) -> str:
        pairs = zip(self.names(given), given, strict=True)
        return (
            f"{self.name}({', '.join(f'{name}={brief(value)}' for name, value in pairs)})"
        )


def empty(value: object) -> bool:
    """Whether a function came back with nothing, as a starter does."""
    if isinstance(value, tuple | list) and value:
        return all(map(empty, value))
    return value is None or value is Ellipsis


@dataclass
class Exercise:
    title: str
    check: Callable[[Learner], None]


class Sheet:
    """The checks of one chapter, and which of them have been passed so far."""

    def __init__(self):
        self.exercises: dict[str, Exercise] = {}
        self.solved: dict[str, bool] = {}

    def exercise(self, title: str) -> Callable:
        """Register the check of one exercise under its function's name."""

        def register(check):
            self.exercises[check.__name__] = Exercise(title, check)
            return check

        return register

    def __call__(self, name: str, function: object) -> None:
        """Check an answer and print what there is to say."""
        said = self.examine(name, function)
        if name in self.exercises:
            self.solved[name] = said is None
        if said is None:
            said = f"✔ {self.exercises[name].title}: right. {self.count()}."
        print(said)

    def mark(self, name: str, function: object) -> None:
        """For the gradebook: raise `AssertionError` unless the answer is right.

        Other inputs than the page's own check are drawn.
        """
        for seed in MARKING_SEEDS:
            said = self.examine(name, function, seed)
            assert said is None, said

    def progress(self) -> None:
        """Print how far one is."""
        print(f"{self.count()}.")
        for name, exercise in self.exercises.items():
            print("✔" if self.solved.get(name) else "○", exercise.title)

    def count(self) -> str:
        return f"{sum(self.solved.values())} of {len(self.exercises)} solved"

    def examine(self, name: str, function: object, seed: int = 0) -> str | None:
        """What is wrong with an answer, in words, or None."""
        if name not in self.exercises:
            return (
                f"There is no exercise {name!r}; there are {', '.join(self.exercises)}."
            )
        title, check = self.exercises[name].title, self.exercises[name].check
        try:
            if not callable(function):
                raise WrongError(f"expected a function, got {kind(function)}.")
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self.question(check, Learner(name, function))
        except NotYetError:
            return f"○ {title}: not yet. Nothing comes back from `{name}`."
        except WrongError as wrong:
            return f"✘ {title}\n{wrong}"
        except Exception as error:  # what came back fits nowhere
            return f"✘ {title}\nWhat came back cannot be compared: {guard.told(error)}"
        return None

    def question(self, check: Callable[[Learner], None], learner: Learner) -> None:
        """Run a check; a wrong result says more than a later failure."""
        try:
            check(learner)
        finally:
            learner.judge()
