"""Where the shared sample records lie: the folder ``shared`` beside the repository, on machines that have it.

It holds real and labelled Azure records under licences of their own, so it is read where it lies and never
copied into the project. Tests that read it skip, and say so, where it is absent.
"""

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
"""The folder this project is checked out in."""

ABSENT: Final = "the folder 'shared' with sample records is not beside this repository"
"""Why a test that needs the samples is skipped."""


def shared_folder(repository: Path = REPOSITORY) -> Path | None:
    """The shared folder, or None where this machine has none."""
    folder = repository.parent / "shared"
    return folder if (folder / "samples").is_dir() else None
