"""Explorables with the versions that Colab has: construct, render, synchronise.

The versions are installed into a folder of their own, in front of everything else. One
process with them stands for the kernel (`colab/kernel.py`), Chromium for the notebook.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from explorables import REMOUNT
from playwright.sync_api import expect

from lookback import explore, zoo

ROOT = Path(__file__).parents[1]
COLAB = [
    "anywidget==0.9.21",
    "ipykernel==6.17.1",
    "ipython_genutils==0.2.0",
    "ipywidgets==7.7.1",
]


class Kernel:
    """Asks the process with Colab's versions."""

    def __init__(self, folder, log):
        path = os.pathsep.join(map(str, (folder, ROOT / "src")))
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/colab/kernel.py"],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
        )

    def __call__(self, **request):
        self.process.stdin.write(f"{json.dumps(request)}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        return json.loads(line)


class Learners(dict):
    """What a learner's notebook stores of a widget; its kernel answers for weights."""

    def __init__(self, kernel, name):
        super().__init__(kernel(make=name))
        self.kernel, self.name, self.asked = kernel, name, []

    def asset(self, name):
        content, data = self.kernel(asset=name, of=self.name)
        self.asked.append(content["asset"])
        return base64.b64decode(data)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A `Kernel`; skipped where Colab's versions cannot be fetched."""
    folder = tmp_path_factory.mktemp("colab")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
    done = subprocess.run(
        [*command, folder / "packages", *COLAB], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"Colab's versions cannot be installed here: {done.stderr[-300:]}")
    kernel = Kernel(folder / "packages", folder / "log")
    yield kernel
    kernel.process.stdin.close()
    kernel.process.wait(60)


def press(key, **options):
    def act(page):
        page.get_by_role(**options).first.focus()
        page.keyboard.press(key)

    return act


def click(name):
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


# name: what a reader does, which traits change; what Python sets, what is then said.
CASES = {
    "backs": (
        press("ArrowLeft", role="slider"), {"length"},
        {"drawing": 1}, "RNN: 1 was drawn, and back 3 answers 1",
    ),
    "beam": (
        press("ArrowRight", role="slider", name="α"), {"alpha"},
        {"width": 4}, "Width 4, α 0.1",
    ),
    "bottleneck": (
        click("Add a clause"), {"clauses"},
        {"clauses": 1}, "1 clause, 3 words in",
    ),
    "glance": (
        click("example"), {"sentence", "translation", "weights"},
        {"sentence": "the dog slept"}, "개는 잤다",
    ),
    "heads": (
        click("layer 2, head 3"), {"layer", "head"},
        {"head": 4}, "Head 4 of layer 2",
    ),
    "pen": (
        click("Step"), {"at", "pixels"},
        {"at": 9 * 28 + 4}, "The pen is at row 10, column 5",
    ),
    "query": (
        press("ArrowRight", role="slider", name="query"), {"query"},
        {"query": [0.0, 2.0]}, "points to 90°",
    ),
    "window": (
        press("ArrowUp", role="application"), {"row"},
        {"wiring": "attention"}, "Attention, one layer",
    ),
}  # fmt: skip
TRAITS = """names => Object.fromEntries(
  names.filter((name) => !name.startsWith("_")).map((name) => [name, model.get(name)]))"""


def test_the_versions_are_colabs(kernel):
    assert kernel(versions=True) == ["0.9.21", "7.7.1"]


def test_all_of_them_are_tried():
    kinds = {name.lower() for name in explore.__all__} - {"explorable"}
    assert kinds == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_it_renders_and_speaks_with_python_both_ways(kernel, mount, name):
    act, heard, told, said = CASES[name]
    stored = Learners(kernel, name)
    page = (seen := mount(stored)).page
    page.evaluate(REMOUNT)
    assert page.locator(f"[data-explorable={name}][data-ready=true]").count() == 1
    traits = list(stored["states"]["state"][stored["model"]]["state"])

    before = page.evaluate(TRAITS, traits)
    act(page)
    now = page.evaluate(TRAITS, traits)
    changed = {trait: now[trait] for trait in now if now[trait] != before[trait]}
    assert set(changed) == heard
    assert kernel(hear=name, state=changed) == changed

    messages = kernel(set=name, state=told)
    assert messages == [told]
    page.evaluate("state => model.set(state)", messages[0])
    expect(page.locator(".says")).to_contain_text(said)
    assert seen.faults == []


@pytest.mark.parametrize(
    ("name", "weights"), [("pen", "pixelcnn"), ("glance", "attention-small")]
)
def test_weights_are_sent(kernel, name, weights):
    stored = Learners(kernel, name)
    assert stored.asset(weights) == zoo.find(weights).read_bytes()
    assert stored.asked == [weights]


def test_it_shows_itself(kernel):
    kernel(make="window")
    view = "application/vnd.jupyter.widget-view+json"
    assert kernel(show="window") == ["text/plain", view, "image/png"]
