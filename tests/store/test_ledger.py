"""What the ledger promises: each file once, each claim to one run, and sums that add up."""

import threading
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, select

from azmdr.condense.counts import Counts
from azmdr.store.database import Store
from azmdr.store.ledger import (
    CustomerDay,
    FileState,
    LedgerFile,
    claim_everything,
    claim_waiting,
    complete,
    counts_of_days,
    counts_of_run,
    customers,
    note_requests,
    prolong,
    put_aside,
    states,
    still_held,
    waiting_by_day,
    waiting_files,
)
from azmdr.store.tables import CAPTURE_FILE
from tests.store.ledger_files import (
    CONTOSO,
    DAY,
    FABRIKAM,
    LEASE,
    NOON,
    claim,
    found,
    held_file,
    minutes,
    record,
)

AFTER_LEASE = NOON + LEASE + timedelta(seconds=1)
COUNTS = Counts(
    files=1, events=3, records=10, passed_through=4, merged=3, duplicates=2, quarantined=1, bytes=1000
)

counts = st.builds(Counts, *([st.integers(min_value=0, max_value=2**40)] * 8))


def finish(store: Store, file: LedgerFile, run_id: str = "run", outputs: Collection[str] = ("a",)) -> None:
    with store.write() as connection:
        complete(connection, file.id, COUNTS, list(outputs), run_id=run_id, now=NOON)


def set_aside(store: Store, file: LedgerFile, state: FileState, owner: str = "run") -> None:
    with store.write() as connection:
        put_aside(connection, file.id, state, "why", owner=owner, now=NOON)


def redo(
    store: Store, name: str, *, owner: str = "run-2", now: Any = NOON, hours: Collection[int] = ()
) -> list[LedgerFile]:
    with store.write() as connection:
        return claim_everything(
            connection, [CONTOSO], owner=owner, redo=name, now=now, lease=LEASE, hours=hours
        )


def row_of(store: Store, file: LedgerFile) -> Any:
    with store.read() as connection:
        return connection.execute(select(CAPTURE_FILE).where(CAPTURE_FILE.c.id == file.id)).one()


# Writing down


def test_a_file_is_written_down_once_however_often_it_is_heard_of(store: Store) -> None:
    assert record(store, [found(0), found(1)]) == 2
    assert record(store, [found(1), found(2)]) == 1
    assert minutes(claim(store)) == [0, 1, 2]


def test_a_file_named_twice_in_one_batch_is_one_file(store: Store) -> None:
    assert record(store, [found(0), found(0)]) == 1


def test_a_blob_written_anew_is_a_file_of_its_own(store: Store) -> None:
    assert record(store, [found(0, etag="0x1"), found(0, etag="0x2")]) == 2


def test_hearing_of_a_file_again_does_not_make_it_wait_again(store: Store) -> None:
    finish(store, held_file(store))
    assert record(store, [found()]) == 0
    assert claim(store) == []


def test_nothing_to_write_down_is_nothing_written(store: Store) -> None:
    assert record(store, []) == 0


def test_a_file_comes_back_as_it_was_found(store: Store) -> None:
    (file,) = [held_file(store)]
    told = found()
    assert (file.path, file.etag, file.size, file.customer, file.name, file.uploaded_at) == (
        told.path,
        told.etag,
        told.size,
        told.customer,
        told.name,
        told.uploaded_at,
    )
    assert (file.day, file.partition, file.attempts, file.requests, file.outputs) == (DAY, CONTOSO, 1, 0, ())


# Claiming


def test_files_are_claimed_oldest_window_first_and_no_more_than_asked_for(store: Store) -> None:
    record(store, [found(minute) for minute in (5, 1, 4, 2, 3)])
    assert minutes(claim(store, limit=2)) == [1, 2]
    assert minutes(claim(store, limit=2)) == [3, 4]
    assert minutes(claim(store, limit=2)) == [5]
    assert claim(store, limit=2) == []


def test_only_files_of_the_named_partitions_are_claimed(store: Store) -> None:
    tomorrow = found(0, window=NOON + timedelta(days=1))
    record(store, [found(0), found(0, customer="fabrikam"), tomorrow])
    assert [file.partition for file in claim(store, [FABRIKAM])] == [FABRIKAM]
    next_day = CustomerDay("contoso", "2026-11-25")
    assert [file.partition for file in claim(store, [next_day, FABRIKAM])] == [next_day]


def test_where_no_partition_is_named_nothing_is_claimed(store: Store) -> None:
    finish(store, held_file(store))
    record(store, [found(1)])
    assert claim(store, []) == []
    with store.write() as connection:
        assert claim_everything(connection, [], owner="run", redo="all", now=NOON, lease=LEASE) == []
        assert counts_of_days(connection, []) == {}


