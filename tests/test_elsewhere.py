"""The notebooks are run with other instructions and thread counts, every night."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).parents[1]
ASK = """import torch
print(torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())"""


@pytest.mark.parametrize(("stored", "code"), [("DEFAULT 1\n", 0), ("OTHER 1\n", 1)])
def test_a_notebook_runs_as_on_another_processor(stored, code, tmp_path):
    output = new_output("stream", name="stdout", text=stored)
    cell = new_code_cell(ASK, outputs=[output], execution_count=1)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    write(
        new_notebook(cells=[cell], metadata={"kernelspec": kernel}), tmp_path / "a.ipynb"
    )
    command = [sys.executable, "tests/elsewhere.py", "default", "1", tmp_path / "a.ipynb"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stdout


def test_an_unknown_processor_is_refused():
    command = [sys.executable, "tests/elsewhere.py", "sse9", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "not: sse9 1" in done.stderr


def test_every_night_all_combinations_are_tried():
    job = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())["jobs"]
    matrix = job["elsewhere"]["strategy"]["matrix"]
    assert matrix == {"capability": ["default", "avx2"], "threads": [1, 2]}
    assert any(
        "tests/elsewhere.py" in step.get("run", "") for step in job["elsewhere"]["steps"]
    )
    assert any(
        "git diff --exit-code" in step.get("run", "") for step in job["twice"]["steps"]
    )
