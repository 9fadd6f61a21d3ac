"""Role assignments over HTTP, at management groups and at what is below them.

Source: Microsoft.Authorization 2022-04-01 in Microsoft's REST API specifications. Only the roles the lab
knows can be given, and only to principals it knows, a policy assignment's identity among them.
"""

from typing import Final

from lab.azure.access import RoleAssignment
from lab.azure.arm_error import bad_request, conflict, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.delegations import check_name
from lab.azure.policy_scope import GROUP_PATH, PolicyScope, policy_scope
from lab.azure.roles import ROLES
from lab.azure.wire import Answer

_OF: Final = "Microsoft.Authorization/roleAssignments/"


class _Properties(Body):
    role_definition_id: str
    principal_id: str
    principal_type: str = "User"


class _Body(Body):
    properties: _Properties


def _put(call: Call) -> Answer:
    scope, asked = policy_scope(call, _OF + "write"), call.body(_Body).properties
    name, role_id = call.parts["name"].lower(), asked.role_definition_id.rpartition("/")[2].lower()
    check_name(name)
    if role_id not in ROLES:
        raise bad_request(
            f"The specified role definition with ID '{role_id}' does not exist.", "RoleDefinitionDoesNotExist"
        )
    if not _is_known(call, asked.principal_id):
        raise bad_request(
            f"Principal {asked.principal_id} does not exist in the directory.", "PrincipalNotFound"
        )
    wanted = RoleAssignment(asked.principal_id, role_id, scope.key, name)
    before = _named(call, scope, name)
    if before is not None and before != wanted:
        raise conflict(
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            "RoleAssignmentUpdateNotPermitted",
        )
    if before is None:
        if _is_given(call, wanted):
            raise conflict("The role assignment already exists.", "RoleAssignmentExists")
        call.cloud.role_assignments.append(wanted)
    return Answer(201 if before is None else 200, _shown(scope, wanted))


def _is_known(call: Call, principal_id: str) -> bool:
    identities = {each.principal_id for each in call.cloud.policy_assignments.values()}
    return principal_id in identities or any(principal_id == known for _, known in call.cloud.principals)


def _is_given(call: Call, wanted: RoleAssignment) -> bool:
    return any(
        (each.principal_id, each.role_id, each.scope_key)
        == (wanted.principal_id, wanted.role_id, wanted.scope_key)
        for each in call.cloud.role_assignments
    )


def _get(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "read")
    found = _named(call, scope, call.parts["name"].lower())
    if found is None:
        raise not_found(f"The role assignment '{call.parts['name']}' is not found.", "RoleAssignmentNotFound")
    return Answer(200, _shown(scope, found))


def _delete(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "delete")
    found = _named(call, scope, call.parts["name"].lower())
    if found is None:
        return Answer(204)
    call.cloud.role_assignments.remove(found)
    return Answer(200, _shown(scope, found))


def _named(call: Call, scope: PolicyScope, name: str) -> RoleAssignment | None:
    return next(
        (each for each in call.cloud.role_assignments if (each.name, each.scope_key) == (name, scope.key)),
        None,
    )


def _shown(scope: PolicyScope, assignment: RoleAssignment) -> dict[str, object]:
    return {
        "id": f"{scope.text}/providers/Microsoft.Authorization/roleAssignments/{assignment.name}",
        "name": assignment.name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{assignment.role_id}",
            "principalId": assignment.principal_id,
            "scope": scope.text,
        },
    }


_VERSIONS: Final = frozenset({"2022-04-01"})
_AT_SCOPE: Final = "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
_AT_GROUP: Final = GROUP_PATH + "/providers/Microsoft.Authorization/roleAssignments/{name}"

ROUTES: Final = (
    Route("GET", _AT_SCOPE, _VERSIONS, _get, _OF + "read"),
    Route("PUT", _AT_SCOPE, _VERSIONS, _put, _OF + "write"),
    Route("DELETE", _AT_SCOPE, _VERSIONS, _delete, _OF + "delete"),
    Route("GET", _AT_GROUP, _VERSIONS, _get),
    Route("PUT", _AT_GROUP, _VERSIONS, _put),
    Route("DELETE", _AT_GROUP, _VERSIONS, _delete),
)
