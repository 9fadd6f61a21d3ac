"""The deployment engine: what a template says, who may deploy it, and what is refused."""

from typing import Any

import pytest

from lab.azure.arm_error import ArmError
from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.roles import CONTRIBUTOR, LOG_ANALYTICS_CONTRIBUTOR, OWNER, READER
from lab.azure.template_expressions import evaluate
from lab.azure.templates import Place, Template
from tests.lab_azure.caller import Caller, Reply
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION
from tests.lab_azure.policy_bodies import GROUP

NESTED = "Microsoft.Resources/deployments"
RESOURCE_GROUP = "Microsoft.Resources/resourceGroups"
WORKSPACES = "Microsoft.OperationalInsights/workspaces"


@pytest.fixture
def admin(door: FrontDoor, cloud: Cloud, azmdr: Caller) -> Caller:
    cloud.add_management_group(CONTOSO.tenant_id, "everything", [each.id for each in CONTOSO.subscriptions])
    person = cloud.add_principal(Principal(CONTOSO.tenant_id, "contoso-admin", "admin"))
    cloud.assign(person, OWNER, GROUP)
    return Caller(door, person, azmdr.contract)


def template(*resources: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"$schema": "x", "contentVersion": "1.0.0.0", "resources": list(resources), **parts}


def group(name: str = "made", **parts: Any) -> dict[str, Any]:
    return {"type": RESOURCE_GROUP, "apiVersion": "2025-04-01", "name": name, "location": "eastus", **parts}


def nested(inner: dict[str, Any], scope: str = "Inner", **parts: Any) -> dict[str, Any]:
    options = {"expressionEvaluationOptions": {"scope": scope}} if scope else {}
    properties = {**options, "mode": "Incremental", "template": inner, "parameters": parts.pop("given", {})}
    return {"type": NESTED, "apiVersion": "2025-04-01", "name": "inner", "properties": properties, **parts}


def deploy(caller: Caller, written: dict[str, Any], place: str = SUBSCRIPTION, **given: object) -> Reply:
    parameters = {name: {"value": value} for name, value in given.items()}
    body: dict[str, Any] = {
        "properties": {"mode": "Incremental", "template": written, "parameters": parameters}
    }
    if "resourceGroups" not in place:
        body["location"] = "eastus"
    return caller.ask("PUT", f"{place}/providers/{NESTED}/now", body, version="2025-04-01")


def state(reply: Reply) -> str:
    return str(reply.body["properties"]["provisioningState"])


def worth(expression: str, **parameters: Any) -> Any:
    declared = {name: {"type": "object", "defaultValue": value} for name, value in parameters.items()}
    facts = {
        "subscription": {"id": SUBSCRIPTION, "subscriptionId": SUBSCRIPTION.split("/")[2]},
        "managementGroup": {"id": GROUP},
        "tenant": {"tenantId": CONTOSO.tenant_id},
    }
    place = Place(SUBSCRIPTION, facts)
    written = {"parameters": declared, "resources": []}
    made = Template(
        written, {}, place, {"name": "now", "location": "eastus"}, lambda *_: {"properties": {"x": 1}}
    )
    return evaluate(expression, made.functions())


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("[[not('one')]", "[not('one')]"),
        ("[concat('it''s ', 'x', 3)]", "it's x3"),
        ("[concat(createArray(1), createArray(2, 3))]", [1, 2, 3]),
        ("[format('{0}-{1}-{0}', 'a', 7)]", "a-7-a"),
        ("[string(createArray('a', 1))]", '["a",1]'),
        ("[if(equals('A', 'a'), 'same', parameters('nobody'))]", "same"),
        ("[if(not(empty('x')), div(7, 2), mod(7, 2))]", 3),
        ("[range(2, 3)[1]]", 3),
        ("[parameters('p').inner[1]]", "b"),
        ("[length(parameters('p').INNER)]", 2),
        ("[toLower(deployment().location)]", "eastus"),
        ("[subscription().subscriptionId]", SUBSCRIPTION.split("/")[2]),
        ("[tenant().tenantId]", CONTOSO.tenant_id),
        ("[reference('/x', '1').x]", 1),
        ("[reference('/x', '1', 'full').properties.x]", 1),
        ("[tenantResourceId('A.B/c', 'd')]", "/providers/A.B/c/d"),
        ("[extensionResourceId(managementGroup().id, 'A.B/c', 'd')]", f"{GROUP}/providers/A.B/c/d"),
        ("[managementGroupResourceId('A.B/c', 'd')]", f"{GROUP}/providers/A.B/c/d"),
        (
            "[managementGroupResourceId('mg', 'A.B/c', 'd')]",
            GROUP.replace("everything", "mg") + "/providers/A.B/c/d",
        ),
        ("[subscriptionResourceId('A.B/c/e', 'd', 'f')]", f"{SUBSCRIPTION}/providers/A.B/c/d/e/f"),
        ("[subscriptionResourceId('other', 'A.B/c', 'd')]", "/subscriptions/other/providers/A.B/c/d"),
        ("[resourceId('A.B/c', 'd')]", f"{SUBSCRIPTION}/providers/A.B/c/d"),
        ("[resourceId('s', 'g', 'A.B/c', 'd')]", "/subscriptions/s/resourceGroups/g/providers/A.B/c/d"),
        ({"[concat('k', 'ey')]": ["[true()]", 3]}, {"key": [True, 3]}),
    ],
)
def test_an_expression_comes_to_its_value(expression: Any, value: object) -> None:
    assert worth(expression, p={"inner": ["a", "b"]}) == value


