"""What differs between two versions of a file, for people; and git's own name for a content."""

import difflib
import hashlib
from typing import Final

LONGEST: Final = 20_000
"""Characters; a page that shows more is read by nobody."""


def unified_diff(path: str, before: str | None, after: str, longest: int = LONGEST) -> str:
    """The difference as git would show it, cut after so many characters with a line that says so."""
    name = path if before is not None else None
    lines = difflib.unified_diff(
        (before or "").splitlines(),
        after.splitlines(),
        f"a/{name}" if name else "/dev/null",
        f"b/{path}",
        lineterm="",
    )
    kept: list[str] = []
    used = left_out = 0
    for line in lines:
        used += len(line) + 1
        if left_out or used > longest:
            left_out += 1
        else:
            kept.append(line)
    if left_out:
        kept.append(f"... {left_out} more lines")
    return "\n".join(kept)


def blob_sha(text: str) -> str:
    """The sha git keeps a content under: equal shas, equal contents, and nothing to download."""
    data = text.encode()
    header = f"blob {len(data)}\0".encode()
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest()
