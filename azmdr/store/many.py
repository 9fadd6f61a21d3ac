"""Many rows at once, the quickest way each database has.

PostgreSQL takes new rows as a stream (COPY) and a list of keys as one array; for SQLite both are a prepared
statement. What SQLAlchemy does for each row and each key would cost more than all the database does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import Boolean, Column, ColumnElement, Connection, Integer, String, Table, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect

KEYS_AT_ONCE: Final = 1000
"""Keys named in one statement."""


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows that are not there, each with a value for every column."""
    if not rows:
        return
    names = [column.name for column in table.c]
    by_column = (
        [row[name] for row in rows] if prepare is None else [prepare(row[name]) for row in rows]
        for name, prepare in _prepared(table, connection.dialect)
    )
    values = list(zip(*by_column, strict=True))
    columns = ", ".join(f'"{name}"' for name in names)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)") as stream:
            stream.set_types([_postgres_type(column) for column in table.c])
            for row in values:
                stream.write_row(row)
    else:
        places = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({places})", values)  # noqa: S608 (names of our own)


def among(dialect: str, column: Column[Any]) -> ColumnElement[bool]:
    """That a column is one of the parameter ``ids``."""
    if dialect == "postgresql":
        return column == func.any(bindparam("ids", type_=ARRAY(String())))
    return column.in_(bindparam("ids", expanding=True))


def at_once(keys: Iterable[str]) -> Iterator[list[str]]:
    """As many keys at a time as one statement may name, in order."""
    left = iter(sorted(keys))
    while some := list(islice(left, KEYS_AT_ONCE)):
        yield some


@cache
def _prepared(table: Table, dialect: Dialect) -> list[tuple[str, Any]]:
    """By column what makes of a value what the database keeps; None where that is the same."""
    return [(column.name, _processor(column, dialect)) for column in table.c]


def _processor(column: Column[Any], dialect: Dialect) -> Any:
    if isinstance(column.type, (Boolean, String)):
        return None
    if column.type.python_type is bytes:
        return None
    processor = column.type.dialect_impl(dialect).bind_processor(dialect)
    # Rows that are written together share most of their times.
    return None if processor is None else lru_cache(maxsize=1 << 10)(processor)


def _postgres_type(column: Column[Any]) -> str:
    match column.type:
        case Boolean():
            return "bool"
        case String():
            return "text"
        case Integer() if column.type.__visit_name__ == "integer":
            return "int4"
        case other:
            return "bytea" if other.python_type is bytes else "int8"
