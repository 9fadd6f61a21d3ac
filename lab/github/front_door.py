"""The front door: the way of a request through this GitHub, from the first byte to the answer.

The order: who asks, rate limits, the route, whether the repository exists for the caller, what the caller may
do there; only then what was asked.
"""

import hashlib
import threading
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar

from lab.azure.faults import Fault, FaultKind, Faults, PlannedFaults, Seen
from lab.azure.wire import Answer, Cut, Request
from lab.github import app_routes, contents_routes, git_data_routes, pull_routes, repository_routes
from lab.github.call import Call, Route
from lab.github.github_error import GitHubError, bad_credentials, not_found
from lab.github.rate_limits import RateLimits, secondary
from lab.github.sign_in import Caller, caller_of
from lab.github.world import World

ROUTES: Final = (
    *app_routes.ROUTES,
    *repository_routes.ROUTES,
    *contents_routes.ROUTES,
    *git_data_routes.ROUTES,
    *pull_routes.ROUTES,
)
_PATTERNS: Final = [(route.pattern(), route) for route in ROUTES]
_ENTERPRISE: Final = "/api/v3"
_LEVELS: Final = ("none", "read", "write")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request that came in, and what became of it."""

    at: datetime
    caller: str | None
    method: str
    path: str
    status: int
    """Of the answer that was sent, or would have been if the connection had lasted."""
    fault: FaultKind | None


@dataclass(slots=True)
class FrontDoor:
    """Takes requests, one after the other, whoever asks at the same time."""

    world: World
    faults: Faults = field(default_factory=PlannedFaults)
    limits: RateLimits = field(default_factory=RateLimits)
    log: MutableSequence[LoggedRequest] = field(default_factory=list)
    before: Callable[[Request], None] | None = None
    """Called before each request, with the lock held: where a test lets others act in between."""
    _turn: int = 0
    _asked: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        with self._lock:
            if self.before is not None:
                self.before(request)
            seen = self._seen(request)
            self.world.clock.advance(self.faults.latency(seen))
            fault = self.faults.decide(seen)
            arrived = self.world.clock.now()
            caller = self._caller(request)
            answer = self._with_fault(fault, request, caller)
            self._turn += 1
            kind = fault.kind if fault else None
            key = caller.key if isinstance(caller, Caller) else None
            self.log.append(LoggedRequest(arrived, key, request.method, request.path, answer.status, kind))
            headers = {
                "X-GitHub-Request-Id": f"LAB:{self._turn:06X}",
                "X-GitHub-Media-Type": "github.v3; format=json",
                **self._standing(caller),
            }
            return replace(answer, headers={**headers, **answer.headers})

    def meanwhile(self, happening: Callable[[World], Result]) -> Result:
        """Let something happen in the world between two requests, whoever asks at the same time."""
        with self._lock:
            return happening(self.world)

    def writes(self) -> list[LoggedRequest]:
        """The requests that were not reads, those for a token left out."""
        return [
            each for each in self.log if each.method != "GET" and not each.path.endswith("/access_tokens")
        ]

    def _seen(self, request: Request) -> Seen:
        key = (request.method, request.path.lower())
        self._asked[key] = self._asked.get(key, -1) + 1
        return Seen(*key, "page" in request.query, self._asked[key])

    def _caller(self, request: Request) -> Caller | GitHubError:
        try:
            return caller_of(self.world, request.headers.get("authorization"))
        except GitHubError as error:
            return error

    def _standing(self, caller: Caller | GitHubError) -> dict[str, str]:
        if not isinstance(caller, Caller):
            return {}
        scopes = caller.token.scopes if caller.token and caller.token.permissions is None else None
        told = {} if scopes is None else {"X-OAuth-Scopes": ", ".join(scopes)}
        return told | self.limits.headers(caller.key, self.world.clock.now().timestamp())

    def _with_fault(self, fault: Fault | None, request: Request, caller: Caller | GitHubError) -> Answer:
        match fault:
            case None:
                return self._settled(request, caller)
            case Fault(FaultKind.FAIL_BEFORE | FaultKind.FAIL_NEXT_PAGE):
                return _broken(fault)
            case Fault(FaultKind.RESET_BEFORE):
                return Answer(502, cut=Cut.RESET)
            case Fault(FaultKind.THROTTLE):
                status = fault.status if fault.status in (403, 429) else 403
                return _refusal(secondary(status, fault.retry_after))
            case Fault(FaultKind.EXPIRE_TOKEN):
                return _refusal(bad_credentials())
        settled = self._settled(request, caller)
        match fault.kind:
            case FaultKind.FAIL_AFTER:
                return _broken(fault)
            case FaultKind.RESET_AFTER:
                return replace(settled, cut=Cut.RESET)
        return replace(settled, cut=Cut.TRUNCATED)

    def _settled(self, request: Request, caller: Caller | GitHubError) -> Answer:
        try:
            if isinstance(caller, GitHubError):
                raise caller
            now = self.world.clock.now().timestamp()
            if not request.path.endswith("/rate_limit"):
                self.limits.admit(caller.key, request.method, now)
            answer = self._routed(request, caller)
        except GitHubError as error:
            return _refusal(error)
        if request.method != "GET" or answer.status != 200:
            return answer
        tag = f'W/"{hashlib.sha256(answer.content()).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            self.limits.give_back(caller.key, now)
            return Answer(304, headers={"ETag": tag})
        return replace(answer, headers={"ETag": tag, **answer.headers})

    def _routed(self, request: Request, caller: Caller) -> Answer:
        prefix = _ENTERPRISE if request.path.startswith(f"{_ENTERPRISE}/") else ""
        route, parts = _find(request.method, request.path.removeprefix(prefix))
        call = Call(self.world, self.limits, caller, request, parts, prefix)
        if route.by_app != (caller.app is not None) and not request.path.endswith("/rate_limit"):
            raise _wrong_kind(route)
        if route.needs is not None:
            _check_permission(call, *route.needs)
        return route.handle(call)


def _find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    for pattern, route in _PATTERNS:
        if route.method == method and (found := pattern.fullmatch(path)) is not None:
            return route, found.groupdict()
    raise not_found()


def _wrong_kind(route: Route) -> GitHubError:
    if route.by_app:
        return GitHubError(401, "A JSON web token could not be decoded")
    return GitHubError(403, "Resource not accessible by integration")


def _check_permission(call: Call, permission: str, level: str) -> None:
    held = call.caller.level(call.repository, permission)
    if _LEVELS.index(held) >= _LEVELS.index(level):
        return
    token = call.caller.token
    if token is None:
        raise GitHubError(401, "Requires authentication")
    if token.permissions is None:
        raise not_found()
    kind = "integration" if token.installation else "personal access token"
    raise GitHubError(403, f"Resource not accessible by {kind}")


def _refusal(error: GitHubError) -> Answer:
    return Answer(error.status, error.body(), error.headers)


def _broken(fault: Fault) -> Answer:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return _refusal(GitHubError(fault.status, "Server Error", headers=wait))
