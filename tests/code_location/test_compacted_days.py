"""What compacting promises in Dagster: closed days are asked for, and a run says what it came to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.store.leases import take_lease
from azmdr.store.ledger import CustomerDay
from azmdr.store.uncompacted import note_written
from azmdr_dagster.definitions import build_definitions
from azmdr_dagster.partitions import partition_key
from sensors.compaction_runs import compaction_schedule
from tests.code_location.in_process_runs import add_customers, condense
from tests.code_location.local_deployment import LocalDeployment, capture_blob
from tests.code_location.ticks import capture_tick, schedule_tick
from tests.condense.records import NOON, envelope, stage_bytes

DAY = CustomerDay("contoso", f"{NOON:%Y-%m-%d}")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on disk: a schedule opens it itself, which none in memory allows."""
    home = tmp_path / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as empty:
        yield empty


def compact(
    instance: dg.DagsterInstance, *keys: str, tags: dict[str, str] | None = None
) -> dg.ExecuteInProcessResult:
    job = build_definitions().resolve_job_def("compact_days")
    return job.execute_in_process(
        instance=instance, partition_key=keys[0] if keys else None, tags=tags, raise_on_error=False
    )


def emitted(deployment: LocalDeployment, instance: dg.DagsterInstance) -> None:
    """Two revisions of an operation are in the lake, in files of their own."""
    for partition, stage in enumerate(["failure", "success"]):
        blob = capture_blob(envelope(stage_bytes(stage, partition)), partition=partition)
        deployment.arrive(blob)
        capture_tick(instance)
        assert condense(instance, blob.partition, waiting_only=True).success
    assert len(list(deployment.lake.list("customer=contoso/table=operations/"))) == 2


def test_a_run_compacts_its_day_and_says_what_it_came_to(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    emitted(deployment, instance)
    before = read_latest(deployment.lake, "contoso", Table.OPERATIONS)
    result = compact(instance, partition_key(DAY))
    assert result.success
    (event,) = instance.fetch_materializations(dg.AssetKey("compacted_days"), limit=5).records
    assert event.asset_materialization is not None
    assert event.partition_key == partition_key(DAY)
    metadata = event.asset_materialization.metadata
    told: dict[str, Any] = {label: value.value for label, value in metadata.items()}
    assert (told["files before"], told["files after"]) == (2, 1)
    assert (told["rows before"], told["rows after"], told["operations"]) == (2, 1, 1)
    assert told["bytes before"] > told["bytes after"] > 0
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert read_latest(deployment.lake, "contoso", Table.OPERATIONS).equals(before)


def test_a_customer_another_run_holds_is_named_and_left(
    deployment: LocalDeployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_CUSTOMER_WAIT", "1")
    emitted(deployment, instance)
    with deployment.store.write() as connection:
        now = datetime.now(UTC)
        take_lease(connection, "condense contoso", owner="other", now=now, duration=timedelta(minutes=9))
    result = compact(instance, partition_key(DAY))
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["left to other runs"].value == "contoso"


def test_closed_days_are_asked_for_as_stretches_of_customers_and_open_ones_are_not(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    add_customers(instance, ["contoso", "fabrikam", "tailwind"])
    today = datetime.now(UTC).date()
    before = today - timedelta(days=2)
    with deployment.store.write() as connection:
        for customer in ("contoso", "tailwind"):
            note_written(connection, customer, [today, before], datetime.now(UTC))
        note_written(connection, "fabrikam", [today], datetime.now(UTC))
    asked_for = schedule_tick(compaction_schedule, instance, datetime.now(UTC))
    assert isinstance(asked_for, list)
    (asked,) = asked_for
    ends = [CustomerDay(customer, f"{before:%Y-%m-%d}") for customer in ("contoso", "tailwind")]
    assert [value for key, value in sorted(asked.tags.items()) if "partition_range" in key] == [
        partition_key(ends[1]),
        partition_key(ends[0]),
    ]
    assert compact(instance, tags=dict(asked.tags)).success
    assert "no closed day" in str(schedule_tick(compaction_schedule, instance, datetime.now(UTC)))
