"""Faults of a whole machine: a home that is read-only, no browser, Ctrl-C in a cell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import unhandled
from disks import mount, unmount
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).parents[1]
OURS = "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "LOOKBACK_CACHE"


@pytest.fixture
def read_only_home(tmp_path):
    """The environment of somebody who may write nothing at home."""
    home = tmp_path / "home"
    home.mkdir()
    mount(home, "ro")
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    yield {**kept, "HOME": str(home)}
    unmount(home)


FIGURE = """
from lookback import figures
from lookback.data import digits

images, labels = digits.embedded()
picture = figures.digits(images[:4], title="한글")
print(len(images), len(picture._repr_png_()) > 1000)
"""


def test_a_read_only_home_is_enough(read_only_home):
    done = subprocess.run(
        [sys.executable, "-c", FIGURE], env=read_only_home, capture_output=True, text=True
    )
    assert done.stdout.split() == ["5000", "True"], done.stderr
    command = [sys.executable, "-m", "lookback", "doctor", "--json"]
    done = subprocess.run(command, env=read_only_home, capture_output=True, text=True)
    assert done.returncode == 0
    (found,) = (r for r in json.loads(done.stdout) if r["name"] == "cache folder")
    assert (found["ok"], found["needed"]) == (False, False)
    assert "Read-only" in found["found"]
    assert "LOOKBACK_CACHE" in found["advice"]


@pytest.mark.parametrize(("ci", "word"), [("", "skipped"), ("true", "error")])
def test_without_a_browser_page_tests_say_so(ci, word, tmp_path):
    """They are skipped where somebody works, and fail where all has to be tested."""
    command = [sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider",
               "tests/test_pages.py", "-k", "first_page"]  # fmt: skip
    env = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert f"1 {word}" in done.stdout
    assert "no browser: install one of chromium" in done.stdout
    assert "apt-get install chromium" in done.stdout


TRAIN = """
import torch
from lookback import training
from lookback.models.recurrent import RecurrentLM

x = torch.arange(8)[None] % 5
model = RecurrentLM(5, embedding=8, hidden=16)
def draw(step):
    if step == 20:
        print("under way", flush=True)
    return x, None
training.fit(model, draw, seconds=600)
"""


@pytest.fixture
def kernel():
    """A kernel, and what is asked of it."""
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(manager, client, code, stop_at=None):
    """What a cell says; it is interrupted once it has said `stop_at`."""
    said = []

    def heard(message):
        content = message["content"]
        said.append(content.get("text", "") + "\n".join(content.get("traceback", [])))
        if stop_at and stop_at in said[-1]:
            manager.interrupt_kernel()

    client.execute_interactive(code, output_hook=heard, timeout=120)
    return "".join(said)


def test_ctrl_c_in_a_cell_leaves_a_model_that_can_be_used(kernel):
    said = run(*kernel, TRAIN, stop_at="under way")
    assert "KeyboardInterrupt" in said
    assert "the model is what it had become" in said
    said = run(*kernel, "print(model.training, model.log_prob(x).isfinite().item())")
    assert said == "False True\n"


@pytest.mark.parametrize("fault", unhandled.FAULTS, ids=lambda fault: fault.name)
def test_the_handling_is_where_it_can_be_taken_out(fault):
    """`unhandled.py` does so, every night, and sees the tests of the fault fail."""
    assert (ROOT / fault.file).read_text("utf-8").count(fault.old) == 1
