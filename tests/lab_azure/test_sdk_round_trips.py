"""One round trip over TLS for each client of the Azure SDK beside those of resources and settings."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.mgmt.eventhub import EventHubManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.managedservices import ManagedServicesClient
from azure.mgmt.managedservices.models import (
    Authorization,
    RegistrationAssignment,
    RegistrationAssignmentProperties,
    RegistrationDefinition,
    RegistrationDefinitionProperties,
)
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.policyinsights import PolicyInsightsClient
from azure.mgmt.policyinsights.models import Remediation
from azure.mgmt.resource.policy import PolicyClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from lab.azure.activity_events import ActivityLog
from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.roles import CONTRIBUTOR, MONITORING_CONTRIBUTOR, OWNER
from lab.azure.scenario import INGEST_GROUP, Scene, identity, workspace_id
from lab.azure.tokens import issue
from lab.azure.workspace_tables import ENTRA_TABLES
from lab.customers import CUSTOMERS
from tests.lab_azure import policy_bodies
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT

if TYPE_CHECKING:
    from lab.azure.server import AzureServer

SUBSCRIPTION_ID = CONTOSO.subscriptions[0].id


@pytest.fixture
def owner(cloud: Cloud) -> Principal:
    """A service principal of the customer's own, with every right in one subscription."""
    owner = Principal(CONTOSO.tenant_id, identity("owner"), "owner", identity("owner", "application"), "own")
    cloud.assign(owner, OWNER, SUBSCRIPTION)
    return cloud.add_principal(owner)


@pytest.fixture
def owning(server: "AzureServer", owner: Principal) -> ClientSecretCredential:
    return ClientSecretCredential(
        CONTOSO.tenant_id,
        owner.app_id or "",
        owner.secret or "",
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=str(server.authority_file),
    )


def test_subscriptions(credential: ClientSecretCredential, wiring: dict[str, Any], cloud: Cloud) -> None:
    cloud.page_size = 3
    client = SubscriptionClient(credential, **wiring)
    seen = {each.subscription_id: each for each in client.subscriptions.list()}
    assert len(seen) == 1 + sum(len(customer.subscriptions) for customer in CUSTOMERS)
    assert seen[SUBSCRIPTION_ID].tenant_id == CONTOSO.tenant_id


def test_resource_graph(credential: ClientSecretCredential, wiring: dict[str, Any]) -> None:
    client = ResourceGraphClient(credential, **wiring)
    query = "resources | where type =~ 'microsoft.keyvault/vaults' | order by id asc | project id, location"
    found: list[str] = []
    token = None
    while True:
        options = QueryRequestOptions(skip_token=token, top=5, result_format="objectArray")
        answer = client.resources(QueryRequest(query=query, options=options))
        rows: Any = answer.data
        found += [each["id"] for each in rows]
        token = answer.skip_token
        if token is None:
            break
    assert len(found) == answer.total_records == len(set(found)) == 22
    assert VAULT in found


def test_activity_logs(
    credential: ClientSecretCredential, wiring: dict[str, Any], cloud: Cloud, scene: Scene
) -> None:
    cloud.activity = ActivityLog()
    client = MonitorManagementClient(credential, SUBSCRIPTION_ID, **wiring)
    begin = cloud.clock.now()
    client.diagnostic_settings.delete(VAULT, "gone")
    cloud.clock.advance(1300)
    end = begin + timedelta(days=1)
    asked = f"eventTimestamp ge '{begin.isoformat()}' and eventTimestamp le '{end.isoformat()}'"
    events = list(client.activity_logs.list(filter=asked))
    assert [each.status.value for each in events] == ["Succeeded", "Started"]
    assert {each.caller for each in events} == {scene.principal.object_id}


def test_workspace_tables(credential: ClientSecretCredential, wiring: dict[str, Any]) -> None:
    client = LogAnalyticsManagementClient(credential, SUBSCRIPTION_ID, **wiring)
    group, name = workspace_id(CONTOSO).split("/")[4], workspace_id(CONTOSO).split("/")[-1]
    assert {each.name for each in client.tables.list_by_workspace(group, name)} == set(ENTRA_TABLES)
    table = client.tables.get(group, name, "SigninLogs")
    assert (table.name, table.plan) == ("SigninLogs", "Analytics")


def test_event_hubs_whose_namespace_takes_a_while(
    credential: ClientSecretCredential, wiring: dict[str, Any], cloud: Cloud, scene: Scene
) -> None:
    cloud.assign(scene.principal, CONTRIBUTOR, f"/subscriptions/{scene.subscription_id}")
    cloud.creation_time = timedelta(seconds=1)
    client = EventHubManagementClient(credential, scene.subscription_id, **wiring)
    body: Any = {"location": "eastus", "sku": {"name": "Standard"}}
    poller = client.namespaces.begin_create_or_update(INGEST_GROUP, "hubs-new-01", body, polling_interval=0.1)
    assert not poller.done()
    two: Any = {"properties": {"partitionCount": 2}}
    with pytest.raises(HttpResponseError):
        client.event_hubs.create_or_update(INGEST_GROUP, "hubs-new-01", "contoso", two)
    cloud.clock.advance(1)
    assert poller.result().provisioning_state == "Succeeded"
    hub = client.event_hubs.create_or_update(INGEST_GROUP, "hubs-new-01", "contoso", two)
    assert hub.partition_count == 2
    rights: Any = {"properties": {"rights": ["Send"]}}
    client.namespaces.create_or_update_authorization_rule(INGEST_GROUP, "hubs-new-01", "send", rights)
    keys = client.namespaces.list_keys(INGEST_GROUP, "hubs-new-01", "send")
    assert "SharedAccessKeyName=send" in str(keys.primary_connection_string)


