"""What the infrastructure repository holds: the files by hand, and the generated one beside them."""

from pathlib import Path
from typing import Final

from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import FILE_NAME, IngestSettings, written

_HERE: Final = Path(__file__).parent
_MODULES: Final = "modules"


def repository_files(mapping: HubMapping, settings: IngestSettings, folder: str = "") -> dict[str, str]:
    """The generated file by its path in the repository: all that azmdr ever commits.

    Args:
        mapping: what is to be.
        settings: of azmdr, those the infrastructure must agree with.
        folder: where in the repository the files are, with a trailing slash.
    """
    return {f"{folder}{FILE_NAME}": written(mapping, settings)}


def starter_files(folder: str = "") -> dict[str, str]:
    """The root module and the modules by hand, which a deployment copies once and changes as it likes."""
    root = {file.name: file for file in (_HERE / "root").iterdir() if file.is_file()}
    modules = {
        f"{_MODULES}/{file.relative_to(_HERE / _MODULES).as_posix()}": file
        for file in (_HERE / _MODULES).rglob("*")
        if file.is_file() and file.name.endswith((".tf", ".hcl", ".md"))
    }
    return {f"{folder}{path}": file.read_text("utf-8") for path, file in sorted((root | modules).items())}
