"""The house is in order: what its files promise each other, they keep."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lookback
from lookback.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/lookback"
BUILD = "pip install -r requirements.txt && jupyter-book build ."
TEST = "pip install -r requirements.txt && pytest"


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


# --- the two commands -------------------------------------------------------------------


def test_readme_has_the_two_commands():
    blocks = re.findall(r"(?ms)^```bash\n(.*?)\n```$", read("README.md"))
    assert blocks == [BUILD, TEST]


def test_ci_runs_the_two_commands_and_nothing_else_of_ours():
    ours = re.findall(r"(?m)^.*(?<!\w)(?:pip|pytest|jupyter-book) .*$", read(".ci/run"))
    assert ours == [f"{BUILD} || exit", f"{TEST} || exit"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*.yml")))
def test_workflows_are_workflows(path):
    jobs = yaml.safe_load(path.read_text())["jobs"]
    assert all({"runs-on", "steps"} <= job.keys() for job in jobs.values())


def test_workflows_run_the_two_commands():
    assert f"- run: {BUILD}\n" in read(".github/workflows/tests.yml")
    assert f"- run: {TEST}\n" in read(".github/workflows/tests.yml")
    assert f"- run: {BUILD} -W -n --keep-going\n" in read(".github/workflows/book.yml")


# --- dependencies -----------------------------------------------------------------------


def pins(name):
    lines = [line for line in read(name).splitlines() if re.match(r"[A-Za-z]", line)]
    found = [Requirement(line) for line in lines]
    assert all(re.fullmatch(r"==[\w.]+", str(r.specifier)) for r in found), name
    return {canonicalize_name(r.name): str(r.specifier)[2:] for r in found}


def needs(name):
    """The distributions that one needs on this machine, itself included."""
    seen, queue = set(), [canonicalize_name(name)]
    while queue:
        name = queue.pop()
        if name in seen or name.startswith(("nvidia", "triton", "cuda")):
            continue
        seen.add(name)
        wanted = map(Requirement, distribution(name).requires or [])
        queue += [
            canonicalize_name(r.name)
            for r in wanted
            if r.marker is None or r.marker.evaluate({"extra": ""})
        ]
    return seen


def test_constraints_agree_with_the_pins():
    constraints = pins("constraints.txt")
    for name, version in pins("requirements.txt").items():
        assert constraints[name] == version


def test_constraints_hold_the_whole_tree():
    constraints = pins("constraints.txt")
    tree = set().union(*map(needs, pins("requirements.txt"))) | needs("lookback-book")
    assert tree - {"lookback-book", "pip"} <= constraints.keys()


def test_the_package_allows_its_pins():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    pinned = pins("requirements.txt")
    for requirement in map(Requirement, project["dependencies"]):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


def test_one_version():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert lookback.__version__ == version
    assert yaml.safe_load(read("CITATION.cff"))["version"] == version


def test_requirements_install_this_checkout_under_constraints():
    lines = read("requirements.txt").splitlines()
    assert "-c constraints.txt" in lines
    assert "-e ." in lines


# --- the layers -------------------------------------------------------------------------

LAYERS = [
    {"files", "progress"},
    {"attention", "autoregressive", "data", "notebooks"},
    {"models", "decoding", "evaluation", "training"},
    {"zoo"},
    {"bench", "checks", "classroom", "doctor", "exam", "explore", "figures", "slides"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
TOP = 4  # these may use each other


def imported(package, code):
    """The modules of the package that code in `package` imports, by their first names."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join(
                [*(above if node.level else []), *filter(None, [node.module])]
            )
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in names]
        yield from (p[1] for p in parts if p[0] == "lookback" and len(p) > 1)


def upward(package, own, code):
    """The imports that do not lead down: another module of the same layer, or above."""
    return [
        name
        for name in imported(package, code)
        if name not in (own, "__version__")
        and not RANK.get(name, len(LAYERS)) < RANK[own]
        and not RANK.get(name) == RANK[own] == TOP
    ]


MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_lead_down(path):
    own = path.relative_to(SOURCE).with_suffix("").parts[0]
    package = ".".join(path.parent.relative_to(SOURCE.parent).parts)
    if own == "__init__":
        assert [*imported(package, path.read_text())] == []
        return
    assert own in RANK, f"give {own} a layer in this file"
    assert upward(package, own, path.read_text()) == []


@pytest.mark.parametrize(
    ("own", "code", "wrong"),
    [
        ("data", "from lookback.models import REGISTRY", ["models"]),
        ("models", "import lookback.training", ["training"]),
        ("models", "from lookback import zoo", ["zoo"]),
        ("models", "def f():\n    from lookback.decoding import sample", ["decoding"]),
        ("models", "from .. import zoo", ["zoo"]),
        ("models", "from ..zoo import load", ["zoo"]),
        ("models", "from . import cells\nfrom .cells import LSTM", []),
        ("models", "from lookback.attention import attend\nimport torch", []),
        ("models", "from lookback.models.cells import LSTM", []),
        ("explore", "from lookback.figures import style", []),
    ],
)
def test_wrong_imports_are_caught(own, code, wrong):
    assert upward(f"lookback.{own}", own, code) == wrong


# --- commands ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_there_and_explains_itself(name, capsys):
    module, function = COMMANDS[name][0].split(":")
    assert callable(getattr(importlib.import_module(module), function))
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert f"python -m lookback {name}" in capsys.readouterr().out


def test_help_lists_the_commands(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)


def test_unknown_command_says_what_was_meant(capsys):
    assert main(["stroe"]) == 2
    said = capsys.readouterr().err
    assert "'stroe'" in said
    assert "Did you mean 'store'?" in said


def test_commands_load_only_what_they_need():
    code = (
        "import sys, lookback.__main__ as m; m.main([]); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# --- the book ---------------------------------------------------------------------------


def pages():
    """The files that the table of contents names."""
    return re.findall(r"(?m)^\s*(?:root:|- file:)\s*(\S+)$", read("_toc.yml"))


def test_every_page_is_in_the_table_of_contents():
    patterns = "book/*.md", "book/*.ipynb", "book/exercises/*.ipynb"
    files = [path for pattern in patterns for path in ROOT.glob(pattern)]
    assert sorted(pages()) == sorted(
        str(p.relative_to(ROOT).with_suffix("")) for p in files
    )


def test_references_are_found():
    from pybtex.database import parse_file

    for key, entry in parse_file(str(ROOT / "book/references.bib")).entries.items():
        assert {"title", "year"} <= {*entry.fields}, key
        assert {"doi", "url"} & {*entry.fields}, f"{key} needs a doi or a url"
        assert entry.fields.get("url", "https://").startswith("https://"), key
        assert entry.persons["author"], key


def test_licences_are_whole():
    assert "Redistribution and use" in read("LICENSE")
    assert "Section 8" in read("LICENSE-text")


def test_code_is_tidy():
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
