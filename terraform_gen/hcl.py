"""HCL, as far as the generated file needs it: maps, strings and numbers, in the form `terraform fmt` gives.

Every string is quoted, keys too, and nothing in one can end it or begin a template. Source:
developer.hashicorp.com/terraform/language/expressions/strings.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

Value = str | int | Mapping[str, "Value"]

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MEANINGS: Final = {escape: character for character, escape in _ESCAPES.items()}
_ESCAPE: Final = re.compile(r"\\(?:[\"\\nrt]|u[0-9a-f]{4}|U[0-9a-f]{8})")
_INDENT: Final = "  "


class HclError(ValueError):
    """A text no HCL file can hold."""


def quoted(text: str) -> str:
    """A string literal that stands for exactly this text, on one line.

    Raises:
        HclError: it holds half a surrogate pair, which is no character.
    """
    pieces = []
    for at, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            raise HclError(f"{text[:80]!a}: holds half a surrogate pair")
        if character in _ESCAPES:
            pieces.append(_ESCAPES[character])
        elif character in "$%" and text[at + 1 : at + 2] == "{":
            pieces.append(character * 2)
        elif _is_hidden(character):
            pieces.append(_escaped(ord(character)))
        else:
            pieces.append(character)
    return f'"{"".join(pieces)}"'


def unquoted(literal: str) -> str:
    """The text a literal made by :func:`quoted` stands for.

    Raises:
        HclError: it was not made by it.
    """
    inside = literal[1:-1].replace("$${", "${").replace("%%{", "%{")
    text = _ESCAPE.sub(lambda found: _MEANINGS.get(found[0]) or _character(found[0]), inside)
    if quoted(text) != literal:
        raise HclError(f"{literal[:80]}: is no string literal of ours")
    return text


def _character(escape: str) -> str:
    return chr(int(escape.lstrip("\\uU"), base=16))


def _is_hidden(character: str) -> bool:
    """Whether a reader would not see it, or would see the text in another order."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Zl", "Zp")


def _escaped(point: int) -> str:
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def assignment(name: str, value: Value, depth: int = 0, width: int = 0) -> list[str]:
    """The lines of ``name = value``.

    Args:
        name: an identifier, or a literal already quoted.
        value: what it is set to.
        depth: how far it is indented.
        width: the column its equals sign stands in, beside others.
    """
    indent = _INDENT * depth
    if not isinstance(value, Mapping):
        text = quoted(value) if isinstance(value, str) else str(value)
        return [f"{indent}{name.ljust(width)} = {text}"]
    if not value:
        return [f"{indent}{name.ljust(width)} = {{}}"]
    return [f"{indent}{name} = {{", *entries(value, depth + 1), f"{indent}}}"]


def entries(values: Mapping[str, Value], depth: int) -> list[str]:
    """The lines of a map's entries, sorted by key, the equals signs of neighbours under each other."""
    lines: list[str] = []
    run: list[tuple[str, Value]] = []

    def end_run() -> None:
        width = max((len(name) for name, _ in run), default=0)
        for name, value in run:
            lines.extend(assignment(name, value, depth, width))
        run.clear()

    for key in sorted(values):
        value = values[key]
        if isinstance(value, Mapping) and value:
            end_run()
            lines.extend(assignment(quoted(key), value, depth))
        else:
            run.append((quoted(key), value))
    end_run()
    return lines
