"""The database behind the store: opening it, bringing its tables up to date, transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

BUSY_SECONDS: Final = 60
"""How long SQLite waits for another process's transaction."""
MIGRATION_LOCK: Final = 0x617A6D6472
"""PostgreSQL advisory lock: one process at a time brings the tables up to date."""

_READING: Final = "azmdr_reading"


class StoreAddressError(ValueError):
    """A store address that is no database URL we can open."""


class Store:
    """The state store. Processes and threads may share one database; each opens its own store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open the database and bring its tables up to date.

        Args:
            url: ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``.

        Raises:
            StoreAddressError: the URL is of neither kind.
        """
        engine = _engine(url)
        _bring_up_to_date(engine)
        return cls(engine)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits as a whole at the end, or not at all."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        options: dict[str, Any] = {_READING: True}
        if self.dialect == "postgresql":
            # By default each statement would see what others committed since the one before.
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._engine.connect().execution_options(**options) as connection:
            yield connection

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def migrations(url: str) -> Config:
    """Alembic's configuration for a database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # A port that is no number is a ValueError, and quotes what may be a part of the password.
        raise StoreAddressError(
            "store address: not a database URL (its text is not shown, it may hold a secret)"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite_engine(parsed.set(drivername="sqlite"))
        case "postgresql":
            return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        case other:
            raise StoreAddressError(
                f"store address: {other} is not supported, only sqlite and postgresql are"
            )


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own idea of when a transaction begins is off, so that ours decides (see _begin_sqlite).
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # Pages of many transactions go from the log into the database once: 64 MB of log and of pages.
        "wal_autocheckpoint=16384",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can be refused half-way; one that says so at the start only waits.
    reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _bring_up_to_date(engine: Engine) -> None:
    config = migrations(engine.url.render_as_string(hide_password=False))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect().execution_options(**{_READING: True}) as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
