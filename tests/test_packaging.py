"""What is said twice about the project agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import phenopipe

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Names that differ between PyPI and conda-forge.
CONDA_NAMES = {
    "torch": "pytorch",
    "opencv-python-headless": "py-opencv",
    "snakemake": "snakemake-minimal",
}


def requirements() -> list[Requirement]:
    return [Requirement(text) for text in PROJECT["dependencies"]]


def test_conda_environment_is_in_step_with_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "envs/phenopipe.yaml").read_text())["dependencies"]
    assert environment.pop(environment.index("pip"))
    (from_pip,) = (entry for entry in environment if isinstance(entry, dict))
    environment.remove(from_pip)
    conda = {re.split("[><=]", line)[0]: line for line in [*environment, *from_pip["pip"]]}
    expected = {"python": f"python{PROJECT['requires-python']}"}
    for requirement in requirements():
        name = CONDA_NAMES.get(requirement.name, requirement.name)
        expected[name] = f"{name}{requirement.specifier}"
        if "distributed" in requirement.extras:
            expected["distributed"] = f"distributed{requirement.specifier}"
    assert conda == expected


def test_constraints_pin_every_dependency() -> None:
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    extras = [Requirement(t) for texts in PROJECT["optional-dependencies"].values() for t in texts]
    for requirement in [*requirements(), *extras]:
        if requirement.name == PROJECT["name"]:
            continue
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"constraints.txt lacks {requirement.name}"
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("name", ["CITATION.cff"])
def test_versions_agree(name: str) -> None:
    citation = yaml.safe_load((ROOT / name).read_text())
    assert citation["version"] == phenopipe.__version__


def test_the_distribution_is_not_the_unrelated_project() -> None:
    assert PROJECT["name"] == "phenopipe-workflow"
    assert "pip install phenopipe" not in (ROOT / "README.md").read_text()
