"""Requests: targets to be reconciled before all others, since they changed or what they wait for came."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, delete, func, literal, or_, select

from azmdr.inventory.customers import CustomerState
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.reconcile.verdict import Reason
from azmdr.store.tables import CUSTOMER, LISTING, RECONCILE_REQUEST, TARGET, UtcTime
from azmdr.store.targets import TargetKind
from azmdr.store.upsert import insert


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    customer: str
    key: str
    resource_id: str
    change: ChangeKind
    changed_at: datetime


def note_changes(connection: Connection, customer: str, changes: Iterable[Change], now: datetime) -> int:
    """Ask for the targets of changes to be reconciled; returns how many requests that makes.

    A change is passed over when the customer is not one of ours, and when the target has been read since:
    what our own writes bring into the stream asks for nothing.
    """
    if not _is_ours(connection, customer):
        return 0
    asked = 0
    for change in _latest(changes):
        if not _is_known(connection, customer, change):
            asked += _ask(connection, customer, change, now)
    return asked


def _latest(changes: Iterable[Change]) -> Iterable[Change]:
    """The newest change of each kind of each target, the oldest first."""
    ordered = sorted(changes, key=lambda change: (change.at, change.target.key))
    return {(change.target.key, change.kind): change for change in ordered}.values()


def _ask(connection: Connection, customer: str, change: Change, now: datetime) -> int:
    """Ask for a target; one whose resource has changed as well is to be looked up whatever came after."""
    statement = insert(connection, RECONCILE_REQUEST).values(
        customer=customer,
        key=change.target.key,
        resource_id=change.target.text,
        change=change.kind,
        changed_at=change.at,
        requested_at=now,
        operation_id=change.operation_id,
    )
    before, after = RECONCILE_REQUEST.c, statement.excluded
    is_newer = before.changed_at < after.changed_at
    is_wider = and_(before.change != ChangeKind.RESOURCE, after.change == ChangeKind.RESOURCE)
    newest = ("resource_id", "changed_at", "operation_id")
    values = {name: case((is_newer, after[name]), else_=before[name]) for name in newest}
    values["change"] = case((is_wider, after.change), else_=before.change)
    statement = statement.on_conflict_do_update(
        index_elements=["customer", "key"], set_=values, where=or_(is_newer, is_wider)
    )
    # The driver of PostgreSQL counts no rows of an INSERT.
    return len(connection.execute(statement.returning(before.key)).all())


def ask_for_waiting(connection: Connection, customers: Collection[str], now: datetime) -> int:
    """Ask for the targets that wait for an event hub; returns how many requests that makes.

    Their customers have a new one: a setting need not wait for the customer's next turn.
    """
    target = TARGET.c
    waiting = select(
        *(target.customer, target.key, target.id, literal(ChangeKind.SETTING.value), literal(now, UtcTime)),
        *(literal(now, UtcTime), literal("")),
    ).where(
        target.customer.in_(customers),
        target.kind != TargetKind.DATA_EXPORT,
        target.reason == Reason.PENDING_HUB,
    )
    statement = insert(connection, RECONCILE_REQUEST).from_select(list(RECONCILE_REQUEST.c.keys()), waiting)
    statement = statement.on_conflict_do_nothing(index_elements=["customer", "key"])
    return len(connection.execute(statement.returning(RECONCILE_REQUEST.c.key)).all())


def requests_of(connection: Connection, customer: str) -> Iterator[Request]:
    """A customer's requests, the oldest first."""
    query = (
        select(RECONCILE_REQUEST)
        .where(RECONCILE_REQUEST.c.customer == customer)
        .order_by(RECONCILE_REQUEST.c.requested_at, RECONCILE_REQUEST.c.key)
    )
    for row in connection.execute(query):
        yield Request(row.customer, row.key, row.resource_id, ChangeKind(row.change), row.changed_at)


def customers_with_requests(connection: Connection) -> dict[str, datetime]:
    """The customers something is asked for, the one who has waited longest first; with the newest request."""
    asked = RECONCILE_REQUEST.c
    query = (
        select(asked.customer, func.max(asked.requested_at).label("newest"))
        .group_by(asked.customer)
        .order_by(func.min(asked.requested_at), asked.customer)
    )
    return {row.customer: row.newest for row in connection.execute(query)}


def forget_requests(connection: Connection, requests: Sequence[Request]) -> None:
    """Take away requests that were met, unless something newer has been asked for meanwhile."""
    asked = RECONCILE_REQUEST.c
    for request in requests:
        connection.execute(
            delete(RECONCILE_REQUEST).where(
                asked.customer == request.customer,
                asked.key == request.key,
                asked.changed_at <= request.changed_at,
                asked.change == request.change,
            )
        )


def _is_ours(connection: Connection, customer: str) -> bool:
    query = select(CUSTOMER.c.name).where(
        CUSTOMER.c.name == customer, CUSTOMER.c.state == CustomerState.ACTIVE
    )
    return connection.scalar(query) is not None


def _is_known(connection: Connection, customer: str, change: Change) -> bool:
    # A workspace may be a target twice; what was read of its data export rules says nothing of its settings.
    read_at = select(TARGET.c.read_at).where(
        TARGET.c.customer == customer,
        TARGET.c.key == change.target.key,
        TARGET.c.kind != TargetKind.DATA_EXPORT,
        TARGET.c.read_at.is_not(None),
    )
    was_read = connection.scalar(read_at)
    if was_read is None or was_read < change.at:
        return False
    if change.kind is ChangeKind.SETTING:
        return True
    listed_at = select(LISTING.c.complete_at).where(
        LISTING.c.customer == customer, LISTING.c.scope == change.target.subscription_id
    )
    listed = connection.scalar(listed_at)
    return listed is not None and listed >= change.at
