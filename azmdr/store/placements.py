"""Placements of event hubs, what they are needed for, and removals that wait for approval."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from azmdr.inventory.placements import Placement, Shard, Tier
from azmdr.store.ledger import FileState
from azmdr.store.tables import (
    CAPTURE_FILE,
    NAMESPACE_SHARD,
    PLACEMENT,
    REFUSED_REMOVAL,
    RESOURCE,
    TARGET,
)
from azmdr.store.targets import TargetKind
from azmdr.store.upsert import insert

Need = tuple[str, str]
"""A customer and a region."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement with its story."""

    placement: Placement
    placed_at: datetime
    unneeded_since: datetime | None


@dataclass(frozen=True, slots=True)
class RefusedRemoval:
    """A removal the destroy guard refused."""

    digest: str
    hubs: Mapping[str, list[str]]
    """Each hub, with the reasons against its removal."""
    refused_at: datetime
    approved_at: datetime | None


class UnknownRemovalError(LookupError):
    """No refused removal has this digest."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"{digest[:80]}: no removal of this digest was refused; `azmdr terraform refused`"
            " shows those that were"
        )


def all_placements(connection: Connection) -> list[Placed]:
    """Every placement, by region, shard and customer."""
    query = select(PLACEMENT).order_by(PLACEMENT.c.region, PLACEMENT.c.shard, PLACEMENT.c.customer)
    return [
        Placed(
            Placement(row.region, row.shard, row.customer, row.partitions), row.placed_at, row.unneeded_since
        )
        for row in connection.execute(query)
    ]


def all_shards(connection: Connection) -> list[Shard]:
    """Every namespace shard, by region and number."""
    query = select(NAMESPACE_SHARD).order_by(NAMESPACE_SHARD.c.region, NAMESPACE_SHARD.c.number)
    return [Shard(row.region, row.number, Tier(row.tier), row.units) for row in connection.execute(query)]


def put_shards(connection: Connection, shards: Collection[Shard], at: datetime) -> None:
    """Open shards, or change the units of those that are open."""
    if not shards:
        return
    statement = insert(connection, NAMESPACE_SHARD)
    rows = [
        {
            "region": each.region,
            "number": each.number,
            "tier": each.tier,
            "units": each.units,
            "opened_at": at,
        }
        for each in shards
    ]
    units = {"units": statement.excluded.units}
    connection.execute(statement.on_conflict_do_update(index_elements=["region", "number"], set_=units), rows)


def add_placements(connection: Connection, placements: Collection[Placement], at: datetime) -> None:
    """Write down new placements. One that was given already is an error of the database: it never moves."""
    if placements:
        rows = [
            {
                "customer": each.customer,
                "region": each.region,
                "shard": each.shard,
                "partitions": each.partitions,
                "placed_at": at,
            }
            for each in placements
        ]
        connection.execute(PLACEMENT.insert(), rows)


def grow_partitions(connection: Connection, placements: Collection[Placement]) -> None:
    """Raise the partitions of hubs; they never shrink."""
    rows = [{"of": each.customer, "at": each.region, "count": each.partitions} for each in placements]
    if rows:
        one = and_(
            PLACEMENT.c.customer == bindparam("of"),
            PLACEMENT.c.region == bindparam("at"),
            PLACEMENT.c.partitions < bindparam("count"),
        )
        connection.execute(update(PLACEMENT).where(one).values(partitions=bindparam("count")), rows)


def note_needs(connection: Connection, needed: Collection[Need], now: datetime) -> None:
    """Start the clock of placements nothing needs any more; stop that of those needed again."""
    ended, again = [], []
    for placed in all_placements(connection):
        is_needed = placed.placement.need in needed
        if is_needed and placed.unneeded_since is not None:
            again.append(placed.placement)
        elif not is_needed and placed.unneeded_since is None:
            ended.append(placed.placement)
    one = and_(PLACEMENT.c.customer == bindparam("of"), PLACEMENT.c.region == bindparam("at"))
    for placements, since in ((ended, now), (again, None)):
        rows = [{"of": each.customer, "at": each.region} for each in placements]
        if rows:
            connection.execute(update(PLACEMENT).where(one).values(unneeded_since=since), rows)


def forget_placements(connection: Connection, placements: Collection[Placement]) -> None:
    """Forget placements whose hubs were removed, and the shards nothing is in any more."""
    one = and_(PLACEMENT.c.customer == bindparam("of"), PLACEMENT.c.region == bindparam("at"))
    rows = [{"of": each.customer, "at": each.region} for each in placements]
    if rows:
        connection.execute(delete(PLACEMENT).where(one), rows)
    used = select(PLACEMENT.c.region).where(
        PLACEMENT.c.region == NAMESPACE_SHARD.c.region, PLACEMENT.c.shard == NAMESPACE_SHARD.c.number
    )
    connection.execute(delete(NAMESPACE_SHARD).where(~used.exists()))


def monitored_regions(connection: Connection) -> dict[str, set[str]]:
    """Where each customer has resources that log, or of which it is not known yet whether they do."""
    query = (
        select(TARGET.c.customer, RESOURCE.c.location)
        .join(
            RESOURCE, and_(RESOURCE.c.customer == TARGET.c.customer, RESOURCE.c.key == TARGET.c.resource_key)
        )
        .where(TARGET.c.kind == TargetKind.RESOURCE, TARGET.c.settled.is_(False))
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for customer, location in connection.execute(query):
        found.setdefault(customer, set()).add(location)
    return found


def resource_location(connection: Connection, customer: str, key: str) -> str | None:
    """Where a resource is; None for one no listing has shown."""
    return connection.scalar(
        select(RESOURCE.c.location).where(RESOURCE.c.customer == customer, RESOURCE.c.key == key)
    )


def last_arrivals(connection: Connection, customer: str) -> dict[tuple[str, str], datetime]:
    """When something last arrived from each of a customer's hubs, by namespace and hub in lower case."""
    query = (
        select(CAPTURE_FILE.c.namespace, CAPTURE_FILE.c.event_hub, func.max(CAPTURE_FILE.c.uploaded_at))
        .where(
            CAPTURE_FILE.c.customer == customer,
            or_(CAPTURE_FILE.c.state != FileState.DONE, CAPTURE_FILE.c.events > 0),
        )
        .group_by(CAPTURE_FILE.c.namespace, CAPTURE_FILE.c.event_hub)
    )
    found: dict[tuple[str, str], datetime] = {}
    for namespace, hub, last in connection.execute(query):
        key = namespace.lower(), hub.lower()
        found[key] = max(last, found.get(key, last))
    return found


