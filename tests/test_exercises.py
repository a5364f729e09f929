"""The exercises: solutions pass, starters are 'not yet', mistakes are named.

`pytest tests/test_exercises.py -rP` prints how many mutants each check was tried on.
"""

import contextlib
import re
import sys
import threading
import time

import alternatives
import nbformat
import pytest
import torch
from classroom import ALL, ROOT, SOURCES, nbgrader_id
from mutants import MUTANTS

from lookback.checks import guard
from lookback.checks.compare import brief, difference, same
from lookback.checks.sheet import Sheet

by_name = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)
by_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 5)


# --- every exercise ---------------------------------------------------------------------


@by_name
def test_solution_is_right(exercise):
    solution = exercise.define(exercise.solution)
    assert [exercise.examine(solution, seed) for seed in range(4)] == [None] * 4


OTHERS = [exercise for exercise in ALL if hasattr(alternatives, exercise.name)]


@pytest.mark.parametrize("exercise", OTHERS, ids=lambda exercise: exercise.name)
def test_another_right_answer_is_right(exercise):
    answer = getattr(alternatives, exercise.name)
    assert [exercise.examine(answer, seed) for seed in range(3)] == [None] * 3


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
        assert words, f"{exercise.name}: what is said of {old!r} -> {new!r}?"
        said = exercise.examine(mutated(exercise, old, new))
        assert said is not None, f"{exercise.name}: survived {old!r} -> {new!r}"
        assert words in said, f"{exercise.name}: {old!r} -> {new!r}:\n{said}"
    print(f"{exercise.name:20} {len(table):2} mutants, {len(table):2} killed")


def test_every_mutant_belongs_to_an_exercise():
    assert MUTANTS.keys() == {exercise.name for exercise in ALL}


class Odd:
    """Something that fails when it is looked at."""

    def __eq__(self, other):
        raise RuntimeError("do not compare me")

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("do not print me")


def spoil(*given):
    """Write zeros into all that is given."""
    for value in given:
        if isinstance(value, torch.Tensor) and value.numel():
            value.zero_()
    return torch.zeros(2)


def shout(*given):
    print("here")
    raise ValueError("two\nlines")


JUNK = {
    "nothing": None,
    "a string": "attention",
    "a number": 3,
    "returns None": lambda *_: None,
    "returns a string": lambda *_: "attention",
    "returns a list": lambda *_: [[], None, "x"],
    "returns a dictionary": lambda *_: {"a": 1},
    "returns a pair": lambda *_: (torch.zeros(1), "x"),
    "returns the wrong shape": lambda *_: torch.zeros(3, 7, 1, 2),
    "returns an empty tensor": lambda *_: torch.empty(0),
    "returns NaN": lambda *_: torch.tensor(float("nan")),
    "returns NaNs": lambda *_: (torch.full((2, 3), float("nan")),) * 2,
    "returns complex numbers": lambda *_: torch.zeros(2, dtype=torch.complex64),
    "returns an odd thing": lambda *_: Odd(),
    "returns a function": lambda *_: spoil,
    "takes nothing": lambda: 0,
    "changes what it is given": spoil,
    "prints and fails": shout,
    "leaves": lambda *_: sys.exit(),
    "leaves by the other door": lambda *_: exit(),
    "asks torch for what it has not": lambda *_: torch.tensor([1]).softmax(0),
    "recurses": lambda *given: (lambda f: f(f))(lambda f: f(f)),
    "is a class": Odd,
}


@by_name
def test_junk_gets_a_message(exercise, capsys):
    for name, junk in JUNK.items():
        said = exercise.examine(junk)
        assert said, name
        assert "Traceback" not in said, name
        assert len(said) < 1500, name
        assert "Nothing comes back" not in said or junk in (None, JUNK["returns None"])
    assert capsys.readouterr().out == ""


# --- the notebooks ----------------------------------------------------------------------

STARS = {"★": 2, "★★": 4, "★★★": 6}  # points


def objectives(path):
    """How many objectives a chapter states."""
    cells = nbformat.read(path, as_version=4).cells
    text = next(c.source for c in cells if "this chapter you can" in c.source)
    listed = text.split("this chapter you can", 1)[1]
    return len(re.findall(r"(?m)^(?:\d\.|-) ", listed))


