"""The listing mark: up to when every capture file of a container is known from a complete listing."""

from datetime import datetime

from sqlalchemy import Connection, select

from azmdr.store.tables import LISTING_MARK
from azmdr.store.upsert import insert


def complete_until(connection: Connection, container: str) -> datetime | None:
    """The mark of a container; None before its first complete listing."""
    return connection.scalar(
        select(LISTING_MARK.c.complete_until).where(LISTING_MARK.c.container == container)
    )


def note_complete_until(connection: Connection, container: str, moment: datetime) -> None:
    """Move the mark, never back."""
    statement = insert(connection, LISTING_MARK).values(container=container, complete_until=moment)
    statement = statement.on_conflict_do_update(
        index_elements=[LISTING_MARK.c.container],
        set_={"complete_until": statement.excluded.complete_until},
        where=LISTING_MARK.c.complete_until < moment,
    )
    connection.execute(statement)
