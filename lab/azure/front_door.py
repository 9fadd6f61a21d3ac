"""The front door: the way of a request through Azure, from the first byte to the answer.

The order is Azure Resource Manager's: token, path, API version, throttle, subscription, permission,
registration of the resource provider; only then the provider's own rules.
"""

import threading
from collections import Counter
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from lab.azure import (
    activity_log_routes,
    authorization_rule_routes,
    deployment_routes,
    diagnostic_setting_routes,
    entra_setting_routes,
    event_hub_routes,
    inventory_routes,
    lighthouse_routes,
    log_analytics_routes,
    policy_assignment_routes,
    policy_definition_routes,
    policy_state_routes,
    remediation_routes,
    resource_graph_routes,
    role_assignment_routes,
    sign_in,
    tokens,
    workspace_table_routes,
)
from lab.azure.access import forbidden, may, wrong_tenant
from lab.azure.activity_events import ActivityLog, Operation
from lab.azure.arm_error import ArmError, conflict
from lab.azure.call import Call, Route, check_api_version
from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.faults import Fault, FaultKind, Faults, PlannedFaults, Seen
from lab.azure.policy_compliance import settle
from lab.azure.resource_id import within
from lab.azure.resources import Subscription
from lab.azure.route_table import RouteTable
from lab.azure.throttling import Kind, Throttle
from lab.azure.wire import Answer, Cut, Request

