"""Explorables in JupyterLab: a real server and a real kernel, driven in Chromium."""

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

CELLS = [
    "from lookback.explore import Query, Window",
    "window = Window([[0] * 28] * 28)\nwindow",
    "query = Query([[1, 0], [0, 1]], [2, 4], ['hen', 'cat'], query=[1.0, 0.0])\nquery",
    "print('picked:', window.row, window.column, query.query)",
    "window.wiring, query.query = 'attention', [0.0, 2.0]",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with one notebook, and settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [new_code_cell(source) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "test.ipynb")
    places = "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"
    own = {place: str(folder / place.lower()) for place in places}
    log = folder / "log"
    program = Path(sys.executable).with_name("jupyter-lab")
    if not program.exists():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("no JupyterLab beside this Python: pip install -c constraints.txt jupyterlab")
    command = [
        program, "--no-browser", "--port=0",
        "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--allow-root",
        "--expose-app-in-browser", "--LabApp.check_for_updates_class="
        "jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None",
    ]  # fmt: skip
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=os.environ | own, stdout=output, stderr=output
        )
    yield address(server, log)
    server.terminate()
    server.wait(120)


def address(server, log, patience=120):
    """Where the server listens, as it says in its log."""
    for _ in range(patience):
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab", log.read_text()):
            return found[0]
        assert server.poll() is None, log.read_text()
        time.sleep(1)
    raise AssertionError(log.read_text())


@pytest.fixture
def notebook(chromium, lab):
    """The notebook, open and with a kernel that is ready."""
    context = chromium.new_context(viewport={"width": 1280, "height": 2000})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{lab}/tree/test.ipynb?reset")
    page.locator(".jp-Notebook .jp-CodeCell").nth(len(CELLS) - 1).wait_for()
    page.locator("[data-status=idle]").first.wait_for()
    yield page
    context.close()


def run(page, number):
    """Run one cell, and wait until it has run.

    A JupyterLab that is still busy with itself misses keys: then they are pressed again.
    """
    prompt = page.locator(".jp-CodeCell .jp-InputArea-prompt").nth(number)
    for _ in range(6):
        page.locator(".jp-CodeCell .jp-InputArea-editor").nth(number).click()
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).not_to_have_text("[ ]:", timeout=10_000)
            break
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=120_000)


def test_two_explorables_speak_with_the_kernel_both_ways(notebook):
    for number in range(3):
        run(notebook, number)
    window, query = (
        notebook.locator(f"[data-explorable={name}][data-ready=true]")
        for name in ("window", "query")
    )
    window.wait_for()
    query.wait_for()
    expect(window.locator(".says")).to_contain_text("row 16, column 14")

    window.locator("svg.field").focus()
    notebook.keyboard.press("ArrowUp")
    notebook.keyboard.press("ArrowLeft")
    query.get_by_role("slider", name="query").focus()
    notebook.keyboard.press("ArrowRight")
    expect(query.locator(".says")).to_contain_text("1.1 long")
    run(notebook, 3)
    printed = notebook.locator(".jp-CodeCell").nth(3).locator(".jp-OutputArea-output")
    expect(printed).to_have_text("picked: 15 13 [1.1, 0.0]")

    run(notebook, 4)
    expect(window.locator(".says")).to_contain_text("Attention, one layer")
    expect(query.locator(".says")).to_contain_text("points to 90°")