def test_only_the_named_files_are_claimed_and_never_the_excepted(store: Store) -> None:
    record(store, [found(minute) for minute in range(4)])
    with store.read() as connection:
        ids = [file.id for file in waiting_files(connection, NOON, 10)]
    with store.write() as connection:
        claimed = claim_waiting(
            connection,
            [CONTOSO],
            owner="run",
            now=NOON,
            lease=LEASE,
            limit=10,
            file_ids=ids[:3],
            except_ids=ids[1:2],
        )
    assert [file.id for file in claimed] == [ids[0], ids[2]]


def test_a_claimed_file_waits_again_only_when_its_lease_has_run_out(store: Store) -> None:
    held_file(store)
    assert claim(store, owner="other", now=NOON + LEASE) == []
    (again,) = claim(store, owner="other", now=AFTER_LEASE)
    assert again.attempts == 2


def test_a_prolonged_claim_lasts_longer_and_only_that_of_its_run(store: Store) -> None:
    held_file(store, 0, owner="alive")
    held_file(store, 1, owner="dead")
    with store.write() as connection:
        prolong(connection, owner="alive", now=NOON + LEASE, lease=LEASE)
    assert minutes(claim(store, owner="other", now=AFTER_LEASE)) == [1]


def test_many_at_once_share_the_files_and_none_is_claimed_twice(store: Store) -> None:
    record(store, [found(minute) for minute in range(40)])
    claimed: list[int] = []

    def take(owner: str) -> None:
        while files := claim(store, owner=owner, limit=3):
            claimed.extend(file.id for file in files)

    threads = [threading.Thread(target=take, args=(f"run-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 40


def test_a_claim_passes_over_what_another_is_claiming_at_this_moment(postgres_url: str) -> None:
    impatient = make_url(postgres_url).update_query_dict({"options": "-c lock_timeout=3000"})
    store, other = Store.open(postgres_url), Store.open(impatient.render_as_string(hide_password=False))
    record(store, [found(minute) for minute in range(4)])
    with store.write() as connection:
        first = claim_waiting(connection, [CONTOSO], owner="run", now=NOON, lease=LEASE, limit=2)
        second = claim(other, owner="other", limit=2)
        assert redo(other, "backfill") == []
    assert (minutes(first), minutes(second)) == ([0, 1], [2, 3])
    store.close()
    other.close()


def test_a_claim_in_a_transaction_that_fails_is_no_claim(store: Store) -> None:
    record(store, [found()])

    def claim_and_fail() -> None:
        with store.write() as connection:
            claim_waiting(connection, [CONTOSO], owner="run", now=NOON, lease=LEASE, limit=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        claim_and_fail()
    assert len(claim(store, owner="other")) == 1


def test_a_run_still_holds_what_it_claimed_and_nobody_has_taken_since(store: Store) -> None:
    mine = held_file(store, 0, owner="mine")
    lost = held_file(store, 1, owner="mine")
    done = held_file(store, 2, owner="mine")
    finish(store, done)
    with store.write() as connection:
        prolonged = CAPTURE_FILE.update().where(CAPTURE_FILE.c.id == mine.id)
        connection.execute(prolonged.values(lease_until=NOON + 3 * LEASE))
    assert minutes(claim(store, owner="other", now=AFTER_LEASE)) == [1]
    with store.write() as connection:
        assert still_held(connection, [mine.id, lost.id, done.id], owner="mine") == {mine.id}


# The end of a file's way


def test_a_file_put_back_waits_again_with_the_reason_beside_it(store: Store) -> None:
    file = held_file(store)
    set_aside(store, file, FileState.WAITING)
    assert row_of(store, file).reason == "why"
    assert claim(store)[0].attempts == 2


@pytest.mark.parametrize("state", [FileState.GONE, FileState.SUPERSEDED, FileState.FAILED])
def test_a_file_put_aside_for_good_waits_no_more(store: Store, state: FileState) -> None:
    file = held_file(store)
    set_aside(store, file, state)
    row = row_of(store, file)
    assert (row.state, row.reason, row.claimed_by, row.lease_until) == (state, "why", None, None)
    assert claim(store, now=AFTER_LEASE) == []


def test_a_run_that_lost_a_file_puts_nothing_aside(store: Store) -> None:
    file = held_file(store, owner="mine")
    claim(store, owner="other", now=AFTER_LEASE)
    set_aside(store, file, FileState.FAILED, owner="mine")
    assert row_of(store, file).state == FileState.CLAIMED


def test_a_file_done_names_its_outputs_and_forgets_why_it_once_was_not(store: Store) -> None:
    set_aside(store, held_file(store), FileState.WAITING)
    (file,) = claim(store)
    finish(store, file, outputs=["x/1.parquet", "x/2.parquet"])
    row = row_of(store, file)
    assert (row.state, row.reason, row.completions, row.claimed_by) == (FileState.DONE, None, 1, None)
    assert redo(store, "backfill")[0].outputs == ("x/1.parquet", "x/2.parquet")


# Counting


def test_what_waits_is_counted_by_customer_and_day(store: Store) -> None:
    record(store, [found(0), found(1), found(2), found(0, customer="fabrikam")])
    claim(store, limit=1)
    with store.read() as connection:
        assert waiting_by_day(connection, NOON) == {CONTOSO: 2, FABRIKAM: 1}
        assert waiting_by_day(connection, AFTER_LEASE) == {CONTOSO: 3, FABRIKAM: 1}
        assert minutes(waiting_files(connection, NOON, 2)) == [0, 1]
        assert customers(connection) == ["contoso", "fabrikam"]
        assert states(connection) == {FileState.CLAIMED: 1, FileState.WAITING: 3}


def test_files_done_are_summed_by_run_and_by_day(store: Store) -> None:
    for minute, run_id in ((0, "run-1"), (1, "run-1"), (2, "run-2")):
        finish(store, held_file(store, minute), run_id)
    finish(store, held_file(store, 0, customer="fabrikam"), "run-1")
    set_aside(store, held_file(store, 3, owner="run-1"), FileState.GONE, owner="run-1")
    with store.read() as connection:
        assert counts_of_run(connection, "run-1") == {CONTOSO: COUNTS + COUNTS, FABRIKAM: COUNTS}
        assert counts_of_days(connection, [CONTOSO]) == {CONTOSO: COUNTS + COUNTS + COUNTS}


def test_requests_are_counted_for_the_files_they_are_for(store: Store) -> None:
    record(store, [found(0), found(1)])
    with store.write() as connection:
        ids = [file.id for file in waiting_files(connection, NOON, 10)]
        note_requests(connection, ids[:1])
        note_requests(connection, ids[:1])
    assert [file.requests for file in claim(store)] == [2, 0]


@given(one=counts, other=counts)
def test_counts_add_up_field_by_field_and_stay_conserved(one: Counts, other: Counts) -> None:
    total = one + other
    assert total == other + one
    assert (total.files, total.records, total.bytes) == (
        one.files + other.files,
        one.records + other.records,
        one.bytes + other.bytes,
    )
    if one.conserved and other.conserved:
        assert total.conserved


def test_a_lost_record_is_no_conservation() -> None:
    assert COUNTS.conserved
    assert not (COUNTS + Counts(records=1)).conserved


# Doing everything again


def test_a_backfill_takes_files_of_every_state(store: Store) -> None:
    finish(store, held_file(store, 0))
    for minute, state in enumerate([FileState.GONE, FileState.SUPERSEDED, FileState.FAILED], start=1):
        set_aside(store, held_file(store, minute), state)
    record(store, [found(4), found(0, customer="fabrikam")])
    files = redo(store, "backfill")
    assert minutes(files) == [0, 1, 2, 3, 4]
    assert {file.attempts for file in files} == {1}


def test_a_backfill_leaves_files_to_the_run_that_holds_them(store: Store) -> None:
    held_file(store, 0, owner="alive")
    assert redo(store, "backfill", now=NOON + LEASE) == []
    assert minutes(redo(store, "backfill", now=AFTER_LEASE)) == [0]


def test_a_backfill_retried_does_only_what_it_has_not_done(store: Store) -> None:
    for minute in (0, 1):
        finish(store, held_file(store, minute))
    first, _ = redo(store, "backfill")
    finish(store, first, "run-2")
    assert minutes(redo(store, "backfill", owner="run-3", now=AFTER_LEASE)) == [1]
    assert minutes(redo(store, "another", owner="run-4", now=AFTER_LEASE + 2 * LEASE)) == [0, 1]


def test_a_backfill_of_some_hours_takes_only_files_whose_window_ends_in_them(store: Store) -> None:
    record(store, [found(0, window=NOON + timedelta(hours=hour, minutes=7)) for hour in range(4)])
    files = redo(store, "backfill", hours=[13, 15])
    assert [file.name.window.hour for file in files] == [13, 15]


def test_a_backfill_of_many_files_takes_all_of_them_in_order(store: Store) -> None:
    seconds = [found(window=NOON + timedelta(seconds=second)) for second in range(2001)]
    record(store, reversed(seconds))
    files = redo(store, "backfill")
    assert [file.name.window for file in files] == [file.name.window for file in seconds]


def test_a_range_of_a_thousand_customers_and_ninety_days_is_one_question(store: Store) -> None:
    record(store, [found(0)])
    day = f"{NOON:%Y-%m-%d}"
    names = ["contoso", *(f"customer-{number}" for number in range(999))]
    days = [day, *(f"day-{number:04}" for number in range(89))]
    partitions = [CustomerDay(customer, one) for one in days for customer in names]
    with store.write() as connection:
        files = claim_everything(
            connection, partitions, owner="run", redo="backfill", now=NOON, lease=timedelta(minutes=5)
        )
    assert len(files) == 1


def test_the_partition_that_waited_longest_comes_first(store: Store) -> None:
    for number, customer in enumerate(("zava", "contoso", "fabrikam")):
        record(store, [found(number, customer=customer)])
    record(store, [found(9, customer="zava")])
    with store.read() as connection:
        assert [one.customer for one in waiting_by_day(connection, NOON)] == ["zava", "contoso", "fabrikam"]
