import random

from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.happenings import OURS, THEIRS, Happenings
from lab.azure.scenario import Scene, build_scene
from lab.azure.virtual_clock import EPOCH
from lab.customers import CUSTOMERS
from lab.records import encode
from tests.lab_azure.places import SUBSCRIPTION, VAULT


def watched(cloud: Cloud, scene: Scene) -> None:
    rule = scene.rule_id("eastus")
    logs = (Switch(None, "allLogs", True),)
    cloud.put_setting(VAULT.lower(), DiagnosticSetting(OURS, logs, event_hub_rule_id=rule))
    named = (Switch("Administrative", None, True), Switch("Policy", None, True))
    cloud.put_setting(SUBSCRIPTION, DiagnosticSetting(OURS, named, event_hub_rule_id=rule))


def told(cloud: Cloud, seed: int, count: int) -> list[tuple[str, str]]:
    happenings = Happenings(CUSTOMERS, seed)
    happened = (happenings.happen(cloud) for _ in range(count))
    return [(each.what, each.resource_id) for each in happened if each is not None]


def test_every_kind_has_its_turn_and_does_what_it_says(cloud: Cloud, scene: Scene) -> None:
    watched(cloud, scene)
    happened = dict(told(cloud, 7, 5))
    assert list(happened) == [
        "setting deleted",
        "vault created",
        "setting drifted",
        "foreign setting added",
        "resource deleted",
    ]
    assert cloud.settings[_target(happened["setting deleted"])].latest(OURS) is None
    drifted = cloud.settings[_target(happened["setting drifted"])].latest(OURS)
    assert drifted is not None
    assert [each.group for each in drifted.logs] == [None]
    foreign = cloud.settings[_target(happened["foreign setting added"])].latest(THEIRS)
    assert foreign is not None
    keys = {key for kept in cloud.resources.values() for key, _ in kept.all_latest()}
    assert happened["vault created"].lower() in keys
    assert happened["resource deleted"].lower() not in keys


def test_a_group_drifts_to_one_of_its_categories(cloud: Cloud, scene: Scene) -> None:
    setting = DiagnosticSetting(
        OURS, (Switch(None, "allLogs", True),), event_hub_rule_id=scene.rule_id("eastus")
    )
    for key in [
        key for kept in cloud.resources.values() for key, _ in kept.all_latest() if "/vaults/" in key
    ]:
        cloud.put_setting(key, setting)
    happened = dict(told(cloud, 7, 3))
    drifted = cloud.settings[_target(happened["setting drifted"])].latest(OURS)
    assert drifted is not None
    assert drifted.logs == (Switch("AuditEvent", None, True),)


def test_where_no_setting_is_ours_none_is_touched(cloud: Cloud) -> None:
    kinds = [what for what, _ in told(cloud, 7, 20)]
    assert len(kinds) == 20
    assert "setting deleted" not in kinds


def test_the_same_seed_does_the_same_again_and_another_does_not() -> None:
    runs = [told(build_scene(Cloud()).cloud, seed, 12) for seed in (7, 7, 8)]
    assert runs[0] == runs[1] != runs[2]


def test_a_happening_is_two_stages_of_one_operation(cloud: Cloud) -> None:
    happening = Happenings(CUSTOMERS, 7).happen(cloud)
    assert happening is not None
    start, end = happening.records(EPOCH, random.Random(1))
    assert (start["resultType"], end["resultType"]) == ("Start", "Success")
    assert start["correlationId"] == end["correlationId"]
    assert start["resourceId"] == end["resourceId"] == happening.resource_id.upper()
    assert start["operationName"] == "MICROSOFT.KEYVAULT/VAULTS/WRITE"
    assert str(start["time"]) < str(end["time"])
    assert b"\n" not in encode(start)


def _target(setting_id: str) -> str:
    return setting_id.lower().partition("/providers/microsoft.insights/")[0]
