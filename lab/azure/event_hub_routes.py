"""Event Hubs over HTTP: namespaces and the hubs in them."""

import math
from dataclasses import replace
from typing import Final

from pydantic import Field

from lab.azure.arm_error import ArmError, bad_request, conflict, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.event_hubs import (
    RIGHTS,
    ROOT_RULE,
    AuthorizationRule,
    EventHub,
    Tier,
    check_hub,
    check_namespace,
)
from lab.azure.paging import page
from lab.azure.resource_id import respelled, within
from lab.azure.resources import Resource, as_listed
from lab.azure.wire import Answer

_TYPE: Final = "microsoft.eventhub/namespaces"


class _Sku(Body):
    name: str
    tier: str | None = None
    capacity: int = Field(default=1, ge=1)


class _NamespaceBody(Body):
    location: str
    sku: _Sku = _Sku(name="Standard")
    tags: dict[str, str] = Field(default_factory=dict)
    properties: dict[str, object] = Field(default_factory=dict)


class _HubProperties(Body):
    partition_count: int = 4
    message_retention_in_days: int = 1
    capture_description: dict[str, object] | None = None


class _HubBody(Body):
    properties: _HubProperties = _HubProperties()


def _list_namespaces(call: Call) -> Answer:
    cloud = call.cloud
    seen = cloud.resources[call.scope.subscription_id].all_seen(cloud.clock.now() - cloud.visibility_lag)
    namespaces = {
        key: each for key, each in seen if each.id.type.lower() == _TYPE and within(key, call.scope.key)
    }
    return Answer(
        200, page(call.request, namespaces, cloud.page_size, lambda each: _shown_namespace(call, each))
    )


def _get_namespace(call: Call) -> Answer:
    return Answer(200, _shown_namespace(call, call.cloud.existing(call.scope)))


def _put_namespace(call: Call) -> Answer:
    body, scope, cloud = call.body(_NamespaceBody), call.scope, call.cloud
    tier = Tier(body.sku.tier or body.sku.name, body.sku.capacity)
    check_namespace(scope.names[0], tier)
    before = cloud.resource(scope)
    location = body.location.replace(" ", "").lower()
    _check_place(call, before, location)
    now = cloud.clock.now()
    namespace = Resource(
        scope,
        location,
        before.created if before else now,
        now,
        body.tags,
        sku={"name": body.sku.name, "tier": tier.name, "capacity": tier.units},
        properties=body.properties,
        ready=before.ready if before else now + cloud.creation_time,
    )
    cloud.put_resource(namespace)
    cloud.rules[scope.key].setdefault(ROOT_RULE.lower(), AuthorizationRule(ROOT_RULE, RIGHTS))
    wait = {} if before else {"Retry-After": str(max(1, math.ceil(cloud.creation_time.total_seconds())))}
    return Answer(200 if before else 201, _shown_namespace(call, namespace), wait)


def _check_place(call: Call, before: Resource | None, location: str) -> None:
    if before is not None and before.location != location:
        message = f"The namespace is in '{before.location}' and can't be created in '{location}'."
        raise conflict(message, "InvalidResourceLocation")
    name = call.scope.names[0].lower()
    for resources in call.cloud.resources.values():
        for key, other in resources.all_latest():
            if other.id.type.lower() == _TYPE and other.id.name.lower() == name and key != call.scope.key:
                raise bad_request(f"The namespace name '{name}' is taken.", "NamespaceUnavailable")


def _delete_namespace(call: Call) -> Answer:
    return Answer(200 if call.cloud.remove_resource(call.scope.text) else 204)


