"""Uncompacted days: where the lake's ``operations`` got files since it was last compacted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, select

from azmdr.store.ledger import CustomerDay
from azmdr.store.tables import UNCOMPACTED_DAY
from azmdr.store.upsert import insert


@dataclass(frozen=True, slots=True)
class UncompactedDay:
    """A day of a customer, and when operations of it were last written."""

    partition: CustomerDay
    written_at: datetime


def note_written(connection: Connection, customer: str, days: Iterable[date], now: datetime) -> None:
    """Write down that operations of some days (UTC) were written to the lake."""
    rows = [{"customer": customer, "day": f"{day:%Y-%m-%d}", "written_at": now} for day in sorted(days)]
    if rows:
        statement = insert(connection, UNCOMPACTED_DAY)
        keys = [UNCOMPACTED_DAY.c.customer, UNCOMPACTED_DAY.c.day]
        latest = {"written_at": statement.excluded.written_at}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=latest), rows)


def uncompacted_days(connection: Connection, before: date) -> list[UncompactedDay]:
    """The days before another one that are to be compacted, the earliest first."""
    day = UNCOMPACTED_DAY.c
    query = select(UNCOMPACTED_DAY).where(day.day < f"{before:%Y-%m-%d}").order_by(day.day, day.customer)
    return [
        UncompactedDay(CustomerDay(row.customer, row.day), row.written_at)
        for row in connection.execute(query)
    ]


def note_compacted(connection: Connection, partition: CustomerDay) -> None:
    """Write down that a day was compacted. Who says so holds the customer, so nothing was written since."""
    day = UNCOMPACTED_DAY.c
    connection.execute(
        delete(UNCOMPACTED_DAY).where(day.customer == partition.customer, day.day == partition.day)
    )
