"""The expressions of ARM templates: their grammar, and the functions that exist here.

Source: learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions and
.../template-functions. Only the functions somebody here deploys with; any other is refused by its name. What
``guid`` and ``uniqueString`` make of their input is Azure's secret, so here it is a UUID of version 5.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from lab.azure.arm_error import ArmError, bad_request

Value: TypeAlias = Any
"""JSON."""
Function: TypeAlias = Callable[..., Value]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[(),.\[\]]))"
)
_GUIDS: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "guid.lab.example")


def invalid(message: str) -> ArmError:
    """400: what a template that can't be deployed is answered with."""
    return bad_request(f"Deployment template validation failed: '{message}'", "InvalidTemplate")


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class _Use:
    function: str
    arguments: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Part:
    whole: "_Node"
    key: "_Node"


_Node: TypeAlias = _Literal | _Use | _Part


class _Reader:
    """Reads one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._at = 0

    def _split(self) -> Iterator[tuple[str, str]]:
        at, text = 0, self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise invalid(f"Unable to parse language expression '{self._text}'.")
            yield found.lastgroup, found[found.lastgroup]
            at = found.end()

    def read(self) -> _Node:
        node = self._expression()
        if self._at < len(self._tokens):
            raise invalid(f"Unable to parse language expression '{self._text}'.")
        return node

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise invalid(f"Unable to parse language expression '{self._text}': it ends too early.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _is_next(self, sign: str) -> bool:
        is_it = self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)
        self._at += is_it
        return is_it

    def _expression(self) -> _Node:
        node = self._start()
        while True:
            if self._is_next("."):
                node = _Part(node, _Literal(self._next()[1]))
            elif self._is_next("["):
                node = _Part(node, self._expression())
                self._expect("]")
            else:
                return node

    def _start(self) -> _Node:
        match self._next():
            case ("text", text):
                return _Literal(text[1:-1].replace("''", "'"))
            case ("number", number):
                return _Literal(int(number))
            case ("name", name):
                self._expect("(")
                return _Use(name, tuple(self._arguments()))
        raise invalid(f"Unable to parse language expression '{self._text}'.")

    def _arguments(self) -> Iterator[_Node]:
        if self._is_next(")"):
            return
        yield self._expression()
        while not self._is_next(")"):
            self._expect(",")
            yield self._expression()

    def _expect(self, sign: str) -> None:
        if not self._is_next(sign):
            raise invalid(f"Unable to parse language expression '{self._text}': '{sign}' is missing.")


def evaluate(value: Value, functions: Mapping[str, Function]) -> Value:
    """A JSON value with every expression in it replaced by what it comes to.

    Args:
        value: any JSON. A text that begins with ``[[`` is the text without the first of them.
        functions: by lower-cased name, beside those that need to know nothing but their arguments.

    Raises:
        ArmError: 400 for an expression that can't be read, or that uses what is not here.
    """
    if isinstance(value, Mapping):
        return {evaluate(name, functions): evaluate(each, functions) for name, each in value.items()}
    if isinstance(value, list):
        return [evaluate(each, functions) for each in value]
    if not isinstance(value, str) or not (value.startswith("[") and value.endswith("]")):
        return value
    if value.startswith("[["):
        return value[1:]
    return _value(_Reader(value[1:-1]).read(), functions)


def _value(node: _Node, functions: Mapping[str, Function]) -> Value:
    match node:
        case _Literal(value):
            return value
        case _Part(whole, key):
            return _part(_value(whole, functions), _value(key, functions))
        case _Use(name, arguments):
            return _used(name, arguments, functions)


def _used(name: str, arguments: tuple[_Node, ...], functions: Mapping[str, Function]) -> Value:
    if name.lower() == "if" and len(arguments) == 3:
        # The branch not taken may be about what is not there.
        return _value(arguments[1] if _value(arguments[0], functions) else arguments[2], functions)
    function = functions.get(name.lower()) or _FUNCTIONS.get(name.lower())
    if function is None:
        raise invalid(f"The template function '{name}' is not valid.")
    try:
        return function(*(_value(each, functions) for each in arguments))
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise invalid(f"The template function '{name}' can't take its arguments: {error!r}.") from error


def _part(whole: Value, key: Value) -> Value:
    if isinstance(whole, Mapping):
        for name, each in whole.items():
            if str(name).lower() == str(key).lower():
                return each
    elif isinstance(whole, list) and isinstance(key, int) and 0 <= key < len(whole):
        return whole[key]
    raise invalid(f"The language expression property '{key}' doesn't exist.")


def guid(*parts: object) -> str:
    """A GUID that follows from texts."""
    return str(uuid.uuid5(_GUIDS, "-".join(_text(each) for each in parts)))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _concat(*parts: Value) -> Value:
    if all(isinstance(each, list) for each in parts):
        return [item for each in parts for item in each]
    return "".join(_text(each) for each in parts)


def _format(pattern: str, *values: Value) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: _text(values[int(found[1])]), pattern)


def _equals(one: Value, other: Value) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return bool(one == other)


def id_below(scope: str, kind: str, names: Sequence[str]) -> str:
    """The id of a resource of a type below a scope."""
    namespace, *types = kind.strip("/").split("/")
    if len(types) != len(names):
        raise invalid(f"The type '{kind}' needs {len(types)} names, not {len(names)}.")
    pairs = "/".join(f"{each}/{name}" for each, name in zip(types, names, strict=True))
    return f"{scope.rstrip('/')}/providers/{namespace}/{pairs}"


_FUNCTIONS: Final[Mapping[str, Function]] = {
    "concat": _concat,
    "format": _format,
    "guid": guid,
    "string": _text,
    "tolower": lambda text: text.lower(),
    "equals": _equals,
    "not": lambda value: not value,
    "and": lambda *values: all(values),
    "or": lambda *values: any(values),
    "empty": lambda value: not value,
    "length": len,
    "createarray": lambda *values: list(values),
    "range": lambda start, count: list(range(start, start + count)),
    "add": lambda one, other: one + other,
    "mul": lambda one, other: one * other,
    "div": lambda one, other: one // other,
    "mod": lambda one, other: one % other,
    "true": lambda: True,
    "false": lambda: False,
    "extensionresourceid": lambda scope, kind, *names: id_below(scope, kind, names),
    "tenantresourceid": lambda kind, *names: id_below("", kind, names),
}
