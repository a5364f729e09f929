"""The package fits beside what Colab has; colab/stand_in.py runs the notebooks so."""

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "tests/colab/packages.txt").read_text().splitlines()
COLAB = {
    python: {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in (Requirement(line) for line in PACKAGES if line[:1] not in "#")
        if one.marker is None or one.marker.evaluate({"python_version": python})
    }
    for python in ("3.12", "3.13")
}
NEEDED = [
    Requirement(line)
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "dependencies"
    ]
]


@pytest.mark.parametrize("python", COLAB)
@pytest.mark.parametrize("requirement", NEEDED, ids=lambda r: r.name)
def test_a_version_that_colab_has_will_do(requirement, python):
    version = COLAB[python].get(canonicalize_name(requirement.name))
    assert version is None or version in requirement.specifier


def test_the_stand_in_has_the_torch_and_the_numpy_of_colab():
    found = {(python, has["torch"], has["numpy"]) for python, has in COLAB.items()}
    assert found == {("3.12", "2.11.0", "2.0.2"), ("3.13", "2.11.0", "2.1.3")}


def test_colab_lacks_only_packages_of_pure_python_or_with_wheels():
    added = {canonicalize_name(r.name) for r in NEEDED} - COLAB["3.12"].keys()
    assert added == {"mlxtend", "sacrebleu"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src").rglob("*.py")), ids=lambda p: p.name
)
def test_the_package_is_plain_python_3_11(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 11))
