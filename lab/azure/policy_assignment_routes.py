"""Policy assignments over HTTP, at management groups, subscriptions and what is in them.

Source: Microsoft.Authorization 2023-04-01 in Microsoft's REST API specifications, where a PUT answers 201
whether it creates or replaces. PATCH is not here.
"""

import re
import uuid
from collections.abc import Callable
from typing import Final

from lab.azure.arm_error import bad_request, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.paging import page
from lab.azure.policies import PolicyAssignment, PolicyDefinition, check_assignment
from lab.azure.policy_compliance import note_members
from lab.azure.policy_definition_routes import VERSIONS
from lab.azure.policy_scope import GROUP_PATH, PolicyScope, policy_scope
from lab.azure.resource_id import respelled, within
from lab.azure.wire import Answer

_OF: Final = "Microsoft.Authorization/policyAssignments/"
_BY_DEFINITION: Final = re.compile(r"policyDefinitionId eq '([^']+)'", re.IGNORECASE)


class _Identity(Body):
    type: str = "None"


class _Body(Body):
    properties: dict[str, object]
    location: str | None = None
    identity: _Identity = _Identity()


def _list(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "read")
    keeps = _kept_by(call.request.query.get("$filter", ""), scope)
    listed = {key: each for key, each in call.cloud.policy_assignments.items() if keeps(each)}
    return Answer(200, page(call.request, listed, call.cloud.page_size, lambda each: _shown(call, each)))


def _kept_by(text: str, scope: PolicyScope) -> Callable[[PolicyAssignment], bool]:
    if (named := _BY_DEFINITION.fullmatch(text)) is not None:
        wanted = named[1].lower()
        return lambda each: _touches(each, scope) and each.definition_id.lower() == wanted
    match text.lower():
        case "":
            return lambda each: _touches(each, scope)
        case "atscope()":
            return lambda each: each.scope.lower() in scope.above
        case "atexactscope()":
            return lambda each: each.scope.lower() == scope.key
    raise bad_request(f"The filter '{text}' is not understood.", "InvalidFilterInQueryString")


def _touches(assignment: PolicyAssignment, scope: PolicyScope) -> bool:
    return assignment.scope.lower() in scope.above or within(assignment.scope.lower(), scope.key)


def _get(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "read")
    assignment = call.cloud.policy_assignments.get(_id(scope, call).lower())
    if assignment is None:
        raise not_found(
            f"The policy assignment '{call.parts['name']}' could not be found.", "PolicyAssignmentNotFound"
        )
    return Answer(200, _shown(call, assignment))


def _put(call: Call) -> Answer:
    scope, body = policy_scope(call, _OF + "write"), call.body(_Body)
    definition = _definition(call, scope, str(body.properties.get("policyDefinitionId", "")))
    identity = uuid.uuid5(uuid.NAMESPACE_URL, _id(scope, call).lower())
    assignment = PolicyAssignment(
        id=_id(scope, call),
        name=call.parts["name"],
        scope=scope.text,
        definition_id=definition.id,
        properties=body.properties,
        location=body.location,
        principal_id=str(identity) if body.identity.type == "SystemAssigned" else None,
    )
    check_assignment(assignment, definition)
    call.cloud.policy_assignments[assignment.id.lower()] = assignment
    note_members(call.cloud, assignment)
    return Answer(201, _shown(call, assignment))


def _definition(call: Call, scope: PolicyScope, definition_id: str) -> PolicyDefinition:
    definition = call.cloud.policy_definitions.get(definition_id.lower())
    home = definition_id.lower().rpartition("/providers/microsoft.authorization/")[0]
    if definition is None or home not in scope.above:
        raise not_found(
            f"The policy definition '{definition_id}' could not be found.", "PolicyDefinitionNotFound"
        )
    return definition


def _delete(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "delete")
    gone = call.cloud.policy_assignments.pop(_id(scope, call).lower(), None)
    return Answer(204) if gone is None else Answer(200, _shown(call, gone))


def _id(scope: PolicyScope, call: Call) -> str:
    return f"{scope.text}/providers/Microsoft.Authorization/policyAssignments/{call.parts['name']}"


def _shown(call: Call, assignment: PolicyAssignment) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": respelled(assignment.id, call.turn),
        "name": assignment.name,
        "type": "Microsoft.Authorization/policyAssignments",
        "properties": {
            "enforcementMode": "Default",
            "notScopes": [],
            **assignment.properties,
            "policyDefinitionId": assignment.definition_id,
            "scope": assignment.scope,
        },
    }
    if assignment.location is not None:
        shown["location"] = assignment.location
    if assignment.principal_id is not None:
        tenant = _tenant_id(call)
        shown["identity"] = {
            "type": "SystemAssigned",
            "principalId": assignment.principal_id,
            "tenantId": tenant,
        }
    return shown


def _tenant_id(call: Call) -> str:
    if "scope" not in call.parts:
        return call.principal.tenant_id
    return call.cloud.subscription(call.scope.subscription_id).tenant_id


_AT_SCOPE: Final = "{scope}/providers/Microsoft.Authorization/policyAssignments"
_AT_GROUP: Final = GROUP_PATH + "/providers/Microsoft.Authorization/policyAssignments"

ROUTES: Final = (
    Route("GET", _AT_SCOPE, VERSIONS, _list, _OF + "read"),
    Route("GET", _AT_SCOPE + "/{name}", VERSIONS, _get, _OF + "read"),
    Route("PUT", _AT_SCOPE + "/{name}", VERSIONS, _put, _OF + "write"),
    Route("DELETE", _AT_SCOPE + "/{name}", VERSIONS, _delete, _OF + "delete"),
    Route("GET", _AT_GROUP, VERSIONS, _list),
    Route("GET", _AT_GROUP + "/{name}", VERSIONS, _get),
    Route("PUT", _AT_GROUP + "/{name}", VERSIONS, _put),
    Route("DELETE", _AT_GROUP + "/{name}", VERSIONS, _delete),
)
