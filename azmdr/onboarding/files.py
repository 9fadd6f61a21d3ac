"""The templates as files: where they are kept, and where a package is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from azmdr.inventory.customers import CustomerError
from azmdr.onboarding.package import Package

README: Final = "README.customer.md"
_SUFFIXES: Final = (".bicep", ".json", ".md")


def templates() -> dict[str, str]:
    """The content of ``bicep/``, by path: beside this package in a wheel, at the top in a clone."""
    here = Path(__file__).parent
    folder = next(each for each in (here / "bicep", here.parents[1] / "bicep") if each.is_dir())
    files = sorted(each for each in folder.rglob("*") if each.suffix in _SUFFIXES)
    return {each.relative_to(folder).as_posix(): each.read_text("utf-8") for each in files}


def write(package: Package, folder: Path) -> None:
    """Write a package into a folder that is empty, not there yet, or holds an earlier one.

    Raises:
        CustomerError: something else is in it, or it can't be written to.
    """
    try:
        strangers = sorted(_strangers(folder, package.files))
        if strangers:
            raise CustomerError(f"{folder}: holds what is not of the package: {', '.join(strangers[:3])}")
        for name, text in package.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise CustomerError(f"{folder}: can't be written to: {error.strerror}") from error


def _strangers(folder: Path, ours: Mapping[str, str]) -> set[str]:
    if not folder.exists():
        return set()
    present = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    return present - ours.keys()
