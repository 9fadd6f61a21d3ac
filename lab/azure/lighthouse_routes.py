"""Azure Lighthouse over HTTP: what a scope has delegated, and ending it.

Source: Microsoft.ManagedServices 2022-10-01 in Microsoft's REST API specifications.
"""

from typing import Final

from lab.azure.arm_error import not_found
from lab.azure.call import Call, Route
from lab.azure.delegations import RegistrationAssignment, RegistrationDefinition
from lab.azure.resource_id import within
from lab.azure.wire import Answer


def _list_assignments(call: Call) -> Answer:
    return Answer(200, {"value": [_shown_assignment(call, each) for each in _at_scope(call)]})


def _get_assignment(call: Call) -> Answer:
    return Answer(200, _shown_assignment(call, _existing(call)))


def _delete_assignment(call: Call) -> Answer:
    assignment = _existing(call)
    del call.cloud.delegations[call.scope.subscription_id][assignment.id.lower()]
    return Answer(200)


def _list_definitions(call: Call) -> Answer:
    definitions = {each.definition.name: each.definition for each in _at_scope(call)}
    return Answer(
        200, {"value": [_shown_definition(call, definitions[name]) for name in sorted(definitions)]}
    )


def _at_scope(call: Call) -> list[RegistrationAssignment]:
    delegations = call.cloud.delegations.get(call.scope.subscription_id, {})
    return [each for _, each in sorted(delegations.items()) if within(each.scope.key, call.scope.key)]


def _existing(call: Call) -> RegistrationAssignment:
    wanted = call.parts["name"].lower()
    for assignment in _at_scope(call):
        if assignment.name == wanted and assignment.scope.key == call.scope.key:
            return assignment
    raise not_found(
        f"The registration assignment '{wanted}' was not found.", "RegistrationAssignmentNotFound"
    )


def _shown_assignment(call: Call, assignment: RegistrationAssignment) -> dict[str, object]:
    properties: dict[str, object] = {
        "registrationDefinitionId": assignment.definition.id,
        "provisioningState": "Succeeded",
    }
    if call.request.query.get("$expandregistrationdefinition", "").lower() == "true":
        properties["registrationDefinition"] = _shown_definition(call, assignment.definition)
    return {
        "id": assignment.id,
        "name": assignment.name,
        "type": "Microsoft.ManagedServices/registrationAssignments",
        "properties": properties,
    }


def _shown_definition(call: Call, definition: RegistrationDefinition) -> dict[str, object]:
    customer = call.cloud.tenants[definition.customer_tenant_id]
    authorizations = [
        {
            "principalId": each.principal_id,
            "principalIdDisplayName": each.display_name,
            "roleDefinitionId": each.role_id,
        }
        for each in definition.authorizations
    ]
    return {
        "id": definition.id,
        "name": definition.name,
        "type": "Microsoft.ManagedServices/registrationDefinitions",
        "properties": {
            "registrationDefinitionName": definition.offer,
            "managedByTenantId": definition.provider_tenant_id,
            "managedByTenantName": definition.provider_tenant_name,
            "manageeTenantId": customer.id,
            "manageeTenantName": customer.name,
            "authorizations": authorizations,
            "provisioningState": "Succeeded",
        },
    }


_VERSIONS: Final = frozenset({"2019-09-01", "2020-02-01-preview", "2022-10-01"})
_ASSIGNMENTS: Final = "{scope}/providers/Microsoft.ManagedServices/registrationAssignments"
_DEFINITIONS: Final = "{scope}/providers/Microsoft.ManagedServices/registrationDefinitions"
_OF_ASSIGNMENT: Final = "Microsoft.ManagedServices/registrationAssignments/"
_READ_DEFINITIONS: Final = "Microsoft.ManagedServices/registrationDefinitions/read"

ROUTES: Final = (
    Route("GET", _ASSIGNMENTS, _VERSIONS, _list_assignments, _OF_ASSIGNMENT + "read"),
    Route("GET", _ASSIGNMENTS + "/{name}", _VERSIONS, _get_assignment, _OF_ASSIGNMENT + "read"),
    Route("DELETE", _ASSIGNMENTS + "/{name}", _VERSIONS, _delete_assignment, _OF_ASSIGNMENT + "delete"),
    Route("GET", _DEFINITIONS, _VERSIONS, _list_definitions, _READ_DEFINITIONS),
)
