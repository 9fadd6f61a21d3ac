"""Each of Microsoft's Swagger files, asked whatever it allows: what the lab answers, the file has to allow.

Schemathesis makes the requests, hypothesis the choices. Names that lead somewhere are put into the paths, so
that requests come further than to a 404. Answers are read as in :mod:`tests.lab_azure.contract`.
"""

import json
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from lab.azure.arm_error import ArmError
from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.directory import Principal
from lab.azure.event_hubs import AuthorizationRule
from lab.azure.front_door import ROUTES, FrontDoor
from lab.azure.in_process import URL, in_process_transport
from lab.azure.roles import OWNER, READER
from lab.azure.route_table import RouteTable
from lab.azure.scenario import Scene, build_scene, identity, workspace_id
from lab.azure.throttling import Kind, Size
from tests.lab_azure import policy_bodies
from tests.lab_azure.caller import Caller
from tests.lab_azure.contract_files import FILES, OTHER_VERSIONS
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT

if TYPE_CHECKING:
    from tests.lab_azure.contract import Contract

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis makes the requests")


def delegation_of(scope: str) -> str:
    """The name of what the scene delegates, which is that of its definition too."""
    (whole,) = (
        each
        for each in build_scene(Cloud()).cloud.delegations[CONTOSO.subscriptions[0].id].values()
        if each.scope.text == scope
    )
    return whole.name


GROUP: Final = workspace_id(CONTOSO).split("/")[4]
NAMESPACE: Final = f"{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.EventHub/namespaces/hubs-01"
DELEGATION: Final = delegation_of(SUBSCRIPTION)
ROLE_ASSIGNMENT: Final = identity("role assignment")
NAMES: Final = {
    "subscriptionId": CONTOSO.subscriptions[0].id,
    "resourceGroupName": GROUP,
    "workspaceName": workspace_id(CONTOSO).split("/")[-1],
    "namespaceName": "hubs-01",
    "resourceUri": VAULT.strip("/"),
    "resourceId": SUBSCRIPTION.strip("/"),
    "scope": SUBSCRIPTION.strip("/"),
    "managementGroupsNamespace": "Microsoft.Management",
    "managementGroupId": "everything",
    "resourceProviderNamespace": "Microsoft.Insights",
    "tableName": "SigninLogs",
    "eventHubName": "contoso",
    "authorizationRuleName": "diagnostics",
    "dataExportName": "theirs",
    "name": "theirs",
    "policyDefinitionName": "delegate",
    "policyAssignmentName": "delegate",
    "remediationName": "now",
    "parentResourcePath": "vaults/one",
    "resourceType": "secrets",
    "resourceName": "two",
    "registrationAssignmentId": DELEGATION,
    "registrationDefinitionId": DELEGATION,
    "deploymentName": "now",
    "groupId": "everything",
    "roleAssignmentName": ROLE_ASSIGNMENT,
}
"""What the placeholders of paths stand for; any other is schemathesis's to choose."""
OWN_NAMES: Final = {
    f"Microsoft.Insights/{version}/diagnosticsSettingsCategories_API.json": {"name": "AuditEvent"}
    for version in ("2017-05-01-preview", "2021-05-01-preview")
}
"""The same, where a file means something else by a name."""
QUERIES: Final = {
    "Microsoft.Insights/2015-04-01/activityLogs_API.json": {
        "$filter": "eventTimestamp ge '2026-11-01T00:00:00Z'"
    }
}
"""Queries without which nothing succeeds, and which nobody guesses."""
NOT_HERE: Final = frozenset({"/{resourceId}"})
"""Paths that the lab's routes seem to have, once the placeholders are filled."""
EVERY_FILE: Final = (*FILES, *OTHER_VERSIONS)
TABLE: Final = RouteTable(ROUTES)


@pytest.fixture
def specs(contract: "Contract | None", file: str) -> "Contract":
    """The one file alone, since another version may describe the same paths."""
    if contract is None:
        pytest.skip("needs Microsoft's specifications beside this repository, and jsonschema")
    return type(contract)(contract.folder, (file,))


@pytest.mark.parametrize("file", EVERY_FILE)
def test_the_lab_answers_as_the_file_allows(specs: "Contract", file: str) -> None:
    asked = [ask(specs, file, operation, 25) for operation in known_operations(specs, file)]
    assert asked, f"{file} describes nothing the lab has"
    # A read that never succeeds would be a read that was never checked.
    assert [name for name, statuses in asked if name.startswith("GET") and 200 not in statuses] == []


@pytest.mark.soak
@pytest.mark.parametrize("file", EVERY_FILE)
def test_the_lab_answers_as_the_file_allows_for_long(specs: "Contract", file: str) -> None:
    operations = list(known_operations(specs, file))
    ends = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "10")) / len(EVERY_FILE)
    while time.monotonic() < ends:
        for operation in operations:
            ask(specs, file, operation, 200, random=True)


