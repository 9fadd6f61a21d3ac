"""The text files of this repository as they would be committed."""

import subprocess
from pathlib import Path

import pytest

from tests.shared_samples import REPOSITORY


def committed_text() -> list[tuple[Path, str]]:
    """Each file git tracks or would add, with its text; binary files left out. Skips outside a clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip(f"not a git clone: {listed.stderr.strip()}")
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    contents = [(path, path.read_bytes()) for path in paths if path.is_file()]
    return [(path, data.decode()) for path, data in contents if b"\0" not in data]
