"""What a backfill promises: each file once more, the same tables under the same names, nothing lost."""

from datetime import timedelta

import pytest

from azmdr.lake.layout import Table
from azmdr.store import ledger
from tests.condense.capture_files import (
    CUSTOMER,
    TODAY,
    Event,
    capture_file,
    file_of_bodies,
)
from tests.condense.records import NOON, envelope, resource_log_bytes, sign_in_bytes, stage_bytes
from tests.condense.workbench import LEASE, Workbench, told

START, SUCCESS = stage_bytes("start", 0), stage_bytes("success", 2)
LOG, SIGN_IN = resource_log_bytes("pod"), sign_in_bytes("e-1")
BROKEN = b"{'properties': 'single quotes'}"


@pytest.fixture
def condensed(bench: Workbench) -> Workbench:
    bench.arrive(
        file_of_bodies(envelope(START, LOG), envelope(BROKEN)),
        file_of_bodies(envelope(SUCCESS), envelope(SIGN_IN), partition=1),
    )
    bench.finish()
    return bench


def test_a_backfill_does_each_file_once_and_gives_the_same(condensed: Workbench) -> None:
    tables, outputs = condensed.tables(), [row.outputs for row in condensed.ledger_rows()]
    result = condensed.step().condense_again([TODAY], redo="backfill-1")
    assert len(result.done) == 2
    assert told(result) == {CUSTOMER: 1}
    assert condensed.tables() == tables
    assert [row.outputs for row in condensed.ledger_rows()] == outputs
    assert [row.completions for row in condensed.ledger_rows()] == [2, 2]
    condensed.assert_conserved()


def test_a_backfill_makes_up_for_lake_files_that_are_lost(condensed: Workbench) -> None:
    tables = condensed.tables()
    for path in list(condensed.lake.list(f"customer={CUSTOMER}/")):
        condensed.lake.delete(path)
    condensed.step().condense_again([TODAY], redo="backfill-1")
    assert condensed.tables() == tables


def test_a_retried_backfill_does_nothing_more(condensed: Workbench) -> None:
    condensed.step("first").condense_again([TODAY], redo="backfill-1")
    assert condensed.step("retry").condense_again([TODAY], redo="backfill-1").done == []
    assert len(condensed.step("another").condense_again([TODAY], redo="backfill-2").done) == 2


def test_a_backfill_can_be_limited_to_hours(bench: Workbench) -> None:
    noon, three = file_of_bodies(envelope(LOG)), file_of_bodies(envelope(SIGN_IN), partition=1).later(hours=3)
    bench.arrive(noon, three)
    bench.finish()
    result = bench.step().condense_again([TODAY], redo="backfill-1", hours=[15])
    assert [done.file.path for done in result.done] == [three.path]


def test_a_backfill_of_overlapping_files_loses_no_event(bench: Workbench) -> None:
    events = [Event(number, envelope(resource_log_bytes(str(number))), NOON) for number in range(5)]
    bench.arrive(capture_file(events[:3]), capture_file(events[1:], window=NOON + timedelta(minutes=9)))
    bench.finish()
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 5
    bench.step().condense_again([TODAY], redo="backfill-1")
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 5
    bench.step().condense_again([TODAY], redo="backfill-2")
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 5


def test_a_retried_backfill_takes_over_what_its_dead_run_held(condensed: Workbench) -> None:
    with condensed.store.write() as connection:
        held = ledger.claim_everything(
            connection, [TODAY], owner="dead", redo="backfill-1", now=condensed.now, lease=LEASE
        )
    assert len(held) == 2
    other = condensed.step().condense_again([TODAY], redo="another backfill")
    assert other.done == [], "its lease has not run out"
    assert len(condensed.step().condense_again([TODAY], redo="backfill-1").done) == 2
    assert [row.completions for row in condensed.ledger_rows()] == [2, 2]
