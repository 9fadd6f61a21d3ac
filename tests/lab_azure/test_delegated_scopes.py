"""What Lighthouse shows and ends, and what it never reaches: Entra ID's own settings."""

from typing import TYPE_CHECKING

from lab.azure.cloud import Cloud
from lab.azure.delegations import Authorization
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.roles import EVENT_HUBS_DATA_OWNER, OWNER
from lab.azure.scenario import DELEGATED, Scene, workspace_id
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT, settings_path

if TYPE_CHECKING:
    from tests.lab_azure.contract import Contract

ASSIGNMENTS = f"{SUBSCRIPTION}/providers/Microsoft.ManagedServices/registrationAssignments"
ENTRA = "/providers/microsoft.aadiam/diagnosticSettings"


def test_a_subscription_shows_what_it_delegated(azmdr: Caller, scene: Scene) -> None:
    shown = azmdr.ask("GET", ASSIGNMENTS, expandRegistrationDefinition="true").body["value"]
    whole = next(each for each in shown if "resourceGroups" not in each["id"])
    definition = whole["properties"]["registrationDefinition"]["properties"]
    assert definition["managedByTenantId"] == scene.provider.id
    roles = {each["roleDefinitionId"] for each in definition["authorizations"]}
    assert roles == {role.id for role in DELEGATED}


def test_without_being_asked_it_does_not_show_the_definition(azmdr: Caller) -> None:
    shown = azmdr.ask("GET", ASSIGNMENTS).body["value"]
    assert all("registrationDefinition" not in each["properties"] for each in shown)


def test_ending_a_delegation_ends_every_right_it_gave(azmdr: Caller) -> None:
    for each in azmdr.ask("GET", ASSIGNMENTS).body["value"]:
        assert azmdr.ask("DELETE", each["id"]).status == 200
    assert azmdr.ask("GET", settings_path(VAULT)).code == "InvalidAuthenticationTokenTenant"
    visible = {each["subscriptionId"] for each in azmdr.ask("GET", "/subscriptions").body["value"]}
    assert CONTOSO.subscriptions[0].id not in visible


def administrator(cloud: Cloud) -> Principal:
    person = Principal(CONTOSO.tenant_id, "admin", "admin", is_security_administrator=True)
    cloud.assign(person, OWNER, SUBSCRIPTION)
    return cloud.add_principal(person)


def test_no_service_principal_reaches_the_settings_of_entra_id(azmdr: Caller) -> None:
    assert azmdr.ask("GET", ENTRA).code == "AuthorizationFailed"
    assert azmdr.ask("PUT", f"{ENTRA}/azmdr", {"properties": {}}).code == "AuthorizationFailed"


def test_a_security_administrator_sends_them_to_the_tenants_own_workspace(
    door: FrontDoor, cloud: Cloud, contract: "Contract | None"
) -> None:
    caller = Caller(door, administrator(cloud), contract)
    logs = [{"category": "SignInLogs", "enabled": True}]
    body = {"properties": {"workspaceId": workspace_id(CONTOSO), "logs": logs}}
    assert caller.ask("PUT", f"{ENTRA}/azmdr", body).status == 200
    assert caller.ask("GET", ENTRA).names == ["azmdr"]
    assert "SignInLogs" in caller.ask("GET", "/providers/microsoft.aadiam/diagnosticSettingsCategories").names
    assert caller.ask("DELETE", f"{ENTRA}/azmdr").status == 200


def test_a_destination_that_is_no_id_is_refused(door: FrontDoor, cloud: Cloud) -> None:
    caller = Caller(door, administrator(cloud))
    logs = [{"category": "SignInLogs", "enabled": True}]
    body = {"properties": {"workspaceId": "logs", "logs": logs}}
    assert caller.ask("PUT", f"{ENTRA}/azmdr", body).status == 400


def test_entra_id_sends_nothing_to_another_tenant_whatever_that_delegates(
    door: FrontDoor, cloud: Cloud, scene: Scene
) -> None:
    caller = Caller(door, administrator(cloud))
    use_of_hubs = Authorization(caller.principal.object_id, EVENT_HUBS_DATA_OWNER.id)
    cloud.delegate(f"/subscriptions/{scene.subscription_id}", cloud.tenants[CONTOSO.tenant_id], [use_of_hubs])
    logs = [{"category": "SignInLogs", "enabled": True}]
    rule = {"eventHubAuthorizationRuleId": scene.rule_id("eastus"), "eventHubName": "contoso"}
    body = {"properties": {**rule, "logs": logs}}
    assert caller.ask("PUT", f"{ENTRA}/azmdr", body).code == "LinkedAuthorizationFailed"
