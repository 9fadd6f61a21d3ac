"""The provider's event hubs as last observed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, select, update

from azmdr.inventory.presence import Absence, Changes, Known
from azmdr.reconcile.verdict import Reason
from azmdr.store.tables import EVENT_HUB, TARGET
from azmdr.store.upsert import insert

HubKey = tuple[str, str]
"""The key of the namespace, and the hub's name in lower case."""


@dataclass(frozen=True, slots=True)
class HubFacts:
    """An event hub."""

    namespace_id: str = field(compare=False)
    """In one of the spellings Azure answers with; another is no change."""
    region: str
    tier: str
    rule_id: str | None = field(compare=False)
    """The authorization rule settings send with; None when the namespace has none of that name."""

    has_rule: bool = field(init=False)
    """Whether settings can send to it."""

    def __post_init__(self) -> None:
        """Keep what of the rule is to be compared."""
        object.__setattr__(self, "has_rule", self.rule_id is not None)


@dataclass(frozen=True, slots=True)
class EventHub:
    """A customer's hub in a region."""

    name: str
    facts: HubFacts
    is_missing: bool
    """Whether the last complete listing did not show it."""


def known_hubs(connection: Connection) -> dict[HubKey, Known[HubFacts]]:
    """Every hub."""
    return {
        (row.namespace_key, row.hub): Known(_facts(row), Absence(row.missing_since, row.missing_listings))
        for row in connection.execute(select(EVENT_HUB))
    }


def hubs_of(connection: Connection, customer: str) -> dict[str, EventHub]:
    """A customer's hub in each region; of several the one seen first: a placement does not move."""
    query = (
        select(EVENT_HUB)
        .where(EVENT_HUB.c.hub == customer)
        .order_by(EVENT_HUB.c.first_seen.desc(), EVENT_HUB.c.namespace_key.desc())
    )
    return {
        row.region: EventHub(row.hub, _facts(row), row.missing_listings > 0)
        for row in connection.execute(query)
    }


def observed_hubs(connection: Connection) -> list[tuple[str, str, str, str]]:
    """Name, namespace, region and tier of every hub, those seen first first."""
    query = select(EVENT_HUB).order_by(EVENT_HUB.c.first_seen, EVENT_HUB.c.namespace_key, EVENT_HUB.c.hub)
    return [
        (row.hub, row.namespace_key.rpartition("/")[2], row.region, row.tier)
        for row in connection.execute(query)
    ]


def arrivals_waited_for(connection: Connection, since: datetime) -> dict[str, datetime]:
    """Customers with targets that wait for an event hub, by when their newest was first seen.

    Args:
        connection: to the store.
        since: hubs first seen before are left out, as are those nothing can be sent to.
    """
    newest = func.max(EVENT_HUB.c.first_seen)
    waits = select(TARGET.c.key).where(
        TARGET.c.customer == EVENT_HUB.c.hub, TARGET.c.reason == Reason.PENDING_HUB
    )
    query = (
        select(EVENT_HUB.c.hub, newest.label("newest"))
        .where(EVENT_HUB.c.first_seen >= since, EVENT_HUB.c.rule_id.is_not(None), waits.exists())
        .group_by(EVENT_HUB.c.hub)
        .order_by(newest, EVENT_HUB.c.hub)
    )
    return {row.hub: row.newest for row in connection.execute(query)}


def change_hubs(connection: Connection, changes: Changes[HubKey, HubFacts], at: datetime) -> None:
    """Write down what a listing of hubs changed."""
    rows = [
        {
            "namespace_key": namespace,
            "hub": hub,
            "namespace_id": facts.namespace_id,
            "region": facts.region,
            "tier": facts.tier,
            "rule_id": facts.rule_id,
            "first_seen": at,
        }
        for (namespace, hub), facts in (changes.new | changes.changed).items()
    ]
    if rows:
        statement = insert(connection, EVENT_HUB)
        kept = ("namespace_key", "hub", "first_seen")
        changed = {name: statement.excluded[name] for name in rows[0] if name not in kept}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["namespace_key", "hub"], set_=changed), rows
        )
    presence: list[dict[str, Any]] = [
        {"namespace": namespace, "name": hub, "since": absence.since, "listings": absence.listings}
        for (namespace, hub), absence in changes.missing.items()
    ]
    presence += [
        {"namespace": namespace, "name": hub, "since": None, "listings": 0} for namespace, hub in changes.back
    ]
    one = and_(EVENT_HUB.c.namespace_key == bindparam("namespace"), EVENT_HUB.c.hub == bindparam("name"))
    if presence:
        values: dict[str, Any] = {
            "missing_since": bindparam("since"),
            "missing_listings": bindparam("listings"),
        }
        connection.execute(update(EVENT_HUB).where(one).values(values), presence)
    if changes.gone:
        gone = [{"namespace": namespace, "name": hub} for namespace, hub in changes.gone]
        connection.execute(delete(EVENT_HUB).where(one), gone)


def _facts(row: Any) -> HubFacts:
    return HubFacts(row.namespace_id, row.region, row.tier, row.rule_id)