def test_a_guid_follows_from_its_texts_alone() -> None:
    assert worth("[guid('a', 'b')]") == worth("[guid('a', 'b')]") != worth("[guid('b', 'a')]")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("[uniqueString('x')]", "'uniqueString' is not valid"),
        ("[newGuid()]", "'newGuid' is not valid"),
        ("[concat('a', ]", "parse"),
        ("[concat('a']", "',' is missing|too early"),
        ("['a' 'b']", "parse"),
        ("[parameters('nobody')]", "parameter 'nobody' is not found"),
        ("[variables('nobody')]", "variable 'nobody' is not found"),
        ("[parameters('p').other]", "'other' doesn't exist"),
        ("[copyIndex()]", "'copyIndex' is not expected"),
        ("[div(1, 0)]", "'div' can't take"),
        ("[resourceId('A.B/c/d', 'e')]", "needs 2 names"),
    ],
)
def test_what_is_not_here_is_refused_by_its_name(expression: str, told: str) -> None:
    with pytest.raises(ArmError, match=told) as refused:
        worth(expression, p={})
    assert (refused.value.status, refused.value.code) == (400, "InvalidTemplate")


def test_resources_are_put_in_the_order_of_what_they_need(admin: Caller) -> None:
    inner = template(
        {
            "type": WORKSPACES,
            "apiVersion": "2025-07-01",
            "name": "logs",
            "location": "[resourceGroup().location]",
        },
        {
            "copy": {"name": "each", "count": "[length(variables('tables'))]"},
            "type": f"{WORKSPACES}/tables",
            "apiVersion": "2025-07-01",
            "name": "[format('logs/{0}', variables('tables')[copyIndex('each')])]",
            "properties": {"plan": "Analytics"},
            "dependsOn": [f"[resourceId('{WORKSPACES}', 'logs')]"],
        },
        variables={"tables": ["SigninLogs", "AuditLogs"]},
        outputs={
            "id": {
                "type": "string",
                "value": f"[reference(resourceId('{WORKSPACES}', 'logs'), '2025-07-01', 'full').id]",
            }
        },
    )
    first = nested(
        inner, resourceGroup="made", dependsOn=[f"[subscriptionResourceId('{RESOURCE_GROUP}', 'made')]"]
    )
    reply = deploy(admin, template(first, group()))
    assert (reply.status, state(reply)) == (201, "Succeeded")
    tables = admin.ask("GET", f"{SUBSCRIPTION}/resourceGroups/made/providers/{WORKSPACES}/logs/tables").names
    assert tables == ["AuditLogs", "AzureActivity", "AzureDiagnostics", "SigninLogs"]
    shown = admin.ask(
        "GET", f"{SUBSCRIPTION}/resourceGroups/made/providers/{NESTED}/inner", version="2025-04-01"
    )
    assert shown.body["properties"]["outputs"]["id"]["value"].lower().endswith("/workspaces/logs")
    assert deploy(admin, template(first, group())).status == 200
    listed = admin.ask("GET", f"{SUBSCRIPTION}/providers/{NESTED}", version="2025-04-01")
    assert listed.names == ["now"]


