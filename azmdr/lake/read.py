"""Reading: the latest word on everything in a table.

Files are never changed, only added or replaced as a whole, so a table holds several revisions of an
operation and several copies of a record that Azure delivered twice. What counts is decided here.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from azmdr.condense.identity import key_digest
from azmdr.lake.layout import Table, table_prefix
from azmdr.lake.storage import LakeStorage
from azmdr.lake.tables import KEYS, SCHEMAS


def read_latest(
    lake: LakeStorage, customer: str, table: Table, days: Sequence[date] | None = None
) -> pl.DataFrame:
    """The rows that count, of some days or of all, in the order of their key."""
    prefixes = [table_prefix(customer, table, day) for day in ([None] if days is None else days)]
    paths = [path for prefix in prefixes for path in lake.list(prefix)]
    return latest(table, _read_files(lake, table, paths))


def latest(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Of all rows about one thing, the one that counts.

    An operation's highest revision, wherever it stands, as the newest condenser made it. A record's highest
    revision, of equal ones the earliest, and of one record spelt in two ways always the same. A quarantined
    piece has only ever one.
    """
    key = KEYS[table]
    match table:
        case Table.OPERATIONS:
            order = [key, "revision", "condenser", "moved"]
            ranked = rows.sort(order, descending=[False, True, True, False])
            return ranked.unique(key, keep="first", maintain_order=True).filter(~pl.col("moved"))
        case Table.ACTIVITY_RECORDS:
            order = [key, "revision", "time", "digest", "record"]
            ranked = rows.sort(order, descending=[False, True, False, False, False])
            return ranked.unique(key, keep="first", maintain_order=True)
        case Table.QUARANTINED_RECORDS:
            return rows.sort(key).unique(key, keep="first", maintain_order=True)


def digest_of(rows: pl.DataFrame) -> str:
    """A digest over all rows in their order: equal for equal tables."""
    return key_digest(*(row.decode() for row in _lines(rows)))


def _read_files(lake: LakeStorage, table: Table, paths: Sequence[str]) -> pl.DataFrame:
    empty = pl.DataFrame(schema=SCHEMAS[table])
    return pl.concat([empty, *(pl.read_parquet(lake.read(path), hive_partitioning=False) for path in paths)])


def _lines(rows: pl.DataFrame) -> list[bytes]:
    as_text = rows.select(pl.exclude(pl.Binary), pl.col(pl.Binary).bin.encode("hex"))
    return as_text.write_ndjson().encode().splitlines()
