"""Explorables: figures that one can ask questions of, in the page and in Jupyter.

Each is a `NAME.mjs`, all of whose logic runs in the browser, beside a `NAME.py`, whose
traits are its data. `explorable.py` joins the two.
"""

from lookback.explore.backs import Backs
from lookback.explore.beam import Beam
from lookback.explore.bottleneck import Bottleneck
from lookback.explore.explorable import Explorable
from lookback.explore.glance import Glance
from lookback.explore.heads import Heads
from lookback.explore.pen import Pen
from lookback.explore.query import Query
from lookback.explore.window import Window

__all__ = [
    "Backs", "Beam", "Bottleneck", "Explorable", "Glance", "Heads", "Pen",
    "Query", "Window",
]  # fmt: skip
