"""The exercises as the tests need them: their sources, taken apart and put together."""

from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "exercises").glob("*.ipynb"))


def nbgrader_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


@dataclass
class Exercise:
    path: Path
    name: str
    solution: str  # the solution cell of the source
    before: str  # the notebook's own imports

    def run(self, source=""):
        """The names that the notebook's imports and `source` define."""
        namespace = {}
        exec(compile(self.before, "imports", "exec"), namespace)
        exec(compile(source, f"<{self.name}>", "exec"), namespace)
        return namespace

    def define(self, source):
        """What `source`, in place of the solution, defines under the exercise's name."""
        return self.run(source)[self.name]

    @property
    def sheet(self):
        """The checks that the notebook imports."""
        return self.run()["check"]

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
        return self.sheet.examine(self.name, function, seed)


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
