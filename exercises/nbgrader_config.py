"""How nbgrader makes the learners' notebooks from these sources."""

from nbconvert.preprocessors import TagRemovePreprocessor
from nbgrader.converters import GenerateAssignment

c = get_config()  # noqa: F821, nbgrader gives it

c.CourseDirectory.course_id = "look-back"
c.ClearSolutions.code_stub = {"python": "...  # your code here"}  # runs, gives nothing

# The reasons that stand under a solution go with it.
steps = GenerateAssignment.preprocessors.default()
c.GenerateAssignment.preprocessors = [TagRemovePreprocessor, *steps]
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"solution"}

c.ExecutePreprocessor.timeout = 120  # seconds for one cell; a check has its own limit
