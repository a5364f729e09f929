"""The figures of the book: one palette, one style, and a function for each kind of chart.

Importing this package sets matplotlib's style. Every chart function checks what it is
given, raises `ValueError` if the shapes do not fit, and returns a figure that a notebook
shows at the end of the cell. Titles state the finding; axes name the quantity and its
unit; numbers may be lists, arrays or tensors.
"""

from lookback.figures.charts import bars, lines, scatter
from lookback.figures.pictures import digits, heatmap
from lookback.figures.style import CELLS, COLOURS, Picture, use_style
from lookback.figures.tables import Table, table

__all__ = [
    "CELLS",
    "COLOURS",
    "Picture",
    "Table",
    "bars",
    "digits",
    "heatmap",
    "lines",
    "scatter",
    "table",
    "use_style",
]

use_style()
