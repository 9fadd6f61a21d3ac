from datetime import timedelta
from typing import Any

import pytest

from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL
from lab.azure.roles import CONTRIBUTOR, OWNER, RESOURCE_POLICY_CONTRIBUTOR, Role
from lab.azure.scenario import Scene
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION
from tests.lab_azure.policy_bodies import GROUP, assignment, definition

SUBSCRIPTIONS = [f"/subscriptions/{each.id}" for each in CONTOSO.subscriptions]
DEFINITION = f"{GROUP}/providers/Microsoft.Authorization/policyDefinitions/delegate"
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/delegate"
REMEDIATION = f"{GROUP}/providers/Microsoft.PolicyInsights/remediations/now"
STATES = "providers/Microsoft.PolicyInsights/policyStates/latest"


@pytest.fixture(autouse=True)
def _management_group(cloud: Cloud) -> None:
    cloud.add_management_group(CONTOSO.tenant_id, "everything", [each.id for each in CONTOSO.subscriptions])


@pytest.fixture
def admin(door: FrontDoor, cloud: Cloud, azmdr: Caller) -> Caller:
    person = cloud.add_principal(Principal(CONTOSO.tenant_id, "contoso-admin", "admin"))
    cloud.assign(person, OWNER, GROUP)
    return Caller(door, person, azmdr.contract)


def assigned(admin: Caller, scene: Scene, role: Role | None = OWNER) -> None:
    """The policy, assigned to the management group, its identity with the role it needs."""
    assert admin.ask("PUT", DEFINITION, definition()).status == 201
    reply = admin.ask("PUT", ASSIGNMENT, assignment(scene, DEFINITION))
    assert reply.status == 201
    if role is not None:
        identity = Principal(CONTOSO.tenant_id, reply.body["identity"]["principalId"], "delegate")
        scene.cloud.assign(identity, role, GROUP)


def compliance(caller: Caller, place: str = GROUP, **query: str) -> dict[str, str]:
    reply = caller.ask("POST", f"{place}/{STATES}/queryResults", version="2019-10-01", **query)
    while link := reply.body["@odata.nextLink"]:
        more = caller.ask("POST", link.removeprefix(URL), version="2019-10-01")
        more.body["value"] = [*reply.body["value"], *more.body["value"]]
        reply = more
    assert reply.body["@odata.count"] == len(reply.body["value"])
    return {each["resourceId"]: each["complianceState"] for each in reply.body["value"]}


def remediate(admin: Caller, **changed: object) -> Any:
    return admin.ask("PUT", REMEDIATION, {"properties": {"policyAssignmentId": ASSIGNMENT, **changed}})


def test_a_definition_makes_the_round_trip_and_is_seen_below_its_group(admin: Caller) -> None:
    assert admin.ask("PUT", DEFINITION, definition()).status == 201
    assert admin.ask("PUT", DEFINITION, definition()).status == 201
    assert admin.ask("GET", DEFINITION).body["properties"]["policyType"] == "Custom"
    for place in (GROUP, SUBSCRIPTION):
        listed = admin.ask("GET", f"{place}/providers/Microsoft.Authorization/policyDefinitions")
        assert listed.names == ["delegate"]
    assert [admin.ask("DELETE", DEFINITION).status for _ in range(2)] == [200, 204]
    assert admin.ask("GET", DEFINITION).code == "PolicyDefinitionNotFound"


def test_a_rule_without_what_it_needs_is_refused(admin: Caller) -> None:
    for missing in ("type", "roleDefinitionIds", "deployment"):
        body = definition()
        del body["properties"]["policyRule"]["then"]["details"][missing]
        assert admin.ask("PUT", DEFINITION, body).code == "InvalidPolicyRule"
    body = definition()
    del body["properties"]["policyRule"]["if"]
    assert admin.ask("PUT", DEFINITION, body).code == "InvalidPolicyRule"


def test_an_assignment_needs_its_definition_its_parameters_and_an_identity(
    admin: Caller, scene: Scene
) -> None:
    body = assignment(scene, DEFINITION)
    assert admin.ask("PUT", ASSIGNMENT, body).code == "PolicyDefinitionNotFound"
    admin.ask("PUT", DEFINITION, definition())
    assert admin.ask("PUT", ASSIGNMENT, {**body, "identity": {"type": "None"}}).code == (
        "ResourceIdentityRequired"
    )
    unknown = assignment(scene, DEFINITION, parameters={"nobody": {"value": 1}})
    assert admin.ask("PUT", ASSIGNMENT, unknown).code == "UndefinedPolicyParameter"
    too_few = assignment(scene, DEFINITION, parameters={})
    assert admin.ask("PUT", ASSIGNMENT, too_few).code == "MissingPolicyParameter"
    assert admin.ask("PUT", ASSIGNMENT, body).status == 201
    assert admin.ask("DELETE", DEFINITION).code == "PolicyDefinitionInUse"


