"""Targets: what we set something on, where each stands in the rotation, and the verdict on it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zlib import crc32

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.store.tables import RESOURCE, TARGET, UtcTime
from azmdr.store.upsert import insert

FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where in the rotation the places of what is new or changed begin."""


_KEYS_AT_ONCE: Final = 500
"""Keys in one statement; both databases bound the number of parameters."""

_SEEN: Final = case((TARGET.c.ours, TARGET.c.read_at), else_=None)
"""When something of ours was seen there."""


class TargetKind(StrEnum):
    """What kind of thing is set on it."""

    SUBSCRIPTION = "subscription"
    RESOURCE = "resource"
    DATA_EXPORT = "data_export"


@dataclass(frozen=True, slots=True)
class Target:
    """Something we set something on, with what the rules look at."""

    kind: TargetKind
    id: str
    key: str
    subscription_id: str
    resource_key: str
    """The resource it is, or the one it is nested in; a subscription is its own."""
    type: str


@dataclass(frozen=True, slots=True)
class DueTarget:
    """A target whose turn it is."""

    target: Target
    variant: str | None
    """Azure's ``kind`` of the resource."""
    location: str
    tags: Mapping[str, str]
    ours: bool
    """Whether something of ours was there at the last read."""
    read_at: datetime | None
    """When its settings were last read."""
    settled: bool
    tried_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on a target. ``read_at`` and ``ours`` are None where its settings were not read."""

    key: str
    verdict: Verdict
    at: datetime
    read_at: datetime | None = None
    ours: bool | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class ResourceTarget:
    """What the rules look at of a target."""

    id: str
    type: str
    variant: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JudgedTarget:
    """A target as a report shows it."""

    kind: TargetKind
    id: str
    type: str
    is_nested: bool
    """Whether it is in a resource, and in no listing itself."""
    verdict: Verdict
    read_at: datetime | None
    settled: bool
    ours: bool


def front_for(key: str) -> datetime:
    """The place in the rotation of a target that is new or changed: before all others, mixed among its like.

    By key, all of a type would come one after the other, and while those that need no setting are looked at,
    the bucket of writes would stand idle.
    """
    return FIRST + timedelta(microseconds=crc32(key.encode()))


def put_targets(connection: Connection, customer: str, targets: Sequence[Target], now: datetime) -> None:
    """Add targets, or put those already there to the front of the rotation: what they are of has changed.

    That nothing of ours was there is then to be seen anew, and so it is after :func:`unsettle`.
    """
    rows = [
        {
            "customer": customer,
            "kind": target.kind,
            "key": target.key,
            "id": target.id,
            "subscription_id": target.subscription_id,
            "resource_key": target.resource_key,
            "type": target.type,
            "reason": Reason.NOT_READ_YET,
            "judged_at": now,
            "tried_at": front_for(target.key),
        }
        for target in targets
    ]
    if rows:
        statement = insert(connection, TARGET)
        taken = {name: statement.excluded[name] for name in ("tried_at", "id")}
        again = {**taken, "settled": False, "read_at": _SEEN}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["customer", "kind", "key"], set_=again), rows
        )


def unsettle(connection: Connection, customer: str) -> None:
    """Have every target of a customer judged anew: the rules have changed."""
    of_it = TARGET.c.customer == customer
    connection.execute(update(TARGET).where(of_it).values(settled=False, read_at=_SEEN))


def due_targets(
    connection: Connection,
    customer: str,
    kind: TargetKind,
    subscription_id: str,
    *,
    before: datetime,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[DueTarget]:
    """Targets whose turn it is, in the order of the rotation: new and changed first, then longest untried.

    Args:
        connection: to the store.
        customer: whose.
        kind: of which kind.
        subscription_id: in which subscription.
        before: only those not tried since.
        after: the place and the key of the last one handed out before, to go on behind it.
        limit: how many at most.
    """
    query = _due_query(customer, kind).where(
        TARGET.c.subscription_id == subscription_id, TARGET.c.settled.is_(False), TARGET.c.tried_at < before
    )
    if after is not None:
        place, key = after
        later = or_(TARGET.c.tried_at > place, and_(TARGET.c.tried_at == place, TARGET.c.key > key))
        query = query.where(later)
    ordered = query.order_by(TARGET.c.tried_at, TARGET.c.key).limit(limit)
    return [_due(row) for row in connection.execute(ordered)]


def targets_of(
    connection: Connection, customer: str, kind: TargetKind, resource_keys: Sequence[str]
) -> list[DueTarget]:
    """The targets with some keys or nested in resources with them, whether it is their turn or not."""
    query = _due_query(customer, kind).where(
        or_(TARGET.c.resource_key.in_(resource_keys), TARGET.c.key.in_(resource_keys))
    )
    return [_due(row) for row in connection.execute(query.order_by(TARGET.c.key))]


def subscriptions_due(connection: Connection, customer: str, kind: TargetKind, before: datetime) -> list[str]:
    """The subscriptions in which targets wait for their turn."""
    query = (
        select(TARGET.c.subscription_id)
        .where(_of(customer, kind), TARGET.c.settled.is_(False), TARGET.c.tried_at < before)
        .distinct()
        .order_by(TARGET.c.subscription_id)
    )
    return list(connection.scalars(query))


def types_due(connection: Connection, customer: str, samples: int) -> dict[tuple[str, str | None], list[str]]:
    """Types and kinds of resource targets that are not settled, each with the ids of a few of them.

    The samples are from different subscriptions, for one may be closed to us.
    """
    query = (
        select(TARGET.c.type, RESOURCE.c.kind, func.min(TARGET.c.id).label("id"))
        .join(RESOURCE, _same_resource())
        .where(_of(customer, TargetKind.RESOURCE), TARGET.c.settled.is_(False))
        .group_by(TARGET.c.type, RESOURCE.c.kind, TARGET.c.subscription_id)
        .order_by(TARGET.c.subscription_id)
    )
    found: dict[tuple[str, str | None], list[str]] = {}
    for row in connection.execute(query):
        of_it = found.setdefault((row.type, row.kind), [])
        if len(of_it) < samples:
            of_it.append(row.id)
    return found


def resource_targets(connection: Connection, customer: str) -> Iterator[ResourceTarget]:
    """What the rules look at, of every target that is a resource or nested in one."""
    query = (
        select(TARGET.c.id, TARGET.c.type, RESOURCE.c.kind, RESOURCE.c.tags)
        .join(RESOURCE, _same_resource())
        .where(_of(customer, TargetKind.RESOURCE))
    )
    for row in connection.execute(query):
        yield ResourceTarget(row.id, row.type, row.kind, json.loads(row.tags))


def note_judgements(
    connection: Connection, customer: str, kind: TargetKind, judgements: Sequence[Judgement]
) -> None:
    """Write down verdicts."""
    rows = [
        {
            "of": judgement.key,
            "why": judgement.verdict.reason,
            "told": judgement.verdict.detail[:1000],
            "at": judgement.at,
            "read": judgement.read_at,
            "own": judgement.ours,
            "done": judgement.settled,
        }
        for judgement in judgements
    ]
    if not rows:
        return
    values = {
        "reason": bindparam("why"),
        "detail": bindparam("told"),
        "judged_at": bindparam("at", type_=UtcTime()),
        "tried_at": bindparam("at", type_=UtcTime()),
        "read_at": func.coalesce(bindparam("read", type_=UtcTime()), TARGET.c.read_at),
        "ours": func.coalesce(bindparam("own"), TARGET.c.ours),
        "settled": bindparam("done"),
    }
    one = and_(_of(customer, kind), TARGET.c.key == bindparam("of"))
    connection.execute(update(TARGET).where(one).values(values), rows)


def denied_targets(connection: Connection, customer: str, resource_keys: Sequence[str]) -> int:
    """On how many targets of some resources Azure last said that we may not look."""
    denied = 0
    for start in range(0, len(resource_keys), _KEYS_AT_ONCE):
        query = select(func.count()).where(
            _of(customer, TargetKind.RESOURCE),
            TARGET.c.resource_key.in_(resource_keys[start : start + _KEYS_AT_ONCE]),
            TARGET.c.reason == Reason.NO_PERMISSION,
        )
        denied += connection.scalar(query) or 0
    return denied


def targets_of_kind(connection: Connection, customer: str, kind: TargetKind) -> list[DueTarget]:
    """All targets of a kind, for one of which a customer has few."""
    return [_due(row) for row in connection.execute(_due_query(customer, kind).order_by(TARGET.c.key))]


def counts_by_reason(connection: Connection, customer: str) -> dict[tuple[TargetKind, Reason], int]:
    """How many targets a customer has, by kind and reason."""
    query = (
        select(TARGET.c.kind, TARGET.c.reason, func.count())
        .where(TARGET.c.customer == customer)
        .group_by(TARGET.c.kind, TARGET.c.reason)
    )
    return {(TargetKind(kind), Reason(reason)): n for kind, reason, n in connection.execute(query)}


def judged_targets(connection: Connection, customer: str) -> Iterator[JudgedTarget]:
    """Every target of a customer with its verdict."""
    query = select(TARGET).where(TARGET.c.customer == customer).order_by(TARGET.c.kind, TARGET.c.key)
    for row in connection.execute(query):
        yield JudgedTarget(
            TargetKind(row.kind),
            row.id,
            row.type,
            row.key != row.resource_key,
            Verdict(Reason(row.reason), row.detail),
            row.read_at,
            row.settled,
            row.ours,
        )


def count_ours(connection: Connection, customer: str) -> int:
    """On how many targets something of ours was at the last read."""
    query = select(func.count()).select_from(TARGET).where(TARGET.c.customer == customer, TARGET.c.ours)
    return connection.scalar(query) or 0


def _due_query(customer: str, kind: TargetKind) -> Select[Any]:
    facts = (RESOURCE.c.kind.label("variant"), RESOURCE.c.location, RESOURCE.c.tags)
    joined = select(TARGET, *facts).outerjoin(RESOURCE, _same_resource())
    return joined.where(_of(customer, kind))


def _same_resource() -> ColumnElement[bool]:
    return and_(RESOURCE.c.customer == TARGET.c.customer, RESOURCE.c.key == TARGET.c.resource_key)


def _of(customer: str, kind: TargetKind) -> ColumnElement[bool]:
    return and_(TARGET.c.customer == customer, TARGET.c.kind == kind)


def _due(row: Row[Any]) -> DueTarget:
    target = Target(TargetKind(row.kind), row.id, row.key, row.subscription_id, row.resource_key, row.type)
    return DueTarget(
        target=target,
        variant=row.variant,
        location=row.location or "global",
        tags=json.loads(row.tags) if row.tags else {},
        ours=row.ours,
        read_at=row.read_at,
        settled=row.settled,
        tried_at=row.tried_at,
    )
