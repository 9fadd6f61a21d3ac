"""What the schedules of the control plane promise: everybody's turn, once, and nothing twice at a time."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg
import pytest

from azmdr.inventory.customers import Customer
from azmdr.store.customers import add_customer
from azmdr_dagster.jobs import observe_event_hubs, reconcile_customers
from azmdr_dagster.partitions import customers
from sensors.provider_schedules import customers_schedule, event_hubs_schedule, provision_schedule
from sensors.reconcile_slices import reconcile_slices
from tests.code_location.lab_provider import LabProvider
from tests.code_location.reconciling_runs import check, run_as_requested, run_job, shown
from tests.code_location.ticks import enqueue, schedule_tick

ALL: Final = ("contoso", "fabrikam", "tailwind")
TEN: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def tick(instance: dg.DagsterInstance, minutes: float) -> list[dg.RunRequest]:
    asked = schedule_tick(reconcile_slices, instance, after(minutes))
    return [] if isinstance(asked, str) else asked


def tick_and_enqueue(instance: dg.DagsterInstance, minutes: float) -> list[dg.DagsterRun]:
    return enqueue(instance, tick(instance, minutes), reconcile_customers.name)


def end(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> None:
    for run in runs:
        instance.report_run_canceled(run)


def ranges(asked: Iterable[dg.RunRequest]) -> list[tuple[str, str]]:
    tag = "dagster/asset_partition_range"
    return [(one.tags[f"{tag}_start"], one.tags[f"{tag}_end"]) for one in asked]


def register(provider: LabProvider, number: int, first: int = 0) -> list[str]:
    """Customers that are in nobody's Azure."""
    names = [f"customer-{place:04d}" for place in range(first, first + number)]
    with provider.store.write() as connection:
        for place, name in enumerate(names, first):
            tenant = f"00000000-0000-4000-8000-{place:012d}"
            customer = Customer.of(name=name, tenant_id=tenant, home_region="eastus")
            add_customer(connection, customer, TEN)
    return names


OWN = [provision_schedule, event_hubs_schedule, customers_schedule]
"""The schedules of what is of no customer."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on disk: a schedule opens it itself, which none in memory allows."""
    home = tmp_path / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as empty:
        yield empty


@pytest.fixture
def hubs_known(provider: LabProvider, instance: dg.DagsterInstance) -> LabProvider:
    assert run_job(instance, "observe_event_hubs").success
    return provider


def test_1000_customers_are_20_runs_an_hour_at_a_steady_rate(
    hubs_known: LabProvider, instance: dg.DagsterInstance
) -> None:
    names = register(hubs_known, 1000)
    asked: dict[int, list[dg.RunRequest]] = {}
    for minute in range(60):
        asked[minute] = tick(instance, minute)
        end(instance, enqueue(instance, asked[minute], reconcile_customers.name))
    assert [minute for minute in asked if asked[minute]] == list(range(0, 60, 3))
    assert instance.get_dynamic_partitions(str(customers.name)) == names
    every = [stretch for minute in asked for stretch in ranges(asked[minute])]
    assert every == [(names[start], names[start + 49]) for start in range(0, 1000, 50)]
    assert {one.run_key for minute in asked for one in asked[minute]} == {
        f"2026-11-24T10:00Z {first}" for first, _ in every
    }


def test_missed_minutes_are_caught_up_at_the_next_and_nothing_is_asked_for_twice(
    hubs_known: LabProvider, instance: dg.DagsterInstance
) -> None:
    register(hubs_known, 200)
    runs = tick_and_enqueue(instance, 31)
    assert len(runs) == 3
    end(instance, runs)
    assert tick(instance, 32) == []
    assert ranges(tick(instance, 45)) == [("customer-0150", "customer-0199")]
    assert len(tick(instance, 60)) == 1


def test_a_slice_whose_run_is_still_at_work_waits_for_it(
    hubs_known: LabProvider, instance: dg.DagsterInstance
) -> None:
    register(hubs_known, 60)
    runs = tick_and_enqueue(instance, 30)
    assert len(runs) == 2
    assert "2 had their turn" not in str(schedule_tick(reconcile_slices, instance, after(60)))
    assert tick(instance, 60) == []
    end(instance, runs[:1])
    assert ranges(tick(instance, 61)) == [("customer-0000", "customer-0049")]


def test_a_new_customer_whose_slice_had_its_turn_is_asked_for_at_once_and_alone(
    hubs_known: LabProvider, instance: dg.DagsterInstance
) -> None:
    register(hubs_known, 10)
    end(instance, tick_and_enqueue(instance, 0))
    register(hubs_known, 1, first=10)
    assert ranges(tick(instance, 7)) == [("customer-0010", "customer-0010")]


def test_the_run_a_tick_asks_for_does_its_customers(
    hubs_known: LabProvider, instance: dg.DagsterInstance
) -> None:
    hubs_known.register()
    (asked,) = tick(instance, 0)
    result = run_as_requested(instance, reconcile_customers.name, asked)
    assert result.success
    assert {name for _, name in shown(result)} == set(ALL)
    assert check(result, "coverage", "coverage_adds_up").passed
    assert tick(instance, 1) == []


def test_the_very_first_run_looks_at_the_hubs_first_so_that_no_setting_waits_for_the_next_turn(
    provider: LabProvider, instance: dg.DagsterInstance
) -> None:
    provider.register()
    (asked,) = tick(instance, 0)
    result = run_as_requested(instance, reconcile_customers.name, asked)
    told = shown(result)
    assert told["event_hubs", ""]["ending"] == "done"
    assert [told["coverage", name]["covered, % of what can be"] for name in ALL] == [100, 100, 100]
    (asked_again,) = tick(instance, 60)
    assert "event_hubs" not in {key.to_user_string() for key in asked_again.asset_selection or []}


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("schedule", OWN, ids=lambda one: one.name)
def test_what_is_of_no_customer_has_one_run_at_a_time(
    instance: dg.DagsterInstance, schedule: dg.ScheduleDefinition
) -> None:
    asked = schedule_tick(schedule, instance, TEN)
    assert len(asked) == 1
    assert isinstance(asked, list)
    runs = enqueue(instance, asked, schedule.job_name)
    assert "still queued" in str(schedule_tick(schedule, instance, after(5)))
    end(instance, runs)
    assert len(schedule_tick(schedule, instance, after(10))) == 1


@pytest.mark.parametrize(
    "schedule",
    [reconcile_slices, *OWN],
    ids=lambda one: one.name,
)
def test_a_deployment_that_only_condenses_is_told_why_nothing_is_reconciled(
    provider: LabProvider,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    schedule: dg.ScheduleDefinition,
) -> None:
    provider.register()
    monkeypatch.delenv("AZMDR_INGEST_SUBSCRIPTION_ID")
    told = schedule_tick(schedule, instance, TEN)
    assert "AZMDR_INGEST_SUBSCRIPTION_ID" in str(told)
    assert isinstance(told, str)


def test_the_schedules_do_not_fall_on_the_same_minutes() -> None:
    minutes = [str(one.cron_schedule).split()[0] for one in OWN]
    assert minutes == ["2-59/5", "1-59/5", "3-59/5"]
    assert observe_event_hubs.name == event_hubs_schedule.job_name
