"""Reading: the latest word on everything in a table.

Files are never changed, only added or replaced as a whole, and deleted when a compaction has put their rows
elsewhere; so a table holds several revisions of an operation and several copies of a record that Azure
delivered twice. What counts is decided here.
"""

import io
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

import polars as pl

from azmdr.condense.identity import key_digest
from azmdr.lake.layout import Bucket, Table, table_prefix
from azmdr.lake.storage import LakeFileMissingError, LakeStorage
from azmdr.lake.tables import KEYS, SCHEMAS

_LISTINGS: Final = 5
"""How often a folder is listed whose files are gone when they are read, because they were compacted."""


def read_latest(
    lake: LakeStorage, customer: str, table: Table, days: Sequence[date] | None = None
) -> pl.DataFrame:
    """The rows that count, of some days or of all, in the order of their key."""
    prefixes = [table_prefix(customer, table, day) for day in ([None] if days is None else days)]
    return latest(table, _read_folders(lake, table, prefixes))


def read_operations(
    lake: LakeStorage, customer: str, hour: datetime, operation_ids: Collection[str]
) -> pl.DataFrame:
    """The rows that count of some operations in one hour; of the others nothing but their ids is read."""
    wanted = pl.Series(sorted(operation_ids), dtype=pl.String)
    folder = Bucket(customer, Table.OPERATIONS, hour).prefix
    return latest(Table.OPERATIONS, _read_folders(lake, Table.OPERATIONS, [folder], wanted))


def read_operation_columns(
    lake: LakeStorage, customer: str, days: Sequence[date], columns: Sequence[str]
) -> pl.DataFrame:
    """Some columns of the operations that count of some days; nothing else of them is held."""
    folders = [table_prefix(customer, Table.OPERATIONS, day) for day in days]
    needed = list(dict.fromkeys([*columns, *_DECIDING]))
    rows = _read_folders(lake, Table.OPERATIONS, folders, columns=needed)
    return latest(Table.OPERATIONS, rows).select(columns)


def latest(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Of all rows about one thing, the one that counts.

    An operation's highest revision, wherever it stands, as the newest condenser made it. A record's highest
    revision, of equal ones the earliest, and of one record spelt in two ways always the same. A quarantined
    piece has only ever one.
    """
    key = KEYS[table]
    match table:
        case Table.OPERATIONS:
            return standing(rows).filter(~pl.col("moved"))
        case Table.ACTIVITY_RECORDS:
            order = [key, "revision", "time", "digest", "record"]
            ranked = rows.sort(order, descending=[False, True, False, False, False])
            return ranked.unique(key, keep="first", maintain_order=True)
        case Table.QUARANTINED_RECORDS:
            return rows.sort(key).unique(key, keep="first", maintain_order=True)


def standing(operations: pl.DataFrame) -> pl.DataFrame:
    """Of the rows of each operation the one that counts, those that say it has moved among them."""
    ranked = operations.sort(_DECIDING, descending=[False, True, True, False])
    return ranked.unique("operation_id", keep="first", maintain_order=True)


def digest_of(rows: pl.DataFrame) -> str:
    """A digest over all rows in their order: equal for equal tables."""
    return key_digest(*(row.decode() for row in _lines(rows)))


_DECIDING: Final = ("operation_id", "revision", "condenser", "moved")
"""The columns that decide which row of an operation counts."""


def _read_folders(
    lake: LakeStorage,
    table: Table,
    folders: Sequence[str],
    wanted: pl.Series | None = None,
    columns: list[str] | None = None,
) -> pl.DataFrame:
    """All rows of some folders, or those of the things wanted; all their columns, or some.

    A compaction puts its file before it deletes those it was made of. So one that is gone since it was
    listed is no loss, and the next listing shows where its rows are.
    """
    for left in reversed(range(_LISTINGS)):
        try:
            paths = [path for folder in folders for path in lake.list(folder)]
            return _read_files(lake, table, paths, wanted, columns)
        except LakeFileMissingError:
            if not left:
                raise
    raise AssertionError  # The last listing returns or raises.


def _read_files(
    lake: LakeStorage,
    table: Table,
    paths: Sequence[str],
    wanted: pl.Series | None,
    columns: list[str] | None,
) -> pl.DataFrame:
    empty = pl.DataFrame(schema=SCHEMAS[table]).select(columns or pl.all())
    return pl.concat([empty, *(_read_file(lake.read(path), table, wanted, columns) for path in paths)])


def _read_file(
    content: bytes, table: Table, wanted: pl.Series | None, columns: list[str] | None
) -> pl.DataFrame:
    if wanted is None:
        return pl.read_parquet(content, columns=columns, hive_partitioning=False)
    key = KEYS[table]
    keys = pl.read_parquet(content, columns=[key], hive_partitioning=False)[key]
    if not keys.is_in(wanted.implode()).any():
        return pl.DataFrame(schema=SCHEMAS[table])
    lazy = pl.scan_parquet(io.BytesIO(content), hive_partitioning=False)
    return lazy.filter(pl.col(key).is_in(wanted.implode())).collect()


def _lines(rows: pl.DataFrame) -> list[bytes]:
    as_text = rows.select(pl.exclude(pl.Binary), pl.col(pl.Binary).bin.encode("hex"))
    return as_text.write_ndjson().encode().splitlines()
