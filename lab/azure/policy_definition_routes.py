"""Policy definitions over HTTP, at subscriptions and at management groups.

Source: Microsoft.Authorization 2023-04-01 in Microsoft's REST API specifications, where a
PUT answers 201 whether it creates or replaces. Built-in definitions are not here.
"""

from typing import Final

from lab.azure.arm_error import bad_request, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.paging import page
from lab.azure.policies import PolicyDefinition, check_definition
from lab.azure.policy_conditions import check_condition
from lab.azure.policy_scope import GROUP_PATH, PolicyScope, policy_scope
from lab.azure.resource_id import respelled
from lab.azure.wire import Answer

_OF_DEFINITION: Final = "Microsoft.Authorization/policyDefinitions/"


class _Body(Body):
    properties: dict[str, object]


def _list(call: Call) -> Answer:
    scope, kept = policy_scope(call, _OF_DEFINITION + "read"), call.cloud.policy_definitions
    listed = {key: each for key, each in kept.items() if _home(key) in scope.above}
    return Answer(200, page(call.request, listed, call.cloud.page_size, lambda each: _shown(call, each)))


def _get(call: Call) -> Answer:
    scope = policy_scope(call, _OF_DEFINITION + "read")
    definition = call.cloud.policy_definitions.get(_id(scope, call).lower())
    if definition is None:
        raise not_found(
            f"The policy definition '{call.parts['name']}' could not be found.", "PolicyDefinitionNotFound"
        )
    return Answer(200, _shown(call, definition))


def _put(call: Call) -> Answer:
    scope = policy_scope(call, _OF_DEFINITION + "write")
    body = call.body(_Body)
    properties = {"mode": "Indexed", **body.properties, "policyType": "Custom"}
    definition = PolicyDefinition(_id(scope, call), call.parts["name"], properties)
    check_definition(definition)
    if "existenceCondition" in definition.details:
        check_condition(definition.details["existenceCondition"])
    call.cloud.policy_definitions[definition.id.lower()] = definition
    return Answer(201, _shown(call, definition))


def _delete(call: Call) -> Answer:
    scope = policy_scope(call, _OF_DEFINITION + "delete")
    key = _id(scope, call).lower()
    if any(each.definition_id.lower() == key for each in call.cloud.policy_assignments.values()):
        message = f"The policy definition '{call.parts['name']}' is assigned."
        raise bad_request(message, "PolicyDefinitionInUse")
    gone = call.cloud.policy_definitions.pop(key, None)
    return Answer(200 if gone else 204)


def _id(scope: PolicyScope, call: Call) -> str:
    return f"{scope.text}/providers/Microsoft.Authorization/policyDefinitions/{call.parts['name']}"


def _home(key: str) -> str:
    return key.rpartition("/providers/microsoft.authorization/")[0]


def _shown(call: Call, definition: PolicyDefinition) -> dict[str, object]:
    return {
        "id": respelled(definition.id, call.turn),
        "name": definition.name,
        "type": "Microsoft.Authorization/policyDefinitions",
        "properties": dict(definition.properties),
    }


VERSIONS: Final = frozenset({"2021-06-01", "2023-04-01", "2024-05-01", "2025-01-01", "2026-06-01"})
_AT_SUBSCRIPTION: Final = "{subscription}/providers/Microsoft.Authorization/policyDefinitions"
_AT_GROUP: Final = GROUP_PATH + "/providers/Microsoft.Authorization/policyDefinitions"

ROUTES: Final = (
    Route("GET", _AT_SUBSCRIPTION, VERSIONS, _list, _OF_DEFINITION + "read"),
    Route("GET", _AT_SUBSCRIPTION + "/{name}", VERSIONS, _get, _OF_DEFINITION + "read"),
    Route("PUT", _AT_SUBSCRIPTION + "/{name}", VERSIONS, _put, _OF_DEFINITION + "write"),
    Route("DELETE", _AT_SUBSCRIPTION + "/{name}", VERSIONS, _delete, _OF_DEFINITION + "delete"),
    Route("GET", _AT_GROUP, VERSIONS, _list),
    Route("GET", _AT_GROUP + "/{name}", VERSIONS, _get),
    Route("PUT", _AT_GROUP + "/{name}", VERSIONS, _put),
    Route("DELETE", _AT_GROUP + "/{name}", VERSIONS, _delete),
)
