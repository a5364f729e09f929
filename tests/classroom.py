"""The exercises as the tests need them: their sources, taken apart and put together."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "exercises").glob("*.ipynb"))


def sheet(path):
    """The checks that belong to a notebook of exercises."""
    return importlib.import_module(f"lookback.checks.{path.stem[3:]}").check


def nbgrader_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


@dataclass
class Exercise:
    path: Path
    name: str
    solution: str  # the solution cell of the source
    before: str  # the notebook's own imports

    def define(self, source):
        """What `source`, in place of the solution, defines under the exercise's name."""
        namespace = {}
        exec(compile(self.before, "imports", "exec"), namespace)
        exec(compile(source, f"<{self.name}>", "exec"), namespace)
        return namespace[self.name]

    @property
    def starter(self):
        lines, written = [], False
        for line in self.solution.splitlines():
            if "BEGIN SOLUTION" in line:
                written = True
                lines.append(line.split("#")[0] + "...")
            if not written:
                lines.append(line)
            written = written and "END SOLUTION" not in line
        return "\n".join(lines)

    def examine(self, function, seed=0):
        return sheet(self.path).examine(self.name, function, seed)


def exercises(path):
    """The exercises of one source."""
    cells = nbformat.read(path, as_version=4).cells
    code = [c for c in cells if c.cell_type == "code"]
    plain = [c.source for c in code if not {"nbgrader", "tags"} & c.metadata.keys()]
    before = "\n".join(source for source in plain if "import" in source)
    return [
        Exercise(path, nbgrader_id(c), c.source, before)
        for c in code
        if c.metadata.get("nbgrader", {}).get("solution")
    ]


ALL = [exercise for path in SOURCES for exercise in exercises(path)]
