"""Tables: the columns of the lake's Parquet files.

Key columns are typed; the record itself is JSON text, because its fields and their types are Azure's to
change.
"""

from typing import Final

import polars as pl

from azmdr.lake.layout import Table

_TIME: Final = pl.Datetime("us", "UTC")

ACTIVITY_RECORDS: Final = pl.Schema(
    {
        "record_id": pl.String(),
        "revision": pl.Int64(),
        "digest": pl.String(),
        "time": _TIME,
        "time_from_record": pl.Boolean(),
        "shape": pl.String(),
        "category": pl.String(),
        "operation_name": pl.String(),
        "resource_id": pl.String(),
        "correlation_id": pl.String(),
        "result_type": pl.String(),
        "caller_ip": pl.String(),
        "tenant_id": pl.String(),
        "record": pl.String(),
    }
)
"""Records that stand for themselves. ``record`` is the text that arrived, byte for byte."""

OPERATIONS: Final = pl.Schema(
    {
        "operation_id": pl.String(),
        "revision": pl.Int64(),
        "condenser": pl.Int32(),
        "moved": pl.Boolean(),
        "time": _TIME,
        "last_time": _TIME,
        "outcome": pl.String(),
        "attempts": pl.Int32(),
        "ambiguous": pl.Boolean(),
        "conflict": pl.Boolean(),
        "shape": pl.String(),
        "category": pl.String(),
        "operation_name": pl.String(),
        "resource_id": pl.String(),
        "subscription_id": pl.String(),
        "tenant_id": pl.String(),
        "correlation_id": pl.String(),
        "caller_ip": pl.String(),
        "result_signature": pl.String(),
        "operation": pl.String(),
        "members": pl.String(),
    }
)
"""Condensed operations. A row that is ``moved`` says: since this revision it stands in an earlier hour."""

QUARANTINED_RECORDS: Final = pl.Schema(
    {
        "quarantine_id": pl.String(),
        "path": pl.String(),
        "etag": pl.String(),
        "file_offset": pl.Int64(),
        "length": pl.Int64(),
        "sequence_number": pl.Int64(),
        "index": pl.Int64(),
        "reason": pl.String(),
        "detail": pl.String(),
        "content": pl.Binary(),
    }
)
"""What could not become a row, whole, with where it stood and why."""

SCHEMAS: Final = {
    Table.ACTIVITY_RECORDS: ACTIVITY_RECORDS,
    Table.OPERATIONS: OPERATIONS,
    Table.QUARANTINED_RECORDS: QUARANTINED_RECORDS,
}

KEYS: Final = {
    Table.ACTIVITY_RECORDS: "record_id",
    Table.OPERATIONS: "operation_id",
    Table.QUARANTINED_RECORDS: "quarantine_id",
}
"""By table: the column that says which thing a row is about."""