ROUTES: Sequence[Route] = (
    *inventory_routes.ROUTES,
    *diagnostic_setting_routes.ROUTES,
    *entra_setting_routes.ROUTES,
    *activity_log_routes.ROUTES,
    *event_hub_routes.ROUTES,
    *authorization_rule_routes.ROUTES,
    *log_analytics_routes.ROUTES,
    *workspace_table_routes.ROUTES,
    *lighthouse_routes.ROUTES,
    *policy_definition_routes.ROUTES,
    *policy_assignment_routes.ROUTES,
    *policy_state_routes.ROUTES,
    *remediation_routes.ROUTES,
    *resource_graph_routes.ROUTES,
    *role_assignment_routes.ROUTES,
    *deployment_routes.ROUTES,
)
_TABLE = RouteTable(ROUTES)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request that came in, and what became of it."""

    at: datetime
    principal_id: str | None
    """Object id of the caller, where the token told."""
    method: str
    path: str
    status: int
    """Of the answer that was sent, or would have been if the connection had lasted."""
    fault: FaultKind | None


@dataclass(slots=True)
class FrontDoor:
    """Takes requests, one after the other, whoever asks at the same time."""

    cloud: Cloud
    faults: Faults = field(default_factory=PlannedFaults)
    throttle: Throttle = field(default_factory=Throttle)
    log: MutableSequence[LoggedRequest] = field(default_factory=list)
    """What came in. A ``deque`` with a length keeps the last ones only, and one of length 0 none."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many requests came in, by method and kind (:attr:`~lab.azure.call.Route.kind`)."""
    statuses: Counter[int] = field(default_factory=Counter)
    """How many were answered with which status, whether the answer arrived or not."""
    _turn: int = 0
    _asked: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        with self._lock:
            seen = self._seen(request)
            self.cloud.clock.advance(self.faults.latency(seen))
            fault = self.faults.decide(seen)
            arrived = self.cloud.clock.now()
            answer = self._with_fault(fault, request)
            self._turn += 1
            self._note(arrived, request, answer, fault)
            request_id = f"00000000-0000-4000-8000-{self._turn:012x}"
            return replace(answer, headers={"x-ms-request-id": request_id, **answer.headers})

    def meanwhile(self, happening: Callable[[Cloud], Result]) -> Result:
        """Let something happen in the cloud between two requests, whoever asks at the same time."""
        with self._lock:
            return happening(self.cloud)

    def writes(self) -> list[LoggedRequest]:
        """The requests to Azure Resource Manager that were not reads."""
        return [each for each in self.log if each.method != "GET" and not sign_in.is_sign_in(each.path)]

    def _note(self, arrived: datetime, request: Request, answer: Answer, fault: Fault | None) -> None:
        self.counts[request.method, _kind(request)] += 1
        self.statuses[answer.status] += 1
        caller = self._caller_id(request)
        kind = fault.kind if fault else None
        self.log.append(LoggedRequest(arrived, caller, request.method, request.path, answer.status, kind))

    def _seen(self, request: Request) -> Seen:
        key = (request.method, request.path.lower(), request.is_continuation)
        self._asked[key] += 1
        return Seen(*key, self._asked[key] - 1)

    def _with_fault(self, fault: Fault | None, request: Request) -> Answer:
        match fault:
            case None:
                return self._settled(request)
            case Fault(FaultKind.FAIL_BEFORE | FaultKind.FAIL_NEXT_PAGE):
                return _broken(fault)
            case Fault(FaultKind.RESET_BEFORE):
                return Answer(503, cut=Cut.RESET)
            case Fault(FaultKind.THROTTLE):
                return _throttled_by_provider(fault)
            case Fault(FaultKind.EXPIRE_TOKEN) if not sign_in.is_sign_in(request.path):
                return _refusal(tokens.expired())
        settled = self._settled(request)
        match fault.kind:
            case FaultKind.FAIL_AFTER:
                return _broken(fault)
            case FaultKind.RESET_AFTER:
                return replace(settled, cut=Cut.RESET)
            case FaultKind.TRUNCATE:
                return replace(settled, cut=Cut.TRUNCATED)
        return settled

    def _settled(self, request: Request) -> Answer:
        try:
            if sign_in.is_sign_in(request.path):
                return sign_in.answer(self.cloud, request)
            return self._arm(request)
        except ArmError as error:
            return _refusal(error)

    def _arm(self, request: Request) -> Answer:
        settle(self.cloud, self._act)
        route, call = self._call(self._principal(request), request)
        left = self._admit(call)
        try:
            self._check(call, route)
            self._admit_to_provider(call, route)
            answer = route.handle(call)
        except ArmError as error:
            answer = _refusal(error)
        self._write_down(call, route, answer)
        return replace(answer, headers={**left, **answer.headers})

    def _act(self, principal: Principal, request: Request) -> Answer:
        """Answer what another request entails, or policy asks by itself; neither is throttled here."""
        try:
            route, call = self._call(principal, request)
            self._check(call, route)
            answer = route.handle(call)
        except ArmError as error:
            return _refusal(error)
        self._write_down(call, route, answer)
        return answer

    def _call(self, principal: Principal, request: Request) -> tuple[Route, Call]:
        route, parts = _TABLE.find(request.method, request.path)
        version = check_api_version(request.query.get("api-version"), route)
        return route, Call(self.cloud, principal, request, version, parts, self._turn, self._act)

    def _check(self, call: Call, route: Route) -> None:
        if "scope" in call.parts:
            self._check_scope(call, route)

    def _write_down(self, call: Call, route: Route, answer: Answer) -> None:
        if self.cloud.activity is not None and route.is_logged:
            self._record(call, route, answer, self.cloud.activity)

    def _record(self, call: Call, route: Route, answer: Answer, log: ActivityLog) -> None:
        subscription = self.cloud.subscriptions.get(call.scope.subscription_id)
        if subscription is None or route.action is None:
            return
        given = call.request.headers.get("x-ms-correlation-request-id")
        path = call.request.path.rstrip("/")
        action = route.action.format(**call.parts)
        operation = Operation(
            subscription_id=subscription.id,
            tenant_id=subscription.tenant_id,
            action=action,
            # An action is the last word of a path, and no part of what it is done to.
            resource_id=path.rpartition("/")[0] if action.lower().endswith("/action") else path,
            correlation_id=given or f"00000000-0000-4000-b000-{self._turn:012x}",
            caller=call.principal.name if call.principal.is_user else call.principal.object_id,
            method=call.request.method,
            status=answer.status,
        )
        log.record(operation, self.cloud.clock.now())

    def _principal(self, request: Request) -> Principal:
        claims = tokens.read(
            request.headers.get("authorization"), self.cloud.clock.now(), self.cloud.signing_key
        )
        principal = self.cloud.principals.get((claims.tenant_id, claims.object_id))
        if principal is None:
            raise tokens.unauthorized("InvalidAuthenticationToken", "The token's principal is gone.")
        return principal

    def _caller_id(self, request: Request) -> str | None:
        try:
            return self._principal(request).object_id
        except ArmError:
            return None

    def _admit(self, call: Call) -> dict[str, str]:
        scope = call.scope.subscription_id if "scope" in call.parts else f"tenant {call.principal.tenant_id}"
        kind = Kind.of(call.request.method)
        return self.throttle.admit(scope, call.principal.object_id, kind, self.cloud.clock.now().timestamp())

    def _admit_to_provider(self, call: Call, route: Route) -> None:
        if "scope" in call.parts:
            now = self.cloud.clock.now().timestamp()
            self.throttle.admit_to_provider(call.scope.subscription_id, route.provider, now)

    def _check_scope(self, call: Call, route: Route) -> None:
        subscription = self.cloud.subscription(call.scope.subscription_id)
        self._check_permission(call, route, subscription)
        if subscription.state == "Disabled" and call.request.method != "GET":
            raise conflict(
                f"The subscription '{subscription.id}' is disabled and therefore marked as read only.",
                "ReadOnlyDisabledSubscription",
            )
        if route.provider not in subscription.registered and not route.template.endswith("/register"):
            raise _not_registered(route.provider, subscription)

    def _check_permission(self, call: Call, route: Route, subscription: Subscription) -> None:
        held = self.cloud.held(call.principal, subscription)
        if not held and subscription.tenant_id != call.principal.tenant_id:
            raise wrong_tenant(call.principal.tenant_id, subscription.tenant_id)
        if route.action is None:
            return
        action = route.action.format(**call.parts)
        reached = may(held, action, call.scope.key)
        if not reached and route.below:
            below = (grant for grant in held if within(grant.scope_key, call.scope.key))
            reached = any(grant.role.allows(action) for grant in below)
        if not reached:
            raise forbidden(call.principal, action, call.scope.text)


def _kind(request: Request) -> str:
    if sign_in.is_sign_in(request.path):
        return "sign-in"
    try:
        return _TABLE.find(request.method, request.path)[0].kind
    except ArmError:
        return "unknown"


def _refusal(error: ArmError) -> Answer:
    return Answer(error.status, error.body(), error.headers)


def _not_registered(provider: str, subscription: Subscription) -> ArmError:
    return conflict(
        f"The subscription '{subscription.id}' is not registered to use namespace '{provider}'.",
        "MissingSubscriptionRegistration",
    )


def _broken(fault: Fault) -> Answer:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return _refusal(ArmError(fault.status, "InternalServerError", "Something went wrong in the lab.", wait))


def _throttled_by_provider(fault: Fault) -> Answer:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return _refusal(ArmError(429, "TooManyRequests", "The resource provider takes no more calls.", wait))