def known_operations(specs: "Contract", file: str) -> Iterator[Any]:
    for found in schemathesis.openapi.from_path(specs.folder / file).get_all_operations():
        operation = found.ok()
        if is_known(operation):
            yield operation


def is_known(operation: Any) -> bool:
    path = operation.path
    if path in NOT_HERE:
        return False
    for name, value in NAMES.items():
        path = path.replace(f"{{{name}}}", value)
    try:
        TABLE.find(operation.method.upper(), path.replace("{", "").replace("}", ""))
    except ArmError:
        return False
    return True


def ask(
    specs: "Contract", file: str, operation: Any, examples: int, random: bool = False
) -> tuple[str, set[int]]:
    """Ask an operation in many ways; its name and the statuses that came."""
    described = next(
        each
        for each in specs.operations
        if (each.method, each.template) == (operation.method.upper(), operation.path)
        and each.file == specs.folder / file
    )
    caller, statuses = furnished(), set[int]()
    session = in_process_transport(caller.door).session
    version, names = file.split("/")[1], {**NAMES, **OWN_NAMES.get(file, {})}

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=not random,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answered(case: Any) -> None:
        case.path_parameters.update((each, names[each]) for each in case.path_parameters if each in names)
        case.query = {**case.query, **QUERIES.get(file, {}), "api-version": version}
        headers = {"Authorization": f"Bearer {caller.token()}"}
        response = case.call(base_url=URL, session=session, headers=headers)
        statuses.add(response.status_code)
        assert response.status_code < 500
        body = json.loads(response.content) if response.content else None
        if body is not None:
            assert response.headers["content-type"] == ["application/json; charset=utf-8"]
        assert specs.breaches_of(described, response.status_code, body) == []

    answered()
    return f"{described.method} {described.template}", statuses


def furnished() -> Caller:
    """The customer's administrator, in a cloud where something of each kind stands."""
    scene = build_scene(Cloud(), [CONTOSO])
    door, cloud = FrontDoor(scene.cloud), scene.cloud
    door.throttle.sizes.update(dict.fromkeys(Kind, Size(1e9, 1e9)))
    person = Principal(CONTOSO.tenant_id, "administrator", "admin", is_security_administrator=True)
    cloud.add_principal(person)
    cloud.add_management_group(CONTOSO.tenant_id, "everything", [each.id for each in CONTOSO.subscriptions])
    cloud.assign(person, OWNER, policy_bodies.GROUP)
    cloud.add_event_hub_namespace(NAMESPACE, "eastus")
    cloud.add_event_hub(NAMESPACE, "contoso")
    cloud.rules[NAMESPACE.lower()]["diagnostics"] = AuthorizationRule("diagnostics", ("Send",))
    audit = (Switch("AuditEvent", None, True),)
    setting = DiagnosticSetting("theirs", audit, workspace_id=workspace_id(CONTOSO))
    for key in (VAULT.lower(), SUBSCRIPTION, f"/tenants/{CONTOSO.tenant_id}"):
        cloud.put_setting(key, setting)
    caller = Caller(door, person)
    furnish_over_http(caller, scene)
    return caller


def furnish_over_http(caller: Caller, scene: Scene) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/{GROUP}"
    for place in (SUBSCRIPTION, policy_bodies.GROUP):
        kept = f"{place}/providers/Microsoft.Authorization"
        definition_id = f"{kept}/policyDefinitions/delegate"
        caller.ask("PUT", definition_id, policy_bodies.definition())
        body = policy_bodies.assignment(scene, definition_id)
        caller.ask("PUT", f"{kept}/policyAssignments/delegate", body)
        task = {"properties": {"policyAssignmentId": f"{kept}/policyAssignments/delegate"}}
        for below in (place, group):
            caller.ask("PUT", f"{below}/providers/Microsoft.PolicyInsights/remediations/now", task)
    nothing = {"properties": {"mode": "Incremental", "template": {"resources": []}}}
    for scope in (SUBSCRIPTION, policy_bodies.GROUP, group):
        where = {} if scope == group else {"location": "eastus"}
        caller.ask("PUT", f"{scope}/providers/Microsoft.Resources/deployments/now", nothing | where)
    role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/{ROLE_ASSIGNMENT}"
    reader = {"principalId": caller.principal.object_id, "roleDefinitionId": READER.id}
    caller.ask("PUT", role, {"properties": reader}, version="2022-04-01")
    destination = {"resourceId": NAMESPACE, "metaData": {"eventHubName": "contoso"}}
    export = {"destination": destination, "tableNames": ["SigninLogs"], "enable": True}
    caller.ask("PUT", f"{workspace_id(CONTOSO)}/dataExports/theirs", {"properties": export})