def test_a_condition_leaves_out_and_a_copy_repeats(admin: Caller) -> None:
    names = {"copy": [{"name": "names", "count": 3, "input": "[format('g{0}', copyIndex('names', 1))]"}]}
    loop = {"name": "groups", "count": "[length(variables('names'))]"}
    written = template(
        group("[variables('names')[copyIndex()]]", copy=loop),
        group("left-out", condition="[parameters('wanted')]"),
        parameters={"wanted": {"type": "bool"}},
        variables=names,
    )
    assert state(deploy(admin, written, wanted=False)) == "Succeeded"
    shown = admin.ask("GET", f"{SUBSCRIPTION}/resourcegroups").names
    assert {"g1", "g2", "g3"} <= set(shown)
    assert "left-out" not in shown


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (template(parameters={"given": {"type": "string"}, "p": {"type": "string"}}), "'p' is not provided"),
        (template(parameters={"given": {"type": "int"}}), "'given' is no int"),
        (template(parameters={"given": {"type": "string", "allowedValues": ["a"]}}), "none of the allowed"),
        (template(), "no parameter 'given'"),
        (
            template(group(dependsOn=["other"]), parameters={"given": {"type": "string"}}),
            "'other' is not defined",
        ),
        (
            template(
                group("a", dependsOn=["b"]),
                group("b", dependsOn=["a"]),
                parameters={"given": {"type": "string"}},
            ),
            "Circular",
        ),
        (template({"type": "x"}, parameters={"given": {"type": "string"}}), "no type, apiVersion or name"),
    ],
)
def test_a_template_that_cant_be_is_refused_before_anything_is_put(
    admin: Caller, written: dict[str, Any], told: str
) -> None:
    reply = deploy(admin, written, given="x")
    assert (reply.status, reply.code) == (400, "InvalidTemplate")
    assert told in reply.body["error"]["message"]
    assert admin.door.cloud.groups[CONTOSO.subscriptions[0].id] == {}


def test_what_fails_within_is_told_and_what_was_put_stays(admin: Caller) -> None:
    bad = {"type": "Microsoft.Nobody/things", "apiVersion": "2025-01-01", "name": "x", "dependsOn": ["made"]}
    reply = deploy(admin, template(group(), bad))
    assert state(reply) == "Failed"
    assert reply.body["properties"]["error"]["details"][0]["target"].endswith("Microsoft.Nobody/things/x")
    assert "made" in admin.ask("GET", f"{SUBSCRIPTION}/resourcegroups").names
    reply = deploy(admin, template(nested(template(bad), location="eastus")))
    assert state(reply) == "Failed"
    assert state(deploy(admin, template(nested(template(), scope="", location="eastus")))) == "Failed"


def test_whoever_deploys_needs_every_right_its_resources_ask_for(admin: Caller, cloud: Cloud) -> None:
    role = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "[guid('x')]",
        "properties": {"roleDefinitionId": READER.id, "principalId": admin.principal.object_id},
    }
    assert state(deploy(admin, template(role), GROUP)) == "Succeeded"
    cloud.role_assignments.clear()
    cloud.assign(admin.principal, READER, GROUP)
    assert deploy(admin, template(), GROUP).code == "AuthorizationFailed"
    assert deploy(admin, template()).code == "AuthorizationFailed"
    cloud.assign(admin.principal, LOG_ANALYTICS_CONTRIBUTOR, SUBSCRIPTION)
    assert "AuthorizationFailed" in str(deploy(admin, template(group())).body)
    cloud.assign(admin.principal, CONTRIBUTOR, SUBSCRIPTION)
    assert state(deploy(admin, template(group()))) == "Succeeded"
    assert "AuthorizationFailed" in str(deploy(admin, template(role)).body)


def test_a_provider_that_is_not_registered_is_not_registered_by_deploying(
    admin: Caller, cloud: Cloud
) -> None:
    cloud.subscriptions[CONTOSO.subscriptions[0].id].registered.discard("microsoft.operationalinsights")
    workspace = {"type": WORKSPACES, "apiVersion": "2025-07-01", "name": "logs", "location": "eastus"}
    inner = nested(template(workspace), resourceGroup="made", dependsOn=["made"])
    assert "MissingSubscriptionRegistration" in str(deploy(admin, template(group(), inner)).body)


def test_a_deployment_has_a_place_and_a_known_mode(admin: Caller) -> None:
    missing = f"{SUBSCRIPTION}/resourceGroups/nowhere"
    assert deploy(admin, template(), missing).code == "ResourceGroupNotFound"
    path = f"{SUBSCRIPTION}/providers/{NESTED}/now"
    for properties in ({"mode": "Complete", "template": template()}, {"mode": "Incremental"}):
        body = {"location": "eastus", "properties": properties}
        assert admin.ask("PUT", path, body, version="2025-04-01").code == "InvalidDeployment"
    body = {"properties": {"mode": "Incremental", "template": template()}}
    assert admin.ask("PUT", path, body, version="2025-04-01").code == "LocationNotAvailableForDeployment"
    assert admin.ask("GET", path, version="2025-04-01").code == "DeploymentNotFound"
