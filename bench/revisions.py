"""How much is written for what is left: ``python -m bench.revisions [--megabytes N] [--files N]``.

Capture files of one busy partition come one after the other, each is condensed when it comes, operations are
emitted as they become due on a clock that follows the files, and in the end the days are compacted. Compared
are the bytes of all files of ``operations`` that condensing wrote with the bytes that are left.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from azmdr.capture.avro import CapturedEvent, scan
from azmdr.capture.container import CaptureContainer
from azmdr.capture.names import TIME_FIRST, CaptureName
from azmdr.condense.compaction import Compaction
from azmdr.condense.step import CondensingStep, StepSettings
from azmdr.lake.layout import Table
from azmdr.lake.storage import DirectoryLake
from azmdr.store.database import Store
from azmdr.store.ledger import CustomerDay, FoundFile, record_files
from azmdr.store.operations import Patience
from azmdr.store.uncompacted import uncompacted_days
from bench.captures import write_captures

CUSTOMER: Final = "contoso"
LEASE: Final = timedelta(minutes=10)
SETTINGS: Final = StepSettings(
    patience=Patience(timedelta(minutes=3), timedelta(minutes=15)),
    budget=timedelta(hours=1),
    claim_lease=LEASE,
    customer_wait=timedelta(0),
    keep_quiet=timedelta(hours=1),
    files_per_commit=50,
    bytes_per_commit=1 << 28,
    file_attempts=1,
    max_body_bytes=32 << 20,
)


class _LocalFiles(CaptureContainer):
    """A container whose blobs are files here."""

    def __init__(self) -> None:
        self.paths: dict[str, Path] = {}

    def read(self, path: str, etag: str) -> bytes:  # noqa: ARG002
        """A whole file."""
        return self.paths[path].read_bytes()


class _CountingLake(DirectoryLake):
    """A lake that counts what is written of operations."""

    written = 0

    def put(self, path: str, content: bytes) -> None:
        """Write a file."""
        if f"table={Table.OPERATIONS}" in path:
            self.written += len(content)
        super().put(path, content)


@dataclass(frozen=True, slots=True)
class Written:
    """What condensing wrote, and what is left."""

    files: int
    revisions: int
    """Bytes of all files of operations that condensing wrote."""
    before: int
    """Bytes that stood in the lake before it was compacted."""
    final: int
    """Bytes that are left of them after compaction."""

    @property
    def ratio(self) -> float:
        """Bytes written for revisions, for each byte that is left."""
        return self.revisions / self.final


def measure(folder: Path, *, megabytes: float, files: int) -> Written:
    """Condense capture files as they come, then compact."""
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    lake, container = _CountingLake(folder / "lake"), _LocalFiles()
    paths = write_captures(folder / "captures", megabytes=megabytes, files=files)
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def step(number: int) -> None:
        days = {CustomerDay(CUSTOMER, f"{now - timedelta(days=age):%Y-%m-%d}") for age in (0, 1)}
        CondensingStep(store, container, lake, SETTINGS, f"run-{number}", lambda: now).condense_waiting(
            sorted(days)
        )

    for number, path in enumerate(paths):
        now = max(now, _ends(path)) + timedelta(seconds=1)
        name = CaptureName("azure-log-ingest-westeurope-01", CUSTOMER, "0", now)
        container.paths[TIME_FIRST.build(name)] = path
        with store.write() as connection:
            size = path.stat().st_size
            found = FoundFile(TIME_FIRST.build(name), "0x1", size, CUSTOMER, name, now, "message")
            record_files(connection, [found], now)
        step(number)
    for number in range(4):
        now += timedelta(minutes=5)
        step(files + number)
    written, before = lake.written, _size(folder)
    with store.read() as connection:
        days = [one.partition for one in uncompacted_days(connection, now.date() + timedelta(days=9))]
    Compaction(store, lake, LEASE, timedelta(0), "compaction", lambda: now).compact(days)
    store.close()
    return Written(files, written, before, _size(folder))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _operations(folder))


def _operations(folder: Path) -> Iterator[Path]:
    return (folder / "lake" / f"customer={CUSTOMER}" / f"table={Table.OPERATIONS}").rglob("*.parquet")


def _ends(path: Path) -> datetime:
    found = scan(path.read_bytes(), 32 << 20)
    return max(one.enqueued for one in found if isinstance(one, CapturedEvent) and one.enqueued is not None)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, default=6.5, help="of a file; 6.5 are five minutes of it")
    parser.add_argument("--files", type=int, default=24)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="azmdr-bench-") as folder:
        told = measure(Path(folder), megabytes=asked.megabytes, files=asked.files)
    print("| files | MB each | bytes for revisions | bytes before compaction | bytes left | written / left |")  # noqa: T201
    print("| --- | --- | --- | --- | --- | --- |")  # noqa: T201
    print(  # noqa: T201
        f"| {told.files} | {asked.megabytes:g} | {told.revisions:,} | {told.before:,} | {told.final:,} |"
        f" {told.ratio:.2f} |"
    )


if __name__ == "__main__":
    main()
