"""A caller without a client library: asks the front door, and holds every answer to GitHub's contract."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from lab.azure.wire import Cut, Request
from lab.github.front_door import FrontDoor

if TYPE_CHECKING:
    from tests.lab_github.contract import Contract

URL: Final = "http://localhost"
REPOSITORY: Final = "/repos/contoso-soc/event-hubs"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def message(self) -> str:
        """What GitHub says was wrong."""
        return str(self.body["message"])


@dataclass
class Caller:
    """Somebody who asks, with a token or without."""

    door: FrontDoor
    token: str | None
    contract: "Contract | None" = None
    unchecked: set[str] = field(default_factory=set)
    """Requests the description lacks."""

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, **query: str
    ) -> Reply:
        """Ask; a path that begins with ``~`` is about the scene's repository."""
        path = path.replace("~", REPOSITORY, 1)
        content = b"" if body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {self.token}"} if self.token else {}
        request = Request(
            method, path, URL, query, {"host": "localhost", **given, **(headers or {})}, content
        )
        answer = self.door.answer(request)
        shown = json.loads(answer.content() or b"null")
        if answer.cut is Cut.NOT:
            self._check(method, path, answer.status, shown)
        return Reply(answer.status, shown, dict(answer.headers))

    def _check(self, method: str, path: str, status: int, body: object) -> None:
        if self.contract is None:
            return
        if self.contract.operation(method, path) is None:
            self.unchecked.add(f"{method} {path}")
        if breaches := self.contract.breaches(method, path, status, body):
            pytest.fail("\n".join(breaches))
