"""The package fits beside what Colab has; colab/stand_in.py runs the notebooks so."""

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
COLAB = {
    canonicalize_name(name): version
    for name, version in (
        line.split("==")
        for line in (ROOT / "tests/colab/packages.txt").read_text().splitlines()
        if "==" in line
    )
} | {"torch": "2.11.0"}
NEEDED = [
    Requirement(line)
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "dependencies"
    ]
]


@pytest.mark.parametrize("requirement", NEEDED, ids=lambda r: r.name)
def test_a_version_that_colab_has_will_do(requirement):
    version = COLAB.get(canonicalize_name(requirement.name))
    assert version is None or version in requirement.specifier


def test_newer_numpy_of_colab_will_do():
    (numpy,) = (r for r in NEEDED if r.name == "numpy")
    assert all(version in numpy.specifier for version in ("2.0.2", "2.1.3"))


def test_colab_lacks_only_packages_of_pure_python_or_with_wheels():
    added = {canonicalize_name(r.name) for r in NEEDED} - COLAB.keys()
    assert added == {"mlxtend", "sacrebleu"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src").rglob("*.py")), ids=lambda p: p.name
)
def test_the_package_is_plain_python_3_11(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 11))
