"""What a step promises: rows, counts, patience, and that nothing is told twice or in two places."""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from azmdr.condense.members import rebuild_records
from azmdr.lake.layout import Table
from azmdr.lake.read import latest
from azmdr.store import ledger
from tests.condense.capture_files import (
    CUSTOMER,
    TODAY,
    Event,
    capture_file,
    file_of_bodies,
)
from tests.condense.records import NOON, envelope, resource_log_bytes, sign_in_bytes, stage_bytes
from tests.condense.workbench import DEADLINE, LINGER, Workbench, told

START, ACCEPT, SUCCESS = stage_bytes("start", 0), stage_bytes("accept", 1), stage_bytes("success", 2)
LOG, SIGN_IN = resource_log_bytes("pod"), sign_in_bytes("e-1")
BROKEN = b"{'properties': 'single quotes'}"


def test_a_file_becomes_rows_and_counts(bench: Workbench) -> None:
    bench.arrive(
        file_of_bodies(envelope(START, SUCCESS), envelope(LOG, SIGN_IN, LOG), envelope(BROKEN, ACCEPT))
    )
    (done,) = bench.finish().done
    counts = done.counts
    assert (counts.files, counts.events, counts.records) == (1, 3, 7)
    assert (counts.merged, counts.passed_through, counts.duplicates, counts.quarantined) == (3, 2, 1, 1)
    assert counts.conserved
    assert bench.states() == {"done": 1}
    assert bench.rows(Table.OPERATIONS)["outcome"].to_list() == ["success"]
    assert sorted(bench.rows(Table.ACTIVITY_RECORDS)["record"]) == sorted([LOG.decode(), SIGN_IN.decode()])
    assert bench.rows(Table.QUARANTINED_RECORDS)["content"].to_list() == [BROKEN]
    bench.assert_conserved()


def test_the_records_of_an_operation_find_each_other_across_partitions_and_files(bench: Workbench) -> None:
    for partition, record in enumerate([SUCCESS, START, ACCEPT]):
        bench.arrive(file_of_bodies(envelope(record), partition=partition))
        bench.condense()
    bench.finish()
    (operation,) = bench.rows(Table.OPERATIONS).to_dicts()
    assert (operation["revision"], operation["outcome"]) == (3, "success")
    assert rebuild_records(operation["operation"], operation["members"]) == [START, ACCEPT, SUCCESS]


def test_an_operation_that_ended_waits_for_the_linger_time(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START, SUCCESS)))
    assert told(bench.condense()) == {CUSTOMER: 0}
    bench.now += LINGER - timedelta(seconds=1)
    assert told(bench.condense()) == {CUSTOMER: 0}
    bench.now += timedelta(seconds=1)
    assert told(bench.condense()) == {CUSTOMER: 1}
    assert told(bench.condense()) == {CUSTOMER: 0}


def test_an_operation_that_has_not_ended_is_told_at_the_deadline(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START, ACCEPT)))
    bench.condense()
    bench.now += DEADLINE
    assert told(bench.condense()) == {CUSTOMER: 1}
    assert bench.rows(Table.OPERATIONS)["outcome"].to_list() == ["accepted"]


def test_a_policy_evaluation_does_not_wait(bench: Workbench) -> None:
    audit = stage_bytes(
        "start", category="Policy", operationName="MICROSOFT.AUTHORIZATION/POLICIES/AUDIT/ACTION"
    )
    bench.arrive(file_of_bodies(envelope(audit)))
    assert told(bench.condense()) == {CUSTOMER: 1}


def test_what_comes_after_it_was_told_is_a_higher_revision_of_the_same_operation(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START)))
    bench.finish()
    before = bench.rows(Table.OPERATIONS)
    bench.arrive(file_of_bodies(envelope(SUCCESS), partition=1))
    bench.finish()
    after = bench.rows(Table.OPERATIONS)
    assert after["operation_id"].to_list() == before["operation_id"].to_list()
    assert (before["revision"].to_list(), after["revision"].to_list()) == ([1], [2])


def test_an_earlier_record_moves_an_operation_to_its_hour_and_leaves_none_behind(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(stage_bytes("success", 3700))))
    bench.finish()
    bench.arrive(file_of_bodies(envelope(stage_bytes("start", 3500)), partition=1))
    bench.finish()
    assert [in_hour(bench, hour).height for hour in (12, 13)] == [1, 0]
    assert bench.rows(Table.OPERATIONS).height == 1
    assert bench.rows(Table.OPERATIONS)["revision"].to_list() == [2]


