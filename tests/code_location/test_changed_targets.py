"""What the drift sensor promises: what somebody changed in a customer's Azure is put right at once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
import pytest

from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.store.requests import customers_with_requests, note_changes
from azmdr_dagster.jobs import reconcile_changes
from tests.code_location.in_process_runs import condense
from tests.code_location.lab_provider import LabProvider
from tests.code_location.local_deployment import LocalDeployment
from tests.code_location.reconciling_runs import run_as_requested, run_job, shown
from tests.code_location.stream_of_changes import deletion_of_setting
from tests.code_location.ticks import capture_tick, changes_tick, enqueue

ALL: Final = ("contoso", "fabrikam", "tailwind")


@pytest.fixture
def covered(provider: LabProvider, instance: dg.DagsterInstance) -> LabProvider:
    """A provider all of whose customers are covered."""
    provider.register()
    assert run_job(instance, "observe_event_hubs").success
    assert run_job(instance, "reconcile_customers", *ALL).success
    return provider


def seen_to_change(provider: LabProvider, customer: str, target: str, seconds: float = 1) -> None:
    """A change of a target's settings has come through the stream, of a moment after the last run."""
    now = datetime.now(UTC)
    at = now + timedelta(seconds=seconds)
    change = Change(ChangeKind.SETTING, ResourceId.parse(target), at, "0" * 32)
    with provider.store.write() as connection:
        assert note_changes(connection, customer, [change], now) == 1


def waiting(provider: LabProvider) -> list[str]:
    with provider.store.read() as connection:
        return list(customers_with_requests(connection))


def asked(result: dg.SensorResult | dg.SkipReason) -> list[str]:
    assert isinstance(result, dg.SensorResult)
    return [str(one.partition_key) for one in result.run_requests or []]


def test_a_deleted_setting_comes_back_when_its_operation_has_come_through(
    provider: LabProvider,
    deployment: LocalDeployment,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The captures' deployment moved in last: one store for both of them.
    for key, value in provider.environment.items():
        monkeypatch.setenv(key, value)
    provider.register()
    run_job(instance, "observe_event_hubs")
    run_job(instance, "reconcile_customers", *ALL)
    lost, drifted_elsewhere = provider.targets_of("fabrikam")[3], provider.targets_of("contoso")[0]
    provider.delete_setting(lost)
    provider.delete_setting(drifted_elsewhere)
    blob = deletion_of_setting(lost, "fabrikam")
    deployment.arrive(blob)
    capture_tick(instance)
    assert condense(instance, blob.partition, waiting_only=True).success
    assert waiting(provider) == ["fabrikam"]

    tick = changes_tick(instance)
    assert asked(tick) == ["fabrikam"]
    assert isinstance(tick, dg.SensorResult)
    (request,) = tick.run_requests or []
    before = provider.writes()
    result = run_as_requested(instance, reconcile_changes.name, request)
    assert result.success
    assert provider.has_setting(lost)
    assert provider.writes() == before + 1
    assert shown(result)["resource_diagnostic_settings", "fabrikam"]["verdict: created"] == 1
    assert waiting(provider) == []
    # Only what was asked for was looked at.
    assert not provider.has_setting(drifted_elsewhere)
    assert isinstance(changes_tick(instance, tick.cursor), dg.SkipReason)


def test_a_deleted_setting_of_a_subscription_is_put_back_too(
    covered: LabProvider, instance: dg.DagsterInstance
) -> None:
    lost = f"/subscriptions/{covered.subscriptions_of('contoso')[1]}"
    covered.delete_setting(lost)
    seen_to_change(covered, "contoso", lost)
    tick = changes_tick(instance)
    assert isinstance(tick, dg.SensorResult)
    (request,) = tick.run_requests or []
    result = run_as_requested(instance, reconcile_changes.name, request)
    assert covered.has_setting(lost)
    assert shown(result)["subscription_diagnostic_settings", "contoso"]["verdict: created"] == 1
    assert "verdict: in_place" not in shown(result)["resource_diagnostic_settings", "contoso"]


def test_a_customer_whose_run_is_queued_is_not_asked_for_again(
    covered: LabProvider, instance: dg.DagsterInstance
) -> None:
    for name in ALL:
        seen_to_change(covered, name, covered.targets_of(name)[0])
    first = changes_tick(instance)
    assert sorted(asked(first)) == list(ALL)
    assert isinstance(first, dg.SensorResult)
    enqueue(instance, (first.run_requests or [])[:1], reconcile_changes.name)
    flying = asked(first)[0]
    assert flying not in asked(changes_tick(instance))


def test_no_more_runs_are_asked_for_than_the_bound(
    covered: LabProvider, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ALL:
        seen_to_change(covered, name, covered.targets_of(name)[0])
    monkeypatch.setenv("AZMDR_CHANGE_RUNS", "2")
    first = changes_tick(instance)
    assert len(asked(first)) == 2
    assert isinstance(first, dg.SensorResult)
    runs = enqueue(instance, first.run_requests or [], reconcile_changes.name)
    assert isinstance(changes_tick(instance, first.cursor), dg.SkipReason)
    instance.report_run_canceled(runs[0])
    (left,) = set(ALL) - set(asked(first))
    assert asked(changes_tick(instance, first.cursor)) == [left]


def test_what_was_asked_for_and_not_met_is_not_asked_for_at_every_tick(
    covered: LabProvider, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_to_change(covered, "contoso", covered.targets_of("contoso")[0])
    first = changes_tick(instance)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(changes_tick(instance, first.cursor), dg.SkipReason)
    monkeypatch.setenv("AZMDR_CUSTOMER_LEASE", "0")
    assert asked(changes_tick(instance, first.cursor)) == ["contoso"]
    monkeypatch.setenv("AZMDR_CUSTOMER_LEASE", "600")
    seen_to_change(covered, "contoso", covered.targets_of("contoso")[1])
    assert asked(changes_tick(instance, first.cursor)) == ["contoso"]
    assert list(json.loads(str(first.cursor))) == ["contoso"]


def test_a_deployment_that_only_condenses_is_told_why_nothing_is_asked_for(
    covered: LabProvider, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_to_change(covered, "contoso", covered.targets_of("contoso")[0])
    monkeypatch.delenv("AZMDR_INGEST_SUBSCRIPTION_ID")
    told = changes_tick(instance)
    assert isinstance(told, dg.SkipReason)
    assert "AZMDR_INGEST_SUBSCRIPTION_ID" in str(told.skip_message)
