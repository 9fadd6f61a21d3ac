import json
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.project_file import direct_dependencies
from tests.shared_samples import REPOSITORY

LOCK = (REPOSITORY / "requirements.lock").read_text()
# One entry is `name==version[ ; marker] \` and one indented line for each hash.
ENTRIES = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==(\S+)([^\n]*\n(?: {4}[^\n]*\n)*)", LOCK, re.MULTILINE)
PINNED = {canonicalize_name(name): Version(version) for name, version, _ in ENTRIES}


@pytest.mark.parametrize("dependency", direct_dependencies("bench"), ids=lambda requirement: requirement.name)
def test_the_lock_pins_each_direct_dependency_within_its_bounds(dependency: Requirement) -> None:
    assert PINNED[canonicalize_name(dependency.name)] in dependency.specifier


def test_every_pin_is_held_by_hashes() -> None:
    assert [name for name, _, rest in ENTRIES if "--hash=sha256:" not in rest] == []


def test_every_line_of_the_lock_is_a_pin_a_hash_or_a_comment() -> None:
    unknown = [
        line
        for line in LOCK.splitlines()
        if not re.match(r"#|    (--hash=sha256:|#)|[\w.-]+(\[.*\])?==", line)
    ]
    assert unknown == []


def test_azurites_lock_holds_hashes_and_no_download_address() -> None:
    lock = json.loads((REPOSITORY / "lab" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/azurite"]["version"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
