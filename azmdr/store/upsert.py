"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL share and SQLAlchemy spells once for each."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT for the connection's database that knows what to do on a conflict."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