def _list_hubs(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    hubs = call.cloud.hubs[call.scope.key]
    return Answer(200, page(call.request, hubs, call.cloud.page_size, lambda each: _shown_hub(call, each)))


def _get_hub(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    hub = call.cloud.hubs[call.scope.key].get(call.parts["hub"].lower())
    if hub is None:
        raise not_found(f"The event hub '{call.parts['hub']}' was not found.")
    return Answer(200, _shown_hub(call, hub))


def _put_hub(call: Call) -> Answer:
    namespace, body = ready_namespace(call), call.body(_HubBody).properties
    hub = EventHub(
        call.parts["hub"], body.partition_count, body.message_retention_in_days, body.capture_description
    )
    hubs = call.cloud.hubs[call.scope.key]
    before = hubs.get(hub.name.lower())
    check_hub(hub, [each for each in hubs.values() if each != before], _tier(namespace))
    if before is not None and before.partitions != hub.partitions and _tier(namespace).name != "Premium":
        raise bad_request(f"The partition count of the event hub '{hub.name}' can't be changed.")
    hubs[hub.name.lower()] = hub if before is None else replace(hub, name=before.name)
    return Answer(200, _shown_hub(call, hubs[hub.name.lower()]))


def _delete_hub(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    gone = call.cloud.hubs[call.scope.key].pop(call.parts["hub"].lower(), None)
    return Answer(200 if gone else 204)


def ready_namespace(call: Call) -> Resource:
    """The namespace a call is about.

    Raises:
        ArmError: 404 when it is not there, 409 while it is being created.
    """
    namespace = call.cloud.existing(call.scope)
    if namespace.state(call.cloud.clock.now()) != "Succeeded":
        raise ArmError(409, "Conflict", f"The namespace '{namespace.id.name}' is still being created.")
    return namespace


def _tier(namespace: Resource) -> Tier:
    sku = namespace.sku or {}
    return Tier(str(sku.get("tier", "Standard")), int(str(sku.get("capacity", 1))))


def _shown_namespace(call: Call, namespace: Resource) -> dict[str, object]:
    state = namespace.state(call.cloud.clock.now())
    name = namespace.id.name
    own: dict[str, object] = {
        "provisioningState": state,
        "status": "Active" if state == "Succeeded" else "Creating",
        "createdAt": namespace.created.isoformat(),
        "updatedAt": namespace.changed.isoformat(),
        "serviceBusEndpoint": f"https://{name}.servicebus.windows.net:443/",
        "metricId": f"{namespace.id.subscription_id}:{name}",
    }
    listed = as_listed(namespace, call.cloud.clock.now(), call.turn)
    return {**listed, "properties": {**namespace.properties, **own}}


def _shown_hub(call: Call, hub: EventHub) -> dict[str, object]:
    properties: dict[str, object] = {
        "partitionCount": hub.partitions,
        "partitionIds": [str(number) for number in range(hub.partitions)],
        "messageRetentionInDays": hub.retention_days,
        "status": "Active",
    }
    if hub.capture is not None:
        properties["captureDescription"] = hub.capture
    return {
        "id": f"{respelled(call.scope.text, call.turn)}/eventhubs/{hub.name}",
        "name": hub.name,
        "type": "Microsoft.EventHub/namespaces/eventhubs",
        "properties": properties,
    }


VERSIONS: Final = frozenset({"2021-11-01", "2024-01-01", "2026-01-01"})
_NAMESPACES: Final = "/providers/Microsoft.EventHub/namespaces"
_HUBS: Final = "{namespace}/eventhubs"
_OF_NAMESPACE: Final = "Microsoft.EventHub/namespaces/"
_OF_HUB: Final = _OF_NAMESPACE + "eventhubs/"

ROUTES: Final = (
    Route("GET", "{subscription}" + _NAMESPACES, VERSIONS, _list_namespaces, _OF_NAMESPACE + "read"),
    Route("GET", "{group}" + _NAMESPACES, VERSIONS, _list_namespaces, _OF_NAMESPACE + "read"),
    Route("GET", "{namespace}", VERSIONS, _get_namespace, _OF_NAMESPACE + "read"),
    Route("PUT", "{namespace}", VERSIONS, _put_namespace, _OF_NAMESPACE + "write"),
    Route("DELETE", "{namespace}", VERSIONS, _delete_namespace, _OF_NAMESPACE + "delete"),
    Route("GET", _HUBS, VERSIONS, _list_hubs, _OF_HUB + "read"),
    Route("GET", _HUBS + "/{hub}", VERSIONS, _get_hub, _OF_HUB + "read"),
    Route("PUT", _HUBS + "/{hub}", VERSIONS, _put_hub, _OF_HUB + "write"),
    Route("DELETE", _HUBS + "/{hub}", VERSIONS, _delete_hub, _OF_HUB + "delete"),
)