@by_source
def test_exercises_are_whole(path):
    """Each has a task with two hints, a starter, a check and reasons, in this order."""
    cells = nbformat.read(path, as_version=4).cells
    tasks = [c for c in cells if re.match(r"## \d\. ", c.source)]
    solutions = [c for c in cells if c.metadata.get("nbgrader", {}).get("solution")]
    checks = [c for c in cells if c.metadata.get("nbgrader", {}).get("grade")]
    reasons = [c for c in cells if "solution" in c.metadata.get("tags", [])]
    assert 5 <= len(tasks) <= 6
    assert len(tasks) == len(solutions) == len(checks) == len(reasons)
    for number, (task, check) in enumerate(zip(tasks, checks, strict=True), start=1):
        title, stars = re.match(rf"## {number}\. (.+) (★+)\n", task.source).groups()
        minutes, points = re.search(
            r"\n\*(\d+) minutes; objectives? [\d and]+; (\d) points\*\n", task.source
        ).groups()
        assert check.metadata["nbgrader"]["points"] == int(points) == STARS[stars]
        assert 5 <= int(minutes) <= 45, title
        assert re.findall("<summary>(.*?)</summary>", task.source) == ["Hint 1", "Hint 2"]


@by_source
def test_exercises_test_an_objective(path):
    chapter = ROOT / "book" / path.name
    known = objectives(chapter) if chapter.is_file() else 5
    text = path.read_text(encoding="utf-8")
    named = [int(n) for n in re.findall(r"objectives? (\d)", text)]
    assert len(named) >= 5
    assert max(named) <= known
    assert len(set(named)) >= 3


@by_source
def test_sheet_and_notebook_agree(path):
    own = [exercise for exercise in ALL if exercise.path == path]
    sheet = own[0].sheet
    assert list(sheet.exercises) == [exercise.name for exercise in own]
    cells = nbformat.read(path, as_version=4).cells
    for exercise in own:
        title = sheet.exercises[exercise.name].title
        assert any(re.match(rf"## \d\. {re.escape(title)} ★", c.source) for c in cells)
        (check,) = [c for c in cells if nbgrader_id(c) == f"{exercise.name}-check"]
        call = f'check("{exercise.name}", {exercise.name})'
        mark = f'check.mark("{exercise.name}", {exercise.name})'
        hidden = f"### BEGIN HIDDEN TESTS\n{mark}\n### END HIDDEN TESTS"
        assert check.source == f"{call}\n{hidden}"


# --- the machinery ----------------------------------------------------------------------


def double(learner):
    for n in (1, 2, 3):
        learner.gives(2 * n, n, mistakes={"you added two": n + 2, "you squared": n * n})


@pytest.fixture
def sheet():
    made = Sheet()
    made.exercise("Twice")(double)
    return made


def test_sheet_counts_what_is_solved(sheet, capsys):
    sheet("double", lambda n: 2 * n)
    sheet.progress()
    sheet("double", lambda n: n)
    sheet("treble", lambda n: n)
    first, count, done, wrong, *_, unknown = capsys.readouterr().out.splitlines()
    assert first == "✔ Twice: right. 1 of 1 solved."
    assert (count, done, wrong) == ("1 of 1 solved.", "✔ Twice", "✘ Twice")
    assert unknown == "There is no exercise 'treble'; there are double."
    assert sheet.solved == {"double": False}


def test_the_mistake_is_the_one_that_explains_all_calls(sheet):
    assert "you added two" in sheet.examine("double", lambda n: n + 2)  # right at n = 2
    assert "you squared" in sheet.examine("double", lambda n: n * n)  # right at n = 2
    said = sheet.examine("double", lambda n: 2 * n + (n == 3))
    assert "called:   double(n=3)\nreturned: 7\nexpected: 6\nlikely:   7 instead" in said


def test_a_wrong_answer_says_more_than_a_later_failure(sheet):
    assert "you squared" in sheet.examine("double", lambda n: n * n if n < 3 else 1 / 0)
    assert "ZeroDivisionError" in sheet.examine("double", lambda n: 1 / 0)


def broken(n):
    return n / 0


def test_a_call_that_fails_is_explained_where_one_knows_why():
    def divided(learner):
        learner.gives(1.0, 2)
        learner.gives(0.0, 0, failing="0 needs a case of its own")

    made = Sheet()
    made.exercise("Divided")(divided)
    said = made.examine("divided", lambda n: 2 / n)
    assert "ZeroDivisionError" in said
    assert said.endswith("likely:   0 needs a case of its own.")
    always = made.examine("divided", broken)
    assert "ZeroDivisionError" in always
    assert "likely" not in always


def test_mark_raises_what_the_check_says(sheet):
    sheet.mark("double", lambda n: 2 * n)
    with pytest.raises(AssertionError, match="you squared"):
        sheet.mark("double", lambda n: n * n)


def test_the_world_is_as_it_was(sheet):
    before = torch.random.get_rng_state()
    stdout = sys.stdout
    sheet.examine("double", lambda n: (torch.rand(3), print(n)))
    assert torch.equal(before, torch.random.get_rng_state())
    assert sys.stdout is stdout


