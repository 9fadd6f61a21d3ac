"""Azure Lighthouse over HTTP: which definitions a subscription has applied to which scopes, and ending that.

Source: Microsoft.ManagedServices 2022-10-01 in Microsoft's REST API specifications, and
learn.microsoft.com/azure/lighthouse/how-to/onboard-customer: who delegates is of the customer's own tenant
and may assign roles there. No provider can, since Owner is never delegated.
"""

from dataclasses import replace
from typing import Final

from lab.azure.access import forbidden
from lab.azure.arm_error import bad_request, conflict, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.delegations import (
    Authorization,
    RegistrationAssignment,
    RegistrationDefinition,
    check_definition,
    check_name,
)
from lab.azure.resource_id import within
from lab.azure.wire import Answer


def _list_assignments(call: Call) -> Answer:
    return Answer(200, {"value": [_shown_assignment(call, each) for each in _at_scope(call)]})


def _get_assignment(call: Call) -> Answer:
    return Answer(200, _shown_assignment(call, _existing(call)))


def _put_assignment(call: Call) -> Answer:
    _check_may_delegate(call)
    name = call.parts["name"].lower()
    check_name(name)
    wanted = call.body(_AssignmentBody).properties.registration_definition_id
    by_id = {each.id.lower(): each for each in call.cloud.definitions[call.scope.subscription_id].values()}
    definition = by_id.get(wanted.lower())
    if definition is None:
        message = f"The registration definition '{wanted}' was not found."
        raise bad_request(message, "RegistrationDefinitionNotFound")
    assignment = RegistrationAssignment(name, call.scope, definition)
    kept = call.cloud.delegations[call.scope.subscription_id]
    is_new = assignment.id.lower() not in kept
    kept[assignment.id.lower()] = assignment
    return Answer(201 if is_new else 200, _shown_assignment(call, assignment))


def _check_may_delegate(call: Call) -> None:
    action = "Microsoft.Authorization/roleAssignments/write"
    if not call.may(action, call.scope):
        raise forbidden(call.principal, action, call.scope.text)


def _delete_assignment(call: Call) -> Answer:
    assignment = _existing(call)
    del call.cloud.delegations[call.scope.subscription_id][assignment.id.lower()]
    return Answer(200)


def _list_definitions(call: Call) -> Answer:
    if call.scope.group is None:
        definitions = dict(call.cloud.definitions[call.scope.subscription_id])
    else:
        # They stand in the subscription; a resource group shows those that were applied to it.
        definitions = {each.definition.name: each.definition for each in _at_scope(call)}
    return Answer(
        200, {"value": [_shown_definition(call, definitions[name]) for name in sorted(definitions)]}
    )


def _get_definition(call: Call) -> Answer:
    definition = call.cloud.definitions[call.scope.subscription_id].get(call.parts["name"].lower())
    if definition is None:
        raise not_found(
            f"The registration definition '{call.parts['name']}' was not found.",
            "RegistrationDefinitionNotFound",
        )
    return Answer(200, _shown_definition(call, definition))


def _put_definition(call: Call) -> Answer:
    _check_may_delegate(call)
    body, subscription_id = call.body(_DefinitionBody).properties, call.scope.subscription_id
    provider = call.cloud.tenants.get(body.managed_by_tenant_id.lower())
    definition = RegistrationDefinition(
        name=call.parts["name"].lower(),
        subscription_id=subscription_id,
        customer_tenant_id=call.cloud.subscription(subscription_id).tenant_id,
        provider_tenant_id=body.managed_by_tenant_id.lower(),
        provider_tenant_name=provider.name if provider else "",
        offer=body.registration_definition_name,
        authorizations=tuple(each.authorization() for each in body.authorizations),
    )
    check_definition(definition)
    kept = call.cloud.definitions[subscription_id]
    is_new = definition.name not in kept
    kept[definition.name] = definition
    applied = call.cloud.delegations[subscription_id]
    for key, assignment in applied.items():
        if assignment.definition.id == definition.id:
            applied[key] = replace(assignment, definition=definition)
    return Answer(201 if is_new else 200, _shown_definition(call, definition))


def _delete_definition(call: Call) -> Answer:
    kept = call.cloud.definitions[call.scope.subscription_id]
    definition = kept.get(call.parts["name"].lower())
    if definition is None:
        return Answer(204)
    applied = call.cloud.delegations.get(call.scope.subscription_id, {}).values()
    if any(each.definition.id == definition.id for each in applied):
        message = f"The registration definition '{definition.name}' is still applied."
        raise conflict(message, "RegistrationDefinitionInUse")
    del kept[definition.name]
    return Answer(200)


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


class _AuthorizationBody(Body):
    principal_id: str
    role_definition_id: str
    principal_id_display_name: str | None = None

    def authorization(self) -> Authorization:
        role_id = self.role_definition_id.rpartition("/")[2].lower()
        return Authorization(self.principal_id, role_id, self.principal_id_display_name or "")


class _DefinitionProperties(Body):
    managed_by_tenant_id: str
    authorizations: tuple[_AuthorizationBody, ...]
    registration_definition_name: str = ""


class _DefinitionBody(Body):
    properties: _DefinitionProperties


class _AssignmentProperties(Body):
    registration_definition_id: str


class _AssignmentBody(Body):
    properties: _AssignmentProperties


_VERSIONS: Final = frozenset({"2019-09-01", "2020-02-01-preview", "2022-10-01"})
_ASSIGNMENTS: Final = "{scope}/providers/Microsoft.ManagedServices/registrationAssignments"
_LISTED_DEFINITIONS: Final = "{scope}/providers/Microsoft.ManagedServices/registrationDefinitions"
_DEFINITIONS: Final = "{subscription}/providers/Microsoft.ManagedServices/registrationDefinitions"
_OF_ASSIGNMENT: Final = "Microsoft.ManagedServices/registrationAssignments/"
_OF_DEFINITION: Final = "Microsoft.ManagedServices/registrationDefinitions/"

ROUTES: Final = (
    Route("GET", _ASSIGNMENTS, _VERSIONS, _list_assignments, _OF_ASSIGNMENT + "read"),
    Route("GET", _ASSIGNMENTS + "/{name}", _VERSIONS, _get_assignment, _OF_ASSIGNMENT + "read"),
    Route("PUT", _ASSIGNMENTS + "/{name}", _VERSIONS, _put_assignment, _OF_ASSIGNMENT + "write"),
    Route("DELETE", _ASSIGNMENTS + "/{name}", _VERSIONS, _delete_assignment, _OF_ASSIGNMENT + "delete"),
    Route("GET", _LISTED_DEFINITIONS, _VERSIONS, _list_definitions, _OF_DEFINITION + "read"),
    Route("GET", _DEFINITIONS + "/{name}", _VERSIONS, _get_definition, _OF_DEFINITION + "read"),
    Route("PUT", _DEFINITIONS + "/{name}", _VERSIONS, _put_definition, _OF_DEFINITION + "write"),
    Route("DELETE", _DEFINITIONS + "/{name}", _VERSIONS, _delete_definition, _OF_DEFINITION + "delete"),
)
