"""Condensing local files: the same condenser without a store, a queue or Dagster.

All files given are taken together, so the records of one operation may stand in any of them; those an
earlier call left in the same lake belong to it too. Nothing is left open: at the end every operation is
written as it stands.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from azmdr.capture.avro import scan
from azmdr.condense.attempts import distinct
from azmdr.condense.classify import StageRecord, classify
from azmdr.condense.condensed import condense
from azmdr.condense.contents import Contents, Span, read_contents
from azmdr.condense.counts import Counts, LocalResult
from azmdr.condense.members import rebuild_records
from azmdr.condense.sources import Progress, Source, no_garbage_collection, reported
from azmdr.lake.layout import Table, customer_name
from azmdr.lake.read import read_latest
from azmdr.lake.storage import LakeStorage
from azmdr.lake.write import write_contents, write_operations

OPERATIONS_AT_ONCE: Final = 5000


class LocalCondensing:
    """Condenses files into a lake. ``customer`` owns those whose path does not name an event hub."""

    def __init__(self, lake: LakeStorage, *, customer: str, max_body_bytes: int) -> None:
        self._lake = lake
        self._customer = customer_name(customer)
        self._max_body_bytes = max_body_bytes
        self._reasons: Counter[str] = Counter()
        self._spans: defaultdict[tuple[str, str, str], list[Span]] = defaultdict(list)
        self._staged: defaultdict[str, dict[str, list[StageRecord]]] = defaultdict(dict)

    def condense(self, paths: Sequence[Path], progress: Progress) -> LocalResult:
        """Condense files together. Raises :class:`OSError` for one that can't be opened."""
        with no_garbage_collection():
            counts = Counts()
            for path in paths:
                counts += self._add(Source.of(path, self._customer), progress)
            staged = counts.records - counts.passed_through - counts.duplicates - counts.quarantined
            merged = self._write_operations()
        counts = replace(counts, merged=merged, duplicates=counts.duplicates + staged - merged)
        return LocalResult(counts, sum(map(len, self._staged.values())), self._reasons)

    def _add(self, source: Source, progress: Progress) -> Counts:
        """Read a file; how many of its stage records are merged is seen in the end."""
        contents = self._read(source, progress)
        self._reasons.update(piece.reason for piece in contents.quarantined)
        operations = self._staged[source.customer]
        for record in contents.staged:
            operations.setdefault(record.operation_id, []).append(record)
        write_contents(
            self._lake,
            contents,
            customer=source.customer,
            path=str(source.path),
            etag="",
            window=source.window,
        )
        return Counts(
            files=1,
            events=contents.events,
            records=contents.records,
            passed_through=len(contents.passed),
            duplicates=contents.duplicates,
            quarantined=len(contents.quarantined),
            bytes=source.size,
        )

    def _read(self, source: Source, progress: Progress) -> Contents:
        data = source.mapped()
        found = reported(scan(data, self._max_body_bytes, views=True), data, progress)
        contents = read_contents(found, data, window=source.window, seen=self._spans[source.partition])
        self._spans[source.partition] += contents.spans
        return contents

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
                    staged[row["operation_id"]].append(record)
        return hours

    def _write_operations(self) -> int:
        """Write every operation; returns how many distinct records the files had of them."""
        merged = 0
        for customer, operations in self._staged.items():
            # Counted before the records of an earlier call come to them.
            merged += sum(distinct(records)[1] for records in operations.values())
            hours = self._add_earlier(customer)
            for some in _in_parts(sorted(operations), OPERATIONS_AT_ONCE):
                revisions = ((condense(operations[one]), hours.get(one, ())) for one in some)
                write_operations(self._lake, revisions, customer=customer)
        return merged


def _in_parts(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
