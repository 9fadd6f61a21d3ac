import re

from packaging.utils import canonicalize_name

from tests.house.project_file import direct_dependencies
from tests.shared_samples import REPOSITORY


def test_every_direct_dependency_has_its_reason_written_down() -> None:
    page = (REPOSITORY / "docs" / "dependencies.md").read_text()
    explained = {canonicalize_name(name) for name in re.findall(r"^\| `([\w.-]+)` \| \S", page, re.MULTILINE)}
    assert explained == {canonicalize_name(requirement.name) for requirement in direct_dependencies()}
