import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.azure.access import may
from lab.azure.arm_error import ArmError
from lab.azure.cloud import Cloud
from lab.azure.delegations import Authorization
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL
from lab.azure.roles import LOG_ANALYTICS_CONTRIBUTOR, MONITORING_CONTRIBUTOR, OWNER, READER, ROLES
from lab.azure.scenario import WORKSPACE_GROUP, Scene
from lab.azure.tokens import issue
from lab.azure.wire import Request
from lab.customers import CUSTOMERS
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT, setting_path, settings_path


def test_without_a_token_nothing_is_said(door: FrontDoor) -> None:
    answer = door.answer(Request("GET", "/subscriptions", URL, {"api-version": "2022-12-01"}))
    assert answer.status == 401
    assert "WWW-Authenticate" in answer.headers


def test_a_token_expires_with_the_clock(azmdr: Caller, cloud: Cloud) -> None:
    token = azmdr.token()
    request = Request(
        *("GET", "/subscriptions", URL),
        {"api-version": "2022-12-01"},
        {"authorization": f"Bearer {token}"},
    )
    assert azmdr.door.answer(request).status == 200
    cloud.clock.advance(cloud.token_lifetime.total_seconds())
    refused = azmdr.door.answer(request)
    assert refused.status == 401
    assert b"ExpiredAuthenticationToken" in refused.content()


def test_a_forged_token_is_refused(azmdr: Caller) -> None:
    header, claims, signature = azmdr.token().split(".")
    forged = f"{header}.{claims}.{signature[::-1]}"
    request = Request(
        *("GET", "/subscriptions", URL),
        {"api-version": "2022-12-01"},
        {"authorization": f"Bearer {forged}"},
    )
    assert azmdr.door.answer(request).status == 401


def test_the_provider_sees_its_own_and_every_delegated_subscription(azmdr: Caller, scene: Scene) -> None:
    seen = {item["subscriptionId"] for item in azmdr.ask("GET", "/subscriptions").body["value"]}
    delegated = {each.id for customer in CUSTOMERS for each in customer.subscriptions}
    assert seen == delegated | {scene.subscription_id}


def test_a_customer_sees_nothing_of_another(cloud: Cloud, door: FrontDoor) -> None:
    person = cloud.add_principal(Principal(CONTOSO.tenant_id, "a-person", "person"))
    cloud.assign(person, OWNER, SUBSCRIPTION)
    caller = Caller(door, person)
    assert [each["displayName"] for each in caller.ask("GET", "/subscriptions").body["value"]] == [
        "contoso-00"
    ]
    elsewhere = f"/subscriptions/{CUSTOMERS[1].subscriptions[0].id}/resources"
    assert caller.ask("GET", elsewhere).code == "InvalidAuthenticationTokenTenant"
    sister = f"/subscriptions/{CONTOSO.subscriptions[1].id}/resources"
    assert caller.ask("GET", sister).code == "AuthorizationFailed"


def test_an_unknown_subscription_is_not_found(azmdr: Caller) -> None:
    path = "/subscriptions/00000000-0000-4000-8000-000000000000/resources"
    assert azmdr.ask("GET", path).code == "SubscriptionNotFound"


