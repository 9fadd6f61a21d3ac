"""What the verdict on a failed call promises: the reason a person can act on, from what Azure answers."""

from collections.abc import Callable
from typing import Any

import pytest

from azmdr.azure.data_exports import WorkspaceExports
from azmdr.azure.diagnostic_settings import ResourceSettings
from azmdr.azure.dispatch import Call
from azmdr.azure.errors import (
    AzureError,
    RefusedError,
    ThrottledError,
    TransientError,
    UnreadableError,
)
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.data_export import RULE_LIMIT, DataExport
from azmdr.reconcile.diagnostic_setting import LIMIT, DiagnosticSetting
from azmdr.reconcile.refusals import verdict_on
from azmdr.reconcile.verdict import Reason, Standing
from lab.azure.data_exports import DataExport as LabExport
from lab.azure.diagnostic_settings import DiagnosticSetting as LabSetting
from lab.azure.diagnostic_settings import Switch
from lab.azure.roles import EVENT_HUBS_DATA_OWNER, MONITORING_CONTRIBUTOR
from lab.azure.scenario import workspace_id
from tests.azure.lab_arm import LabArm, ask
from tests.lab_azure.places import CONTOSO, DISK, VAULT

ID = CONTOSO.subscriptions[0].id
KEY = VAULT.lower()
WORKSPACE = ResourceId.parse(workspace_id(CONTOSO))


def writing(lab: LabArm, region: str = "eastus") -> Call[object]:
    setting = DiagnosticSetting("azmdr", lab.scene.rule_id(region), "contoso", frozenset({"AuditEvent"}))
    return ResourceSettings(lab.arm).write(ResourceId.parse(VAULT), setting)


def reading_a_disk(lab: LabArm) -> Call[Any]:
    return ResourceSettings(lab.arm).read(ResourceId.parse(DISK))


def exporting(lab: LabArm) -> Call[object]:
    namespace = lab.scene.namespace_id("eastus")
    return WorkspaceExports(lab.arm).write(
        WORKSPACE, DataExport("azmdr", namespace, "contoso", frozenset({"AuditLogs"}))
    )


def full_of_settings(lab: LabArm) -> Call[object]:
    for number in range(LIMIT):
        lab.cloud.put_setting(KEY, LabSetting(f"their-{number}", workspace_id="/w"))
    return writing(lab)


def sink_in_use(lab: LabArm) -> Call[object]:
    logs = (Switch("AuditEvent", None, True),)
    theirs = LabSetting(
        "theirs", logs, event_hub_rule_id=lab.scene.rule_id("eastus"), event_hub_name="theirs"
    )
    lab.cloud.put_setting(KEY, theirs)
    return writing(lab)


def without_role_on_the_hub(lab: LabArm) -> Call[object]:
    lab.cloud.role_assignments = [
        each for each in lab.cloud.role_assignments if each.role_id != EVENT_HUBS_DATA_OWNER.id
    ]
    return writing(lab)


def without_role_on_the_resource(lab: LabArm) -> Call[object]:
    for delegation in lab.cloud.delegations[ID].values():
        kept = (
            each for each in delegation.definition.authorizations if each.role_id != MONITORING_CONTRIBUTOR.id
        )
        object.__setattr__(delegation.definition, "authorizations", tuple(kept))
    return writing(lab)


def without_delegation(lab: LabArm) -> Call[object]:
    lab.cloud.delegations[ID].clear()
    return writing(lab)


def provider_not_registered(lab: LabArm) -> Call[object]:
    lab.cloud.subscriptions[ID].registered.discard("microsoft.insights")
    return writing(lab)


def subscription_disabled(lab: LabArm) -> Call[object]:
    lab.cloud.subscriptions[ID].state = "Disabled"
    return writing(lab)


def resource_gone(lab: LabArm) -> Call[object]:
    lab.cloud.remove_resource(VAULT)
    return writing(lab)