def busiest_days(connection: Connection, customers: Iterable[str]) -> dict[str, int]:
    """The bytes of the busiest day any hub of a customer has had."""
    daily = (
        select(CAPTURE_FILE.c.customer, func.sum(CAPTURE_FILE.c.size).label("bytes"))
        .where(CAPTURE_FILE.c.customer.in_(bindparam("names", expanding=True)))
        .group_by(
            CAPTURE_FILE.c.customer, CAPTURE_FILE.c.namespace, CAPTURE_FILE.c.event_hub, CAPTURE_FILE.c.day
        )
        .subquery()
    )
    query = select(daily.c.customer, func.max(daily.c.bytes)).group_by(daily.c.customer)
    listed, found = sorted(set(customers)), {}
    for start in range(0, len(listed), 500):
        rows = connection.execute(query, {"names": listed[start : start + 500]})
        found.update({customer: int(most) for customer, most in rows})
    return found


def note_refusal(connection: Connection, digest: str, hubs: Mapping[str, list[str]], now: datetime) -> None:
    """Write down a removal the guard refused; an approval it has stays."""
    statement = insert(connection, REFUSED_REMOVAL).values(
        digest=digest, hubs=json.dumps(dict(hubs), sort_keys=True), refused_at=now
    )
    again = {"hubs": statement.excluded.hubs, "refused_at": now}
    connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=again))


def refused_removals(connection: Connection, since: datetime) -> list[RefusedRemoval]:
    """The removals refused since a moment that have not been made, newest first."""
    query = (
        select(REFUSED_REMOVAL)
        .where(REFUSED_REMOVAL.c.refused_at >= since, REFUSED_REMOVAL.c.used_at.is_(None))
        .order_by(REFUSED_REMOVAL.c.refused_at.desc(), REFUSED_REMOVAL.c.digest)
    )
    return [
        RefusedRemoval(row.digest, json.loads(row.hubs), row.refused_at, row.approved_at)
        for row in connection.execute(query)
    ]


def approve_removal(connection: Connection, digest: str, now: datetime) -> RefusedRemoval:
    """Approve one refused removal; what is approved.

    Raises:
        UnknownRemovalError: none of this digest was refused.
    """
    row = connection.execute(select(REFUSED_REMOVAL).where(REFUSED_REMOVAL.c.digest == digest)).first()
    if row is None:
        raise UnknownRemovalError(digest)
    one = REFUSED_REMOVAL.c.digest == digest
    connection.execute(update(REFUSED_REMOVAL).where(one).values(approved_at=now, used_at=None))
    return RefusedRemoval(row.digest, json.loads(row.hubs), row.refused_at, now)


def approved_digests(connection: Connection, since: datetime) -> frozenset[str]:
    """The digests approved since a moment and not used up."""
    query = select(REFUSED_REMOVAL.c.digest).where(
        REFUSED_REMOVAL.c.approved_at >= since, REFUSED_REMOVAL.c.used_at.is_(None)
    )
    return frozenset(connection.scalars(query))


def use_approval(connection: Connection, digest: str, now: datetime) -> None:
    """Use an approval up."""
    one = REFUSED_REMOVAL.c.digest == digest
    connection.execute(update(REFUSED_REMOVAL).where(one).values(used_at=now))
