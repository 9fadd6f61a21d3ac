"""GitHub's own contract: which shape an answer has, by its OpenAPI description where this machine has it.

An answer with a status the description does not list is held to GitHub's plain error, and may only be one of
those any request can get.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

FILE: Final = "github/api.github.com-subset.json"
ANYWHERE: Final = frozenset({400, 401, 403, 404, 429, 500, 502, 503, 504})
_PLAIN_ERROR: Final = {
    "type": "object",
    "required": ["message", "documentation_url", "status"],
    "properties": {name: {"type": "string"} for name in ("message", "documentation_url", "status")},
}
_URI: Final = "urn:github"
_EITHER: Final = ["Simple User", "Enterprise"]
"""What the description of a list of installations calls one account that is both."""


@dataclass(frozen=True)
class Operation:
    """A method on a path, and what it may answer."""

    method: str
    template: str
    path: re.Pattern[str]
    responses: Mapping[str, Any]


class Contract:
    """All operations of the description."""

    def __init__(self, folder: Path) -> None:
        document = _as_draft_4(json.loads((folder / FILE).read_text()))
        resource = Resource.from_contents(document, default_specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._shared = document["components"]["responses"]
        self.operations = [
            Operation(method.upper(), path, _pattern(path), operation["responses"])
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation a request is for."""
        fitting = [each for each in self.operations if each.method == method and each.path.fullmatch(path)]
        return max(fitting, key=lambda each: len(each.template), default=None)

    def breaches(self, method: str, path: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer; empty when nothing is, or when the description lacks the path."""
        operation = self.operation(method, path)
        if operation is None:
            return []
        asked = f"{method} {operation.template} ({status})"
        response = operation.responses.get(str(status))
        if response is None:
            if status == 304 and method == "GET":
                return [] if body is None else [f"{asked} should have no body"]
            known = status in ANYWHERE
            return self._errors(asked, _PLAIN_ERROR, body) if known else [f"{asked} is no status it knows"]
        if "$ref" in response:
            response = self._shared[response["$ref"].rpartition("/")[2]]
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if schema is None and status >= 400:
            return [] if body is None else self._errors(asked, _PLAIN_ERROR, body)
        if schema is None:
            return [] if body is None else [f"{asked} should have no body"]
        plain = self._errors(asked, _PLAIN_ERROR, body) if status >= 400 else []
        return plain + self._errors(asked, schema, body)

    def _errors(self, asked: str, schema: Mapping[str, Any], body: object) -> list[str]:
        validator = Draft4Validator(schema, registry=self._registry)
        found = (best_match(error.context) or error for error in validator.iter_errors(body))
        return [f"{asked}: {error.json_path} {error.message}" for error in found]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    spelled = (
        re.escape(part) if index % 2 == 0 else (".+" if part in ("path", "ref", "branch") else "[^/]+")
        for index, part in enumerate(parts)
    )
    return re.compile("".join(spelled), re.DOTALL)


def _as_draft_4(node: Any) -> Any:
    """OpenAPI 3.0 but for its word for null; "one of" shapes that ask for nothing can only mean any."""
    if isinstance(node, list):
        return [_as_draft_4(each) for each in node]
    if not isinstance(node, dict):
        return node
    read = {name: _absolute(name, _as_draft_4(value)) for name, value in node.items()}
    if [each.get("title") for each in read.get("allOf", ()) if isinstance(each, dict)] == _EITHER:
        read["anyOf"] = read.pop("allOf")
    if "oneOf" in read:
        read["anyOf"] = read.pop("oneOf")
    if read.pop("nullable", False) is True:
        return {"anyOf": [{"type": "null"}, read]}
    return read


def _absolute(name: str, value: Any) -> Any:
    return f"{_URI}{value}" if name == "$ref" and isinstance(value, str) else value