def test_reading_is_not_writing(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    cloud.delegations.clear()
    cloud.delegate(SUBSCRIPTION, scene.provider, [Authorization(scene.principal.object_id, READER.id)])
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200
    refused = azmdr.ask("PUT", setting_path(VAULT), {"properties": {}})
    assert refused.code == "AuthorizationFailed"
    assert "Microsoft.Insights/diagnosticSettings/write" in refused.body["error"]["message"]


def test_a_delegation_that_names_the_application_instead_of_the_principal_gives_nothing(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    cloud.delegations.clear()
    cloud.delegate(SUBSCRIPTION, scene.provider, [Authorization(scene.principal.app_id or "", READER.id)])
    assert azmdr.ask("GET", settings_path(VAULT)).code == "InvalidAuthenticationTokenTenant"


def test_a_delegation_to_another_provider_gives_nothing(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    cloud.delegations.clear()
    other = cloud.add_tenant("b5a0f9a1-6f2c-4e57-9a57-3b1d54b1f0aa", "another provider")
    cloud.delegate(SUBSCRIPTION, other, [Authorization(scene.principal.object_id, READER.id)])
    assert azmdr.ask("GET", settings_path(VAULT)).code == "InvalidAuthenticationTokenTenant"


def test_a_token_for_another_audience_is_refused(azmdr: Caller, cloud: Cloud) -> None:
    storage = "https://storage.azure.com"
    token = issue(azmdr.principal, storage, cloud.clock.now(), cloud.token_lifetime, cloud.signing_key)
    headers = {"authorization": f"Bearer {token}"}
    answer = azmdr.door.answer(Request("GET", "/tenants", URL, {"api-version": "2022-12-01"}, headers))
    assert b"InvalidAuthenticationTokenAudience" in answer.content()


def test_resource_graph_too_shows_what_is_delegated_alone(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    cloud.delegations.clear()
    group = f"{SUBSCRIPTION}/resourceGroups/{WORKSPACE_GROUP}"
    cloud.delegate(group, scene.provider, [Authorization(scene.principal.object_id, READER.id)])
    body = {
        "query": "resources | where subscriptionId == '" + CONTOSO.subscriptions[0].id + "' | project name"
    }
    rows = azmdr.ask("POST", "/providers/Microsoft.ResourceGraph/resources", body).body["data"]
    assert rows == [{"name": "contoso-entra-logs"}]


def test_a_delegation_may_go_to_a_group(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    cloud.delegations.clear()
    cloud.delegate(SUBSCRIPTION, scene.provider, [Authorization("analysts", READER.id)])
    member = Principal(scene.provider.id, scene.principal.object_id, "azmdr", groups=frozenset({"analysts"}))
    cloud.add_principal(member)
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200


def test_a_delegated_resource_group_shows_its_own_resources_alone(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    cloud.delegations.clear()
    group = f"{SUBSCRIPTION}/resourceGroups/{WORKSPACE_GROUP}"
    cloud.delegate(group, scene.provider, [Authorization(scene.principal.object_id, READER.id)])
    assert azmdr.ask("GET", f"{SUBSCRIPTION}/resources").names == ["contoso-entra-logs"]
    assert azmdr.ask("GET", settings_path(VAULT)).code == "AuthorizationFailed"


def test_writing_a_setting_needs_listkeys_on_the_hub_too(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    body = {
        "properties": {
            "eventHubAuthorizationRuleId": scene.rule_id("eastus"),
            "eventHubName": "contoso",
            "logs": [{"category": "AuditEvent", "enabled": True}],
        }
    }
    cloud.role_assignments.clear()
    refused = azmdr.ask("PUT", setting_path(VAULT), body)
    assert refused.code == "LinkedAuthorizationFailed"
    cloud.assign(scene.principal, READER, f"/subscriptions/{scene.subscription_id}")
    assert azmdr.ask("PUT", setting_path(VAULT), body).code == "LinkedAuthorizationFailed"


def test_an_unregistered_provider_is_a_conflict_and_registering_it_needs_a_right(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    subscription = cloud.subscriptions[CONTOSO.subscriptions[0].id]
    subscription.registered.discard("microsoft.insights")
    assert azmdr.ask("GET", settings_path(VAULT)).code == "MissingSubscriptionRegistration"

    cloud.delegations.clear()
    authorization = Authorization(scene.principal.object_id, LOG_ANALYTICS_CONTRIBUTOR.id)
    cloud.delegate(SUBSCRIPTION, scene.provider, [authorization])
    register = f"{SUBSCRIPTION}/providers/Microsoft.Insights/register"
    assert azmdr.ask("POST", register, version="2024-03-01").code == "AuthorizationFailed"

    authorization = Authorization(scene.principal.object_id, MONITORING_CONTRIBUTOR.id)
    cloud.delegate(SUBSCRIPTION, scene.provider, [authorization], offer="more")
    assert azmdr.ask("POST", register, version="2024-03-01").status == 200
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200


def test_a_disabled_subscription_can_be_read_and_not_written(azmdr: Caller, cloud: Cloud) -> None:
    cloud.subscriptions[CONTOSO.subscriptions[0].id].state = "Disabled"
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200
    assert azmdr.ask("DELETE", setting_path(VAULT)).code == "ReadOnlyDisabledSubscription"


@pytest.mark.parametrize(
    ("version", "code"),
    [("", "MissingApiVersionParameter"), ("2016-09-01", "NoRegisteredProviderFound")],
)
def test_the_api_version_is_checked(azmdr: Caller, version: str, code: str) -> None:
    assert azmdr.ask("GET", settings_path(VAULT), version=version).code == code


def test_a_path_nobody_serves_and_a_method_nobody_answers_are_told_apart(azmdr: Caller) -> None:
    assert azmdr.ask("GET", f"{SUBSCRIPTION}/nothing").status == 404
    assert azmdr.ask("PATCH", setting_path(VAULT)).status == 405


def test_owner_can_not_be_delegated(cloud: Cloud, scene: Scene) -> None:
    with pytest.raises(ArmError) as refused:
        cloud.delegate(SUBSCRIPTION, scene.provider, [Authorization("anyone", OWNER.id)])
    assert refused.value.status == 400


@given(st.sampled_from(sorted(ROLES)), st.sampled_from(["/subscriptions/a", "/subscriptions/ab"]))
def test_no_role_reaches_a_scope_whose_name_only_begins_alike(role_id: str, scope: str) -> None:
    from lab.azure.access import Grant

    held = [Grant(ROLES[role_id], "/subscriptions/a")]
    assert may(held, "Microsoft.ManagedServices/registrationAssignments/read", scope) == (
        scope == "/subscriptions/a"
        and ROLES[role_id].allows("Microsoft.ManagedServices/registrationAssignments/read")
    )
