"""What the infrastructure repository begins with: the files by hand, beside the generated one."""

from pathlib import Path
from typing import Final

from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import FILE_NAME, IngestSettings, written

_HERE: Final = Path(__file__).parent
_MODULES: Final = "modules"


def starter_files(settings: IngestSettings) -> dict[str, str]:
    """The files by path: root and modules, which a deployment changes as it likes, and no event hub yet.

    Args:
        settings: of azmdr, those the infrastructure must agree with.
    """
    root = {file.name: file for file in (_HERE / "root").iterdir() if file.is_file()}
    modules = {
        f"{_MODULES}/{file.relative_to(_HERE / _MODULES).as_posix()}": file
        for file in (_HERE / _MODULES).rglob("*")
        if file.is_file() and file.name.endswith((".tf", ".hcl", ".md"))
    }
    by_hand = {path: file.read_text("utf-8") for path, file in (root | modules).items()}
    return dict(sorted((by_hand | {FILE_NAME: written(HubMapping(), settings)}).items()))


def lay_out(folder: Path, settings: IngestSettings) -> list[str]:
    """Write the files into a folder, as it is done once; what is there already stays as it is.

    Returns:
        The paths that were written.
    """
    new = {path: text for path, text in starter_files(settings).items() if not (folder / path).exists()}
    for path, text in new.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return list(new)
