"""What is known of customers' Azure: subscriptions, resources, and how far the listings of them came."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, func, select, update

from azmdr.inventory.presence import Absence, Changes, Known
from azmdr.store.tables import LISTING, RESOURCE, SUBSCRIPTION, TARGET
from azmdr.store.upsert import insert

SUBSCRIPTIONS: Final = "subscriptions"
"""The scope of a listing of a customer's subscriptions."""
EVENT_HUBS: Final = "event hubs"
"""The scope of the listing of the provider's event hubs, which is of no customer."""

_AT_ONCE: Final = 500
"""Keys in one statement; PostgreSQL and SQLite both bound the number of parameters."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How far a listing came."""

    scope: str
    tried_at: datetime
    complete_at: datetime | None
    """When every page of it last arrived."""
    items: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """A resource. ``location`` is a region's name or ``global``."""

    id: str = field(compare=False)
    """In one of the spellings Azure answers with; another is no change."""
    subscription_id: str
    type: str
    kind: str | None
    location: str
    tags: Mapping[str, str]


def note_listing(
    connection: Connection, customer: str, scope: str, at: datetime, items: int, problem: str | None
) -> None:
    """Write down how a listing ended: ``problem`` is None when every page of it arrived."""
    row = {"customer": customer, "scope": scope, "tried_at": at, "items": items, "problem": problem}
    if problem is None:
        row["complete_at"] = at
    statement = insert(connection, LISTING).values(**row)
    changed = {name: statement.excluded[name] for name in row if name not in ("customer", "scope")}
    connection.execute(statement.on_conflict_do_update(index_elements=["customer", "scope"], set_=changed))


def listings(connection: Connection, customer: str) -> list[Listing]:
    """How far the listings of a customer came."""
    query = select(LISTING).where(LISTING.c.customer == customer).order_by(LISTING.c.scope)
    return [
        Listing(row.scope, row.tried_at, row.complete_at, row.items, row.problem)
        for row in connection.execute(query)
    ]


def known_subscriptions(connection: Connection, customer: str) -> dict[str, Known[SubscriptionFacts]]:
    """A customer's subscriptions by id."""
    query = select(SUBSCRIPTION).where(SUBSCRIPTION.c.customer == customer)
    return {
        row.subscription_id: Known(
            SubscriptionFacts(row.name, row.state), Absence(row.missing_since, row.missing_listings)
        )
        for row in connection.execute(query.order_by(SUBSCRIPTION.c.subscription_id))
    }


def change_subscriptions(
    connection: Connection, customer: str, changes: Changes[str, SubscriptionFacts], at: datetime
) -> None:
    """Write down what a listing of subscriptions changed; what is gone goes with all that was in it."""
    column = SUBSCRIPTION.c.subscription_id
    rows = [
        {"customer": customer, "subscription_id": key, "name": facts.name, "state": facts.state}
        for key, facts in (changes.new | changes.changed).items()
    ]
    _put(connection, SUBSCRIPTION, ("customer", "subscription_id"), rows, at)
    _note_presence(connection, SUBSCRIPTION, "subscription_id", customer, changes)
    for gone in changes.gone:
        for table in (RESOURCE, TARGET):
            of_it = and_(table.c.customer == customer, table.c.subscription_id == gone)
            connection.execute(delete(table).where(of_it))
        connection.execute(delete(LISTING).where(LISTING.c.customer == customer, LISTING.c.scope == gone))
        connection.execute(delete(SUBSCRIPTION).where(SUBSCRIPTION.c.customer == customer, column == gone))


def known_resources(
    connection: Connection, customer: str, subscription_id: str
) -> dict[str, Known[ResourceFacts]]:
    """The resources of a subscription by key."""
    query = select(RESOURCE).where(
        RESOURCE.c.customer == customer, RESOURCE.c.subscription_id == subscription_id
    )
    return {row.key: _known_resource(row) for row in connection.execute(query)}


def resource_keyed(connection: Connection, customer: str, key: str) -> Known[ResourceFacts] | None:
    """One resource."""
    query = select(RESOURCE).where(RESOURCE.c.customer == customer, RESOURCE.c.key == key)
    row = connection.execute(query).first()
    return None if row is None else _known_resource(row)


def change_resources(
    connection: Connection, customer: str, changes: Changes[str, ResourceFacts], at: datetime
) -> None:
    """Write down what a listing of resources changed; what is gone goes with its targets."""
    rows = [
        {
            "customer": customer,
            "key": key,
            "id": facts.id,
            "subscription_id": facts.subscription_id,
            "type": facts.type,
            "kind": facts.kind,
            "location": facts.location,
            "tags": json.dumps(dict(facts.tags), sort_keys=True),
        }
        for key, facts in (changes.new | changes.changed).items()
    ]
    _put(connection, RESOURCE, ("customer", "key"), rows, at)
    _note_presence(connection, RESOURCE, "key", customer, changes)
    for some in _chunks(changes.gone):
        connection.execute(
            delete(TARGET).where(TARGET.c.customer == customer, TARGET.c.resource_key.in_(some))
        )
        connection.execute(delete(RESOURCE).where(RESOURCE.c.customer == customer, RESOURCE.c.key.in_(some)))


def count_resources(connection: Connection, customer: str) -> int:
    """How many resources a customer has."""
    query = select(func.count()).select_from(RESOURCE).where(RESOURCE.c.customer == customer)
    return connection.scalar(query) or 0


def _known_resource(row: Any) -> Known[ResourceFacts]:
    facts = ResourceFacts(row.id, row.subscription_id, row.type, row.kind, row.location, json.loads(row.tags))
    return Known(facts, Absence(row.missing_since, row.missing_listings))


def _put(
    connection: Connection, table: Table, key: tuple[str, ...], rows: Sequence[dict[str, Any]], at: datetime
) -> None:
    if not rows:
        return
    statement = insert(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
    connection.execute(statement, [{**row, "first_seen": at} for row in rows])


def _note_presence(
    connection: Connection, table: Table, key: str, customer: str, changes: Changes[str, Any]
) -> None:
    rows: list[dict[str, Any]] = [
        {"of": each, "since": absence.since, "listings": absence.listings}
        for each, absence in changes.missing.items()
    ]
    rows += [{"of": each, "since": None, "listings": 0} for each in changes.back]
    if rows:
        one = and_(table.c.customer == customer, table.c[key] == bindparam("of"))
        values: dict[str, Any] = {
            "missing_since": bindparam("since"),
            "missing_listings": bindparam("listings"),
        }
        connection.execute(update(table).where(one).values(values), rows)


def _chunks(keys: Iterable[str]) -> Iterable[list[str]]:
    listed = list(keys)
    return (listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE))
