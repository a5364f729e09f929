"""The exercises: solutions pass, starters are 'not yet', mistakes are named."""

import pytest
from classroom import ALL
from mutants import MUTANTS

from lookback.checks import guard

by_name = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 3)


@by_name
def test_solution_is_right(exercise):
    solution = exercise.define(exercise.solution)
    assert [exercise.examine(solution, seed) for seed in range(4)] == [None] * 4


@by_name
def test_starter_is_not_yet(exercise):
    assert "not yet" in exercise.examine(exercise.define(exercise.starter))


def mutated(exercise, old, new):
    assert old in exercise.solution, f"{exercise.name} has no {old!r}"
    return exercise.define(exercise.solution.replace(old, new))


@by_name
def test_mutants_are_told_their_mistake(exercise):
    table = MUTANTS[exercise.name]
    assert len(table) >= 4
    for old, new, words in table:
        said = exercise.examine(mutated(exercise, old, new))
        assert said is not None, f"{exercise.name}: survived {old!r} -> {new!r}"
        assert words in said, f"{exercise.name}: {old!r} -> {new!r}:\n{said}"
