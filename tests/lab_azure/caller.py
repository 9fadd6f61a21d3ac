"""A caller without an SDK: asks the front door, and holds every answer to Microsoft's contract."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import pytest

from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL
from lab.azure.tokens import issue
from lab.azure.wire import Cut, Request

if TYPE_CHECKING:
    from tests.lab_azure.contract import Contract

VERSIONS: Final = {
    "microsoft.insights": "2021-05-01-preview",
    "microsoft.aadiam": "2017-04-01",
    "microsoft.eventhub": "2024-01-01",
    "microsoft.operationalinsights": "2023-09-01",
    "microsoft.managedservices": "2022-10-01",
    "microsoft.resourcegraph": "2021-03-01",
    "microsoft.authorization": "2023-04-01",
    "microsoft.policyinsights": "2021-10-01",
}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str | None:
        """The error's code."""
        return str(self.body["error"]["code"]) if self.status >= 400 else None

    @property
    def names(self) -> list[str]:
        """The names in a list."""
        return [item["name"] for item in self.body["value"]]


@dataclass
class Caller:
    """Somebody who asks."""

    door: FrontDoor
    principal: Principal
    contract: "Contract | None" = None
    unchecked: list[str] = field(default_factory=list)
    """Requests no Swagger file describes."""

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Reply:
        """Ask, with the API version that goes with the path unless another is given."""
        name, _, rest = path.partition("?")
        version = query.pop("version", _version(name))
        asked = {"api-version": version, **{f"${each}": value for each, value in query.items()}}
        asked.update(parse_qsl(rest))
        return self._send(method, name, {each.lower(): value for each, value in asked.items()}, body)

    def token(self) -> str:
        """A fresh token."""
        cloud = self.door.cloud
        audience = "https://management.azure.com"
        return issue(self.principal, audience, cloud.clock.now(), cloud.token_lifetime, cloud.signing_key)

    def _send(self, method: str, path: str, query: dict[str, str], body: object) -> Reply:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token()}", "host": "localhost"}
        answer = self.door.answer(Request(method, path, URL, query, headers, content))
        shown = json.loads(answer.content() or b"null")
        if answer.cut is Cut.NOT:
            self._check(method, path, answer.status, shown)
        return Reply(answer.status, shown, dict(answer.headers))

    def _check(self, method: str, path: str, status: int, body: object) -> None:
        if self.contract is None:
            return
        if self.contract.operation(method, path) is None:
            self.unchecked.append(f"{method} {path}")
        if breaches := self.contract.breaches(method, path, status, body):
            pytest.fail("\n".join(breaches))


def _version(path: str) -> str:
    lowered = path.lower()
    if lowered.rpartition("/providers/")[1]:
        return VERSIONS.get(lowered.rpartition("/providers/")[2].partition("/")[0], "2024-03-01")
    return "2024-03-01" if "resource" in lowered or lowered.endswith("/providers") else "2022-12-01"
