"""Deployments over HTTP, at management groups, subscriptions and resource groups.

Source: learn.microsoft.com/rest/api/resources/deployments, version 2021-04-01 and later.
"""

from typing import Final

from lab.azure.arm_error import ArmError, bad_request, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.deployments import LONGEST_NAME, Deployment, deploy, reader
from lab.azure.paging import page
from lab.azure.policies import mapping
from lab.azure.policy_scope import GROUP_PATH, policy_scope
from lab.azure.resource_id import within
from lab.azure.resources import Subscription
from lab.azure.templates import Place, Template
from lab.azure.wire import Answer

_OF: Final = "Microsoft.Resources/deployments/"


class _Properties(Body):
    mode: str
    template: dict[str, object] | None = None
    parameters: dict[str, object] | None = None


class _Body(Body):
    properties: _Properties
    location: str | None = None


def _put(call: Call) -> Answer:
    place, body = _place(call, "write"), call.body(_Body)
    name, asked = call.parts["name"], body.properties
    if len(name) > LONGEST_NAME:
        raise bad_request(
            f"The deployment name '{name}' is longer than {LONGEST_NAME}.", "InvalidDeploymentName"
        )
    if asked.mode.lower() != "incremental":
        raise bad_request(f"The deployment mode '{asked.mode}' is not supported here.", "InvalidDeployment")
    if asked.template is None:
        raise bad_request(
            "A deployment needs its template; links are not followed here.", "InvalidDeployment"
        )
    if (body.location is None) != ("resourceGroup" in place.facts):
        raise bad_request(
            "A deployment has a location, except in a resource group.", "LocationNotAvailableForDeployment"
        )
    location = body.location or str(place.facts["resourceGroup"]["location"])
    template = Template(
        asked.template,
        asked.parameters or {},
        place,
        {"name": name, "location": location},
        reader(call.send),
    )
    outputs, written, error = deploy(template, call.send)
    deployment = Deployment(
        *(_id(place, name), name, call.cloud.clock.now(), body.location),
        *(asked.parameters or {}, outputs, written, error),
    )
    kept = call.cloud.deployments
    is_new = deployment.id.lower() not in kept
    kept[deployment.id.lower()] = deployment
    return Answer(201 if is_new else 200, _shown(deployment))


def _get(call: Call) -> Answer:
    place, name = _place(call, "read"), call.parts["name"]
    deployment = call.cloud.deployments.get(_id(place, name).lower())
    if deployment is None:
        raise not_found(f"Deployment '{name}' could not be found.", "DeploymentNotFound")
    return Answer(200, _shown(deployment))


def _list(call: Call) -> Answer:
    place = _place(call, "read")
    own = f"{place.id}/providers/microsoft.resources/deployments".lower()
    listed = {key: each for key, each in call.cloud.deployments.items() if within(key, own)}
    return Answer(200, page(call.request, listed, call.cloud.page_size, _shown))


def _id(place: Place, name: str) -> str:
    return f"{place.id}/providers/Microsoft.Resources/deployments/{name}"


def _place(call: Call, verb: str) -> Place:
    if "management_group" in call.parts:
        scope = policy_scope(call, _OF + verb)
        group = call.cloud.management_groups[call.parts["management_group"].lower()]
        told = {
            "id": scope.text,
            "name": group.name,
            "type": "/providers/Microsoft.Management/managementGroups",
        }
        return Place(scope.text, {"managementGroup": told, "tenant": {"tenantId": group.tenant_id}})
    subscription = call.cloud.subscription(call.scope.subscription_id)
    facts = {"subscription": _told(subscription), "tenant": {"tenantId": subscription.tenant_id}}
    if call.scope.group is None:
        return Place(subscription.key, facts)
    group_location = call.cloud.group_location(subscription.id, call.scope.group)
    if group_location is None:
        raise ArmError(
            404, "ResourceGroupNotFound", f"Resource group '{call.scope.group}' could not be found."
        )
    text = f"{subscription.key}/resourceGroups/{call.scope.group}"
    told = {"id": text, "name": call.scope.group, "location": group_location}
    return Place(text, {**facts, "resourceGroup": told})


def _told(subscription: Subscription) -> dict[str, str]:
    return {
        "id": subscription.key,
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant_id,
        "displayName": subscription.name,
    }


def _shown(deployment: Deployment) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": deployment.id,
        "name": deployment.name,
        "type": "Microsoft.Resources/deployments",
        "properties": {
            "provisioningState": deployment.state,
            "mode": "Incremental",
            "timestamp": deployment.at.isoformat(),
            "parameters": {
                name: {"type": "", "value": mapping(each).get("value")}
                for name, each in deployment.parameters.items()
            },
            "outputs": dict(deployment.outputs),
            "outputResources": [{"id": each} for each in deployment.written],
        },
    }
    if deployment.error is not None:
        shown["properties"] = {**mapping(shown["properties"]), "error": dict(deployment.error)}
    if deployment.location is not None:
        shown["location"] = deployment.location
    return shown


_VERSIONS: Final = frozenset(
    {"2021-04-01", "2022-09-01", "2023-07-01", "2024-03-01", "2024-11-01", "2025-04-01"}
)
_AT_SUBSCRIPTION: Final = "{subscription}/providers/Microsoft.Resources/deployments"
_AT_RESOURCES: Final = "{group}/providers/Microsoft.Resources/deployments"
_AT_GROUP: Final = GROUP_PATH + "/providers/Microsoft.Resources/deployments"

ROUTES: Final = (
    Route("GET", _AT_SUBSCRIPTION, _VERSIONS, _list, _OF + "read"),
    Route("GET", _AT_SUBSCRIPTION + "/{name}", _VERSIONS, _get, _OF + "read"),
    Route("PUT", _AT_SUBSCRIPTION + "/{name}", _VERSIONS, _put, _OF + "write"),
    Route("GET", _AT_RESOURCES, _VERSIONS, _list, _OF + "read"),
    Route("GET", _AT_RESOURCES + "/{name}", _VERSIONS, _get, _OF + "read"),
    Route("PUT", _AT_RESOURCES + "/{name}", _VERSIONS, _put, _OF + "write"),
    Route("GET", _AT_GROUP, _VERSIONS, _list),
    Route("GET", _AT_GROUP + "/{name}", _VERSIONS, _get),
    Route("PUT", _AT_GROUP + "/{name}", _VERSIONS, _put),
)
