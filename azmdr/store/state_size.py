"""How much state condensing holds: counted with every change, in the transaction that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import Connection, select

from azmdr.store.tables import CONDENSING_STATE
from azmdr.store.upsert import insert


@dataclass(frozen=True, slots=True)
class StateSize:
    """How much state a customer has, or by how much that changes."""

    operations: int = 0
    """Operations whose records are in the store."""
    records: int = 0
    """Their records."""
    bytes: int = 0
    """What these take, in bytes, without the columns beside them."""
    closed_operations: int = 0
    """Operations of which the store knows only where they stand in the lake."""

    def __add__(self, other: "StateSize") -> "StateSize":
        """Sum by field."""
        return StateSize(*(getattr(self, name) + getattr(other, name) for name in _COUNTS))


_COUNTS: Final = tuple(field.name for field in fields(StateSize))


def note_change(connection: Connection, customer: str, change: StateSize) -> None:
    """Add to a customer's sizes what a transaction changed."""
    if change == StateSize():
        return
    statement = insert(connection, CONDENSING_STATE).values(
        customer=customer, **{name: int(getattr(change, name)) for name in _COUNTS}
    )
    grown = {name: CONDENSING_STATE.c[name] + statement.excluded[name] for name in _COUNTS}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[CONDENSING_STATE.c.customer], set_=grown)
    )


def state_sizes(connection: Connection, customers: Sequence[str] | None = None) -> dict[str, StateSize]:
    """How much state each of some customers has, or each there is."""
    query = select(CONDENSING_STATE)
    if customers is not None:
        query = query.where(CONDENSING_STATE.c.customer.in_(customers))
    rows = connection.execute(query.order_by(CONDENSING_STATE.c.customer))
    return {row.customer: StateSize(*(getattr(row, name) for name in _COUNTS)) for row in rows}
