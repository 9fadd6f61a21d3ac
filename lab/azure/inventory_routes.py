"""Subscriptions, resources and resource providers over HTTP."""

from collections.abc import Callable
from typing import Final

from lab.azure.access import may
from lab.azure.arm_error import bad_request, conflict, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.paging import page
from lab.azure.resource_filter import predicate
from lab.azure.resource_id import within
from lab.azure.resources import Resource, ResourceGroup, Subscription, as_listed
from lab.azure.wire import Answer

_READ: Final = "Microsoft.Resources/subscriptions/resources/read"
_READ_GROUPS: Final = "Microsoft.Resources/subscriptions/resourceGroups/read"
_GROUP: Final = "{subscription}/resourcegroups/{group_name}"


def _list_subscriptions(call: Call) -> Answer:
    cloud = call.cloud
    shown = page(
        call.request,
        cloud.subscriptions,
        cloud.page_size,
        lambda each: _shown_subscription(call, each),
        lambda each: cloud.sees(call.principal, each),
    )
    # Alone among these lists, this one has to have the property on its last page too.
    return Answer(200, {"nextLink": None, **shown})


def _get_subscription(call: Call) -> Answer:
    return Answer(200, _shown_subscription(call, call.cloud.subscription(call.scope.subscription_id)))


def _list_tenants(call: Call) -> Answer:
    own = call.principal.tenant_id
    # Here, too, the property has to be there.
    return Answer(200, {"value": [{"id": f"/tenants/{own}", "tenantId": own}], "nextLink": None})


def _list_resources(call: Call) -> Answer:
    query = call.request.query
    keeps = predicate(query["$filter"]) if query.get("$filter") else lambda _: True
    expand = frozenset(each.strip().lower() for each in query.get("$expand", "").split(","))
    size = _page_size(query.get("$top"), call.cloud.page_size)
    reads, now = _reader(call), call.cloud.clock.now()
    shown = page(
        call.request,
        _seen(call),
        size,
        lambda each: as_listed(each, now, call.turn, expand),
        lambda each: keeps(each) and reads(each),
    )
    return Answer(200, shown)


def _seen(call: Call) -> dict[str, Resource]:
    cloud = call.cloud
    return dict(
        cloud.resources[call.scope.subscription_id].all_seen(cloud.clock.now() - cloud.visibility_lag)
    )


def _reader(call: Call) -> Callable[[Resource], bool]:
    cloud, scope_key = call.cloud, call.scope.key
    held = cloud.held(call.principal, cloud.subscription(call.scope.subscription_id))
    return lambda each: within(each.id.key, scope_key) and may(held, _READ, each.id.key)


def _page_size(top: str | None, largest: int) -> int:
    if top is None:
        return largest
    if not top.isdecimal() or int(top) < 1:
        raise bad_request(f"Invalid $top '{top}' specified in the query string.", "InvalidTopInQueryString")
    return min(int(top), largest)


def _list_groups(call: Call) -> Answer:
    reads = _reader(call)
    groups = {each.id.group.lower(): each for each in _seen(call).values() if each.id.group and reads(each)}
    shown = {
        key: _shown_group(each.id.subscription_id, each.id.group or "", each.location)
        for key, each in groups.items()
    }
    subscription_id = call.scope.subscription_id
    held = call.cloud.held(call.principal, call.cloud.subscription(subscription_id))
    for key, made in call.cloud.groups[subscription_id].items():
        if may(held, _READ_GROUPS, f"{call.scope.key}/resourcegroups/{key}"):
            shown[key] = _shown_group(subscription_id, made.name, made.location)
    return Answer(200, page(call.request, shown, call.cloud.page_size, lambda each: each))


class _GroupBody(Body):
    location: str


def _put_group(call: Call) -> Answer:
    subscription_id, name = call.scope.subscription_id, call.parts["group_name"]
    location = call.body(_GroupBody).location.lower().replace(" ", "")
    before = call.cloud.group_location(subscription_id, name)
    if before is not None and before != location:
        raise conflict(
            f"Invalid resource group location '{location}'. It stands in '{before}'.",
            "InvalidResourceGroupLocation",
        )
    call.cloud.groups[subscription_id][name.lower()] = ResourceGroup(name, location)
    return Answer(200 if before else 201, _shown_group(subscription_id, name, location))


