import importlib.util
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.project_file import wheel_packages
from tests.shared_samples import REPOSITORY


@pytest.mark.parametrize("name", wheel_packages())
def test_no_other_distribution_installs_a_package_of_our_name(name: str) -> None:
    assert set(packages_distributions().get(name, ["azmdr"])) == {"azmdr"}


@pytest.mark.parametrize("name", wheel_packages())
def test_the_name_imports_the_folder_of_this_repository(name: str) -> None:
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin) == REPOSITORY / name / "__init__.py"


@pytest.mark.parametrize("name", wheel_packages())
def test_each_package_tells_type_checkers_that_it_is_typed(name: str) -> None:
    assert (REPOSITORY / name / "py.typed").is_file()
