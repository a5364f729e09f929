"""A kernel as Colab's, without a notebook: it makes explorables and hears their pages.

It reads requests from standard input, a line of JSON each, and writes a line for each:

    {"versions": true}                    the versions of anywidget and ipywidgets
    {"make": name}                        the widget's states, as a notebook stores them
    {"show": name}                        the types of output that a cell has
    {"hear": name, "state": {...}}        the page changed traits: what they are now
    {"set": name, "state": {...}}         Python changes traits: the messages it sends
    {"asset": name, "of": widget}         the page asks for weights: the answer, and bytes
"""

import base64
import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

import anywidget
import ipywidgets
import torch
from ipywidgets.widgets import widget

sys.path.insert(0, str(Path(__file__).parents[1]))

import explorables

from lookback import explore
from lookback.data.vocabulary import SOURCE, TARGET
from lookback.models.encoder_decoder import EncoderDecoder

sent: list[tuple[dict, list]] = []  # messages to the page: what they say, their buffers


class Line(widget.Comm):
    """The line to the page: what goes out of the kernel is kept in `sent`."""

    kernel = MagicMock()

    def _publish_msg(self, kind, data=None, metadata=None, buffers=None, **rest):
        sent.append((data, buffers or []))


def untrained():
    """A learner's own translator."""
    torch.manual_seed(0)
    return EncoderDecoder(len(SOURCE), len(TARGET), embedding=8, hidden=16).eval()


# What a learner writes; the models of pen, glance and heads are the shipped ones.
LEARNERS = {
    "backs": lambda: explore.Backs(
        {"RNN": [[0, 1]] * 5}, {"RNN": [1] * 4}, {"RNN": [1] * 4}, drawing=0, length=4
    ),
    "beam": lambda: explore.Beam(untrained(), "the dog runs", longest=5),
    "bottleneck": lambda: explore.Bottleneck(
        untrained(), "the dog runs and the cat sleeps and the girl laughs"
    ),
    "glance": lambda: explore.Glance(sentence="the cat sleeps"),
    "heads": lambda: explore.Heads(sentences=["the cat sleeps"]),
    "pen": explore.Pen,
    "query": lambda: explore.Query([[1, 0], [0, 1]], [2, 4], "ab", query=[1.0, 0.0]),
    "window": lambda: explore.Window([[0] * 28] * 28),
}
made: dict[str, explore.Explorable] = {}


def answer(request: dict):
    """What one request asks for; see above."""
    match request:
        case {"versions": _}:
            return [anywidget.__version__, ipywidgets.__version__]
        case {"make": name}:
            made[name] = LEARNERS[name]()
            return explorables.stored(made[name])
        case {"show": name}:
            return list(made[name]._repr_mimebundle_()[0])
        case {"hear": name, "state": state}:
            hear(name, {"method": "update", "state": state, "buffer_paths": []})
            return {trait: getattr(made[name], trait) for trait in state}
        case {"set": name, "state": state}:
            sent.clear()
            for trait, value in state.items():
                setattr(made[name], trait, value)
            return [data["state"] for data, _ in sent if data.get("method") == "update"]
        case {"asset": name, "of": owner}:
            sent.clear()
            hear(owner, {"method": "custom", "content": {"asset": name}})
            ((data, (weights,)),) = sent
            return [data["content"], base64.b64encode(weights).decode()]
    raise ValueError(f"no such request: {request}")


def hear(name: str, data: dict) -> None:
    """A message from the page."""
    made[name]._handle_msg({"content": {"data": data}, "buffers": []})


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # nothing else may print there
    widget.Comm = Line
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
