"""Writing: rows into Parquet files whose names follow from what they hold, so writing again replaces."""

import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from azmdr.condense.classify import PassedRecord
from azmdr.condense.condensed import CONDENSER, Operation
from azmdr.condense.contents import Contents, Quarantined
from azmdr.condense.identity import key_digest
from azmdr.lake.layout import Bucket, Table
from azmdr.lake.storage import LakeStorage
from azmdr.lake.tables import SCHEMAS
from azmdr.times import as_datetime, as_nanoseconds, hour_of


def write_contents(
    lake: LakeStorage, contents: Contents, *, customer: str, path: str, etag: str, window: datetime
) -> list[str]:
    """Write what of a capture file stands for itself: the records passed through and the quarantined ones.

    The files' names follow from the capture file's path and etag alone, so doing it again replaces them.
    Returns their paths, in order.
    """
    name = key_digest("capture file", path, etag)
    passed: defaultdict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for record, enqueued in contents.passed:
        row = _activity_row(record, enqueued)
        passed[hour_of(as_nanoseconds(row["time"]))].append(row)
    written = [
        _write(lake, Bucket(customer, Table.ACTIVITY_RECORDS, hour), name, rows)
        for hour, rows in sorted(passed.items())
    ]
    if contents.quarantined:
        rows = [_quarantine_row(piece, path, etag) for piece in contents.quarantined]
        bucket = Bucket(customer, Table.QUARANTINED_RECORDS, hour_of(as_nanoseconds(window)))
        written.append(_write(lake, bucket, name, rows))
    return written


def write_operations(
    lake: LakeStorage, operations: Iterable[tuple[Operation, Collection[datetime]]], *, customer: str
) -> list[str]:
    """Write revisions of operations, each with the hours in which a revision before may stand.

    An operation whose earliest record came late belongs to an earlier hour than its revision before. That
    hour then gets a row that says it has moved, so that who reads one hour alone is not told twice.
    """
    rows: defaultdict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for operation, hours_before in operations:
        rows[operation.hour].append(_operation_row(operation, moved=False))
        for hour in sorted(set(hours_before) - {operation.hour}):
            rows[hour].append(_operation_row(operation, moved=True))
    return [
        _write(lake, Bucket(customer, Table.OPERATIONS, hour), _name_of(told), told)
        for hour, told in sorted(rows.items())
    ]


def _write(lake: LakeStorage, bucket: Bucket, name: str, rows: Sequence[dict[str, Any]]) -> str:
    frame = pl.DataFrame(rows, schema=SCHEMAS[bucket.table], orient="row")
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=3)
    path = bucket.file(name)
    lake.put(path, buffer.getvalue())
    return path


def _name_of(rows: Sequence[dict[str, Any]]) -> str:
    return key_digest(
        "operations",
        *(f"{row['operation_id']} {row['revision']} {row['condenser']} {row['moved']}" for row in rows),
    )


def _activity_row(record: PassedRecord, enqueued: datetime) -> dict[str, Any]:
    return {
        "record_id": record.record_id,
        "revision": record.revision,
        "digest": record.digest,
        "time": enqueued if record.time is None else as_datetime(record.time),
        "time_from_record": record.time is not None,
        "shape": record.shape.value,
        "category": record.category,
        "operation_name": record.operation_name,
        "resource_id": record.resource_id,
        "correlation_id": record.correlation_id,
        "result_type": record.result_type,
        "caller_ip": record.caller_ip,
        "tenant_id": record.tenant_id,
        "record": record.content.decode(),
    }


def _operation_row(operation: Operation, *, moved: bool) -> dict[str, Any]:
    return {
        "operation_id": operation.operation_id,
        "revision": operation.revision,
        "condenser": CONDENSER,
        "moved": moved,
        "time": operation.time,
        "last_time": operation.last_time,
        "outcome": operation.outcome.value,
        "attempts": operation.attempts,
        "ambiguous": operation.ambiguous,
        "conflict": operation.conflict,
        "shape": operation.shape.value,
        "category": operation.category,
        "operation_name": operation.operation_name,
        "resource_id": operation.resource_id,
        "subscription_id": operation.subscription_id,
        "tenant_id": operation.tenant_id,
        "correlation_id": operation.correlation_id,
        "caller_ip": operation.caller_ip,
        "result_signature": operation.result_signature,
        "operation": operation.operation,
        "members": operation.members,
    }


def _quarantine_row(piece: Quarantined, path: str, etag: str) -> dict[str, Any]:
    place = (path, etag, str(piece.file_offset), str(piece.sequence_number), str(piece.index))
    return {
        "quarantine_id": key_digest("quarantine", *place),
        "path": path,
        "etag": etag,
        "file_offset": piece.file_offset,
        "length": piece.length,
        "sequence_number": piece.sequence_number,
        "index": piece.index,
        "reason": piece.reason,
        "detail": piece.detail,
        "content": piece.content,
    }
