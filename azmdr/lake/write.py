"""Writing: rows into Parquet files whose names follow from what they hold, so writing again replaces."""

import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl

from azmdr.condense.condensed import CONDENSER, Operation
from azmdr.condense.contents import Contents, Quarantined
from azmdr.condense.identity import key_digest
from azmdr.condense.passed import PassedRecord
from azmdr.lake.layout import Bucket, Table
from azmdr.lake.storage import LakeStorage
from azmdr.lake.tables import SCHEMAS
from azmdr.times import NANOSECONDS, as_nanoseconds, hour_of


def write_contents(
    lake: LakeStorage, contents: Contents, *, customer: str, path: str, etag: str, window: datetime
) -> list[str]:
    """Write what of a capture file stands for itself: the records passed through and the quarantined ones.

    The files' names follow from the capture file's path and etag alone, so doing it again replaces them.
    Returns their paths, in order.
    """
    name = key_digest("capture file", path, etag)
    passed: defaultdict[int, list[tuple[PassedRecord, datetime]]] = defaultdict(list)
    for record, enqueued in contents.passed:
        time = as_nanoseconds(enqueued) if record.time is None else record.time
        passed[time // _HOUR].append((record, enqueued))
    written = [
        _write(
            lake,
            Bucket(customer, Table.ACTIVITY_RECORDS, hour_of(hour * _HOUR)),
            name,
            _activity_columns(some),
        )
        for hour, some in sorted(passed.items())
    ]
    if contents.quarantined:
        columns = _quarantine_columns(contents.quarantined, path, etag)
        bucket = Bucket(customer, Table.QUARANTINED_RECORDS, hour_of(as_nanoseconds(window)))
        written.append(_write(lake, bucket, name, columns))
    return written


def write_operations(
    lake: LakeStorage, operations: Iterable[tuple[Operation, Collection[datetime]]], *, customer: str
) -> list[str]:
    """Write revisions of operations, each with the hours in which a revision before may stand.

    An operation whose earliest record came late belongs to an earlier hour than its revision before. That
    hour then gets a row that says it has moved, so that who reads one hour alone is not told twice.
    """
    rows: defaultdict[datetime, list[tuple[Operation, bool]]] = defaultdict(list)
    for operation, hours_before in operations:
        rows[operation.hour].append((operation, False))
        for hour in sorted(set(hours_before) - {operation.hour}):
            rows[hour].append((operation, True))
    return [
        _write(lake, Bucket(customer, Table.OPERATIONS, hour), _name_of(told), _operation_columns(told))
        for hour, told in sorted(rows.items(), key=lambda one: one[0])
    ]


def _write(lake: LakeStorage, bucket: Bucket, name: str, columns: Mapping[str, Sequence[Any]]) -> str:
    schema = SCHEMAS[bucket.table]
    return put_rows(
        lake,
        bucket,
        name,
        pl.DataFrame([_series(column, columns[column], schema[column]) for column in schema]),
    )


def put_rows(lake: LakeStorage, bucket: Bucket, name: str, frame: pl.DataFrame) -> str:
    """Write rows of a table into a file of a bucket, in place of one of that name; returns its path."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=3)
    path = bucket.file(name)
    lake.put(path, buffer.getvalue())
    return path


def _series(name: str, values: Sequence[Any], kind: pl.DataType) -> pl.Series:
    match kind:
        case pl.Datetime():
            # Microseconds; a number is a quarter of the work a datetime is.
            return pl.Series(name, values, pl.Int64).cast(kind)
        case _:
            return pl.Series(name, values, kind)


def _name_of(rows: Sequence[tuple[Operation, bool]]) -> str:
    return key_digest(
        "operations",
        *(f"{one.operation_id} {one.revision} {CONDENSER} {moved}" for one, moved in rows),
    )


def _activity_columns(passed: Sequence[tuple[PassedRecord, datetime]]) -> dict[str, Sequence[Any]]:
    columns = _attributes([record for record, _ in passed], _OF_A_RECORD)
    times = [as_nanoseconds(enqueued) if record.time is None else record.time for record, enqueued in passed]
    columns["time"] = [time // 1000 for time in times]
    columns["time_from_record"] = [record.time is not None for record, _ in passed]
    columns["shape"] = [record.shape.value for record, _ in passed]
    columns["record"] = [record.content.decode() for record, _ in passed]
    return columns


def _operation_columns(told: Sequence[tuple[Operation, bool]]) -> dict[str, Sequence[Any]]:
    operations = [operation for operation, _ in told]
    columns = _attributes(operations, _OF_AN_OPERATION)
    columns["condenser"] = [CONDENSER] * len(told)
    columns["moved"] = [moved for _, moved in told]
    columns["time"] = [as_nanoseconds(operation.time) // 1000 for operation in operations]
    columns["last_time"] = [as_nanoseconds(operation.last_time) // 1000 for operation in operations]
    columns["outcome"] = [operation.outcome.value for operation in operations]
    columns["shape"] = [operation.shape.value for operation in operations]
    return columns


def _quarantine_columns(pieces: Sequence[Quarantined], path: str, etag: str) -> dict[str, Sequence[Any]]:
    columns = _attributes(pieces, _OF_A_PIECE)
    columns["quarantine_id"] = [_quarantine_id(piece, path, etag) for piece in pieces]
    columns["path"] = [path] * len(pieces)
    columns["etag"] = [etag] * len(pieces)
    return columns


def _attributes(things: Sequence[Any], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    return {name: [getattr(thing, name) for thing in things] for name in names}


def _quarantine_id(piece: Quarantined, path: str, etag: str) -> str:
    place = (path, etag, str(piece.file_offset), str(piece.sequence_number), str(piece.index))
    return key_digest("quarantine", *place)


_HOUR: Final = 3600 * NANOSECONDS
_OF_A_RECORD: Final = (
    "record_id",
    "revision",
    "digest",
    "category",
    "operation_name",
    "resource_id",
    "correlation_id",
    "result_type",
    "caller_ip",
    "tenant_id",
)
_OF_AN_OPERATION: Final = (
    "operation_id",
    "revision",
    "attempts",
    "ambiguous",
    "conflict",
    "category",
    "operation_name",
    "resource_id",
    "subscription_id",
    "tenant_id",
    "correlation_id",
    "caller_ip",
    "result_signature",
    "operation",
    "members",
)
_OF_A_PIECE: Final = ("file_offset", "length", "sequence_number", "index", "reason", "detail", "content")
"""By table: the columns that are attributes of what a row is about."""
