import re

import pytest

from tests.house.committed_text import committed_text
from tests.shared_samples import REPOSITORY

# Every pattern is put together here, so that this file doesn't hold what it forbids.
REGISTRY_HOSTS = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("nuget", "org"),
        ("crates", "io"),
    )
]
REGISTRY_HOST = re.compile("|".join(map(re.escape, REGISTRY_HOSTS)), re.IGNORECASE)
# azureuser is the name Azure's portal offers for a machine's first account, so it stands in honest records.
MACHINE_FOLDERS = "|".join(("work", "root", "tmp", r"home/(?!azureuser\b)\w+"))
MACHINE_PATH = re.compile(rf"(?<![\w.~)}}>*$-])/(?:{MACHINE_FOLDERS})(?![\w-])")


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:120]}"
        for path, text in committed_text()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_committed_file_names_a_package_registry() -> None:
    assert places(REGISTRY_HOST) == []


def test_no_committed_file_holds_a_path_of_one_machine() -> None:
    assert places(MACHINE_PATH) == []


@pytest.mark.parametrize(
    "path", ["/".join(("", "tmp", "x")), "/".join(("cd ", "work")), "/".join(("", "home", "me"))]
)
def test_a_path_of_one_machine_is_recognised(path: str) -> None:
    assert MACHINE_PATH.search(path)


@pytest.mark.parametrize(
    "text", ["example.com/work/", "/workspaces/{name}", "/homepage", "{base}/root", "/home/azureuser/.ssh"]
)
def test_other_paths_are_left_alone(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def test_text_files_end_with_one_newline_and_hold_no_trailing_blanks() -> None:
    untidy = [
        str(path.relative_to(REPOSITORY))
        for path, text in committed_text()
        if path.name != "LICENSE"
        and text
        and (not text.endswith("\n") or re.search(r"[ \t]$", text, re.MULTILINE))
    ]
    assert untidy == []
