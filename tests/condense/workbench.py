"""A place to run the step: a real store, a real lake directory, files in memory, a clock that is told."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
from sqlalchemy import select

from azmdr.condense.compaction import Compaction, CompactionResult
from azmdr.condense.members import rebuild_records
from azmdr.condense.step import CondensingStep, StepResult, StepSettings
from azmdr.lake.layout import Table
from azmdr.lake.read import digest_of, read_latest
from azmdr.lake.storage import DirectoryLake, LakeStorage
from azmdr.store import ledger
from azmdr.store.database import Store
from azmdr.store.operations import Patience, held_records
from azmdr.store.tables import CAPTURE_FILE, CLOSED_OPERATION, OPEN_OPERATION
from tests.condense.capture_files import CUSTOMER, TODAY, CaptureFile, FilesInMemory
from tests.condense.records import NOON

LINGER: Final = timedelta(minutes=3)
DEADLINE: Final = timedelta(minutes=15)
LEASE: Final = timedelta(minutes=10)
SETTINGS: Final = StepSettings(
    patience=Patience(LINGER, DEADLINE),
    budget=timedelta(minutes=10),
    claim_lease=LEASE,
    customer_wait=timedelta(0),
    keep_quiet=timedelta(hours=12),
    files_per_commit=50,
    bytes_per_commit=1 << 28,
    file_attempts=3,
    max_body_bytes=32 << 20,
)


@dataclass
class Workbench:
    """What a run of the step stands on; ``restart`` is a new process on the same store and lake."""

    url: str
    folder: Path
    settings: StepSettings = SETTINGS
    container: FilesInMemory = field(default_factory=FilesInMemory)
    now: datetime = NOON
    runs: int = 0

    def __post_init__(self) -> None:
        self.store = Store.open(self.url)
        self.lake: LakeStorage = DirectoryLake(self.folder)

    def restart(self) -> None:
        self.store.close()
        self.store = Store.open(self.url)

    def arrive(self, *files: CaptureFile) -> int:
        """The files are there and announced; returns how many the ledger did not know."""
        self.container.add(*files)
        with self.store.write() as connection:
            return ledger.record_files(connection, [file.found for file in files], self.now)

    def step(self, run_id: str | None = None, **settings: Any) -> CondensingStep:
        self.runs += 1
        chosen = replace(self.settings, **settings)
        name = run_id or f"run-{self.runs}"
        return CondensingStep(self.store, self.container, self.lake, chosen, name, lambda: self.now)

    def condense(self, run_id: str | None = None, **settings: Any) -> StepResult:
        return self.step(run_id, **settings).condense_waiting([TODAY])

    def compact(self) -> CompactionResult:
        """Compact the day the files are of."""
        self.runs += 1
        name = f"compaction-{self.runs}"
        compaction = Compaction(self.store, self.lake, LEASE, timedelta(0), name, lambda: self.now)
        return compaction.compact([TODAY])

    def finish(self) -> StepResult:
        """Condense what waits, then let so much time pass that every operation is due."""
        result = self.condense()
        self.now += timedelta(days=1)
        self.condense()
        return result

    def rows(self, table: Table) -> pl.DataFrame:
        return read_latest(self.lake, CUSTOMER, table)

    def tables(self) -> tuple[str, str]:
        """Digests of the two tables that may not depend on how the records came."""
        return digest_of(self.rows(Table.OPERATIONS)), digest_of(self.rows(Table.ACTIVITY_RECORDS))

    def ledger_rows(self) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(CAPTURE_FILE).order_by(CAPTURE_FILE.c.id)))

    def states(self) -> dict[str, int]:
        with self.store.read() as connection:
            return {str(state): count for state, count in ledger.states(connection).items()}

    def kept_records(self) -> list[bytes]:
        """Every record that can be rebuilt from the lake, from each revision and each copy there is."""
        kept: set[bytes] = set()
        for path in self.lake.list(f"customer={CUSTOMER}/"):
            frame = pl.read_parquet(self.lake.read(path), hive_partitioning=False)
            if "record" in frame.columns:
                kept.update(text.encode() for text in frame["record"])
            elif "members" in frame.columns:
                for operation, members in frame.select("operation", "members").iter_rows():
                    kept.update(rebuild_records(operation, members))
        return sorted(kept)

    def assert_conserved(self) -> None:
        """Every file's counts add up, and are what the lake and the store really hold."""
        brought_by = self.brought_by()
        for row in self.ledger_rows():
            accounted = row.passed_through + row.merged + row.duplicates + row.quarantined
            assert row.records == accounted, row.path
            assert row.duplicates >= 0
            assert row.merged == brought_by[row.id]
            heights = self._heights(json.loads(row.outputs))
            assert heights == {
                name: count
                for name, count in (
                    (Table.ACTIVITY_RECORDS, row.passed_through),
                    (Table.QUARANTINED_RECORDS, row.quarantined),
                )
                if count
            }

    def brought_by(self) -> Counter[int]:
        """How many records of operations each file brought first, in the store and in what is closed."""
        with self.store.read() as connection:
            held = connection.scalars(select(OPEN_OPERATION.c.contents)).all()
            closed = connection.execute(select(CLOSED_OPERATION)).all()
        brought = Counter(record.file_id for contents in held for record in held_records(contents))
        for row in closed:
            brought.update(json.loads(row.brought_by))
            brought.update(record.file_id for record in held_records(row.other_spellings or b"\x90"))
        return brought

    def _heights(self, outputs: Sequence[str]) -> dict[str, int]:
        heights: dict[str, int] = {}
        for path in outputs:
            table = path.split("table=")[1].split("/")[0]
            frame = pl.read_parquet(self.lake.read(path), hive_partitioning=False)
            heights[table] = heights.get(table, 0) + frame.height
        return heights


def told(result: StepResult) -> dict[str, int]:
    """How many operations were written, by customer."""
    return {customer: emitted.total() for customer, emitted in result.emitted.items()}
