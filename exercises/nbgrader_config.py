"""How nbgrader makes the learners' notebooks from these sources, and marks them."""

from nbconvert.preprocessors import TagRemovePreprocessor
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import DeduplicateIds, OverwriteCells

c = get_config()  # noqa: F821, nbgrader gives it

c.CourseDirectory.course_id = "look-back"
c.ClearSolutions.code_stub = {"python": "...  # your code here"}  # runs, gives nothing

# The reasons that stand under a solution go with it.
steps = GenerateAssignment.preprocessors.default()
c.GenerateAssignment.preprocessors = [TagRemovePreprocessor, *steps]
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"solution"}


class Deduplicate(DeduplicateIds):
    """A copied cell becomes an ordinary one; nbgrader's own way breaks the notebook.

    Without this the whole class stays unmarked (nbgrader's issue 1083).
    """

    def preprocess_cell(self, cell, resources, cell_index):
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


class Complete(OverwriteCells):
    """Checks that a learner deleted come back at the end, whatever else is missing."""

    def add_missing_grade_cells(self, nb, resources):
        source = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        cells = {cell.name: cell for cell in source.source_cells}
        here = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        for grade in source.grade_cells:
            if grade.name not in here:
                missing = cells[grade.name]
                nb.cells.append(self.missing_cell_transform(missing, grade.max_score))
        return nb, resources


ours = {DeduplicateIds: Deduplicate, OverwriteCells: Complete}
steps = Autograde.sanitize_preprocessors.default()
c.Autograde.sanitize_preprocessors = [ours.get(step, step) for step in steps]
c.OverwriteCells.add_missing_cells = True

c.ExecutePreprocessor.timeout = 120  # seconds for one cell; a check has its own limit
