"""Condensing local files: the same condenser without a store, a queue or Dagster.

All files given are taken together, so the records of one operation may stand in any of them; those an
earlier call left in the same lake belong to it too. Nothing is left open: at the end every operation is
written as it stands.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

import polars as pl

from azmdr.capture.avro import Buffer, CapturedEvent, Damage, scan
from azmdr.capture.names import AZURE_DEFAULT, TIME_FIRST, CaptureName, CaptureNameError, parse_capture_name
from azmdr.condense.classify import StageRecord, classify
from azmdr.condense.condensed import condense
from azmdr.condense.contents import Contents, Span, read_contents
from azmdr.condense.members import rebuild_records
from azmdr.lake.layout import Table, customer_name
from azmdr.lake.read import read_latest
from azmdr.lake.storage import LakeStorage
from azmdr.lake.write import write_contents, write_operations
from azmdr.store.ledger import Counts

NAME_PARTS: Final = 9
"""Path segments of a capture file's name, in Azure's order and in azmdr's."""
OPERATIONS_AT_ONCE: Final = 5000

Progress = Callable[[int], None]
"""Called with the bytes read since it was called before."""


@dataclass(frozen=True, slots=True)
class LocalResult:
    """What condensing local files came to."""

    counts: Counts
    operations: int
    reasons: Counter[str]
    """Why pieces were quarantined, with how many each."""


class LocalCondensing:
    """Condenses files into a lake. ``customer`` owns those whose path does not name an event hub."""

    def __init__(self, lake: LakeStorage, *, customer: str, max_body_bytes: int) -> None:
        self._lake = lake
        self._customer = customer_name(customer)
        self._max_body_bytes = max_body_bytes
        self._reasons: Counter[str] = Counter()
        self._spans: defaultdict[tuple[str, str, str], list[Span]] = defaultdict(list)
        self._staged: defaultdict[str, dict[str, dict[bytes, StageRecord]]] = defaultdict(dict)

    def condense(self, paths: Sequence[Path], progress: Progress) -> LocalResult:
        """Condense files together. Raises :class:`OSError` for one that can't be opened."""
        counts = Counts()
        for path in paths:
            counts += self._add(path, progress)
        return LocalResult(counts, self._write_operations(), self._reasons)

    def _add(self, path: Path, progress: Progress) -> Counts:
        name = _capture_name(path)
        customer = customer_name(name.event_hub) if name else self._customer
        window = name.window if name else datetime.fromtimestamp(path.stat().st_mtime, UTC)
        contents = self._read(path, name, window, progress)
        self._reasons.update(piece.reason for piece in contents.quarantined)
        merged = sum(self._stage(customer, record) for record in contents.staged)
        write_contents(self._lake, contents, customer=customer, path=str(path), etag="", window=window)
        return Counts(
            files=1,
            events=contents.events,
            records=contents.records,
            passed_through=len(contents.passed),
            merged=merged,
            duplicates=contents.duplicates + len(contents.staged) - merged,
            quarantined=len(contents.quarantined),
            bytes=path.stat().st_size,
        )

    def _read(self, path: Path, name: CaptureName | None, window: datetime, progress: Progress) -> Contents:
        # A file without a name of its own may be of any partition, so its events are compared with none.
        partition = (name.namespace, name.event_hub, name.partition_id) if name else (str(path), "", "")
        data = _mapped(path)
        found = _reported(scan(data, self._max_body_bytes), len(data), progress)
        contents = read_contents(found, data, window=window, seen=self._spans[partition])
        self._spans[partition] += contents.spans
        return contents

    def _stage(self, customer: str, record: StageRecord) -> bool:
        """Add a record to its operation; whether it is new there."""
        records = self._staged[customer].setdefault(record.operation_id, {})
        if record.content in records:
            return False
        records[record.content] = record
        return True

    def _add_earlier(self, customer: str) -> dict[str, tuple[datetime]]:
        """Add the records an earlier call left of the same operations; returns the hours they stand in."""
        hours: dict[str, tuple[datetime]] = {}
        staged = self._staged[customer]
        earlier = read_latest(self._lake, customer, Table.OPERATIONS)
        for row in earlier.filter(pl.col("operation_id").is_in(list(staged))).iter_rows(named=True):
            hours[row["operation_id"]] = (row["time"].replace(minute=0, second=0, microsecond=0),)
            for content in rebuild_records(row["operation"], row["members"]):
                record = classify(content)
                if isinstance(record, StageRecord):
                    staged[row["operation_id"]].setdefault(content, record)
        return hours

    def _write_operations(self) -> int:
        for customer, operations in self._staged.items():
            hours = self._add_earlier(customer)
            for some in _in_parts(sorted(operations), OPERATIONS_AT_ONCE):
                revisions = ((condense(operations[one].values()), hours.get(one, ())) for one in some)
                write_operations(self._lake, revisions, customer=customer)
        return sum(len(operations) for operations in self._staged.values())


def _reported(
    found: Iterable[CapturedEvent | Damage], size: int, progress: Progress
) -> Iterator[CapturedEvent | Damage]:
    left = size
    for one in found:
        # Azure may write a whole file as one block, so the bodies tell the way, not where blocks begin.
        step = min(left, len(one.body or b"") if isinstance(one, CapturedEvent) else one.length)
        left -= step
        progress(step)
        yield one
    progress(left)


def _capture_name(path: Path) -> CaptureName | None:
    try:
        return parse_capture_name("/".join(path.absolute().parts[-NAME_PARTS:]), (TIME_FIRST, AZURE_DEFAULT))
    except CaptureNameError:
        return None


def _mapped(path: Path) -> Buffer:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap(file.fileno(), 0, access=ACCESS_READ)


def _in_parts(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
