import pytest

from lab.azure.cloud import Cloud
from lab.azure.roles import CONTRIBUTOR
from lab.azure.scenario import Scene, workspace_id
from lab.azure.workspace_tables import ENTRA_TABLES
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO

WORKSPACE = workspace_id(CONTOSO)


def export(azmdr: Caller, scene: Scene, *tables: str) -> tuple[int, str | None]:
    destination = {"resourceId": scene.namespace_id("eastus"), "metaData": {"eventHubName": "contoso"}}
    properties = {"destination": destination, "tableNames": tables, "enable": True}
    reply = azmdr.ask("PUT", f"{WORKSPACE}/dataExports/azmdr", {"properties": properties})
    return reply.status, reply.body["error"]["message"] if reply.status >= 400 else None


@pytest.fixture(autouse=True)
def _may_write_hubs(cloud: Cloud, scene: Scene) -> None:
    cloud.assign(scene.principal, CONTRIBUTOR, f"/subscriptions/{scene.subscription_id}")


def test_an_entra_workspace_lists_its_tables(azmdr: Caller) -> None:
    assert sorted(azmdr.ask("GET", f"{WORKSPACE}/tables").names) == sorted(ENTRA_TABLES)


def test_one_table_is_found_in_whatever_case(azmdr: Caller) -> None:
    for name in ("SigninLogs", "SIGNINLOGS"):
        shown = azmdr.ask("GET", f"{WORKSPACE}/tables/{name}").body
        assert (shown["name"], shown["properties"]["schema"]["tableType"]) == ("SigninLogs", "Microsoft")
    assert azmdr.ask("GET", f"{WORKSPACE}/tables/Absent").status == 404


def test_tables_come_and_go(azmdr: Caller, cloud: Cloud) -> None:
    cloud.add_tables(WORKSPACE.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), ["Mine_CL"])
    shown = azmdr.ask("GET", f"{WORKSPACE}/tables/Mine_CL").body
    assert shown["properties"]["schema"]["tableType"] == "CustomLog"
    assert cloud.remove_table(WORKSPACE, "mine_cl")
    assert not cloud.remove_table(WORKSPACE, "mine_cl")
    assert azmdr.ask("GET", f"{WORKSPACE}/tables/Mine_CL").status == 404


def test_an_export_of_a_table_that_is_not_there_is_refused(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    assert export(azmdr, scene, "SigninLogs", "Heartbeat") == (
        400,
        "Table Heartbeat does not exist in the workspace.",
    )
    cloud.add_tables(WORKSPACE, ["Heartbeat"])
    assert export(azmdr, scene, "SigninLogs", "Heartbeat") == (201, None)


def test_a_table_that_cant_be_exported_is_taken_without_a_word(azmdr: Caller, scene: Scene) -> None:
    assert export(azmdr, scene, "AzureDiagnostics") == (201, None)


def test_tables_go_with_their_workspace(azmdr: Caller, cloud: Cloud) -> None:
    cloud.remove_resource(WORKSPACE)
    assert azmdr.ask("GET", f"{WORKSPACE}/tables").status == 404
    cloud.add_resource(WORKSPACE, "eastus")
    assert azmdr.ask("GET", f"{WORKSPACE}/tables").names == []
