"""What asks for a target to be reconciled at once, and what does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from azmdr.condense.condensed import Operation, condense
from azmdr.reconcile.changes import ChangeKind, change_in
from tests.condense.records import NOON, SUBSCRIPTION, stage_record

GROUP = f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/RG/PROVIDERS"
VAULT = f"{GROUP}/MICROSOFT.KEYVAULT/VAULTS/KV-1"
BLOBS = f"{GROUP}/MICROSOFT.STORAGE/STORAGEACCOUNTS/ST1/BLOBSERVICES/DEFAULT"
SETTINGS = "PROVIDERS/MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS"
WRITE, DELETE = (f"MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/{verb}" for verb in ("WRITE", "DELETE"))


def operation(name: object, resource_id: object, *stages: str) -> Operation:
    fields: dict[str, Any] = {"operationName": name, "resourceId": resource_id}
    return condense(
        stage_record(stage, seconds, **fields) for seconds, stage in enumerate(stages or ("start", "success"))
    )


@pytest.mark.parametrize(
    "name", [WRITE, DELETE, WRITE.lower(), "Microsoft.Insights/diagnosticSettings/Delete"]
)
@pytest.mark.parametrize("target", [VAULT, BLOBS, f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}"])
def test_a_setting_written_or_deleted_asks_for_what_it_is_on(name: str, target: str) -> None:
    change = change_in(operation(name, f"{target}/{SETTINGS}/AZMDR"))
    assert change is not None
    assert (change.kind, change.target.key) == (ChangeKind.SETTING, target.lower())


def test_a_foreign_setting_asks_too_for_it_may_stand_in_the_way() -> None:
    assert change_in(operation(WRITE, f"{VAULT}/{SETTINGS}/THEIRS")) is not None


@pytest.mark.parametrize(
    ("kind", "resource_id"),
    [
        ("MICROSOFT.KEYVAULT/VAULTS", VAULT),
        ("microsoft.storage/storageAccounts/blobServices", BLOBS),
    ],
)
def test_a_resource_written_asks_for_itself(kind: str, resource_id: str) -> None:
    change = change_in(operation(f"{kind}/WRITE", resource_id))
    assert change is not None
    assert (change.kind, change.target.key) == (ChangeKind.RESOURCE, resource_id.lower())


def test_a_change_is_as_old_as_the_last_record_of_its_operation() -> None:
    change = change_in(operation(DELETE, f"{VAULT}/{SETTINGS}/AZMDR", "start", "accept", "success"))
    assert change is not None
    assert (change.at - NOON).total_seconds() == 2
    assert len(change.operation_id) == 32


@pytest.mark.parametrize("stages", [("start",), ("start", "accept"), ("start", "failure"), ("failure",)])
def test_what_did_not_succeed_changed_nothing(stages: tuple[str, ...]) -> None:
    assert change_in(operation(DELETE, f"{VAULT}/{SETTINGS}/AZMDR", *stages)) is None


@pytest.mark.parametrize(
    ("name", "resource_id"),
    [
        ("MICROSOFT.KEYVAULT/VAULTS/DELETE", VAULT),
        ("MICROSOFT.KEYVAULT/VAULTS/READ", VAULT),
        (
            "MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION",
            f"{GROUP}/MICROSOFT.STORAGE/STORAGEACCOUNTS/ST1",
        ),
        ("MICROSOFT.KEYVAULT/VAULTS/WRITE", BLOBS),
        ("MICROSOFT.KEYVAULT/VAULTS/WRITE", f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/RG"),
        ("MICROSOFT.RESOURCES/SUBSCRIPTIONS/RESOURCEGROUPS/WRITE", f"/SUBSCRIPTIONS/{SUBSCRIPTION}"),
        ("MICROSOFT.RESOURCES/SUBSCRIPTIONS/WRITE", f"/SUBSCRIPTIONS/{SUBSCRIPTION}"),
        ("MICROSOFT.RESOURCES/DEPLOYMENTS/WRITE", f"{GROUP}/MICROSOFT.RESOURCES/DEPLOYMENTS/D"),
        (
            "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE",
            f"{GROUP}/MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/{SUBSCRIPTION}",
        ),
        ("MICROSOFT.INSIGHTS/METRICALERTS/WRITE", f"{GROUP}/MICROSOFT.INSIGHTS/METRICALERTS/A"),
        ("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/READ", f"{VAULT}/{SETTINGS}/AZMDR"),
    ],
)
def test_what_changes_nothing_we_look_after_asks_for_nothing(name: str, resource_id: str) -> None:
    assert change_in(operation(name, resource_id)) is None


@pytest.mark.parametrize(
    "resource_id",
    [
        "",
        None,
        7,
        VAULT,
        f"{SETTINGS}/AZMDR",
        f"{VAULT}/{SETTINGS}",
        f"{VAULT}/{SETTINGS}/",
        f"/TENANTS/{SUBSCRIPTION}/{SETTINGS}/AZMDR",
        f"/PROVIDERS/MICROSOFT.MANAGEMENT/MANAGEMENTGROUPS/ROOT/{SETTINGS}/AZMDR",
        f"{VAULT}/../../../../..{VAULT}/{SETTINGS}/AZMDR",
        f"{VAULT}\n/{SETTINGS}/AZMDR",
        f"{GROUP}/{SETTINGS}/AZMDR",
    ],
)
def test_a_setting_on_what_is_no_target_asks_for_nothing(resource_id: object) -> None:
    assert change_in(operation(DELETE, resource_id)) is None


texts = st.text() | st.sampled_from(
    [VAULT, f"{VAULT}/{SETTINGS}/AZMDR", WRITE, "MICROSOFT.KEYVAULT/VAULTS/WRITE"]
)


@given(texts, texts)
def test_whatever_a_record_says_of_itself_a_change_has_a_real_target_in_it(
    name: str, resource_id: str
) -> None:
    change = change_in(replace(operation(WRITE, VAULT), operation_name=name, resource_id=resource_id))
    if change is not None:
        assert change.target.key in resource_id.lower()