def test_assignments_are_listed_by_where_they_reach(admin: Caller, scene: Scene) -> None:
    assigned(admin, scene)
    own = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments"
    assert admin.ask("PUT", f"{own}/own", assignment(scene, DEFINITION)).status == 201
    assert admin.ask("GET", own).names == ["delegate", "own"]
    assert admin.ask("GET", own, filter="atExactScope()").names == ["own"]
    assert admin.ask("GET", own, filter=f"policyDefinitionId eq '{DEFINITION}'").names == ["delegate", "own"]
    assert admin.ask("GET", own, filter="policyDefinitionId eq 'x'").names == []
    assert admin.ask("GET", own, filter="anything").status == 400
    elsewhere = own.replace(SUBSCRIPTION, SUBSCRIPTIONS[1])
    assert admin.ask("GET", elsewhere).names == ["delegate"]
    assert [admin.ask("DELETE", f"{own}/own").status for _ in range(2)] == [200, 204]


def test_a_subscription_complies_once_it_has_delegated_itself(
    admin: Caller, scene: Scene, cloud: Cloud
) -> None:
    assigned(admin, scene)
    assert compliance(admin) == dict.fromkeys(SUBSCRIPTIONS, "Compliant")
    cloud.delegations[CONTOSO.subscriptions[1].id].clear()
    failing = {SUBSCRIPTIONS[1]: "NonCompliant"}
    assert compliance(admin) == dict.fromkeys(SUBSCRIPTIONS, "Compliant") | failing
    assert compliance(admin, filter="complianceState eq 'NonCompliant'") == failing
    cloud.page_size = 3
    assert compliance(admin) == dict.fromkeys(SUBSCRIPTIONS, "Compliant") | failing
    assert len(compliance(admin, top="2")) == 2
    assert compliance(admin, SUBSCRIPTIONS[1]) == failing
    assert compliance(admin, SUBSCRIPTIONS[0]) == {SUBSCRIPTIONS[0]: "Compliant"}
    summary = admin.ask("POST", f"{GROUP}/{STATES}/summarize", version="2019-10-01").body["value"][0]
    assert summary["results"]["nonCompliantResources"] == 1
    assert [each["results"]["nonCompliantPolicies"] for each in summary["policyAssignments"]] == [1]


def test_a_delegated_resource_group_is_not_enough(admin: Caller, scene: Scene, cloud: Cloud) -> None:
    assigned(admin, scene)
    kept = cloud.delegations[CONTOSO.subscriptions[0].id]
    for key in [key for key, each in kept.items() if each.scope.group is None]:
        del kept[key]
    assert kept
    assert compliance(admin, SUBSCRIPTION) == {SUBSCRIPTION: "NonCompliant"}


def test_a_definition_is_assigned_where_it_stands_or_below(admin: Caller, scene: Scene) -> None:
    own = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/delegate"
    assert admin.ask("PUT", own, definition()).status == 201
    assert admin.ask("PUT", ASSIGNMENT, assignment(scene, own)).code == "PolicyDefinitionNotFound"
    below = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/delegate"
    assert admin.ask("PUT", below, assignment(scene, own)).status == 201


def test_what_is_left_out_or_only_audited_has_no_state(admin: Caller, scene: Scene) -> None:
    admin.ask("PUT", DEFINITION, definition())
    admin.ask("PUT", ASSIGNMENT, assignment(scene, DEFINITION, notScopes=SUBSCRIPTIONS[2:]))
    assert set(compliance(admin)) == set(SUBSCRIPTIONS[:2])
    admin.ask("PUT", DEFINITION, definition("[parameters('effect')]"))
    assert set(compliance(admin)) == set(SUBSCRIPTIONS[:2])
    admin.ask("PUT", DEFINITION, definition("disabled"))
    assert compliance(admin) == {}


