"""What closing an operation promises: its records leave the store, and nobody can tell from the tables."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from azmdr.condense.members import rebuild_records
from azmdr.lake.layout import Table
from azmdr.store.state_size import StateSize, state_sizes
from azmdr.store.tables import CLOSED_OPERATION, OPEN_OPERATION
from tests.condense.capture_files import CUSTOMER, TODAY, CaptureFile, file_of_bodies
from tests.condense.records import envelope, stage_bytes
from tests.condense.workbench import DEADLINE, Workbench

START, ACCEPT, SUCCESS = stage_bytes("start", 0), stage_bytes("accept", 1), stage_bytes("success", 2)
KEPT = timedelta(hours=12)


def file_of(*records: bytes, partition: int = 0) -> CaptureFile:
    return file_of_bodies(*map(envelope, records), partition=partition)


def size(bench: Workbench) -> StateSize:
    with bench.store.read() as connection:
        return state_sizes(connection).get(CUSTOMER, StateSize())


def counted(bench: Workbench) -> StateSize:
    """The same, counted row by row."""
    with bench.store.read() as connection:
        held = connection.execute(select(OPEN_OPERATION.c.records, OPEN_OPERATION.c.contents)).all()
        closed = connection.scalar(select(func.count()).select_from(CLOSED_OPERATION)) or 0
    records, contents = [row.records for row in held], [len(row.contents) for row in held]
    return StateSize(len(held), sum(records), sum(contents), closed)


def all_at_once(bench: Workbench, *records: bytes) -> tuple[str, str]:
    """What the tables come to when the records come in one file."""
    alone = Workbench(f"sqlite:///{bench.folder}/alone.db", bench.folder / "alone")
    alone.arrive(file_of(*records))
    alone.finish()
    return alone.tables()


@pytest.fixture
def closed(bench: Workbench) -> Workbench:
    """A workbench on which one operation was emitted and closed: Start and Accept, from two files."""
    bench.arrive(file_of(START), file_of(ACCEPT, partition=1))
    bench.condense()
    bench.now += DEADLINE
    bench.condense()
    bench.now += KEPT
    bench.condense()
    assert size(bench) == counted(bench) == StateSize(closed_operations=1)
    return bench


def test_an_operation_stays_open_while_it_is_not_quiet_for_long(bench: Workbench) -> None:
    bench.arrive(file_of(START, SUCCESS))
    bench.condense()
    assert size(bench) == counted(bench)
    bench.now += KEPT - timedelta(seconds=1)
    assert bench.condense().closed[CUSTOMER] == 0
    bench.now += timedelta(seconds=1)
    result = bench.condense()
    assert result.closed[CUSTOMER] == 1
    assert result.sizes[CUSTOMER] == counted(bench) == StateSize(closed_operations=1)
    bench.assert_conserved()


def test_an_operation_the_lake_does_not_have_is_never_closed(bench: Workbench) -> None:
    bench.arrive(file_of(START, SUCCESS))
    bench.condense(keep_quiet=timedelta(0))
    assert size(bench) == counted(bench)
    assert size(bench).operations == 1


def test_a_late_record_opens_it_again_as_if_it_had_never_been_closed(closed: Workbench) -> None:
    closed.arrive(file_of(SUCCESS, partition=2))
    result = closed.condense()
    assert result.reopened[CUSTOMER] == 1
    assert size(closed) == counted(closed)
    assert (size(closed).records, size(closed).closed_operations) == (3, 0)
    closed.finish()
    (operation,) = closed.rows(Table.OPERATIONS).to_dicts()
    assert (operation["revision"], operation["outcome"]) == (3, "success")
    assert rebuild_records(operation["operation"], operation["members"]) == [START, ACCEPT, SUCCESS]
    assert closed.tables() == all_at_once(closed, START, ACCEPT, SUCCESS)
    closed.assert_conserved()


def test_a_late_record_of_an_earlier_hour_moves_it_all_the_same(closed: Workbench) -> None:
    early = stage_bytes("start", -3600)
    closed.arrive(file_of(early, partition=2))
    closed.finish()
    assert closed.tables() == all_at_once(closed, START, ACCEPT, early)
    noon = [path for path in closed.lake.list(f"customer={CUSTOMER}/table=operations/") if "hour=12" in path]
    assert len(noon) == 2, "the revision before, and the row that says it has moved"


def test_a_record_delivered_again_days_later_is_a_duplicate(closed: Workbench) -> None:
    tables = closed.tables()
    closed.now += timedelta(days=3)
    closed.arrive(file_of(ACCEPT, START, partition=5))
    result = closed.finish()
    assert (result.counts.merged, result.counts.duplicates) == (0, 2)
    assert closed.tables() == tables
    assert size(closed) == StateSize(closed_operations=1), "and it was closed again"
    closed.assert_conserved()


@pytest.mark.parametrize("reverse", [False, True])
def test_a_record_spelt_in_two_ways_survives_being_closed(bench: Workbench, *, reverse: bool) -> None:
    turned = json.dumps(dict(reversed(json.loads(START).items()))).encode()
    first, second = (turned, START) if reverse else (START, turned)
    bench.arrive(file_of(first), file_of(second, partition=1))
    bench.finish()
    assert size(bench) == StateSize(closed_operations=1)
    bench.assert_conserved()
    bench.arrive(file_of(turned, START, partition=2), file_of(SUCCESS, partition=3))
    assert bench.finish().counts.duplicates == 2
    assert bench.rows(Table.OPERATIONS)["revision"].to_list() == [3]
    assert bench.tables() == all_at_once(bench, START, turned, SUCCESS)
    bench.assert_conserved()


def test_a_backfill_of_what_is_closed_gives_the_same_tables_and_counts(closed: Workbench) -> None:
    tables, merged = closed.tables(), [row.merged for row in closed.ledger_rows()]
    closed.step().condense_again([TODAY], redo="backfill")
    assert closed.tables() == tables
    assert [row.merged for row in closed.ledger_rows()] == merged == [1, 1]
    closed.assert_conserved()


def test_who_brought_each_record_outlives_being_closed_in_whatever_order_they_came(bench: Workbench) -> None:
    bench.arrive(file_of(SUCCESS, ACCEPT), file_of(START, SUCCESS, partition=1))
    bench.finish()
    assert size(bench) == StateSize(closed_operations=1)
    brought = bench.brought_by()
    assert sorted(brought.items()) == [(row.id, row.merged) for row in bench.ledger_rows()]
    bench.step(keep_quiet=timedelta(days=9)).condense_again([TODAY], redo="backfill")
    assert size(bench).operations == 1
    assert bench.brought_by() == brought
    assert [(row.merged, row.duplicates) for row in bench.ledger_rows()] == [(2, 0), (1, 1)]


def test_an_operation_whose_row_the_lake_lost_is_named_and_begins_anew(closed: Workbench) -> None:
    for path in list(closed.lake.list(f"customer={CUSTOMER}/table=operations/")):
        closed.lake.delete(path)
    closed.arrive(file_of(SUCCESS, partition=2))
    assert len(closed.condense().not_in_lake) == 1
    closed.finish()
    assert closed.rows(Table.OPERATIONS)["revision"].to_list() == [1]
    closed.step().condense_again([TODAY], redo="backfill")
    assert closed.tables() == all_at_once(closed, START, ACCEPT, SUCCESS)


def test_of_a_day_only_as_much_stays_in_the_store_as_was_not_quiet(bench: Workbench) -> None:
    largest = 0
    for hour in range(24):
        records = [
            stage_bytes(stage, 3600 * hour, f"{hour}-{n}") for n in range(5) for stage in ("start", "success")
        ]
        bench.arrive(file_of(*records, partition=hour))
        bench.condense(keep_quiet=timedelta(hours=2))
        bench.now += timedelta(hours=1)
        bench.condense(keep_quiet=timedelta(hours=2))
        largest = max(largest, size(bench).operations)
    assert largest <= 10
    assert bench.rows(Table.OPERATIONS).height == 24 * 5
    assert size(bench) == counted(bench)
    bench.assert_conserved()
