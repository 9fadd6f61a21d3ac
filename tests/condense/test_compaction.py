"""What compaction promises: few files, the same rows for whoever reads, at any moment and after any crash."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from azmdr.condense.compaction import CompactionChangedSomethingError
from azmdr.lake.layout import Table
from azmdr.lake.read import digest_of, read_latest
from azmdr.lake.storage import DirectoryLake
from azmdr.store.leases import take_lease
from azmdr.store.uncompacted import uncompacted_days
from tests.condense.capture_files import CUSTOMER, TODAY, file_of_bodies
from tests.condense.records import NOON, envelope, stage_bytes
from tests.condense.test_step import in_hour
from tests.condense.workbench import LEASE, Workbench

FOLDER = f"customer={CUSTOMER}/table=operations/"


def files(bench: Workbench) -> list[str]:
    return list(bench.lake.list(FOLDER))


@pytest.fixture
def written(bench: Workbench) -> Workbench:
    """Ten operations, of which some have three revisions, and one that has moved to an earlier hour."""
    stages = [("start", 0), ("accept", 1), ("success", 2)]
    for partition, (stage, seconds) in enumerate(stages):
        some = [stage_bytes(stage, seconds, f"c-{n}") for n in range(10 - 3 * partition)]
        bench.arrive(file_of_bodies(envelope(*some), partition=partition))
        bench.finish()
    for partition, seconds in enumerate([3700, 3500], 3):
        bench.arrive(file_of_bodies(envelope(stage_bytes("accept", seconds, "moves")), partition=partition))
        bench.finish()
    return bench


def test_a_day_becomes_a_file_an_hour_with_each_operation_once(written: Workbench) -> None:
    tables, many = written.tables(), len(files(written))
    (day,) = written.compact().days
    assert (day.before.files, day.after.files) == (many, len(files(written))) == (many, 2)
    assert day.before.rows == 10 + 7 + 4 + 3
    assert day.after.rows == 12, "eleven operations, and the row that says where one has moved"
    assert day.operations == written.rows(Table.OPERATIONS).height == 11
    assert day.after.bytes < day.before.bytes
    assert written.tables() == tables
    assert in_hour(written, 13).height == 0, "nobody is told in the hour it has left"


def test_compacting_again_changes_no_file(written: Workbench) -> None:
    first = written.compact()
    stood = {path: written.lake.read(path) for path in files(written)}
    assert written.compact().days[0].before == first.days[0].after
    assert {path: written.lake.read(path) for path in files(written)} == stood


def test_only_days_that_were_written_to_since_are_to_be_compacted(written: Workbench) -> None:
    def due() -> list[str]:
        with written.store.read() as connection:
            return [one.partition.day for one in uncompacted_days(connection, NOON.date() + timedelta(1))]

    assert due() == [TODAY.day]
    written.compact()
    assert due() == []
    written.arrive(file_of_bodies(envelope(stage_bytes("success", 9, "moves")), partition=8))
    written.finish()
    assert due() == [TODAY.day]


def test_an_operation_closed_before_is_read_back_from_what_compaction_made(written: Workbench) -> None:
    written.compact()
    written.arrive(file_of_bodies(envelope(stage_bytes("success", 9, "c-9")), partition=8))
    assert written.finish().reopened[CUSTOMER] == 1
    (operation,) = (
        row for row in written.rows(Table.OPERATIONS).to_dicts() if row["correlation_id"] == "c-9"
    )
    assert (operation["revision"], operation["outcome"]) == (2, "success")
    tables = written.tables()
    written.compact()
    assert written.tables() == tables
    written.assert_conserved()


def test_a_backfill_after_it_gives_the_same_tables(written: Workbench) -> None:
    written.compact()
    tables = written.tables()
    written.step().condense_again([TODAY], redo="backfill")
    assert written.tables() == tables
    written.compact()
    assert written.tables() == tables


class DyingLake(DirectoryLake):
    """A lake whose process dies before its so-many-eth change, told as an exception."""

    left = 0

    def _change(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def put(self, path: str, content: bytes) -> None:
        self._change()
        super().put(path, content)

    def delete(self, path: str) -> None:
        self._change()
        super().delete(path)


def test_whatever_is_left_of_the_old_files_readers_see_the_same(written: Workbench) -> None:
    tables = written.tables()
    hours = [digest_of(in_hour(written, hour)) for hour in (12, 13)]
    whole = {path: written.lake.read(path) for path in files(written)}
    for changes in range(30):
        for path in files(written):
            written.lake.delete(path)
        for path, content in whole.items():
            written.lake.put(path, content)
        dying = DyingLake(written.folder)
        dying.left = changes
        written.lake = dying
        try:
            written.compact()
        except KeyboardInterrupt:
            written.lake = DirectoryLake(written.folder)
            assert written.tables() == tables
            assert [digest_of(in_hour(written, hour)) for hour in (12, 13)] == hours
            written.compact()
            assert written.tables() == tables
            assert len(files(written)) == 2
        else:
            assert changes > len(whole)
            return
    raise AssertionError("it never came to its end")


class ForgettingLake(DirectoryLake):
    """A lake that keeps another file than it was given."""

    def put(self, path: str, content: bytes) -> None:
        rows = pl.read_parquet(content)
        (rows.head(rows.height - 1)).write_parquet(self._directory / path)


def test_nothing_is_deleted_when_what_was_written_does_not_say_the_same(written: Workbench) -> None:
    before, tables = set(files(written)), written.tables()
    written.lake = ForgettingLake(written.folder)
    with pytest.raises(CompactionChangedSomethingError, match="none was deleted"):
        written.compact()
    assert before < set(files(written))
    assert written.tables() == tables


class CompactedMeanwhile(DirectoryLake):
    """A lake that is compacted by another process after it was listed."""

    def __init__(self, folder: Path, bench: Workbench) -> None:
        super().__init__(folder)
        self._bench = bench

    def read(self, path: str) -> bytes:
        self._bench.compact()
        return super().read(path)


def test_a_reader_whose_files_are_compacted_away_reads_what_was_made_of_them(written: Workbench) -> None:
    tables = written.tables()
    lake = CompactedMeanwhile(written.folder, written)
    assert digest_of(read_latest(lake, CUSTOMER, Table.OPERATIONS)) == tables[0]


def test_a_customer_another_run_holds_is_left_to_it(written: Workbench) -> None:
    with written.store.write() as connection:
        assert take_lease(connection, f"condense {CUSTOMER}", owner="other", now=written.now, duration=LEASE)
    before = files(written)
    result = written.compact()
    assert (result.days, result.leased) == ([], [CUSTOMER])
    assert files(written) == before
