"""The query: drag it among keys in the plane, and watch softmax and the mixed value."""

import traitlets

from lookback import figures
from lookback.explore.explorable import Explorable


class Query(Explorable):
    """A query among keys in the plane: what it looks at, and what it gets."""

    key = traitlets.List([[2.0, 1.0], [-1.0, 2.0], [-2.0, -1.5]]).tag(sync=True)
    query = traitlets.List([1.5, 1.5]).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)

    def picture(self):
        return figures.scatter(self.key, title="Keys", xlabel="x", ylabel="y")
