"""Leases: what only one process may do at a time. A lease ends by itself when its holder dies."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from azmdr.store.tables import LEASE
from azmdr.store.upsert import insert


def take_lease(connection: Connection, name: str, *, owner: str, now: datetime, duration: timedelta) -> bool:
    """Take a lease, or prolong one's own. Returns whether ``owner`` has it now."""
    statement = insert(connection, LEASE).values(name=name, owner=owner, until=now + duration)
    statement = statement.on_conflict_do_update(
        index_elements=[LEASE.c.name],
        set_={"owner": statement.excluded.owner, "until": statement.excluded.until},
        where=(LEASE.c.until < now) | (LEASE.c.owner == owner),
    )
    return bool(connection.execute(statement.returning(LEASE.c.name)).first())


def give_back_lease(connection: Connection, name: str, *, owner: str) -> None:
    """End a lease early, if it is still ``owner``'s."""
    connection.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.owner == owner))
