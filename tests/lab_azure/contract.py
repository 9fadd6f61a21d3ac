"""Microsoft's own contract: which shape an answer has, by its Swagger files where this machine has them.

Read with the three rules without which Microsoft's own examples fail: an object without properties is any
value, a property or an item may be null, and an enumeration marked as open is no limit.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.lab_azure.contract_files import FILES

_COMMON: Final = ("common-types", "other", "Microsoft.Authorization/common")


@dataclass(frozen=True)
class Operation:
    """A method on a path, and the schema of each of its answers."""

    method: str
    template: str
    path: re.Pattern[str]
    literal: int
    """How many characters of the path are not placeholders; the longest match is meant."""
    file: Path
    responses: Mapping[str, Mapping[str, Any]]
    examples: frozenset[Path]


class Contract:
    """The operations of all files."""

    def __init__(self, folder: Path, names: Sequence[str] = FILES) -> None:
        self.folder = folder
        places = (*(str(Path(name).parent) for name in names), *_COMMON)
        files = {file for place in places for file in (folder / place).rglob("*.json")}
        wanted = [file for file in files if "examples" not in file.parts]
        self._registry: Registry[Any] = Registry().with_resources(
            (file.as_uri(), _resource(file)) for file in wanted
        )
        self.operations = [each for name in names for each in _operations(folder / name)]

    def breaches(self, method: str, path: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer; empty when nothing is, or when no file describes the path."""
        operation = self.operation(method, path)
        return [] if operation is None else self.breaches_of(operation, status, body)

    def breaches_of(self, operation: Operation, status: int, body: object) -> list[str]:
        """What is wrong with an answer of an operation."""
        asked = f"{operation.method} {operation.template} ({status})"
        # What a file says of every other status is meant for errors.
        otherwise = operation.responses.get("default") if status >= 400 else None
        response = operation.responses.get(str(status), otherwise)
        if response is None:
            return [f"{asked} is no status its Swagger knows"]
        if "schema" not in response:
            return [] if body is None else [f"{asked} should have no body"]
        schema = response["schema"]
        reference = schema.get("$ref", "")
        absolute = {"$ref": urljoin(operation.file.as_uri(), reference)} if reference else schema
        validator = Draft4Validator({"id": operation.file.as_uri(), **absolute}, registry=self._registry)
        found = (best_match(error.context) or error for error in validator.iter_errors(body))
        return [f"{asked}: {error.json_path} {error.message}" for error in found]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation a request is for."""
        fitting = [
            each
            for each in self.operations
            if each.method == method and each.path.fullmatch(path) is not None
        ]
        return max(fitting, key=lambda each: each.literal, default=None)


def _operations(file: Path) -> Iterator[Operation]:
    document = _read(file)
    for path, methods in document["paths"].items():
        parts = re.split(r"\{(\w+)\}", path)
        names = (".+" if name in ("resourceUri", "scope", "resourceId") else "[^/]+" for name in parts[1::2])
        spelled = "".join(re.escape(text) + next(names, "") for text in parts[::2])
        pattern = re.compile(spelled.replace("/.+", "/?.+", 1), re.IGNORECASE)
        literal = sum(len(text) for text in parts[::2])
        for method, operation in methods.items():
            named = operation.get("x-ms-examples", {}).values()
            examples = frozenset((file.parent / each["$ref"]).resolve() for each in named)
            responses = operation.get("responses", {})
            yield Operation(method.upper(), path, pattern, literal, file, responses, examples)


def _resource(file: Path) -> Resource[Any]:
    return Resource.from_contents(_read(file), default_specification=DRAFT4)


@cache
def _read(file: Path) -> Any:
    return _as_azure_means_it(json.loads(file.read_text("utf-8-sig")))


def _as_azure_means_it(node: Any) -> Any:
    if isinstance(node, list):
        return [_as_azure_means_it(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "object" and not node.keys() & {"properties", "allOf", "additionalProperties"}:
        return {name: value for name, value in node.items() if name != "type"}
    # The names in a map of properties are no keywords, "properties" and "items" among them least of all.
    mapped = node.get("properties") if isinstance(node.get("properties"), dict) else None
    read = {name: _as_azure_means_it(value) for name, value in node.items() if value is not mapped}
    if mapped is not None:
        read["properties"] = {name: _nullable(_as_azure_means_it(each)) for name, each in mapped.items()}
    if isinstance(read.get("items"), dict):
        read["items"] = _nullable(read["items"])
    is_open = isinstance(read.get("x-ms-enum"), dict) and read["x-ms-enum"].get("modelAsString")
    if is_open and isinstance(read.get("enum"), list):
        del read["enum"]
    return read


def _nullable(schema: Any) -> Any:
    return {"anyOf": [{"type": "null"}, schema]} if isinstance(schema, dict) else schema
