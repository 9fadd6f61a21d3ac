"""Leases: what only one process may do at a time. A lease ends by itself when its holder dies."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from azmdr.store.tables import LEASE, UtcTime

_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def take_lease(connection: Connection, name: str, *, owner: str, now: datetime, duration: timedelta) -> bool:
    """Take a lease, or prolong one's own. Returns whether ``owner`` has it now."""
    values = {"of": name, "by": owner, "to": now + duration, "at": now}
    return bool(connection.execute(_take(connection.dialect.name), values).first())


@cache
def _take(dialect: str) -> Any:
    # Made once, for it is what the steps send most often.
    free = (LEASE.c.until < bindparam("at", type_=UtcTime())) | (LEASE.c.owner == bindparam("by"))
    statement = _INSERT[dialect](LEASE).values(
        name=bindparam("of"), owner=bindparam("by"), until=bindparam("to", type_=UtcTime())
    )
    taken = {"owner": statement.excluded.owner, "until": statement.excluded.until}
    return statement.on_conflict_do_update(index_elements=[LEASE.c.name], set_=taken, where=free).returning(
        LEASE.c.name
    )


def prolong_lease(connection: Connection, name: str, *, owner: str, until: datetime) -> bool:
    """Prolong a lease that ``owner`` has had without a break since it took it; returns whether it has.

    One that ran out is still ``owner``'s as long as nobody else has taken it, not even for a moment. Until
    the transaction ends nobody else can.
    """
    own = update(LEASE).where(LEASE.c.name == name, LEASE.c.owner == owner)
    return connection.execute(own.values(until=until)).rowcount == 1


def give_back_lease(connection: Connection, name: str, *, owner: str) -> None:
    """End a lease early, if it is still ``owner``'s."""
    connection.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.owner == owner))
