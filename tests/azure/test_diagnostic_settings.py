"""What reading and writing settings promises: read whole, whoever made them; written as a whole."""

import pytest

from azmdr.azure.diagnostic_settings import ResourceSettings, SubscriptionSettings
from azmdr.azure.errors import RefusedError
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting, differences
from lab.azure.diagnostic_settings import DiagnosticSetting as LabSetting
from lab.azure.diagnostic_settings import Switch
from lab.azure.scenario import workspace_id
from tests.azure.lab_arm import LabArm, ask
from tests.lab_azure.places import BLOBS, CONTOSO, DISK, STORAGE, SUBSCRIPTION, VAULT

TARGET = ResourceId.parse(VAULT)


@pytest.fixture
def lab() -> LabArm:
    return LabArm()


def wanted(lab: LabArm, *categories: str, group: str | None = "audit") -> DiagnosticSetting:
    groups = frozenset({group} if group and not categories else ())
    return DiagnosticSetting("azmdr", lab.scene.rule_id("eastus"), "contoso", frozenset(categories), groups)


@pytest.mark.parametrize("categories", [(), ("AuditEvent",), ("AuditEvent", "AzurePolicyEvaluationDetails")])
def test_what_is_written_to_a_resource_is_read_again(lab: LabArm, categories: tuple[str, ...]) -> None:
    settings, setting = ResourceSettings(lab.arm), wanted(lab, *categories)
    ask(settings.write(TARGET, setting))
    (found,) = ask(settings.read(TARGET))
    assert differences(setting, found) == ()


def test_what_is_written_to_a_subscription_is_read_again(lab: LabArm) -> None:
    settings, target = SubscriptionSettings(lab.arm), ResourceId.parse(SUBSCRIPTION)
    setting = wanted(lab, "Administrative", "Policy")
    ask(settings.write(target, setting))
    (found,) = ask(settings.read(target))
    assert differences(setting, found) == ()
    ask(settings.remove(target, "azmdr"))
    assert ask(settings.read(target)) == []


def test_writing_replaces_all_that_was_there(lab: LabArm) -> None:
    logs = (Switch("AuditEvent", None, True), Switch("AzurePolicyEvaluationDetails", None, True))
    drifted = LabSetting(
        "AZMDR", logs, (Switch("AllMetrics", None, True),), workspace_id=workspace_id(CONTOSO)
    )
    lab.cloud.put_setting(TARGET.key, drifted)
    settings, setting = ResourceSettings(lab.arm), wanted(lab, "AuditEvent")
    (found,) = ask(settings.read(TARGET))
    assert found.extras == {"metric AllMetrics is on", f"also sends to {workspace_id(CONTOSO)}"}
    ask(settings.write(TARGET, setting))
    (found,) = ask(settings.read(TARGET))
    assert differences(setting, found) == ()


def test_what_is_switched_off_is_as_good_as_not_there(lab: LabArm) -> None:
    logs = (Switch("AuditEvent", None, False), Switch(None, "audit", True))
    metrics = (Switch("AllMetrics", None, False),)
    lab.cloud.put_setting(TARGET.key, LabSetting("theirs", logs, metrics, event_hub_rule_id="/rule"))
    (found,) = ask(ResourceSettings(lab.arm).read(TARGET))
    assert found.groups == {"audit"}
    assert not found.categories | found.extras


def test_every_setting_is_read_whoever_made_it(lab: LabArm) -> None:
    for number in range(5):
        lab.cloud.put_setting(TARGET.key, LabSetting(f"their-{number}", storage_account_id="/s"))
    found = ask(ResourceSettings(lab.arm).read(TARGET))
    assert sorted(each.name for each in found) == [f"their-{number}" for number in range(5)]
    assert {each.extras for each in found} == {frozenset({"also sends to /s"})}
    assert {each.rule_id for each in found} == {None}


def test_removing_what_is_not_there_is_as_good_as_removing_it(lab: LabArm) -> None:
    settings = ResourceSettings(lab.arm)
    ask(settings.write(TARGET, wanted(lab)))
    ask(settings.remove(TARGET, "azmdr"))
    ask(settings.remove(TARGET, "azmdr"))
    assert ask(settings.read(TARGET)) == []


def test_the_log_categories_come_with_their_groups_and_without_metrics(lab: LabArm) -> None:
    catalogue = ask(ResourceSettings(lab.arm).catalogue(TARGET))
    assert catalogue.categories == {
        "AuditEvent": {"audit", "allLogs"},
        "AzurePolicyEvaluationDetails": {"allLogs"},
    }


def test_a_resource_without_logs_has_an_empty_catalogue(lab: LabArm) -> None:
    assert ask(ResourceSettings(lab.arm).catalogue(ResourceId.parse(STORAGE))).categories == {}
    assert ask(ResourceSettings(lab.arm).catalogue(ResourceId.parse(BLOBS))).in_group("audit")


@pytest.mark.parametrize("name", ["orders#1", "orders 1", "orders?x=1", "orders%2F1", "orders+1", "orders&1"])
def test_a_name_with_a_meaning_in_addresses_is_a_name(lab: LabArm, name: str) -> None:
    """Azure SQL takes most of these. Cut off at the ``#``, a write would go to another resource."""
    group = f"{SUBSCRIPTION}/resourceGroups/contoso-eastus/providers"
    target = ResourceId.parse(f"{group}/Microsoft.Sql/servers/sql-1/databases/{name}")
    lab.cloud.add_resource(target.text, "eastus")
    settings, setting = ResourceSettings(lab.arm), wanted(lab, "SQLSecurityAuditEvents")
    ask(settings.write(target, setting))
    (found,) = ask(settings.read(target))
    assert differences(setting, found) == ()
    assert ask(settings.catalogue(target)).spelled("sqlsecurityauditevents") == "SQLSecurityAuditEvents"
    ask(settings.remove(target, "azmdr"))
    assert {target.text in each.path for each in lab.log} == {True}
    assert ask(settings.read(target)) == []


def test_a_disk_has_no_settings(lab: LabArm) -> None:
    with pytest.raises(RefusedError) as refused:
        ask(ResourceSettings(lab.arm).read(ResourceId.parse(DISK)))
    assert refused.value.code == "ResourceTypeNotSupported"
