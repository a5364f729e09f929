"""From the teacher's sources to learners' notebooks, and from submissions to marks."""

import csv
import re
import shutil
import sys

import nbformat
import pytest
from classroom import ROOT, SOURCES, exercises, nbgrader_id

from lookback import classroom
from lookback.__main__ import main
from lookback.notebooks import NotebookError, normalise

TARGET = ROOT / "book/exercises"
by_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)


def without_outputs(text):
    nb = nbformat.reads(text, as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return normalise(nbformat.writes(nb))


@by_source
def test_what_is_committed_is_what_the_source_generates(path):
    for target, text in classroom.generated(path, TARGET).items():
        committed = target.read_text(encoding="utf-8")
        assert without_outputs(committed) == text, (
            f"{target} is out of date: run `python -m lookback exercises {path.stem}`"
        )


def test_nothing_else_is_there():
    stems = [path.stem for path in SOURCES]
    wanted = {f"{s}{end}.ipynb" for s in stems for end in ("", "_solutions")}
    assert {path.name for path in TARGET.glob("*.ipynb")} == wanted


@by_source
def test_learners_see_no_solution(path):
    text = (TARGET / path.name).read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    assert "check.mark" not in text
    assert "Why it works" not in text
    cells = nbformat.reads(text, as_version=4).cells
    text = "\n".join(
        c.source for c in cells if c.cell_type == "code"
    )  # hints may be frank
    own = exercises(path)
    assert text.count("...  # your code here") == len(own)
    for exercise in own:
        lines = exercise.solution.split("### BEGIN SOLUTION\n")[1].splitlines()
        code = [line.strip() for line in lines if len(line.strip()) > 25]
        assert not [line for line in code if line in text]


@by_source
def test_outputs_say_how_far_one_is(path):
    def said(name):
        cells = nbformat.read(TARGET / name, as_version=4).cells
        outputs = [o for c in cells if c.cell_type == "code" for o in c.outputs]
        return "".join(o.text for o in outputs)

    count = len(exercises(path))
    assert said(path.name).count("not yet") == count
    assert f"\n0 of {count} solved.\n" in said(path.name)
    assert f"\n{count} of {count} solved.\n" in said(f"{path.stem}_solutions.ipynb")


@by_source
def test_solutions_are_folded_away(path):
    cells = nbformat.read(TARGET / f"{path.stem}_solutions.ipynb", as_version=4).cells
    folded = [c for c in cells if c.metadata.get("tags") == ["hide-input"]]
    assert len(folded) == len(exercises(path))
    assert not any("###" in c.source for c in folded)
    assert not any("nbgrader" in c.metadata for c in cells)
    assert cells[0].source.startswith("# Solutions")


# --- nbgrader, from the source to the gradebook -----------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of nbgrader's with the first chapter's exercises as its assignment."""
    folder = tmp_path_factory.mktemp("class") / "course"
    assert len(classroom.course(ROOT / "exercises", folder)) == len(SOURCES)
    for other in SOURCES[1:]:
        shutil.rmtree(folder / "source" / other.stem)
    return folder


def api(folder):
    from nbgrader.apps import NbGraderAPI

    config = classroom.configuration(folder)
    config.CourseDirectory.root = str(folder)
    config.Exchange.root = str(folder.parent / "exchange")
    (folder.parent / "exchange").mkdir(exist_ok=True, mode=0o777)
    (folder.parent / "exchange").chmod(0o777)
    return NbGraderAPI(config=config)


def done(result):
    assert result["success"], result.get("error") or result.get("log")


def copied(nb):
    """Two cells twice, as a notebook's editor copies them: with their metadata."""
    again = [c for c in nb.cells if nbgrader_id(c) in ("heard", "lstm_cell-check")]
    nb.cells += [nbformat.from_dict({**c, "id": f"{c.id}-copy"}) for c in again]


def deleted(nb):
    """Without a check, and without a whole exercise."""
    gone = "heard-check", "cho_gru", "cho_gru-check"
    nb.cells = [cell for cell in nb.cells if nbgrader_id(cell) not in gone]


def bare(nb):
    """Without any metadata, as some editors save."""
    for cell in nb.cells:
        cell.metadata = {}


def submit(folder, student, answers, spoilt):
    """Hand in the released notebook with these cells written, and then spoilt."""
    name = SOURCES[0].stem
    nb = nbformat.read(folder / "release" / name / f"{name}.ipynb", as_version=4)
    for cell in nb.cells:
        cell.source = answers.get(nbgrader_id(cell), cell.source)
    spoilt(nb)
    target = folder / "submitted" / student / name
    target.mkdir(parents=True)
    nbformat.write(nb, target / f"{name}.ipynb")


SOLUTIONS = {exercise.name: exercise.solution for exercise in exercises(SOURCES[0])}
SUBMISSIONS = {
    "right": (SOLUTIONS, 22),
    "copied": (SOLUTIONS, 22, copied),
    "deleted": (SOLUTIONS, 22 - 4, deleted),
    "bare": (SOLUTIONS, 22, bare),
    "half": ({name: SOLUTIONS[name] for name in ("heard", "lstm_cell")}, 2 + 4),
    "broken": (
        {
            "last_state": "def last_state(hidden, lengths:\n",
            "heard": SOLUTIONS["heard"],
            "lstm_cell": "def lstm_cell(*given):\n    exit()",
            "cho_gru": SOLUTIONS["cho_gru"].replace("(r * h)", "h"),
            "write": "write = 'nothing'",
            # what is not asked is changed: the check is put back before marking
            "last_state-check": "check.mark = print",
        },
        2,
    ),
}


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
@pytest.mark.filterwarnings("ignore:Cell is missing an id")  # so are these
def test_from_source_to_gradebook(course, monkeypatch):
    pytest.importorskip("nbgrader", reason="pip install -r requirements-classroom.txt")
    monkeypatch.chdir(course)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    name, nbgrader = SOURCES[0].stem, api(course)
    done(nbgrader.generate_assignment(name))
    done(nbgrader.release_assignment(name))
    released = course.parent / "exchange/look-back/outbound" / name / f"{name}.ipynb"
    assert "SOLUTION" not in released.read_text(encoding="utf-8")
    for student, (answers, _, *spoilt) in SUBMISSIONS.items():
        submit(course, student, answers, *(spoilt or [id]))
        done(nbgrader.autograde(name, student))
        done(nbgrader.generate_feedback(name, student))
    marks = exported(course)
    assert marks == {student: score for student, (_, score, *_) in SUBMISSIONS.items()}
    page = (course / "feedback/broken" / name / f"{name}.html").read_text("utf-8")
    assert "the gate r is not used" in page
    assert "asked Python to quit" in page


def exported(course):
    """The marks, from the table that nbgrader exports."""
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

    plugin = CsvExportPlugin()
    plugin.to = str(course / "grades.csv")
    with Gradebook(f"sqlite:///{course}/gradebook.db", "look-back") as gradebook:
        plugin.export(gradebook)
    with open(plugin.to, encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["student_id"] in SUBMISSIONS]
    assert {float(row["max_score"]) for row in rows} == {22}
    return {row["student_id"]: float(row["score"]) for row in rows}


# --- commands ---------------------------------------------------------------------------


def test_a_course_is_not_laid_over_another(course):
    with pytest.raises(NotebookError, match="exists"):
        classroom.course(ROOT / "exercises", course)


def test_commands_say_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["exercises", "08_nothing"]) == 1
    assert "no such exercises: ['08_nothing']" in capsys.readouterr().err
    assert main(["course", str(tmp_path)]) == 1
    assert "exists; name a folder that does not" in capsys.readouterr().err
    assert main(["course", str(tmp_path / "new")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(SOURCES)


def test_without_nbgrader_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setitem(sys.modules, "nbgrader.converters", None)
    assert main(["exercises", SOURCES[0].stem]) == 1
    assert re.search("nbgrader is not installed.*pip install", capsys.readouterr().err)


def test_a_course_is_laid_whole_or_not_at_all(tmp_path, monkeypatch):
    with pytest.raises(NotebookError, match="start in the book's folder"):
        classroom.course(tmp_path, tmp_path / "course")
    monkeypatch.setattr(shutil, "copy", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        classroom.course(ROOT / "exercises", tmp_path / "course")
    assert list(tmp_path.iterdir()) == []


def test_exercises_that_do_not_exist_are_named(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(classroom, "generate", lambda *_: 1 / 0)
    assert classroom.exercises_main([SOURCES[0].stem, "02_typo"]) == 1
    said = capsys.readouterr().err
    assert "no such exercises: ['02_typo']" in said
    assert SOURCES[0].stem in said
