import pytest

from lab.azure.cloud import Cloud
from lab.azure.data_exports import LIMIT
from lab.azure.roles import CONTRIBUTOR
from lab.azure.scenario import Scene, workspace_id
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO

EXPORTS = f"{workspace_id(CONTOSO)}/dataExports"


@pytest.fixture(autouse=True)
def _may_write_hubs(cloud: Cloud, scene: Scene) -> None:
    cloud.assign(scene.principal, CONTRIBUTOR, f"/subscriptions/{scene.subscription_id}")


def body(scene: Scene, hub: str | None = "contoso", region: str = "eastus", enable: bool = True) -> object:
    meta = {"metaData": {"eventHubName": hub}} if hub else {}
    destination = {"resourceId": scene.namespace_id(region), **meta}
    return {"properties": {"destination": destination, "tableNames": ["SigninLogs"], "enable": enable}}


def test_an_export_is_created_changed_and_deleted(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene)).status == 201
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene, enable=False)).status == 200
    read = azmdr.ask("GET", f"{EXPORTS}/azmdr").body["properties"]
    assert read["destination"]["metaData"] == {"eventHubName": "contoso"}
    assert read["enable"] is False
    assert azmdr.ask("GET", EXPORTS).names == ["azmdr"]
    assert azmdr.ask("DELETE", f"{EXPORTS}/azmdr").status == 200
    assert azmdr.ask("DELETE", f"{EXPORTS}/azmdr").status == 404


def test_ten_exports_may_be_enabled_and_more_may_be_switched_off(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    cloud.hubs[scene.namespace_id("eastus").lower()].clear()
    for number in range(LIMIT):
        cloud.add_event_hub(scene.namespace_id("eastus"), f"hub-{number}")
        created = azmdr.ask("PUT", f"{EXPORTS}/theirs-{number}", body(scene, f"hub-{number}"))
        assert created.status == 201
    cloud.add_event_hub(scene.namespace_id("eastus"), "ours")
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene, "ours")).code == "DataExportLimitReached"
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene, "ours", enable=False)).status == 201


def test_the_destination_is_in_the_workspaces_region_and_its_alone(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene, region="uksouth")).status == 400
    azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene))
    assert azmdr.ask("PUT", f"{EXPORTS}/second", body(scene)).code == "DestinationInUse"


def test_without_a_hub_name_each_table_gets_a_hub(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene, hub=None)).status == 201
    assert "am-signinlogs" in cloud.hubs[scene.namespace_id("eastus").lower()]


def test_the_caller_needs_rights_on_the_namespace_too(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    cloud.role_assignments.clear()
    assert azmdr.ask("PUT", f"{EXPORTS}/azmdr", body(scene)).code == "LinkedAuthorizationFailed"


@pytest.mark.parametrize("name", ["1abc", "ab", "with_underscore", "ends-"])
def test_a_name_out_of_form_is_refused(azmdr: Caller, scene: Scene, name: str) -> None:
    assert azmdr.ask("PUT", f"{EXPORTS}/{name}", body(scene)).status == 400


def test_a_workspace_is_shown(azmdr: Caller) -> None:
    shown = azmdr.ask("GET", workspace_id(CONTOSO)).body
    assert (shown["name"], shown["location"]) == ("contoso-entra-logs", "eastus")
