"""Explorables with the versions that Colab has: construct, render, synchronise.

The versions are installed into a folder of their own, in front of everything else.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COLAB = [
    "anywidget==0.9.21",
    "ipykernel==6.17.1",
    "ipython_genutils==0.2.0",
    "ipywidgets==7.7.1",
]
# What a learner writes there: name -> code that ends in the widget `w`.
LEARNERS = {
    "backs": "w = explore.Backs({'RNN': [[0, 1]] * 3}, {'RNN': [1, 1]}, {'RNN': [1, 1]})",
    "query": "w = explore.Query([[1, 0], [0, 1]], [2, 4], 'ab', query=[1.0, 0.0])",
    "window": "w = explore.Window([[0] * 28] * 28)",
}
PRELUDE = """
import json, sys
from unittest.mock import MagicMock
import anywidget, ipywidgets
from ipywidgets.widgets import widget

class Line(widget.Comm):
    kernel = MagicMock()
    def _publish_msg(self, kind, data=None, **rest):
        sent.append(data)

widget.Comm, sent = Line, []
from lookback import explore
sys.path.insert(0, "tests")
import explorables
"""


@pytest.fixture(scope="session")
def colab(tmp_path_factory):
    """A folder with Colab's versions; skipped where they cannot be fetched."""
    folder = tmp_path_factory.mktemp("colab")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
    done = subprocess.run([*command, folder, *COLAB], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Colab's versions cannot be installed here: {done.stderr[-300:]}")
    return folder


def run(colab, code):
    """What code prints as JSON, under Colab's versions."""
    path = os.pathsep.join([str(colab), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_versions_are_colabs(colab):
    code = "print(json.dumps([anywidget.__version__, ipywidgets.__version__]))"
    assert run(colab, code) == ["0.9.21", "7.7.1"]


@pytest.mark.parametrize("name", LEARNERS)
def test_it_renders(colab, mount, name):
    code = f"{LEARNERS[name]}\nprint(json.dumps(explorables.stored(w)))"
    seen = mount(run(colab, code))
    assert seen.page.locator(f"[data-explorable={name}]").count() == 1
    assert len(seen.page.locator(".says").inner_text()) > 20
    assert seen.faults == []


def test_it_shows_itself(colab):
    code = f"{LEARNERS['window']}\nprint(json.dumps(list(w._repr_mimebundle_()[0])))"
    view = "application/vnd.jupyter.widget-view+json"
    assert run(colab, code) == ["text/plain", view, "image/png"]


def test_traits_go_both_ways(colab):
    code = f"""{LEARNERS["window"]}
from_page = {{"method": "update", "state": {{"row": 3}}, "buffer_paths": []}}
w._handle_msg({{"content": {{"data": from_page}}, "buffers": []}})
sent.clear()
w.column = 5
updates = [data["state"] for data in sent if data.get("method") == "update"]
print(json.dumps([w.row, updates]))
"""
    assert run(colab, code) == [3, [{"column": 5}]]


def test_weights_are_sent(colab):
    code = """
class Asks(explore.Window):
    assets = ("pixelcnn",)

w = Asks([[0]])
found = []
w.send = lambda content, buffers=None: found.append([content, len(buffers[0])])
ask = {"method": "custom", "content": {"asset": "pixelcnn"}}
w._handle_msg({"content": {"data": ask}, "buffers": []})
print(json.dumps(found))
"""
    size = (ROOT / "src/lookback/zoo/weights/pixelcnn.safetensors").stat().st_size
    assert run(colab, code) == [[{"asset": "pixelcnn"}, size]]