def test_a_remediation_deploys_when_its_time_has_come(admin: Caller, scene: Scene, cloud: Cloud) -> None:
    assigned(admin, scene)
    for subscription in CONTOSO.subscriptions:
        cloud.delegations[subscription.id].clear()
    cloud.deployment_time = timedelta(minutes=2)
    created = remediate(admin, parallelDeployments=3)
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Accepted")
    azmdr = Caller(admin.door, scene.principal)
    assert len(azmdr.ask("GET", "/subscriptions").body["value"]) == 6
    cloud.clock.advance(120)
    assert _progress(admin) == ("Evaluating", 4, 3, 0)
    cloud.clock.advance(120)
    assert len(azmdr.ask("GET", "/subscriptions").body["value"]) == 10
    assert _progress(admin) == ("Succeeded", 4, 4, 0)
    assert compliance(admin) == dict.fromkeys(SUBSCRIPTIONS, "Compliant")
    deployments = admin.ask("POST", f"{REMEDIATION}/listDeployments").body["value"]
    assert {each["remediatedResourceId"] for each in deployments} == set(SUBSCRIPTIONS)


def test_without_the_role_for_its_identity_a_remediation_fails(
    admin: Caller, scene: Scene, cloud: Cloud
) -> None:
    assigned(admin, scene, CONTRIBUTOR)
    cloud.delegations[CONTOSO.subscriptions[0].id].clear()
    remediate(admin)
    assert _progress(admin) == ("Failed", 1, 0, 1)
    assert compliance(admin, SUBSCRIPTION) == {SUBSCRIPTION: "NonCompliant"}


def test_a_canceled_remediation_deploys_no_more(admin: Caller, scene: Scene, cloud: Cloud) -> None:
    assigned(admin, scene)
    for subscription in CONTOSO.subscriptions:
        cloud.delegations[subscription.id].clear()
    cloud.deployment_time = timedelta(minutes=2)
    remediate(admin, parallelDeployments=1)
    cloud.clock.advance(120)
    assert admin.ask("DELETE", REMEDIATION).code == "InvalidDeleteRemediationRequest"
    assert remediate(admin).code == "InvalidUpdateRemediationRequest"
    assert admin.ask("POST", f"{REMEDIATION}/cancel").body["properties"]["provisioningState"] == "Canceled"
    cloud.clock.advance(3600)
    assert sorted(compliance(admin).values()) == ["Compliant"] + ["NonCompliant"] * 3
    assert admin.ask("POST", f"{REMEDIATION}/cancel").code == "InvalidCancelRemediationRequest"
    assert [admin.ask("DELETE", REMEDIATION).status for _ in range(2)] == [200, 204]


def test_a_remediation_stays_in_its_scope_and_needs_an_assignment(
    admin: Caller, scene: Scene, cloud: Cloud
) -> None:
    assigned(admin, scene)
    for subscription in CONTOSO.subscriptions:
        cloud.delegations[subscription.id].clear()
    below = f"{SUBSCRIPTION}/providers/Microsoft.PolicyInsights/remediations"
    body = {"properties": {"policyAssignmentId": ASSIGNMENT}}
    assert admin.ask("PUT", f"{below}/here", body).status == 201
    assert admin.ask("GET", below).names == ["here"]
    assert admin.ask("GET", below.replace(SUBSCRIPTION, SUBSCRIPTIONS[1])).names == []
    assert compliance(admin, filter="isCompliant eq true") == {SUBSCRIPTION: "Compliant"}
    body = {"properties": {"policyAssignmentId": ASSIGNMENT + "x"}}
    assert admin.ask("PUT", f"{below}/there", body).code == "InvalidCreateRemediationRequest"


def test_policy_asks_for_its_own_roles(admin: Caller, cloud: Cloud, azmdr: Caller) -> None:
    own = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/delegate"
    assert azmdr.ask("GET", own).status == 404
    assert azmdr.ask("PUT", own, definition()).code == "AuthorizationFailed"
    assert azmdr.ask("GET", DEFINITION).status == 404
    cloud.role_assignments.clear()
    cloud.assign(admin.principal, CONTRIBUTOR, GROUP)
    assert admin.ask("PUT", DEFINITION, definition()).code == "AuthorizationFailed"
    assert admin.ask("PUT", own, definition()).code == "AuthorizationFailed"
    cloud.assign(admin.principal, RESOURCE_POLICY_CONTRIBUTOR, GROUP)
    assert admin.ask("PUT", own, definition()).status == 201
    assert admin.ask("PUT", DEFINITION, definition()).status == 201


def _progress(admin: Caller) -> tuple[str, int, int, int]:
    shown = admin.ask("GET", REMEDIATION).body["properties"]
    status = shown["deploymentStatus"]
    counts = (status["totalDeployments"], status["successfulDeployments"], status["failedDeployments"])
    return (shown["provisioningState"], *counts)
