"""What the sensor for due operations promises: an operation comes out even when no further file does."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import BigInteger, literal

from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.store.tables import OPEN_OPERATION
from tests.code_location.in_process_runs import condense, condense_as_requested
from tests.code_location.local_deployment import CaptureBlob, LocalDeployment, capture_blob
from tests.code_location.ticks import capture_tick, due_tick, enqueue
from tests.condense.records import envelope, stage_bytes

DEADLINE = literal(3_600 * 1_000_000, BigInteger())
WITHOUT_AN_END = envelope(stage_bytes("start"))


def condensed(deployment: LocalDeployment, instance: dg.DagsterInstance, blob: CaptureBlob) -> None:
    """The file is condensed, and its operation waits for more."""
    deployment.arrive(blob)
    capture_tick(instance)
    assert condense(instance, blob.partition, waiting_only=True).success
    assert read_latest(deployment.lake, blob.customer, Table.OPERATIONS).height == 0


def let_the_deadline_pass(deployment: LocalDeployment) -> None:
    """As if the records had come as long ago as an operation without an end waits."""
    operation = OPEN_OPERATION.c
    with deployment.store.write() as connection:
        connection.execute(
            OPEN_OPERATION.update().values(
                waiting_since=operation.waiting_since - DEADLINE,
                last_seen=operation.last_seen - DEADLINE,
                due_at=operation.due_at - DEADLINE,
            )
        )


def test_while_nothing_is_due_nothing_is_asked_for(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    condensed(deployment, instance, capture_blob(WITHOUT_AN_END))
    assert due_tick(instance) == []


def test_operations_that_became_due_get_a_run_that_emits_them(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    condensed(deployment, instance, capture_blob(WITHOUT_AN_END))
    let_the_deadline_pass(deployment)
    (asked,) = due_tick(instance)
    assert asked.tags["azmdr/run"] == "due operations"
    assert condense_as_requested(instance, asked).success
    operations = read_latest(deployment.lake, "contoso", Table.OPERATIONS)
    assert operations["outcome"].to_list() == ["started"]
    assert due_tick(instance) == []


def test_a_customer_whose_run_is_queued_is_not_asked_for_again(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    for customer in ("contoso", "fabrikam"):
        condensed(deployment, instance, capture_blob(WITHOUT_AN_END, customer=customer))
    let_the_deadline_pass(deployment)
    first, second = due_tick(instance)
    enqueue(instance, [first])
    assert [asked.partition_key for asked in due_tick(instance)] == [second.partition_key]
    enqueue(instance, [second])
    assert due_tick(instance) == []


def test_no_more_runs_are_asked_for_than_the_bound_in_flight(
    deployment: LocalDeployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for customer in ("contoso", "fabrikam"):
        condensed(deployment, instance, capture_blob(WITHOUT_AN_END, customer=customer))
    let_the_deadline_pass(deployment)
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__IN_FLIGHT", "1")
    asked = due_tick(instance)
    assert len(asked) == 1
    enqueue(instance, asked)
    assert due_tick(instance) == []


def test_operations_of_an_earlier_day_are_emitted_by_a_run_of_today(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    condensed(deployment, instance, capture_blob(WITHOUT_AN_END, age=timedelta(days=1)))
    let_the_deadline_pass(deployment)
    (asked,) = due_tick(instance)
    assert asked.partition_key == f"contoso|{datetime.now(UTC):%Y-%m-%d}"
    assert condense_as_requested(instance, asked).success
    assert read_latest(deployment.lake, "contoso", Table.OPERATIONS).height == 1
    assert [row.completions for row in deployment.ledger()] == [1]
