"""What the infrastructure repository begins with: the files by hand, beside the generated one."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_MODULES: Final = "modules"


def starter_files(folder: str = "") -> dict[str, str]:
    """The root module and the modules by hand, which a deployment copies once and changes as it likes."""
    root = {file.name: file for file in (_HERE / "root").iterdir() if file.is_file()}
    modules = {
        f"{_MODULES}/{file.relative_to(_HERE / _MODULES).as_posix()}": file
        for file in (_HERE / _MODULES).rglob("*")
        if file.is_file() and file.name.endswith((".tf", ".hcl", ".md"))
    }
    return {f"{folder}{path}": file.read_text("utf-8") for path, file in sorted((root | modules).items())}
