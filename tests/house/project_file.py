"""What pyproject.toml says, for the tests that hold other files to it."""

import tomllib
from functools import cache
from typing import Any

from packaging.requirements import Requirement

from tests.shared_samples import REPOSITORY


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def direct_dependencies(*without: str) -> list[Requirement]:
    """Every requirement written by hand: to run, to build, and of each extra but some; no name twice."""
    project = pyproject()["project"]
    chosen = [lines for extra, lines in project["optional-dependencies"].items() if extra not in without]
    extras = [line for lines in chosen for line in lines]
    lines = [*project["dependencies"], *extras, *pyproject()["build-system"]["requires"]]
    return list({Requirement(line).name: Requirement(line) for line in lines}.values())


def wheel_packages() -> list[str]:
    """The top-level packages that the wheel installs."""
    packages: list[str] = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return packages