def test_an_operation_that_moves_twice_is_in_one_hour_only(bench: Workbench) -> None:
    for partition, seconds in enumerate([7300, 3700, 10]):
        bench.arrive(file_of_bodies(envelope(stage_bytes("accept", seconds)), partition=partition))
        bench.finish()
    assert [in_hour(bench, hour).height for hour in (12, 13, 14)] == [1, 0, 0]


def in_hour(bench: Workbench, hour: int) -> pl.DataFrame:
    """The operations as someone sees them who reads one hour alone."""
    folder = f"customer={CUSTOMER}/table=operations/date={NOON:%Y-%m-%d}/hour={hour}/"
    frames = [
        pl.read_parquet(bench.lake.read(path), hive_partitioning=False) for path in bench.lake.list(folder)
    ]
    return latest(Table.OPERATIONS, pl.concat(frames))


def test_a_file_announced_again_is_known(bench: Workbench) -> None:
    file = file_of_bodies(envelope(START))
    assert bench.arrive(file) == 1
    bench.finish()
    assert bench.arrive(file) == 0
    assert bench.finish().done == []


def test_the_same_path_with_another_etag_brings_duplicates_only(bench: Workbench) -> None:
    file = file_of_bodies(envelope(START, LOG), envelope(SUCCESS))
    bench.arrive(file)
    bench.finish()
    tables = bench.tables()
    bench.arrive(replace(file, content=file.content + b"\x00"))
    again = bench.finish().counts
    assert again.duplicates == 3
    assert (again.passed_through, again.merged) == (0, 0)
    assert bench.tables() == tables
    bench.assert_conserved()


def test_the_same_events_under_another_path_are_duplicates(bench: Workbench) -> None:
    file = file_of_bodies(envelope(START, LOG), envelope(BROKEN, SUCCESS))
    bench.arrive(file)
    bench.finish()
    bench.arrive(file.later(minutes=5))
    again = bench.finish().counts
    assert (again.records, again.duplicates) == (4, 4)
    assert bench.rows(Table.QUARANTINED_RECORDS).height == 1


def test_a_hub_that_was_made_again_loses_nothing(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START), envelope(LOG)))
    bench.finish()
    later = NOON + timedelta(hours=1)
    new = [Event(0, envelope(resource_log_bytes("new")), later), Event(1, envelope(SUCCESS), later)]
    bench.arrive(capture_file(new))
    assert bench.finish().counts.duplicates == 0
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 2
    assert bench.rows(Table.OPERATIONS)["outcome"].to_list() == ["success"]


def test_a_hub_that_was_made_again_within_one_file_loses_nothing(bench: Workbench) -> None:
    later = NOON + timedelta(minutes=1)
    events = [
        Event(0, envelope(START), NOON),
        Event(1, envelope(LOG), NOON),
        Event(0, envelope(SUCCESS), later),
    ]
    bench.arrive(capture_file(events), file_of_bodies(envelope(SIGN_IN), partition=1))
    result = bench.finish()
    assert len(result.done) == 2
    assert result.counts.duplicates == 0
    assert bench.rows(Table.OPERATIONS)["outcome"].to_list() == ["success"]


def test_an_event_that_stands_twice_in_a_file_counts_once(bench: Workbench) -> None:
    events = [Event(number, envelope(resource_log_bytes(str(number))), NOON) for number in (5, 6, 5, 6)]
    bench.arrive(capture_file(events))
    counts = bench.finish().counts
    assert (counts.passed_through, counts.duplicates) == (2, 2)


def test_two_customers_never_meet(bench: Workbench) -> None:
    ours = file_of_bodies(envelope(START))
    theirs = replace(ours, name=replace(ours.name, event_hub="fabrikam"))
    bench.container.add(ours, theirs)
    with bench.store.write() as connection:
        found = [ours.found, replace(theirs.found, customer="fabrikam")]
        ledger.record_files(connection, found, bench.now)
    days_of_both = [TODAY, replace(TODAY, customer="fabrikam")]
    bench.step().condense_waiting(days_of_both)
    bench.now += timedelta(days=1)
    assert told(bench.step().condense_waiting(days_of_both)) == {CUSTOMER: 1, "fabrikam": 1}
    assert bench.rows(Table.OPERATIONS)["revision"].to_list() == [1]