def _get_group(call: Call) -> Answer:
    subscription_id, name = call.scope.subscription_id, call.parts["group_name"]
    location = call.cloud.group_location(subscription_id, name)
    if location is None:
        raise not_found(f"Resource group '{name}' could not be found.", "ResourceGroupNotFound")
    return Answer(200, _shown_group(subscription_id, name, location))


def _get_provider(call: Call) -> Answer:
    subscription = call.cloud.subscription(call.scope.subscription_id)
    return Answer(200, _shown_provider(call.parts["provider"], subscription))


def _list_providers(call: Call) -> Answer:
    subscription = call.cloud.subscription(call.scope.subscription_id)
    return Answer(
        200, {"value": [_shown_provider(each, subscription) for each in sorted(subscription.registered)]}
    )


def _register_provider(call: Call) -> Answer:
    subscription = call.cloud.subscription(call.scope.subscription_id)
    subscription.registered.add(call.parts["provider"].lower())
    return Answer(200, _shown_provider(call.parts["provider"], subscription))


def _shown_subscription(call: Call, subscription: Subscription) -> dict[str, object]:
    delegations = call.cloud.delegations.get(subscription.id, {}).values()
    managers = sorted({each.definition.provider_tenant_id for each in delegations})
    return {
        "id": subscription.key,
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant_id,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": each} for each in managers],
    }


def _shown_group(subscription_id: str, name: str, location: str) -> dict[str, object]:
    return {
        "id": f"/subscriptions/{subscription_id}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def _shown_provider(namespace: str, subscription: Subscription) -> dict[str, object]:
    is_registered = namespace.lower() in subscription.registered
    return {
        "id": f"{subscription.key}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered" if is_registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [],
    }


_SUBSCRIPTION_VERSIONS: Final = frozenset({"2016-06-01", "2020-01-01", "2021-01-01", "2022-12-01"})
_RESOURCE_VERSIONS: Final = frozenset({"2021-04-01", "2022-09-01", "2024-03-01", "2025-04-01"})
_READ_PROVIDERS: Final = "Microsoft.Resources/subscriptions/providers/read"
_PROVIDER: Final = "{subscription}/providers/{provider}"

ROUTES: Final = (
    Route("GET", "/subscriptions", _SUBSCRIPTION_VERSIONS, _list_subscriptions),
    Route("GET", "/tenants", _SUBSCRIPTION_VERSIONS, _list_tenants),
    Route(
        *("GET", "{subscription}", _SUBSCRIPTION_VERSIONS, _get_subscription),
        action="Microsoft.Resources/subscriptions/read",
        below=True,
    ),
    Route("GET", "{subscription}/resources", _RESOURCE_VERSIONS, _list_resources, _READ, below=True),
    Route("GET", "{group}/resources", _RESOURCE_VERSIONS, _list_resources, _READ, below=True),
    Route(
        *("GET", "{subscription}/resourcegroups", _RESOURCE_VERSIONS, _list_groups),
        action=_READ_GROUPS,
        below=True,
    ),
    Route("GET", _GROUP, _RESOURCE_VERSIONS, _get_group, _READ_GROUPS, below=True),
    Route(
        "PUT",
        _GROUP,
        _RESOURCE_VERSIONS,
        _put_group,
        "Microsoft.Resources/subscriptions/resourceGroups/write",
    ),
    Route("GET", "{subscription}/providers", _RESOURCE_VERSIONS, _list_providers, _READ_PROVIDERS),
    Route("GET", _PROVIDER, _RESOURCE_VERSIONS, _get_provider, _READ_PROVIDERS),
    Route(
        "POST", _PROVIDER + "/register", _RESOURCE_VERSIONS, _register_provider, "{provider}/register/action"
    ),
)
