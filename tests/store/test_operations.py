"""What open operations promise: each record once, nothing due too early or told too little."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from azmdr.condense.classify import StageRecord, classify
from azmdr.condense.condensed import condense
from azmdr.condense.record_layout import CONDENSED
from azmdr.store.database import Store
from azmdr.store.ledger import LedgerFile
from azmdr.store.operations import (
    Brought,
    Emitted,
    OpenOperation,
    Patience,
    add_records,
    customers_due,
    due_operations,
    latencies,
    note_emitted,
    records_of_files,
    waiting_operations,
)
from azmdr.store.state_size import state_sizes
from azmdr.store.tables import CAPTURE_FILE, OPEN_OPERATION
from tests.store.ledger_files import NOON, held_file

PATIENCE = Patience(linger=timedelta(minutes=3), deadline=timedelta(minutes=15))
LATER = NOON + timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def stage(
    result: str,
    *,
    correlation: str = "one",
    category: str = "Administrative",
    minute: int = 0,
    second: int = 0,
) -> StageRecord:
    """A record of an operation as a diagnostic setting sends it."""
    content = {
        "time": f"{NOON + timedelta(minutes=minute, seconds=second):%Y-%m-%dT%H:%M:%S}.0000000Z",
        "resourceId": "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/RG",
        "operationName": "MICROSOFT.RESOURCES/SUBSCRIPTIONS/RESOURCEGROUPS/WRITE",
        "category": category,
        "resultType": result,
        "correlationId": correlation,
    }
    record = classify(json.dumps(content).encode())
    assert isinstance(record, StageRecord)
    return record


START, ACCEPT, SUCCESS = stage("Start"), stage("Accept", second=1), stage("Success", second=2)
OPERATION = START.operation_id


def add(store: Store, file: LedgerFile, *records: StageRecord, now: datetime = NOON) -> int:
    with store.write() as connection:
        brought = [Brought(file, records)]
        return add_records(connection, file.customer, brought, PATIENCE, now)[file.id]


def due(store: Store, now: datetime, customer: str = "contoso", limit: int = 100) -> list[OpenOperation]:
    with store.read() as connection:
        return due_operations(connection, customer, now, limit)


def told(store: Store, revision: int, now: datetime = NOON, operation_id: str = OPERATION) -> None:
    with store.write() as connection:
        note_emitted(connection, "contoso", [Emitted(operation_id, revision, respelt=False)], now)


def again(store: Store, file: LedgerFile, *records: StageRecord, now: datetime = LATER) -> int:
    return add(store, replace(file, completions=1), *records, now=now)


def contents(operations: Collection[OpenOperation]) -> list[set[bytes]]:
    return [set(operation.contents) for operation in operations]


def row(store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(select(OPEN_OPERATION)).one()


# Adding


def test_a_record_is_added_once_whoever_brings_it(store: Store) -> None:
    first, second = held_file(store, 0), held_file(store, 1)
    assert add(store, first, START, SUCCESS) == 2
    assert add(store, second, SUCCESS, ACCEPT) == 1
    assert contents(due(store, LATER)) == [{START.content, ACCEPT.content, SUCCESS.content}]
    assert row(store).records == 3


def test_a_record_given_twice_at_once_is_one_record(store: Store) -> None:
    assert add(store, held_file(store), START, START) == 1
    assert row(store).records == 1


@pytest.mark.parametrize("reverse", [False, True])
def test_a_record_spelt_in_two_ways_is_kept_in_both_whichever_came_first(
    store: Store, *, reverse: bool
) -> None:
    fields = json.loads(START.content)
    turned = classify(json.dumps(dict(reversed(fields.items()))).encode())
    assert isinstance(turned, StageRecord)
    assert turned.digest == START.digest
    first, second = (turned, START) if reverse else (START, turned)
    assert add(store, held_file(store, 0), first) == 1
    assert add(store, held_file(store, 1), second) == 1
    (operation,) = due(store, LATER)
    told_by_both = condense(
        record for record in map(classify, operation.contents) if isinstance(record, StageRecord)
    )
    assert told_by_both == condense([START, turned])
    assert told_by_both.revision == row(store).records == 2
    assert json.loads(told_by_both.operation)[CONDENSED]["num_correlated_records"] == 1


def test_a_file_done_again_brings_what_it_brought_before(store: Store) -> None:
    first, second = held_file(store, 0), held_file(store, 1)
    assert add(store, first, START, SUCCESS) == 2
    assert add(store, second, START, SUCCESS, ACCEPT) == 1
    assert (again(store, first, START, SUCCESS), again(store, second, START, SUCCESS, ACCEPT)) == (2, 1)
    assert row(store).records == 3


def test_a_record_counts_for_the_file_that_brought_it_first(store: Store) -> None:
    first, second = held_file(store, 0), held_file(store, 1)
    add(store, first, START)
    add(store, second, START, ACCEPT, SUCCESS)
    with store.read() as connection:
        assert records_of_files(connection, "contoso", [OPERATION]) == {first.id: 1, second.id: 2}


def test_adding_nothing_changes_nothing(store: Store) -> None:
    assert add(store, held_file(store)) == 0
    with store.read() as connection:
        assert waiting_operations(connection) == 0


def test_the_same_record_of_two_customers_is_a_record_of_each(store: Store) -> None:
    ours, theirs = held_file(store), held_file(store, customer="fabrikam")
    assert (add(store, ours, START), add(store, theirs, START, SUCCESS)) == (1, 2)
    assert contents(due(store, LATER, "contoso")) == [{START.content}]
    assert contents(due(store, LATER, "fabrikam")) == [{START.content, SUCCESS.content}]


def test_adding_that_fails_half_way_leaves_nothing(store: Store) -> None:
    file = held_file(store)

    def add_and_fail() -> None:
        with store.write() as connection:
            add_records(connection, "contoso", [Brought(file, [START, SUCCESS])], PATIENCE, NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with store.read() as connection:
        assert connection.execute(select(OPEN_OPERATION)).all() == []
        assert state_sizes(connection) == {}
        assert waiting_operations(connection) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    batches=st.lists(
        st.lists(st.sampled_from([START, ACCEPT, SUCCESS, stage("Failure", second=3)]), max_size=5),
        max_size=6,
    )
)
def test_the_records_are_the_same_in_whatever_batches_they_come(
    store: Store, batches: list[list[StageRecord]]
) -> None:
    with store.write() as connection:
        connection.execute(OPEN_OPERATION.delete())
        connection.execute(CAPTURE_FILE.delete())
    file = held_file(store)
    for batch in batches:
        add(store, file, *batch)
    distinct = {record.content for batch in batches for record in batch}
    assert contents(due(store, LATER)) == ([distinct] if distinct else [])
    assert not distinct or row(store).records == len(distinct)


# Being due


def test_an_operation_that_has_ended_is_due_when_it_has_been_quiet_for_the_linger_time(store: Store) -> None:
    file = held_file(store)
    add(store, file, SUCCESS)
    add(store, file, START, now=NOON + timedelta(minutes=2))
    quiet = NOON + timedelta(minutes=5)
    assert due(store, quiet - INSTANT) == []
    assert contents(due(store, quiet)) == [{START.content, SUCCESS.content}]


def test_an_operation_that_has_not_ended_is_due_at_the_deadline_after_its_first_record(store: Store) -> None:
    file = held_file(store)
    add(store, file, START)
    add(store, file, ACCEPT, now=NOON + timedelta(minutes=14))
    deadline = NOON + timedelta(minutes=15)
    assert due(store, deadline - INSTANT) == []
    assert contents(due(store, deadline)) == [{START.content, ACCEPT.content}]


def test_an_operation_that_never_falls_quiet_is_due_at_the_deadline(store: Store) -> None:
    file = held_file(store)
    for minute in range(0, 15, 2):
        record = stage("Success", second=minute)
        add(store, file, record, now=NOON + timedelta(minutes=minute))
    assert due(store, NOON + timedelta(minutes=15) - INSTANT) == []
    assert len(due(store, NOON + timedelta(minutes=15))) == 1


def test_a_policy_evaluation_waits_for_nothing(store: Store) -> None:
    add(store, held_file(store), stage("Success", category="Policy"))
    assert len(due(store, NOON)) == 1


def test_only_customers_with_something_due_are_named(store: Store) -> None:
    add(store, held_file(store), SUCCESS)
    add(store, held_file(store, customer="fabrikam"), START)
    with store.read() as connection:
        assert customers_due(connection, NOON) == []
        assert customers_due(connection, NOON + timedelta(minutes=3)) == ["contoso"]
        assert customers_due(connection, LATER) == ["contoso", "fabrikam"]


def test_no_more_operations_are_taken_than_asked_for_each_with_all_its_records(store: Store) -> None:
    file = held_file(store)
    pairs = [(stage("Start", correlation=f"{n}"), stage("Success", correlation=f"{n}")) for n in range(5)]
    add(store, file, *(record for pair in pairs for record in pair))
    taken = due(store, LATER, limit=3)
    by_id = {pair[0].operation_id: {record.content for record in pair} for pair in pairs}
    assert [operation.operation_id for operation in taken] == sorted(by_id)[:3]
    assert contents(taken) == [by_id[operation.operation_id] for operation in taken]


# Having been told


def test_an_operation_told_in_full_waits_no_more(store: Store) -> None:
    add(store, held_file(store), START, SUCCESS)
    told(store, 2)
    assert due(store, LATER) == []


def test_a_record_that_comes_after_the_telling_makes_the_operation_wait_again(store: Store) -> None:
    file = held_file(store)
    add(store, file, START)
    told(store, 1, NOON + timedelta(minutes=15))
    add(store, file, SUCCESS, now=LATER)
    assert due(store, LATER + timedelta(minutes=3) - INSTANT) == []
    assert contents(due(store, LATER + timedelta(minutes=3))) == [{START.content, SUCCESS.content}]


def test_a_record_that_comes_between_reading_and_telling_is_not_forgotten(store: Store) -> None:
    file = held_file(store)
    add(store, file, START)
    (read,) = due(store, LATER)
    add(store, file, SUCCESS, now=LATER)
    told(store, len(read.contents), LATER)
    assert contents(due(store, LATER + timedelta(minutes=3))) == [{START.content, SUCCESS.content}]


def test_a_record_that_comes_again_after_the_telling_changes_nothing(store: Store) -> None:
    file = held_file(store)
    add(store, file, START, SUCCESS)
    told(store, 2)
    add(store, held_file(store, 1), SUCCESS, now=LATER)
    assert due(store, LATER + timedelta(hours=1)) == []


def test_what_a_file_done_again_brought_is_told_again_and_nothing_else(store: Store) -> None:
    file, other = held_file(store, 0), held_file(store, 1)
    elsewhere = stage("Success", correlation="elsewhere")
    add(store, file, SUCCESS)
    add(store, other, elsewhere)
    told(store, 1)
    told(store, 1, operation_id=elsewhere.operation_id)
    again(store, file, SUCCESS)
    assert contents(due(store, LATER)) == [{SUCCESS.content}]
    told(store, 1)
    assert due(store, LATER) == []


def test_every_hour_an_operation_belonged_to_is_remembered(store: Store) -> None:
    late, early = stage("Success", minute=70), stage("Start", minute=59)
    add(store, held_file(store, 0), late)
    assert due(store, LATER)[0].hours_before == frozenset()
    add(store, held_file(store, 1), stage("Accept", minute=69))
    assert due(store, LATER)[0].hours_before == frozenset()
    add(store, held_file(store, 2), early)
    assert due(store, LATER)[0].hours_before == {NOON + timedelta(hours=1)}


# Latency


def test_latency_runs_from_the_last_upload_to_the_telling(store: Store) -> None:
    first, last = held_file(store, 0), held_file(store, 5)
    add(store, last, SUCCESS)
    add(store, first, START)
    with store.read() as connection:
        assert latencies(connection, NOON - timedelta(days=1)) == []
    told(store, 2, NOON + timedelta(minutes=9))
    with store.read() as connection:
        assert latencies(connection, NOON - timedelta(days=1)) == [
            NOON + timedelta(minutes=9) - last.uploaded_at
        ]


def test_telling_the_same_revision_again_does_not_make_it_late(store: Store) -> None:
    file = held_file(store)
    add(store, file, SUCCESS)
    told(store, 1, NOON + timedelta(minutes=3))
    again(store, file, SUCCESS)
    told(store, 1, LATER)
    with store.read() as connection:
        assert latencies(connection, NOON - timedelta(days=1)) == [
            NOON + timedelta(minutes=3) - file.uploaded_at
        ]


def test_an_operation_that_waits_again_has_no_latency_yet(store: Store) -> None:
    file = held_file(store)
    add(store, file, START)
    told(store, 1)
    add(store, file, SUCCESS, now=LATER)
    with store.read() as connection:
        assert latencies(connection, NOON - timedelta(days=1)) == []
        assert waiting_operations(connection) == 1
