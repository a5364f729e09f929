"""Exercises: from the teacher's sources to the learner's notebooks, by nbgrader's steps.

`exercises/NN_*.ipynb` have solutions and hidden tests. From each are made, in
`book/exercises/`, the learner's notebook (run unsolved) and a page of solutions (run).
nbgrader is imported where it is used: a reader needs none of this.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from lookback.notebooks import (
    NotebookError,
    dump,
    execute,
    needed,
    normalise,
    read,
    replace,
)

CONFIG = "nbgrader_config.py"
SECONDS = 120  # for one cell


def configuration(folder: Path):
    """nbgrader's settings for the sources in a folder."""
    needed("nbgrader.converters")  # the settings name its steps
    loader = needed("traitlets.config.loader").PyFileConfigLoader
    return loader(CONFIG, path=str(folder)).load_config()


def converted(nb, config, steps: list):
    """A notebook after some of nbgrader's steps."""
    resources: dict = {}
    for step in steps:
        nb, resources = step(config=config)(nb, resources)
    return nb


def released(nb, config):
    """What a learner gets: no solutions, no hidden tests, cells locked."""
    converters = needed("nbgrader.converters")
    steps = converters.GenerateAssignment(config=config).preprocessors
    steps = [step for step in steps if step.__name__ != "SaveCells"]  # no gradebook here
    return converted(nb, config, steps)


def solved(nb, config):
    """The page of solutions: no hidden tests, each solution folded away."""
    converters, steps = needed("nbgrader.converters"), needed("nbgrader.preprocessors")
    chosen = [
        step
        for step in converters.GenerateSolution(config=config).preprocessors
        if step.__name__ not in ("LockCells", "Execute")
    ]
    nb = converted(nb, config, [*chosen, steps.ClearHiddenTests])
    nb.cells[0].source = nb.cells[0].source.replace("# Exercises", "# Solutions", 1)
    for cell in nb.cells:
        if cell.metadata.pop("nbgrader", {}).get("solution"):
            cell.metadata["tags"] = ["hide-input"]
            lines = cell.source.splitlines()
            kept = [line for line in lines if not line.strip().startswith("###")]
            cell.source = "\n".join(kept)
    return nb


def generated(source: Path, target: Path) -> dict[Path, str]:
    """What a source generates, not run: path -> a notebook as JSON."""
    config, text = configuration(source.parent), source.read_text(encoding="utf-8")
    return {
        target / source.name: normalise(dump(released(read(text), config))),
        target / f"{source.stem}_solutions.ipynb": normalise(
            dump(solved(read(text), config))
        ),
    }


def generate(source: Path, target: Path) -> list[Path]:
    """Write and run what a source generates; returns the paths."""
    made = generated(source, target)
    for path, text in made.items():
        nb = read(text)
        execute(nb, path, SECONDS)
        replace(path, normalise(dump(nb)))
    return [*made]


def course(sources: Path, folder: Path) -> list[Path]:
    """Lay out a course as nbgrader wants it, one assignment a chapter.

    Raises `NotebookError` if the folder is there already: it may hold submissions.
    """
    if folder.exists():
        raise NotebookError(f"{folder} exists; name a folder that does not")
    if not (sources / CONFIG).is_file():
        raise NotebookError(f"no {sources / CONFIG} here: start in the book's folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        laid = Path(aside) / folder.name
        made = [Path("source", p.stem, p.name) for p in sorted(sources.glob("*.ipynb"))]
        for place in made:
            (laid / place).parent.mkdir(parents=True)
            shutil.copy(sources / place.name, laid / place)
        shutil.copy(sources / CONFIG, laid / CONFIG)
        laid.rename(folder)
    return [folder / place for place in made]


# --- commands ---------------------------------------------------------------------------


def exercises_main(arguments: list[str]) -> int:
    """`python -m lookback exercises [NAME...]`"""
    parser = argparse.ArgumentParser(
        "python -m lookback exercises", description=generate.__doc__
    )
    parser.add_argument("names", nargs="*", help="as in 01_handed_along; all if none")
    names = parser.parse_args(arguments).names
    sources = {path.stem: path for path in sorted(Path("exercises").glob("*.ipynb"))}
    if not sources:
        return failed("no exercises/*.ipynb here: start in the book's folder")
    if unknown := [name for name in names if name not in sources]:
        return failed(f"no such exercises: {unknown}; there are {', '.join(sources)}")
    try:
        for source in (sources[name] for name in names or sources):
            print(*generate(source, Path("book/exercises")), sep="\n", flush=True)
    except (NotebookError, OSError) as error:
        return failed(error)
    return 0


def course_main(arguments: list[str]) -> int:
    """`python -m lookback course FOLDER`"""
    parser = argparse.ArgumentParser(
        "python -m lookback course", description=course.__doc__
    )
    parser.add_argument("folder", type=Path, help="a new folder, not in the checkout")
    try:
        made = course(Path("exercises"), parser.parse_args(arguments).folder)
    except (NotebookError, OSError) as error:
        return failed(error)
    print(*made, sep="\n")
    return 0


def failed(error: object) -> int:
    print(error, file=sys.stderr)
    return 1
