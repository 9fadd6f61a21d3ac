"""What a batch costs against many open operations: ``python -m bench.open_state [--operations N ...]``.

One customer has a million operations in the store: half wait and are not due yet, half are told and not
quiet for long enough to be closed. A batch is what a busy step does: 12,000 stage records come, of 5,500 new
operations and of 500 there are; 4,500 that have become due are read with all their records and noted as
emitted; 4,500 that have been quiet are closed. Measured is the store's part, in CPU seconds, user and
system, of this process and, on PostgreSQL, of every process of the server.

SQLite is measured in a temporary folder, PostgreSQL as the tests start it,
which gives up durability, so that waiting for the disk is not in it; CPU is.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

import msgspec
from sqlalchemy import select, text

from azmdr.capture.names import TIME_FIRST, CaptureName
from azmdr.condense.classify import Classifier, StageRecord
from azmdr.store.closed_operations import close_operations, closed_among
from azmdr.store.database import Store
from azmdr.store.ledger import FoundFile, LedgerFile, record_files
from azmdr.store.operations import (
    Brought,
    Emitted,
    HeldRecord,
    Patience,
    add_records,
    due_operations,
    note_emitted,
)
from azmdr.store.state_size import StateSize, note_change
from azmdr.store.tables import CAPTURE_FILE, OPEN_OPERATION
from tests.postgres_server import running_postgres

CUSTOMER: Final = "contoso"
NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
PATIENCE: Final = Patience(timedelta(minutes=3), timedelta(minutes=15))
KEPT: Final = timedelta(days=1)
NEW, TOUCHED, DUE, QUIET = 5_500, 500, 4_500, 4_500
BATCHES: Final = 7
_FILLED_AT_ONCE: Final = 20_000


@dataclass
class Batch:
    """What one batch cost, by part: CPU seconds."""

    parts: dict[str, float] = field(default_factory=dict)
    elapsed: float = 0.0

    @property
    def cpu(self) -> float:
        """All parts."""
        return sum(self.parts.values())


def expect(holds: bool, what: str) -> None:
    """What is measured must be what was meant."""
    if not holds:
        raise RuntimeError(f"expected {what}")


def record(number: int, stage: str, size: int) -> bytes:
    """A stage of the operation of that number, as a diagnostic setting sends it, of about so many bytes."""
    start = stage == "Start"
    fields = {
        "time": f"{NOON + timedelta(seconds=0 if start else 2):%Y-%m-%dT%H:%M:%S}.0000000Z",
        "resourceId": f"/SUBSCRIPTIONS/6E0B1C2D-0000-4000-8000-000000000001/RESOURCEGROUPS/RG-{number % 97}",
        "operationName": "MICROSOFT.RESOURCES/SUBSCRIPTIONS/RESOURCEGROUPS/WRITE",
        "category": "Administrative",
        "resultType": stage,
        "resultSignature": "Started." if start else "Succeeded.OK",
        "callerIpAddress": "203.0.113.7",
        "correlationId": f"{number:032x}",
        "properties": {"requestbody": ""},
    }
    missing = size - len(json.dumps(fields, separators=(",", ":")))
    fields["properties"] = {"requestbody": "x" * max(0, missing)}
    return json.dumps(fields, separators=(",", ":")).encode()


def records_of(numbers: range, size: int) -> list[StageRecord]:
    """Start and Success of each operation."""
    classifier = Classifier()
    classified = (
        classifier.classify(record(n, stage, size)) for n in numbers for stage in ("Start", "Success")
    )
    return [one for one in classified if isinstance(one, StageRecord)]


def fill(store: Store, file: LedgerFile, operations: int, size: int) -> None:
    """Put so many operations into the store, waiting and told in turn.

    Those that batches take are the first of each: due a second after noon, quiet since a day before.
    """
    classifier = Classifier()
    for first in range(0, operations, _FILLED_AT_ONCE):
        rows = []
        for number in range(first, min(first + _FILLED_AT_ONCE, operations)):
            content = record(number, "Start", size)
            stage = cast(StageRecord, classifier.classify(content))
            told = number % 2 == 0
            taken = number < 2 * BATCHES * max(DUE, QUIET)
            rows.append(
                {
                    "customer": CUSTOMER,
                    "operation_id": stage.operation_id,
                    "records": 1,
                    "contents": msgspec.msgpack.encode([HeldRecord(file.id, content)]),
                    "terminal": False,
                    "patient": True,
                    "waiting_since": None if told else NOON,
                    "due_at": None if told else NOON + timedelta(seconds=1 if taken else 86_400),
                    "last_seen": NOON - KEPT * (2 if told and taken else 0.5),
                    "uploaded_at": NOON,
                    "hour": NOON,
                    "emitted_revision": int(told),
                    "emitted_at": NOON if told else None,
                }
            )
        with store.write() as connection:
            connection.execute(OPEN_OPERATION.insert(), rows)
    with store.write() as connection:
        note_change(connection, CUSTOMER, StateSize(operations, operations, operations * size))
        connection.execute(text("ANALYZE"))


def ledger_file(store: Store) -> LedgerFile:
    """A capture file that brings it all."""
    name = CaptureName("azure-log-ingest-westeurope-01", CUSTOMER, "0", NOON)
    with store.write() as connection:
        found = FoundFile(TIME_FIRST.build(name), "0x1", 1, CUSTOMER, name, NOON, "message")
        record_files(connection, [found], NOON)
        return LedgerFile.of(connection.execute(select(CAPTURE_FILE)).one())


def run_batch(store: Store, file: LedgerFile, records: list[StageRecord], cpu: Callable[[], float]) -> Batch:
    """What a step asks of the store for a batch."""
    batch = Batch()
    begun = time.perf_counter()

    @contextmanager
    def part(name: str) -> Iterator[None]:
        before = cpu()
        yield
        batch.parts[name] = batch.parts.get(name, 0.0) + cpu() - before

    with part("look for closed"), store.read() as connection:
        expect(not closed_among(connection, CUSTOMER, {one.operation_id for one in records}), "none closed")
    with part("add"), store.write() as connection:
        own = add_records(connection, CUSTOMER, [Brought(file, records)], PATIENCE, NOON)
    expect(own[file.id] == len(records), "every record new")
    left = DUE
    while left:
        with part("read due"), store.read() as connection:
            due = due_operations(connection, CUSTOMER, NOON + timedelta(seconds=1), min(left, 1000))
        expect(bool(due), "enough that is due")
        left -= len(due)
        emitted = [Emitted(one.operation_id, len(one.contents), respelt=False) for one in due]
        with part("note emitted"), store.write() as connection:
            note_emitted(connection, CUSTOMER, emitted, NOON)
    left = QUIET
    while left:
        with part("close"), store.write() as connection:
            closed = close_operations(connection, CUSTOMER, quiet_since=NOON - KEPT, limit=min(left, 1000))
        expect(closed > 0, "enough that is quiet")
        left -= closed
    batch.elapsed = time.perf_counter() - begun
    return batch


def own_cpu() -> float:
    """CPU seconds of this process."""
    return time.process_time()


def with_server(store: Store) -> Callable[[], float]:
    """CPU seconds of this process and of all of the PostgreSQL server, which runs on this machine."""
    with store.read() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
    postmaster = int(_stat(Path(f"/proc/{backend}"))[1])

    def seconds() -> float:
        server = 0.0
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and (stat := _stat(process)) and int(stat[1]) == postmaster:
                # The scheduler's own count, in nanoseconds: ticks of 10 ms would be too coarse.
                server += int((process / "schedstat").read_text().split()[0]) / 1e9
        return time.process_time() + server

    return seconds


def _stat(process: Path) -> list[str]:
    try:
        return (process / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def measure(url: str, operations: int, size: int) -> list[Batch]:
    """Fill a store, then run batches against it."""
    store = Store.open(url)
    file = ledger_file(store)
    fill(store, file, operations, size)
    cpu = with_server(store) if store.dialect == "postgresql" else own_cpu
    batches = []
    for number in range(BATCHES):
        begin = operations + number * NEW
        # Of those there are, ones that no batch takes.
        there = range(operations - (number + 1) * TOUCHED, operations - number * TOUCHED)
        come = records_of(range(begin, begin + NEW), size) + records_of(there, size + 1)
        batches.append(run_batch(store, file, come, cpu))
    store.close()
    return batches


def show(name: str, operations: int, size: int, batches: list[Batch]) -> None:
    """A row of the table, and where the time goes."""
    cpu = statistics.median(batch.cpu for batch in batches)
    parts = {part: statistics.median(batch.parts[part] for batch in batches) for part in batches[0].parts}
    elapsed = statistics.median(batch.elapsed for batch in batches)
    told = ", ".join(f"{part} {seconds * 1000:.0f}" for part, seconds in parts.items())
    print(  # noqa: T201 (a bench prints)
        f"| {name} | {operations:,} | {size:,} | {cpu * 1000:.0f} | {elapsed * 1000:.0f} | {told} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--size", type=int, default=600, help="bytes of a record")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    print("| database | open operations | bytes a record | CPU ms a batch | elapsed ms | CPU ms by part |")  # noqa: T201
    print("| --- | --- | --- | --- | --- | --- |")  # noqa: T201
    for operations in asked.operations:
        if asked.only != "postgresql":
            with tempfile.TemporaryDirectory(prefix="azmdr-bench-") as folder:
                show(
                    "SQLite",
                    operations,
                    asked.size,
                    measure(f"sqlite:///{folder}/b.db", operations, asked.size),
                )
        if asked.only != "sqlite":
            with running_postgres() as server, server.fresh_database() as url:
                show("PostgreSQL", operations, asked.size, measure(url, operations, asked.size))


if __name__ == "__main__":
    main()
