"""Pauses: token buckets Azure told us to keep away from for longer than a run lasts."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from azmdr.azure.pacing import Kind, Lane
from azmdr.store.tables import ARM_PAUSE
from azmdr.store.upsert import insert


def pauses(connection: Connection, now: datetime) -> dict[Lane, datetime]:
    """The lanes closed now, and until when."""
    query = select(ARM_PAUSE).where(ARM_PAUSE.c.until > now)
    return {Lane(row.scope, Kind(row.kind)): row.until for row in connection.execute(query)}


def note_pauses(connection: Connection, closed: Mapping[Lane, datetime], now: datetime) -> None:
    """Write down lanes Azure has closed; those open again are forgotten."""
    connection.execute(delete(ARM_PAUSE).where(ARM_PAUSE.c.until <= now))
    for lane, until in sorted(closed.items()):
        statement = insert(connection, ARM_PAUSE).values(scope=lane.scope, kind=lane.kind, until=until)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["scope", "kind"], set_={"until": statement.excluded.until}
            )
        )
