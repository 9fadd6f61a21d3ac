"""Resource Graph over HTTP: queries over every subscription the caller sees, paged by a token in the body.

Source: learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests and
learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data.
"""

from typing import Final

from pydantic import Field

from lab.azure.access import may
from lab.azure.arm_error import ArmError, bad_request
from lab.azure.call import Body, Call, Route
from lab.azure.resource_graph import Row, parse
from lab.azure.resources import Resource, Subscription
from lab.azure.wire import Answer

QUERIES: Final = 15
"""Queries of one caller in one window."""
WINDOW: Final = 5
"""Seconds."""
_READ: Final = "Microsoft.Resources/subscriptions/resources/read"
_KEPT_RESULTS: Final = 4


class _Options(Body):
    skip_token: str | None = Field(default=None, alias="$skipToken")
    top: int = Field(default=100, alias="$top", ge=1, le=1000)
    skip: int = Field(default=0, alias="$skip", ge=0)
    result_format: str = "objectArray"


class _QueryBody(Body):
    query: str
    subscriptions: tuple[str, ...] | None = None
    options: _Options = _Options()


def _query(call: Call) -> Answer:
    quota = _spend_quota(call)
    body = call.body(_QueryBody)
    if body.options.result_format != "objectArray":
        raise bad_request("Only the result format 'objectArray' is known here.", "InvalidResultFormat")
    wanted = None if body.subscriptions is None else {each.lower() for each in body.subscriptions}
    visible = call.cloud.visible_subscriptions(call.principal)
    chosen = [each for each in visible.values() if wanted is None or each.id in wanted]
    if not chosen:
        raise bad_request(
            "None of the subscriptions can be read by the caller.", "NoValidSubscriptionsInQueryRequest"
        )
    return Answer(200, _page(_found(call, body, chosen), body.options), quota)


def _found(call: Call, body: _QueryBody, chosen: list[Subscription]) -> list[Row]:
    """What a query finds, worked out once for all its pages while nothing it sees has changed."""
    query, results = parse(body.query), call.cloud.graph_results
    asked = (call.principal.object_id, body.query, body.subscriptions)
    state = _state(call, chosen)
    before, rows = results.pop(asked, (None, []))
    if before != state:
        is_of_containers = query.table == "resourcecontainers"
        rows = query.run(_containers(chosen) if is_of_containers else _resources(call, chosen))
    results[asked] = (state, rows)
    for oldest in list(results)[:-_KEPT_RESULTS]:
        del results[oldest]
    return rows


def _state(call: Call, subscriptions: list[Subscription]) -> object:
    cloud = call.cloud
    lagging = cloud.clock.now() if cloud.visibility_lag else None
    return lagging, [
        (each.id, each.name, each.state, cloud.resources[each.id].revision, cloud.held(call.principal, each))
        for each in subscriptions
    ]


def _page(rows: list[Row], options: _Options) -> dict[str, object]:
    start = _offset(options.skip_token) if options.skip_token else options.skip
    shown = rows[start : start + options.top]
    more = start + len(shown) < len(rows)
    # Without an id in every row Resource Graph can't tell where the next page begins, and cuts.
    can_continue = more and all("id" in row for row in shown)
    answer: dict[str, object] = {
        "totalRecords": len(rows),
        "count": len(shown),
        "data": shown,
        "facets": [],
        "resultTruncated": "true" if more and not can_continue else "false",
    }
    if can_continue:
        answer["$skipToken"] = f"from:{start + len(shown)}"
    return answer


def _offset(token: str) -> int:
    _, _, offset = token.partition("from:")
    if not offset.isdecimal():
        raise bad_request(f"Invalid $skipToken '{token}'.", "InvalidSkipToken")
    return int(offset)


def _spend_quota(call: Call) -> dict[str, str]:
    now = call.cloud.clock.now().timestamp()
    asked = [at for at in call.cloud.graph_queries[call.principal.object_id] if now - at < WINDOW]
    wait = WINDOW if not asked else max(1, round(WINDOW - (now - asked[0])))
    resets = {"x-ms-user-quota-resets-after": f"00:00:{wait:02d}"}
    if len(asked) >= QUERIES:
        headers = {**resets, "x-ms-user-quota-remaining": "0", "Retry-After": str(wait)}
        raise ArmError(429, "RateLimiting", "Too many queries; wait for the quota to reset.", headers)
    call.cloud.graph_queries[call.principal.object_id] = [*asked, now]
    return {**resets, "x-ms-user-quota-remaining": str(QUERIES - len(asked) - 1)}


def _resources(call: Call, subscriptions: list[Subscription]) -> list[Row]:
    cloud = call.cloud
    rows: list[Row] = []
    for subscription in subscriptions:
        held = cloud.held(call.principal, subscription)
        seen = cloud.resources[subscription.id].all_seen(cloud.clock.now() - cloud.visibility_lag)
        rows.extend(_row(each, subscription) for key, each in sorted(seen) if may(held, _READ, key))
    return rows


def _row(resource: Resource, subscription: Subscription) -> Row:
    return {
        "id": resource.id.text,
        "name": resource.id.names[-1],
        # Resource Graph lower-cases types and groups, whatever they were written as.
        "type": resource.id.type.lower(),
        "tenantId": subscription.tenant_id,
        "kind": resource.kind or "",
        "location": resource.location,
        "resourceGroup": (resource.id.group or "").lower(),
        "subscriptionId": subscription.id,
        "tags": dict(resource.tags) or None,
    }


def _containers(subscriptions: list[Subscription]) -> list[Row]:
    return [
        {
            "id": each.key,
            "name": each.name,
            "type": "microsoft.resources/subscriptions",
            "tenantId": each.tenant_id,
            "subscriptionId": each.id,
            "properties": {"state": each.state},
        }
        for each in sorted(subscriptions, key=lambda each: each.id)
    ]


ROUTES: Final = (
    Route(
        *("POST", "/providers/Microsoft.ResourceGraph/resources"),
        frozenset({"2021-03-01", "2022-10-01", "2024-04-01"}),
        _query,
    ),
)
