import shutil
import subprocess

import pytest

from tests.shared_samples import REPOSITORY

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")


def phony_targets() -> list[str]:
    lines = (REPOSITORY / "Makefile").read_text().splitlines()
    return [word for line in lines if line.startswith(".PHONY:") for word in line.split()[1:]]


def output_of_make(*arguments: str) -> str:
    command = ["make", "-C", str(REPOSITORY), "--no-print-directory", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs_make
def test_make_help_lists_every_target_with_what_it_does() -> None:
    listed = [line.removeprefix("make ").split(maxsplit=1) for line in output_of_make("help").splitlines()]
    assert [name for name, _ in listed] == phony_targets()
    assert all(purpose for _, purpose in listed)


@needs_make
def test_make_alone_is_make_help() -> None:
    assert output_of_make() == output_of_make("help")
