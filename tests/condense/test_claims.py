"""What a claim promises: each file is done once, by a run that holds it, and taken over from the dead."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from azmdr.lake.layout import Table
from azmdr.lake.storage import DirectoryLake
from azmdr.store import ledger, operations
from tests.condense.capture_files import (
    CUSTOMER,
    TODAY,
    FilesInMemory,
    file_of_bodies,
)
from tests.condense.records import envelope, resource_log_bytes, stage_bytes
from tests.condense.workbench import DEADLINE, LEASE, Workbench, told

START, SUCCESS = stage_bytes("start", 0), stage_bytes("success", 2)
LOG = resource_log_bytes("pod")


class Meanwhile(FilesInMemory):
    """A container during whose first read something else happens."""

    def __init__(self, files: FilesInMemory, happens: Callable[[], object]) -> None:
        self._inner, self._happens = files, happens

    def read(self, path: str, etag: str) -> bytes:
        content = self._inner.read(path, etag)
        happens, self._happens = self._happens, lambda: None
        happens()
        return content


def test_two_runs_at_once_do_each_file_once(bench: Workbench) -> None:
    bench.arrive(*(file_of_bodies(envelope(resource_log_bytes(str(n))), partition=n) for n in range(12)))
    together = threading.Barrier(2)
    done: list[str] = []

    def run(name: str) -> None:
        own = Workbench(bench.url, bench.folder, container=bench.container)
        together.wait()
        done.extend(one.file.path for one in own.condense(name, files_per_commit=2).done)
        own.store.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(set(done)) == 12
    assert {row.completions for row in bench.ledger_rows()} == {1}


def claim(bench: Workbench, owner: str) -> int:
    with bench.store.write() as connection:
        claimed = ledger.claim_waiting(connection, [TODAY], owner=owner, now=bench.now, lease=LEASE, limit=9)
    return len(claimed)


def test_a_file_another_run_holds_is_left_to_it(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START)))
    assert claim(bench, "the other") == 1
    bench.now += LEASE
    assert bench.condense().done == []


def test_a_file_whose_lease_ran_out_is_taken_over(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START)))
    claim(bench, "dead")
    bench.now += LEASE + timedelta(seconds=1)
    assert len(bench.condense().done) == 1


def test_a_run_that_lost_its_lease_commits_nothing(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START, LOG)))
    taker = Workbench(bench.url, bench.folder, container=bench.container)

    def taken_over() -> None:
        taker.now = bench.now + LEASE + timedelta(seconds=1)
        assert len(taker.condense("taker").done) == 1

    loser = Workbench(bench.url, bench.folder, container=Meanwhile(bench.container, taken_over))
    lost = loser.condense("loser")
    assert (lost.done, lost.leased) == ([], [CUSTOMER])
    (row,) = bench.ledger_rows()
    assert (row.run_id, row.completions) == ("taker", 1)
    bench.assert_conserved()


def test_a_run_that_lost_its_lease_to_one_still_at_work_commits_nothing(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START, LOG)))

    def taken_over() -> None:
        bench.now += LEASE + timedelta(seconds=1)
        assert claim(bench, "taker") == 1

    loser = Workbench(bench.url, bench.folder, container=Meanwhile(bench.container, taken_over))
    assert loser.condense("loser").done == []
    (row,) = bench.ledger_rows()
    assert (row.claimed_by, row.state, row.completions) == ("taker", "claimed", 0)
    assert bench.rows(Table.OPERATIONS).height == 0


class WrittenMeanwhile(DirectoryLake):
    """A lake during whose first write of operations something else happens."""

    def __init__(self, folder: Path, happens: Callable[[], object]) -> None:
        super().__init__(folder)
        self._happens = happens

    def put(self, path: str, content: bytes) -> None:
        super().put(path, content)
        if f"table={Table.OPERATIONS}" in path:
            happens, self._happens = self._happens, lambda: None
            happens()


def test_a_record_that_comes_while_its_operation_is_written_waits_for_the_run_that_writes(
    bench: Workbench,
) -> None:
    bench.arrive(file_of_bodies(envelope(START)))
    bench.condense()
    other = Workbench(bench.url, bench.folder, container=bench.container)

    def success_comes() -> None:
        other.arrive(file_of_bodies(envelope(SUCCESS), partition=1))
        assert other.condense("the other").leased == [CUSTOMER]

    bench.lake = WrittenMeanwhile(bench.folder, success_comes)
    bench.now += DEADLINE
    bench.condense()
    bench.finish()
    (operation,) = bench.rows(Table.OPERATIONS).to_dicts()
    assert (operation["revision"], operation["outcome"]) == (2, "success")


def test_a_run_overtaken_while_it_writes_operations_says_nothing_of_them(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START)))
    bench.condense()
    other = Workbench(bench.url, bench.folder, container=bench.container)

    def overtaken() -> None:
        other.now = bench.now + LEASE + timedelta(seconds=1)
        other.arrive(file_of_bodies(envelope(SUCCESS), partition=1))
        assert told(other.condense("the other")) == {CUSTOMER: 1}

    bench.now += DEADLINE
    bench.lake = WrittenMeanwhile(bench.folder, overtaken)
    assert bench.condense("slow").leased == [CUSTOMER]
    bench.now = other.now
    bench.finish()
    (operation,) = bench.rows(Table.OPERATIONS).to_dicts()
    assert (operation["revision"], operation["outcome"]) == (2, "success")
    bench.assert_conserved()


def test_only_the_files_named_are_done(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START)), file_of_bodies(envelope(LOG), partition=1))
    first = bench.ledger_rows()[0]
    result = bench.step().condense_waiting([TODAY], file_ids=[first.id])
    assert [done.file.path for done in result.done] == [first.path]
    assert bench.states() == {"done": 1, "waiting": 1}


@pytest.mark.parametrize("size", [1, 700, 1 << 20])
def test_however_few_bytes_a_transaction_may_hold_every_file_is_done(bench: Workbench, size: int) -> None:
    bench.arrive(*(file_of_bodies(envelope(resource_log_bytes(str(n))), partition=n) for n in range(4)))
    assert len(bench.condense(bytes_per_commit=size).done) == 4
    assert bench.states() == {"done": 4}


def test_a_run_that_fails_gives_its_files_back_at_once(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.arrive(file_of_bodies(envelope(START)), file_of_bodies(envelope(SUCCESS), partition=1))
    with monkeypatch.context() as failing:
        failing.setattr(operations, "add_records", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.condense()
    assert bench.states() == {"waiting": 2}
    bench.condense()
    assert bench.states() == {"done": 2}
    with monkeypatch.context() as failing:
        failing.setattr(operations, "add_records", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.step().condense_again([TODAY], redo="a backfill")
    assert bench.states() == {"waiting": 2}


class FullForOnce(DirectoryLake):
    """A lake that has no room when the first operations are written."""

    full = True

    def put(self, path: str, content: bytes) -> None:
        if self.full and "table=operations" in path:
            self.full = False
            raise OSError("no space left on device")
        super().put(path, content)


def test_operations_that_could_not_be_written_are_written_by_the_next_run(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(envelope(START, SUCCESS)))
    bench.condense()
    bench.now += LEASE / 2
    bench.lake = FullForOnce(bench.folder)
    with pytest.raises(OSError, match="no space"):
        bench.condense()
    assert told(bench.condense()) == {CUSTOMER: 1}
    assert bench.rows(Table.OPERATIONS)["outcome"].to_list() == ["success"]


def test_a_run_whose_time_is_up_leaves_the_rest_and_still_emits(bench: Workbench) -> None:
    bench.arrive(*(file_of_bodies(envelope(resource_log_bytes(str(n))), partition=n) for n in range(4)))

    def a_minute_passes() -> None:
        bench.now += timedelta(minutes=1)

    bench.container = Meanwhile(bench.container, a_minute_passes)
    result = bench.condense(budget=timedelta(seconds=30), files_per_commit=1)
    assert len(result.done) == 1
    assert bench.states() == {"done": 1, "waiting": 3}
    assert told(result) == {CUSTOMER: 0}
    assert len(bench.condense().done) == 3
