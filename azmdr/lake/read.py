"""Reading: the latest word on everything in a table.

Files are never changed, only added or replaced as a whole, so a table holds several revisions of an
operation and several copies of a record that Azure delivered twice. What counts is decided here.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from azmdr.condense.identity import key_digest
from azmdr.lake.layout import Table, table_prefix
from azmdr.lake.storage import LakeStorage
from azmdr.lake.tables import KEYS, SCHEMAS


def read_latest(
    lake: LakeStorage,
    customer: str,
    table: Table,
    days: Sequence[date] | None = None,
    *,
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """The rows that count, of some days or of all, in the order of their key; all their columns or some."""
    prefixes = [table_prefix(customer, table, day) for day in ([None] if days is None else days)]
    paths = [path for prefix in prefixes for path in lake.list(prefix)]
    if columns is None:
        return latest(table, _read_files(lake, table, paths))
    needed = list(dict.fromkeys([*columns, *_DECIDING[table]]))
    return latest(table, _read_files(lake, table, paths, needed)).select(columns)


def latest(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Of all rows about one thing, the one that counts.

    An operation's highest revision, wherever it stands, as the newest condenser made it. A record's highest
    revision, of equal ones the earliest, and of one record spelt in two ways always the same. A quarantined
    piece has only ever one.
    """
    key = KEYS[table]
    deciding = _DECIDING[table]
    ranked = rows.sort(deciding, descending=[name in _HIGHEST for name in deciding])
    counting = ranked.unique(key, keep="first", maintain_order=True)
    return counting.filter(~pl.col("moved")) if table is Table.OPERATIONS else counting


def digest_of(rows: pl.DataFrame) -> str:
    """A digest over all rows in their order: equal for equal tables."""
    return key_digest(*(row.decode() for row in _lines(rows)))


_DECIDING: Final = {
    Table.OPERATIONS: ("operation_id", "revision", "condenser", "moved"),
    Table.ACTIVITY_RECORDS: ("record_id", "revision", "time", "digest", "record"),
    Table.QUARANTINED_RECORDS: ("quarantine_id",),
}
"""By table: the columns that decide which row counts, its key first."""
_HIGHEST: Final = ("revision", "condenser")
"""Of these the highest counts, of the others the lowest."""


def _read_files(
    lake: LakeStorage, table: Table, paths: Sequence[str], columns: list[str] | None = None
) -> pl.DataFrame:
    empty = pl.DataFrame(schema=SCHEMAS[table]).select(columns or pl.all())
    read = (pl.read_parquet(lake.read(path), columns=columns, hive_partitioning=False) for path in paths)
    return pl.concat([empty, *read])


def _lines(rows: pl.DataFrame) -> list[bytes]:
    as_text = rows.select(pl.exclude(pl.Binary), pl.col(pl.Binary).bin.encode("hex"))
    return as_text.write_ndjson().encode().splitlines()