def hub_in_another_region(lab: LabArm) -> Call[object]:
    return writing(lab, "westeurope")


def _their_export(lab: LabArm, name: str, hub: str) -> LabExport:
    now = lab.clock.now().isoformat()
    return LabExport(name, name, ("Heartbeat",), lab.scene.namespace_id("eastus"), hub, True, now, now)


def full_of_rules(lab: LabArm) -> Call[object]:
    exports = lab.cloud.exports[WORKSPACE.key]
    for number in range(RULE_LIMIT):
        exports[f"their-{number}"] = _their_export(lab, f"their-{number}", f"hub-{number}")
    return exporting(lab)


def destination_in_use(lab: LabArm) -> Call[object]:
    lab.cloud.exports[WORKSPACE.key]["theirs"] = _their_export(lab, "theirs", "contoso")
    return exporting(lab)


@pytest.mark.parametrize(
    ("arranged", "reason"),
    [
        (full_of_settings, Reason.SETTING_LIMIT),
        (sink_in_use, Reason.SINK_IN_USE),
        (without_role_on_the_hub, Reason.NO_PERMISSION_ON_HUB),
        (without_role_on_the_resource, Reason.NO_PERMISSION),
        (without_delegation, Reason.NO_PERMISSION),
        (provider_not_registered, Reason.PROVIDER_NOT_REGISTERED),
        (subscription_disabled, Reason.SUBSCRIPTION_DISABLED),
        (resource_gone, Reason.NOT_FOUND),
        (hub_in_another_region, Reason.REFUSED_BY_AZURE),
        (reading_a_disk, Reason.TYPE_WITHOUT_LOGS),
        (full_of_rules, Reason.EXPORT_RULE_LIMIT),
        (destination_in_use, Reason.DESTINATION_IN_USE),
    ],
)
def test_what_azure_refuses_has_the_reason_a_person_can_act_on(
    arranged: Callable[[LabArm], Call[object]], reason: Reason
) -> None:
    with pytest.raises(AzureError) as failed:
        ask(arranged(LabArm()))
    verdict = verdict_on(failed.value, wrote=True)
    assert verdict.reason is reason
    assert verdict.detail == failed.value.told


def refused(status: int, code: str, told: str = "no") -> RefusedError:
    return RefusedError("writing", status, code, told)


def test_a_code_stands_over_the_words_and_these_over_the_status() -> None:
    limit = "The limit of 5 diagnostic settings was reached."
    assert verdict_on(refused(409, "AuthorizationFailed", limit), wrote=True).reason is Reason.NO_PERMISSION
    assert verdict_on(refused(403, "Conflict", limit), wrote=True).reason is Reason.SETTING_LIMIT
    assert verdict_on(refused(403, "SomethingNew"), wrote=True).reason is Reason.NO_PERMISSION
    assert verdict_on(refused(418, "SomethingNew"), wrote=True).reason is Reason.REFUSED_BY_AZURE


def test_codes_and_words_are_known_in_any_case() -> None:
    assert verdict_on(refused(409, "MISSINGSUBSCRIPTIONREGISTRATION"), wrote=True).reason is (
        Reason.PROVIDER_NOT_REGISTERED
    )
    words = "DATA SINKS CAN&#39;T BE REUSED in different settings"
    assert verdict_on(refused(409, "Conflict", words), wrote=True).reason is Reason.SINK_IN_USE


@pytest.mark.parametrize(
    "error",
    [
        ThrottledError("reading", "too many", 17),
        TransientError("reading", "reset"),
        UnreadableError("reading", "odd"),
    ],
)
def test_what_azure_did_not_say_is_not_known(error: AzureError) -> None:
    assert verdict_on(error, wrote=False).reason is Reason.READ_FAILED
    assert verdict_on(error, wrote=True).reason is Reason.WRITE_FAILED
    assert verdict_on(error, wrote=True).standing is Standing.UNKNOWN
