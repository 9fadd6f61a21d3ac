"""Which paths a tree may hold: what git and GitHub refuse, since a checkout of it could do harm."""

import re
import unicodedata
from typing import Final

from lab.github.github_error import unprocessable

_IGNORED_BY_HFS: Final = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_DISK: Final = re.compile(r"[a-zA-Z]:")


def check_tree_path(path: str) -> str:
    """The path, when a tree may hold it.

    Raises:
        GitHubError: 422, in GitHub's words.
    """
    if path.startswith("/"):
        raise unprocessable("tree.path cannot start with a slash")
    if is_malformed(path):
        raise unprocessable("tree.path contains a malformed path component")
    return path


def is_malformed(path: str) -> bool:
    """Whether no tree may hold it."""
    return "\0" in path or any(_is_malformed(part) for part in path.split("/"))


def _is_malformed(part: str) -> bool:
    seen = _IGNORED_BY_HFS.sub("", unicodedata.normalize("NFC", part)).lower()
    on_windows = seen.split(":")[0].rstrip(". ")
    return (
        part in ("", ".", "..")
        or "\\" in part
        or _DISK.match(part) is not None
        or {seen, on_windows} & {".git", "git~1"} != set()
    )
