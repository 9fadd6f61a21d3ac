import pytest

from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import LIMIT, DiagnosticSetting, Switch
from lab.azure.resource_id import ResourceId
from lab.azure.scenario import Scene
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import (
    BLOBS,
    CONTOSO,
    DISK,
    FRONT_DOOR,
    STORAGE,
    SUBSCRIPTION,
    VAULT,
    setting_path,
    settings_path,
)


def body(
    scene: Scene, *logs: str, region: str = "eastus", hub: str | None = CONTOSO.name, group: str = ""
) -> object:
    switches = [{"category": each, "enabled": True} for each in logs]
    groups = [{"categoryGroup": group, "enabled": True}] if group else []
    destination = {"eventHubAuthorizationRuleId": scene.rule_id(region)}
    named = {"eventHubName": hub} if hub else {}
    return {"properties": {**destination, **named, "logs": [*switches, *groups]}}


def foreign(name: str, *categories: str, sink: str = "/sinks/elsewhere") -> DiagnosticSetting:
    """A setting somebody else made."""
    logs = tuple(Switch(each, None, True) for each in categories)
    return DiagnosticSetting(name, logs, workspace_id=sink)


def test_a_setting_that_was_written_can_be_read_listed_and_deleted(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", setting_path(VAULT), body(scene, group="audit")).status == 200

    read = azmdr.ask("GET", setting_path(VAULT))
    assert read.body["name"] == "azmdr"
    assert read.body["properties"]["eventHubName"] == "contoso"
    assert azmdr.ask("GET", settings_path(VAULT)).names == ["azmdr"]

    assert azmdr.ask("DELETE", setting_path(VAULT)).status == 200
    assert azmdr.ask("DELETE", setting_path(VAULT)).status == 204
    assert azmdr.ask("GET", setting_path(VAULT)).code == "ResourceNotFound"


def test_ids_are_compared_without_regard_to_case(azmdr: Caller, scene: Scene) -> None:
    azmdr.ask(
        "PUT",
        setting_path(VAULT.upper().replace("/SUBSCRIPTIONS", "/subscriptions")),
        body(scene, "AuditEvent"),
    )
    assert azmdr.ask("GET", setting_path(VAULT.lower(), "AZMDR")).status == 200


def test_the_spelling_of_an_id_changes_between_answers_and_only_the_spelling(
    azmdr: Caller, scene: Scene
) -> None:
    azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent"))
    answers = [azmdr.ask("GET", setting_path(VAULT)).body for _ in range(6)]
    rules = {answer["properties"]["eventHubAuthorizationRuleId"] for answer in answers}
    assert len(rules) > 1
    assert {rule.lower() for rule in rules} == {scene.rule_id("eastus").lower()}
    assert len({answer["id"].lower() for answer in answers}) == 1


def test_a_sixth_setting_is_refused_but_one_of_the_five_can_be_changed(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    key = ResourceId.parse(VAULT).key
    for number in range(LIMIT - 1):
        cloud.put_setting(key, foreign(f"theirs-{number}", "AuditEvent", sink=f"/sinks/{number}"))
    assert azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent")).status == 200
    assert azmdr.ask("PUT", setting_path(VAULT, "one-more"), body(scene, "AuditEvent")).code == "Conflict"
    assert azmdr.ask("PUT", setting_path(VAULT), body(scene, group="allLogs")).status == 200


def test_the_limit_holds_on_a_subscription_too(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    for number in range(LIMIT):
        cloud.put_setting(SUBSCRIPTION, foreign(f"theirs-{number}", "Policy", sink=f"/sinks/{number}"))
    assert azmdr.ask("PUT", setting_path(SUBSCRIPTION), body(scene, "Administrative")).status == 409


def test_a_sink_serves_a_category_once_however_it_is_asked_for(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", setting_path(VAULT, "first"), body(scene, "AuditEvent")).status == 200
    second = azmdr.ask("PUT", setting_path(VAULT, "second"), body(scene, group="allLogs"))
    assert second.status == 409
    assert "first" in second.body["error"]["message"]
    other = body(scene, "AzurePolicyEvaluationDetails")
    assert azmdr.ask("PUT", setting_path(VAULT, "second"), other).status == 200


def test_a_hub_has_to_be_in_the_region_of_the_resource(azmdr: Caller, scene: Scene) -> None:
    refused = azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent", region="uksouth"))
    assert refused.code == "BadRequest"
    assert "same region" in refused.body["error"]["message"]


def test_what_has_no_region_takes_a_hub_in_any(azmdr: Caller, scene: Scene) -> None:
    for region in CONTOSO.regions:
        everything = body(scene, group="allLogs", region=region)
        assert azmdr.ask("PUT", setting_path(FRONT_DOOR), everything).status == 200
        assert (
            azmdr.ask("PUT", setting_path(SUBSCRIPTION), body(scene, "Administrative", region=region)).status
            == 200
        )


def test_a_type_without_logs_is_refused(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", setting_path(DISK), body(scene, "Any")).code == "ResourceTypeNotSupported"
    assert azmdr.ask("GET", settings_path(DISK)).code == "ResourceTypeNotSupported"


def test_a_storage_account_sends_logs_through_its_services_alone(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", setting_path(STORAGE), body(scene, "StorageWrite")).code == "BadRequest"
    assert azmdr.ask("PUT", setting_path(BLOBS), body(scene, "StorageWrite")).status == 200


@pytest.mark.parametrize(
    "logs",
    [
        [{"categoryGroup": "audit", "enabled": True}, {"category": "AuditEvent", "enabled": True}],
        [{"category": "NoSuchCategory", "enabled": True}],
        [{"categoryGroup": "noSuchGroup", "enabled": True}],
        [{"category": "AuditEvent", "enabled": False}],
        [{"category": "AuditEvent", "enabled": True, "retentionPolicy": {"enabled": True, "days": 30}}],
        [{"enabled": True}],
    ],
    ids=["mixed", "category", "group", "nothing", "retention", "nameless"],
)
def test_logs_that_can_not_be_are_refused(azmdr: Caller, scene: Scene, logs: object) -> None:
    wrong = {
        "properties": {
            "eventHubAuthorizationRuleId": scene.rule_id("eastus"),
            "eventHubName": "contoso",
            "logs": logs,
        }
    }
    assert azmdr.ask("PUT", setting_path(VAULT), wrong).status == 400


def test_a_body_of_another_shape_is_refused(azmdr: Caller) -> None:
    refused = azmdr.ask("PUT", setting_path(VAULT), {"properties": {"logs": [{"category": "AuditEvent"}]}})
    assert refused.code == "InvalidRequestContent"


def test_a_setting_needs_a_destination(azmdr: Caller) -> None:
    nowhere = {"properties": {"logs": [{"category": "AuditEvent", "enabled": True}], "workspaceId": ""}}
    assert azmdr.ask("PUT", setting_path(VAULT), nowhere).code == "BadRequest"


def test_categories_that_were_not_asked_for_come_back_switched_off(azmdr: Caller, scene: Scene) -> None:
    azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent"))
    logs = azmdr.ask("GET", setting_path(VAULT)).body["properties"]["logs"]
    assert {each["category"]: each["enabled"] for each in logs} == {
        "AuditEvent": True,
        "AzurePolicyEvaluationDetails": False,
    }


def test_an_old_api_version_can_not_touch_a_setting_with_groups(azmdr: Caller, scene: Scene) -> None:
    old = "2017-05-01-preview"
    azmdr.ask("PUT", setting_path(VAULT), body(scene, group="audit"))
    named = body(scene, "AuditEvent")
    refused = azmdr.ask("PUT", setting_path(VAULT), named, version=old)
    assert refused.code == "BadRequest"
    assert "API version" in refused.body["error"]["message"]
    assert azmdr.ask("PUT", setting_path(BLOBS), body(scene, "StorageWrite"), version=old).status == 200


def test_settings_survive_their_resource_and_return_with_it(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent"))
    cloud.remove_resource(VAULT)
    assert azmdr.ask("GET", settings_path(VAULT)).code == "ResourceNotFound"
    cloud.add_resource(VAULT, "eastus")
    assert azmdr.ask("GET", settings_path(VAULT)).names == ["azmdr"]


def test_a_setting_on_a_name_beyond_ascii_is_taken_and_lost(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    vault = VAULT + "-größe"
    cloud.add_resource(vault, "eastus")
    assert azmdr.ask("PUT", setting_path(vault), body(scene, "AuditEvent")).status == 200
    assert azmdr.ask("GET", settings_path(vault)).names == []


def test_the_hub_and_the_rule_have_to_be_there(azmdr: Caller, scene: Scene) -> None:
    assert azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent", hub="nowhere")).status == 400
    absent = {"properties": {"eventHubAuthorizationRuleId": scene.rule_id("eastus") + "x", "logs": []}}
    assert azmdr.ask("PUT", setting_path(VAULT), absent).status == 404


def test_without_a_hub_name_the_rule_needs_manage(azmdr: Caller, scene: Scene) -> None:
    refused = azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent", hub=None))
    assert "Manage" in refused.body["error"]["message"]
    root = scene.rule_id("eastus").replace("diagnostics", "RootManageSharedAccessKey")
    allowed = {
        "properties": {
            "eventHubAuthorizationRuleId": root,
            "logs": [{"category": "AuditEvent", "enabled": True}],
        }
    }
    assert azmdr.ask("PUT", setting_path(VAULT), allowed).status == 200


def test_a_rule_of_a_hub_is_no_destination(azmdr: Caller, scene: Scene) -> None:
    of_hub = f"{scene.namespace_id('eastus')}/eventhubs/contoso/authorizationRules/diagnostics"
    wrong = {"properties": {"eventHubAuthorizationRuleId": of_hub, "logs": []}}
    assert "Expected types" in azmdr.ask("PUT", setting_path(VAULT), wrong).body["error"]["message"]


def test_categories_tell_the_groups_they_belong_to(azmdr: Caller) -> None:
    listed = azmdr.ask("GET", f"{VAULT}/providers/Microsoft.Insights/diagnosticSettingsCategories")
    groups = {each["name"]: each["properties"]["categoryGroups"] for each in listed.body["value"]}
    assert groups["AuditEvent"] == ["allLogs", "audit"]
    assert groups["AzurePolicyEvaluationDetails"] == ["allLogs"]


def test_a_listing_lags_behind_a_write_by_the_visibility_lag(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    azmdr.ask("PUT", setting_path(VAULT), body(scene, "AuditEvent"))
    cloud.visibility_lag = cloud.clock.now() - cloud.clock.now().replace(hour=7)
    cloud.clock.advance(60)
    assert azmdr.ask("GET", settings_path(VAULT)).names == []
    assert azmdr.ask("GET", setting_path(VAULT)).status == 200
    cloud.clock.advance(3600)
    assert azmdr.ask("GET", settings_path(VAULT)).names == ["azmdr"]