def test_managed_services(
    owning: ClientSecretCredential, wiring: dict[str, Any], scene: Scene, cloud: Cloud
) -> None:
    cloud.delegations[SUBSCRIPTION_ID].clear()
    client = ManagedServicesClient(owning, **wiring)
    scope, definition, assignment = f"subscriptions/{SUBSCRIPTION_ID}", identity("d"), identity("a")
    may = Authorization(principal_id=scene.principal.object_id, role_definition_id=MONITORING_CONTRIBUTOR.id)
    properties = RegistrationDefinitionProperties(
        authorizations=[may], managed_by_tenant_id=scene.provider.id, registration_definition_name="Watching"
    )
    body = RegistrationDefinition(properties=properties)
    defined = client.registration_definitions.begin_create_or_update(definition, scope, body).result()
    applied = RegistrationAssignmentProperties(registration_definition_id=str(defined.id))
    client.registration_assignments.begin_create_or_update(
        scope, assignment, RegistrationAssignment(properties=applied)
    ).result()
    listed: Any = list(client.registration_assignments.list(scope, expand_registration_definition=True))
    shown = listed[0].properties.registration_definition.properties
    assert shown.managed_by_tenant_id == scene.provider.id
    client.registration_assignments.begin_delete(scope, assignment).result()
    client.registration_definitions.delete(definition, scope)
    assert list(client.registration_assignments.list(scope)) == []


def test_policy_and_policy_insights(
    owning: ClientSecretCredential, wiring: dict[str, Any], scene: Scene, cloud: Cloud
) -> None:
    cloud.delegations[SUBSCRIPTION_ID].clear()
    policy = PolicyClient(owning, SUBSCRIPTION_ID, **wiring)
    insights = PolicyInsightsClient(owning, SUBSCRIPTION_ID, **wiring)
    body: Any = policy_bodies.definition()
    made = policy.policy_definitions.create_or_update("delegate", body)
    assert [each.name for each in policy.policy_definitions.list()] == ["delegate"]
    assigning: Any = policy_bodies.assignment(scene, str(made.id))
    assignment = policy.policy_assignments.create(SUBSCRIPTION, "delegate", assigning)
    assert assignment.identity is not None
    cloud.assign(
        Principal(CONTOSO.tenant_id, str(assignment.identity.principal_id), "delegate"), OWNER, SUBSCRIPTION
    )

    def state() -> list[str | None]:
        found = insights.policy_states.list_query_results_for_subscription("latest", SUBSCRIPTION_ID)
        return [each.compliance_state for each in found]

    assert state() == ["NonCompliant"]
    summary = insights.policy_states.summarize_for_subscription("latest", SUBSCRIPTION_ID).value
    assert summary is not None
    assert summary[0].results is not None
    assert summary[0].results.non_compliant_resources == 1
    task = Remediation(policy_assignment_id=str(assignment.id))
    insights.remediations.create_or_update_at_subscription("now", task)
    assert state() == ["Compliant"]
    tasks = insights.remediations.list_for_subscription()
    assert [each.provisioning_state for each in tasks] == ["Succeeded"]
    insights.remediations.delete_at_subscription("now")
    policy.policy_assignments.delete(SUBSCRIPTION, "delegate")
    policy.policy_definitions.delete("delegate")
    assert list(policy.policy_definitions.list()) == []


class _Person:
    """A credential of somebody who has signed in."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **settings: Any) -> AccessToken:
        del scopes, settings
        return AccessToken(self._token, 2**32)


def test_settings_of_entra_id_by_a_bare_request(wiring: dict[str, Any], cloud: Cloud) -> None:
    person = cloud.add_principal(
        Principal(CONTOSO.tenant_id, "administrator", "admin", is_security_administrator=True)
    )
    cloud.assign(person, OWNER, SUBSCRIPTION)
    audience = "https://management.azure.com"
    token = issue(person, audience, cloud.clock.now(), cloud.token_lifetime, cloud.signing_key)
    client: Any = ResourceManagementClient(_Person(token), SUBSCRIPTION_ID, **wiring)
    path = "/providers/microsoft.aadiam/diagnosticSettings{}?api-version=2017-04-01"
    logs = [{"category": "SignInLogs", "enabled": True}]
    body = {"properties": {"workspaceId": workspace_id(CONTOSO), "logs": logs}}
    client.send_request(HttpRequest("PUT", path.format("/azmdr"), json=body)).raise_for_status()
    shown = client.send_request(HttpRequest("GET", path.format(""))).json()["value"]
    assert [each["name"] for each in shown] == ["azmdr"]