def endless(*_):
    while True:
        pass


def stubborn(*_):
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.001)


@pytest.mark.parametrize("function", [endless, stubborn, lambda *_: time.sleep(60)])
@pytest.mark.parametrize("timer", [True, False])
def test_what_never_ends_is_stopped(sheet, function, timer, monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 0.2)
    monkeypatch.setattr(guard, "has_timer", lambda: timer)
    began = time.monotonic()
    assert "loop without end" in sheet.examine("double", function)
    assert time.monotonic() - began < 20


def test_a_thread_is_told_to_stop(monkeypatch):
    monkeypatch.setattr(guard, "has_timer", lambda: False)
    before = threading.active_count()
    assert guard.attempt(endless, 0.1).failure
    assert threading.active_count() == before
    assert guard.attempt(lambda: 3, 5).value == 3
    assert "KeyError" in guard.attempt(lambda: {}[0], 5).failure


def test_another_timer_goes_on():
    import signal

    before = signal.getitimer(signal.ITIMER_REAL)[0]
    guard.attempt(lambda: 1)
    after = signal.getitimer(signal.ITIMER_REAL)[0]
    assert (after == 0) == (before == 0)
    assert after <= before


def test_control_c_gets_through(sheet):
    def interrupted(n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sheet.examine("double", interrupted)


def test_exit_in_a_notebook_ends_nothing(sheet):
    """In IPython `exit` is an object that asks the shell to end."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        said = sheet.examine("double", lambda n: shell.ask_exit())
    finally:
        InteractiveShell.clear_instance()
    assert "asked Python to quit" in said


@pytest.mark.parametrize(
    ("got", "want", "words"),
    [
        (torch.ones(2), torch.ones(2), ""),
        (torch.ones(2), torch.ones(3), "the shape is (2,); expected (3,)"),
        (torch.ones(2), torch.ones(2, dtype=torch.bool), "the type is torch.float32"),
        ([1.0, 1.0], torch.ones(2), "a list came back"),
        (torch.tensor([1.0, torch.nan]), torch.ones(2), "1 of 2 numbers are NaN"),
        (torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), ""),
        (1, 1.0, ""),
        (True, 1, "a bool came back; expected a number"),
        (1, True, "an int came back; expected True or False"),
        (torch.tensor(2.0), 2, ""),
        (float("nan"), 2, "NaN came back"),
        (torch.tensor([1, 2]), [1, 2], ""),
        ([1], [1, 2], "1 came back, and there should be 2"),
        ((1, 2), (1, 3), "the second of 2: 2 instead of 3"),
        ([1, 2], [1, 3], "at [1]: 2 instead of 3"),
        ((1, (2, 3)), (1, (4, 3)), "the second of 2: the first of 2: 2 instead of 4"),
        (None, [1], "a NoneType came back"),
        ((1, None), (1, None), ""),
        ("model", "search", "'model' instead of 'search'"),
    ],
)
def test_differences_are_told(got, want, words):
    said = difference(got, want)
    assert words in said
    assert bool(said) == bool(words)


def test_changes_are_seen():
    layer = torch.nn.Linear(2, 2)
    other = torch.nn.Linear(2, 2)
    assert same(layer, layer)
    assert not same(layer, other)
    assert same({"a": [torch.tensor(torch.nan)]}, {"a": [torch.tensor(torch.nan)]})
    assert not same([1, torch.ones(2)], [1, torch.zeros(2)])
    assert not same({"a": 1}, {"b": 1})


def test_values_are_shown_briefly():
    assert brief(torch.zeros(100)) == "tensor (100,)"
    assert brief((torch.zeros(100), 1)) == "(tensor (100,), 1)"
    assert (
        brief({"i": torch.zeros(100), "f": torch.ones(1)}) == "{'i': (100,), 'f': (1,)}"
    )
    assert brief(torch.zeros(13)) == "tensor (13,)"
    assert brief(torch.arange(13)) == str(list(range(13)))
    assert brief(torch.tensor([[True, False]])) == "[[1, 0]]"
    long = torch.arange(32).view(4, 8) < 17
    assert brief(long) == "[11111111, 11111111, 10000000, 00000000]"
    assert brief((long, long)) == "(tensor (4, 8), tensor (4, 8))"
    assert brief(torch.ones(9, 9).bool()) == "tensor (9, 9)"
    assert brief([1.00004, 2]) == "[1.0, 2]"
    pair = torch.zeros(7), (torch.zeros(7), torch.zeros(1))  # together too many
    assert brief(pair) == "(tensor (7,), (tensor (7,), tensor (1,)))"
    assert brief(pair[1]) == "([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0])"
    assert len(brief("x" * 1000)) == 88
