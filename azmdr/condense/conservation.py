"""Conservation: every record of a capture file is in exactly one place, counted where it is.

The ledger says what became of a file's records. This recounts them from the rows themselves, in the
lake and, when they were committed, in the store, so that a file whose rows were not written is found.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from azmdr.condense.step import DoneFile
from azmdr.lake.layout import Bucket, Table
from azmdr.lake.storage import LakeFileMissingError, LakeStorage


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A file whose records are not all where the ledger says they are."""

    path: str
    what: str


def discrepancies(lake: LakeStorage, done: Sequence[DoneFile]) -> list[Discrepancy]:
    """Recount the records of files; empty when all are accounted for."""
    return [Discrepancy(one.file.path, what) for one in done for what in _recount(one, lake)]


def _recount(one: DoneFile, lake: LakeStorage) -> list[str]:
    counts = one.counts
    wrong = []
    if not counts.conserved:
        wrong.append(
            f"{counts.records} records, but {counts.passed_through} passed through, {counts.merged} merged,"
            f" {counts.duplicates} duplicates and {counts.quarantined} quarantined"
        )
    if one.merged_in_store != counts.merged:
        wrong.append(f"{counts.merged} records merged, but the store holds {one.merged_in_store}")
    rows = {Table.ACTIVITY_RECORDS: 0, Table.QUARANTINED_RECORDS: 0}
    for path in one.outputs:
        bucket = Bucket.of(path)
        try:
            if bucket is not None:
                rows[bucket.table] += _rows(lake.read(path))
        except LakeFileMissingError as error:
            wrong.append(str(error))
    for table, said in (
        (Table.ACTIVITY_RECORDS, counts.passed_through),
        (Table.QUARANTINED_RECORDS, counts.quarantined),
    ):
        if rows[table] != said:
            wrong.append(f"{said} rows of {table} written, but the lake holds {rows[table]}")
    return wrong


def _rows(content: bytes) -> int:
    return pl.read_parquet(io.BytesIO(content), columns=[0]).height
