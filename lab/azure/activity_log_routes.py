"""The activity log over HTTP: the events of one subscription.

Source: Microsoft.Insights 2015-04-01 in Microsoft's REST API specifications. A cloud without an activity log
has no events.
"""

from typing import Final

from lab.azure.activity_events import ActivityEvent
from lab.azure.activity_filter import activity_filter
from lab.azure.arm_error import bad_request
from lab.azure.call import Call, Route
from lab.azure.paging import page
from lab.azure.resource_id import respelled
from lab.azure.wire import Answer

_PAGE: Final = 200
_NEWEST: Final = 10**12
_REASONS: Final = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "NoContent",
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
}


def _list(call: Call) -> Answer:
    now, query = call.cloud.clock.now(), call.request.query
    wanted = activity_filter(query.get("$filter"), now)
    shows = _selection(query.get("$select"))
    log = call.cloud.activity
    seen = log.seen(call.scope.subscription_id, now) if log else iter(())
    # The newest event comes first, so the keys count down.
    events = {f"{_NEWEST - each.number}": each for each in seen if wanted.keeps(each)}
    size = min(_PAGE, call.cloud.page_size)
    return Answer(200, page(call.request, events, size, lambda each: _shown(call, each, shows)))


def _selection(text: str | None) -> frozenset[str] | None:
    if not text:
        return None
    names = frozenset(each.strip().lower() for each in text.split(","))
    if unknown := sorted(names - _KNOWN):
        raise bad_request(f"There is no property '{unknown[0]}' to select.", "BadRequest")
    return names


def _shown(call: Call, event: ActivityEvent, shows: frozenset[str] | None) -> dict[str, object]:
    everything = _everything(call, event)
    return {name: value for name, value in everything.items() if shows is None or name.lower() in shows}


def _everything(call: Call, event: ActivityEvent) -> dict[str, object]:
    operation = event.operation
    identity = f"00000000-0000-4000-a000-{event.number:012x}"
    ticks = int(event.at.timestamp() * 10_000_000) + 621_355_968_000_000_000
    reason = _REASONS.get(operation.status, str(operation.status)) if event.is_end else ""
    return {
        "authorization": {"action": operation.action, "scope": operation.resource_id},
        "caller": operation.caller,
        "category": _named("Administrative"),
        "correlationId": operation.correlation_id,
        "description": "",
        "eventDataId": identity,
        "eventName": _named("EndRequest" if event.is_end else "BeginRequest"),
        "eventTimestamp": event.at.isoformat(),
        "httpRequest": {"clientRequestId": operation.correlation_id, "method": operation.method},
        "id": f"{respelled(operation.resource_id, call.turn)}/events/{identity}/ticks/{ticks}",
        "level": "Error" if event.status == "Failed" else "Informational",
        "operationId": operation.correlation_id,
        "operationName": _named(operation.action),
        "properties": {"statusCode": reason, "entity": operation.resource_id},
        "resourceGroupName": operation.group,
        "resourceId": respelled(operation.resource_id, call.turn + 1),
        "resourceProviderName": _named(operation.provider),
        "resourceType": _named(operation.resource_type),
        "status": _named(event.status),
        "subStatus": _named(reason),
        "submissionTimestamp": event.visible.isoformat(),
        "subscriptionId": operation.subscription_id,
        "tenantId": operation.tenant_id,
    }


def _named(value: str) -> dict[str, str]:
    return {"value": value, "localizedValue": value}


_KNOWN: Final = frozenset(
    {
        *("authorization", "caller", "category", "claims", "correlationid", "description", "eventdataid"),
        *("eventname", "eventtimestamp", "httprequest", "id", "level", "operationid", "operationname"),
        *("properties", "resourcegroupname", "resourceid", "resourceprovidername", "resourcetype", "status"),
        *("substatus", "submissiontimestamp", "subscriptionid", "tenantid"),
    }
)

ROUTES: Final = (
    Route(
        *("GET", "{subscription}/providers/Microsoft.Insights/eventtypes/management/values"),
        frozenset({"2015-04-01"}),
        _list,
        "Microsoft.Insights/eventtypes/values/read",
    ),
)
