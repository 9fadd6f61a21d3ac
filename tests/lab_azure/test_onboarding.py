"""How a customer's own people delegate over HTTP, and who may not."""

import pytest

from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.roles import CONTRIBUTOR, MONITORING_CONTRIBUTOR, OWNER, READER
from lab.azure.scenario import Scene, identity
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT, settings_path

SERVICES = f"{SUBSCRIPTION}/providers/Microsoft.ManagedServices"
DEFINITION = f"{SERVICES}/registrationDefinitions/{identity('definition')}"
ASSIGNMENT = f"{SERVICES}/registrationAssignments/{identity('assignment')}"
APPLIED = {"properties": {"registrationDefinitionId": DEFINITION}}


@pytest.fixture
def owner(door: FrontDoor, cloud: Cloud, azmdr: Caller) -> Caller:
    for subscription in CONTOSO.subscriptions:
        cloud.delegations[subscription.id].clear()
        cloud.definitions[subscription.id].clear()
    person = cloud.add_principal(Principal(CONTOSO.tenant_id, "contoso-owner", "owner"))
    cloud.assign(person, OWNER, SUBSCRIPTION)
    return Caller(door, person, azmdr.contract)


def offer(scene: Scene, *role_ids: str, tenant_id: str | None = None) -> dict[str, object]:
    authorizations = [
        {
            "principalId": scene.principal.object_id,
            "principalIdDisplayName": "azmdr",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role_id}",
        }
        for role_id in role_ids
    ]
    properties = {
        "registrationDefinitionName": "Monitoring",
        "managedByTenantId": tenant_id or scene.provider.id,
        "authorizations": authorizations,
    }
    return {"properties": properties}


def test_a_delegation_lets_the_provider_in_and_ending_it_out(
    owner: Caller, azmdr: Caller, scene: Scene
) -> None:
    assert azmdr.ask("GET", settings_path(VAULT)).status == 401
    assert owner.ask("PUT", DEFINITION, offer(scene, MONITORING_CONTRIBUTOR.id)).status == 201
    assert azmdr.ask("GET", settings_path(VAULT)).status == 401
    assert owner.ask("PUT", ASSIGNMENT, APPLIED).status == 201
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200
    shown = owner.ask("GET", ASSIGNMENT, expandRegistrationDefinition="true").body["properties"]
    assert shown["registrationDefinition"]["properties"]["registrationDefinitionName"] == "Monitoring"
    assert owner.ask("DELETE", DEFINITION).code == "RegistrationDefinitionInUse"
    assert owner.ask("DELETE", ASSIGNMENT).status == 200
    assert azmdr.ask("GET", settings_path(VAULT)).status == 401
    assert [owner.ask("DELETE", DEFINITION).status for _ in range(2)] == [200, 204]


def test_a_changed_definition_changes_what_was_delegated_with_it(
    owner: Caller, azmdr: Caller, scene: Scene
) -> None:
    owner.ask("PUT", DEFINITION, offer(scene, MONITORING_CONTRIBUTOR.id))
    owner.ask("PUT", ASSIGNMENT, APPLIED)
    setting = f"{settings_path(VAULT)}/gone"
    assert azmdr.ask("DELETE", setting).status == 204
    assert owner.ask("PUT", DEFINITION, offer(scene, READER.id)).status == 200
    assert azmdr.ask("DELETE", setting).code == "AuthorizationFailed"
    assert owner.ask("PUT", ASSIGNMENT, APPLIED).status == 200


def test_a_resource_group_is_delegated_alone(owner: Caller, azmdr: Caller, scene: Scene) -> None:
    owner.ask("PUT", DEFINITION, offer(scene, READER.id))
    group = VAULT.partition("/providers/")[0]
    below = ASSIGNMENT.replace(SUBSCRIPTION, group)
    assert owner.ask("PUT", below, APPLIED).status == 201
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200
    assert azmdr.ask("GET", settings_path(SUBSCRIPTION)).code == "AuthorizationFailed"
    other = DEFINITION.replace(identity("definition"), identity("other"))
    owner.ask("PUT", other, offer(scene, READER.id))
    listed = "providers/Microsoft.ManagedServices/registrationDefinitions"
    assert owner.ask("GET", f"{group}/{listed}").names == [identity("definition")]
    both = sorted([identity("definition"), identity("other")])
    assert owner.ask("GET", f"{SUBSCRIPTION}/{listed}").names == both


def test_what_cant_be_delegated_is_refused(owner: Caller, scene: Scene) -> None:
    for body in (
        offer(scene, OWNER.id),
        offer(scene, identity("custom", "role")),
        offer(scene),
        offer(scene, READER.id, tenant_id=CONTOSO.tenant_id),
    ):
        assert owner.ask("PUT", DEFINITION, body).status == 400
    named = f"{SERVICES}/registrationDefinitions/mine"
    assert owner.ask("PUT", named, offer(scene, READER.id)).status == 400
    assert owner.ask("PUT", ASSIGNMENT, APPLIED).code == "RegistrationDefinitionNotFound"


def test_only_who_may_assign_roles_may_delegate(
    owner: Caller, azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    owner.ask("PUT", DEFINITION, offer(scene, CONTRIBUTOR.id))
    owner.ask("PUT", ASSIGNMENT, APPLIED)
    assert azmdr.ask("PUT", DEFINITION, offer(scene, READER.id)).code == "AuthorizationFailed"
    assert azmdr.ask("PUT", ASSIGNMENT, APPLIED).code == "AuthorizationFailed"
    cloud.role_assignments.clear()
    cloud.assign(owner.principal, CONTRIBUTOR, SUBSCRIPTION)
    assert owner.ask("PUT", DEFINITION, offer(scene, READER.id)).code == "AuthorizationFailed"
    assert owner.ask("GET", DEFINITION).status == 200
