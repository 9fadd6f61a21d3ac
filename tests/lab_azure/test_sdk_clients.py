"""The real SDK clients over TLS, wired as the product wires them."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.monitor.v2021_05_01_preview.models import (
    DiagnosticSettingsResource,
    LogSettings,
    SubscriptionDiagnosticSettingsResource,
    SubscriptionLogSettings,
)
from azure.mgmt.resource.resources import ResourceManagementClient

from lab.azure.cloud import Cloud
from lab.azure.faults import Fault, FaultKind, PlannedFaults
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL, in_process_transport
from lab.azure.roles import CONTRIBUTOR
from lab.azure.scenario import Scene, workspace_id
from lab.azure.server import AzureServer
from tests.lab_azure.places import CONTOSO, VAULT

SUBSCRIPTION_ID = CONTOSO.subscriptions[0].id


@pytest.fixture
def resources(credential: ClientSecretCredential, wiring: dict[str, Any]) -> ResourceManagementClient:
    return ResourceManagementClient(credential, SUBSCRIPTION_ID, retry_total=0, **wiring)


@pytest.fixture
def monitor(credential: ClientSecretCredential, wiring: dict[str, Any]) -> MonitorManagementClient:
    return MonitorManagementClient(credential, SUBSCRIPTION_ID, retry_total=0, **wiring)


def test_resources_come_in_pages_and_can_be_filtered(
    resources: ResourceManagementClient, cloud: Cloud
) -> None:
    cloud.page_size = 4
    everything = [each.name for each in resources.resources.list()]
    assert len(everything) == len(set(everything)) == 17
    vaults = list(resources.resources.list(filter="resourceType eq 'Microsoft.KeyVault/vaults'", top=1))
    assert sorted(str(each.location) for each in vaults) == sorted(CONTOSO.regions)
    tagged = resources.resources.list(filter="tagName eq 'environment' and tagValue eq 'production'")
    assert len(list(tagged)) == 16


def test_settings_make_the_round_trip(monitor: MonitorManagementClient, scene: Scene) -> None:
    body = DiagnosticSettingsResource(
        event_hub_authorization_rule_id=scene.rule_id("eastus"),
        event_hub_name="contoso",
        logs=[LogSettings(category_group="audit", enabled=True)],
    )
    written = monitor.diagnostic_settings.create_or_update(VAULT, "azmdr", body)
    assert written.event_hub_name == "contoso"
    assert [each.name for each in monitor.diagnostic_settings.list(VAULT)] == ["azmdr"]
    categories = {each.name for each in monitor.diagnostic_settings_category.list(VAULT)}
    assert "AuditEvent" in categories
    monitor.diagnostic_settings.delete(VAULT, "azmdr")
    with pytest.raises(ResourceNotFoundError):
        monitor.diagnostic_settings.get(VAULT, "azmdr")


def test_a_conflict_arrives_as_one(monitor: MonitorManagementClient, scene: Scene) -> None:
    body = DiagnosticSettingsResource(
        event_hub_authorization_rule_id=scene.rule_id("eastus"),
        event_hub_name="contoso",
        logs=[LogSettings(category="AuditEvent", enabled=True)],
    )
    monitor.diagnostic_settings.create_or_update(VAULT, "one", body)
    with pytest.raises(ResourceExistsError) as refused:
        monitor.diagnostic_settings.create_or_update(VAULT, "two", body)
    assert refused.value.error is not None
    assert refused.value.error.code == "Conflict"


def test_a_subscription_takes_settings(monitor: MonitorManagementClient, scene: Scene) -> None:
    body = SubscriptionDiagnosticSettingsResource(
        event_hub_authorization_rule_id=scene.rule_id("eastus"),
        event_hub_name="contoso",
        logs=[SubscriptionLogSettings(category="Administrative", enabled=True)],
    )
    monitor.subscription_diagnostic_settings.create_or_update("azmdr", body)
    assert [each.name for each in monitor.subscription_diagnostic_settings.list()] == ["azmdr"]


def test_a_workspace_takes_data_exports(
    credential: ClientSecretCredential, wiring: dict[str, Any], scene: Scene, cloud: Cloud
) -> None:
    workspace = workspace_id(CONTOSO)
    cloud.assign(scene.principal, CONTRIBUTOR, f"/subscriptions/{scene.subscription_id}")
    client = LogAnalyticsManagementClient(credential, SUBSCRIPTION_ID, **wiring)
    group, name = workspace.split("/")[4], workspace.split("/")[-1]
    body: Any = {
        "properties": {
            "destination": {
                "resourceId": scene.namespace_id("eastus"),
                "metaData": {"eventHubName": "contoso"},
            },
            "tableNames": ["SigninLogs"],
            "enable": True,
        }
    }
    client.data_exports.create_or_update(group, name, "azmdr", body)
    assert [each.name for each in client.data_exports.list_by_workspace(group, name)] == ["azmdr"]


def test_one_credential_serves_no_tenant_it_has_no_principal_in(
    credential: ClientSecretCredential, scene: Scene
) -> None:
    scope = "https://management.azure.com/.default"
    assert credential.get_token(scope, tenant_id=scene.provider.id).token
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        credential.get_token(scope, tenant_id=CONTOSO.tenant_id)


def test_latency_holds_requests_up_side_by_side(scene: Scene) -> None:
    with AzureServer(FrontDoor(scene.cloud), latency=0.5) as slow, ThreadPoolExecutor(6) as callers:
        begin = time.monotonic()

        def ask(_: int) -> int:
            path = f"{slow.url}/{scene.provider.id}/v2.0/.well-known/openid-configuration"
            return requests.get(path, verify=str(slow.authority_file), timeout=30).status_code

        assert list(callers.map(ask, range(6))) == [200] * 6
        took = time.monotonic() - begin
    assert 0.5 <= took < 2.5


def test_a_wrong_secret_gets_no_token(server: AzureServer, scene: Scene) -> None:
    wrong = ClientSecretCredential(
        scene.provider.id,
        scene.principal.app_id or "",
        "wrong",
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=str(server.authority_file),
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        wrong.get_token("https://management.azure.com/.default")


def test_a_reset_before_leaves_nothing_and_a_reset_after_leaves_the_setting(
    monitor: MonitorManagementClient, scene: Scene, door: FrontDoor
) -> None:
    body = DiagnosticSettingsResource(
        event_hub_authorization_rule_id=scene.rule_id("eastus"),
        event_hub_name="contoso",
        logs=[LogSettings(category="AuditEvent", enabled=True)],
    )
    for kind, left in ((FaultKind.RESET_BEFORE, []), (FaultKind.RESET_AFTER, ["azmdr"])):
        times = sum(each.method == "PUT" for each in door.log)
        door.faults = PlannedFaults({("PUT", "azmdr", times): Fault(kind)})
        with pytest.raises(ServiceResponseError):
            monitor.diagnostic_settings.create_or_update(VAULT, "azmdr", body)
        assert [each.name for each in monitor.diagnostic_settings.list(VAULT)] == left


def test_a_truncated_page_is_an_error_and_no_short_list(
    resources: ResourceManagementClient, door: FrontDoor
) -> None:
    door.faults = PlannedFaults({("GET", "/resources", 0): Fault(FaultKind.TRUNCATE)})
    with pytest.raises((HttpResponseError, ServiceResponseError)):
        list(resources.resources.list())


def test_a_listing_may_break_after_a_good_page(resources: ResourceManagementClient, door: FrontDoor) -> None:
    door.cloud.page_size = 4
    door.faults = PlannedFaults({("GET", "/resources", 0): Fault(FaultKind.FAIL_NEXT_PAGE, 500)})
    seen: list[object] = []
    with pytest.raises(HttpResponseError):
        seen.extend(resources.resources.list())


def test_the_same_clients_work_without_a_socket(door: FrontDoor, scene: Scene) -> None:
    transport = in_process_transport(door)
    credential = ClientSecretCredential(
        scene.provider.id,
        scene.principal.app_id or "",
        scene.principal.secret or "",
        authority=URL,
        disable_instance_discovery=True,
        transport=transport,
    )
    client = ResourceManagementClient(
        credential,
        SUBSCRIPTION_ID,
        base_url=URL,
        credential_scopes=["https://management.azure.com/.default"],
        transport=transport,
        retry_total=0,
    )
    assert len(list(client.resources.list())) == 17
    door.faults = PlannedFaults({("GET", "/resources", 1): Fault(FaultKind.TRUNCATE)})
    with pytest.raises((HttpResponseError, ServiceResponseError)):
        list(client.resources.list())
    query = {"query": "resources | where type =~ 'microsoft.keyvault/vaults' | project id, location"}
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    answer = client.send_request(HttpRequest("POST", path, json=query))  # type: ignore[attr-defined, unused-ignore]
    assert answer.json()["totalRecords"] == 22
