"""What goes over the wire: a request as Azure receives it, an answer as it leaves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from urllib.parse import urlencode

_INHERITED: Final = ("x-ms-correlation-request-id",)


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    ``path`` is decoded and has no query; the names in ``query`` and ``headers`` are lower-cased; ``origin``
    is the scheme and the host the caller used, from which links in answers are built.
    """

    method: str
    path: str
    origin: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_continuation(self) -> bool:
        """Whether it asks for a page after the first."""
        return "$skiptoken" in self.query

    def entailed(self, method: str, path: str, api_version: str, body: object) -> "Request":
        """A request that this one entails."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {name: self.headers[name] for name in _INHERITED if name in self.headers}
        return Request(method, path, self.origin, {"api-version": api_version}, headers, content)

    def link(self, **changes: str) -> str:
        """The absolute address of this request, with some of its query changed."""
        query = {**self.query, **{f"${name}": value for name, value in changes.items()}}
        return f"{self.origin}{self.path}?{urlencode(query)}"


class Cut(Enum):
    """How an answer gets lost on its way."""

    NOT = auto()
    RESET = auto()
    """The connection is reset, and nothing of the answer arrives."""
    TRUNCATED = auto()
    """The connection ends in the middle of the body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; a body of None sends none."""

    status: int
    body: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: Cut = Cut.NOT

    def content(self) -> bytes:
        """The body as bytes."""
        return b"" if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()

    def all_headers(self) -> dict[str, str]:
        """The headers with those the body needs."""
        if self.body is None:
            return dict(self.headers)
        return {"Content-Type": "application/json; charset=utf-8", **self.headers}
