"""An inventory for the store's tests: customers, subscriptions, resources, targets, put in the real way."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from azmdr.inventory.customers import Customer
from azmdr.inventory.presence import Changes, compare
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.store.inventory import (
    ResourceFacts,
    SubscriptionFacts,
    change_resources,
    change_subscriptions,
    known_resources,
    known_subscriptions,
)
from azmdr.store.targets import Judgement, Target, TargetKind, put_targets

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOLD_DOWN: Final = timedelta(hours=24)
ONE: Final = "6e0b1c2d-0000-4000-8000-000000000001"
TWO: Final = "6e0b1c2d-0000-4000-8000-000000000002"
TENANTS: Final = {
    name: f"b1f0a8c2-0000-4000-8000-00000000000{number}"
    for number, name in enumerate(("contoso", "fabrikam", "tailwind"))
}
IN_PLACE: Final = Verdict(Reason.IN_PLACE)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def customer(name: str = "contoso", **fields: Any) -> Customer:
    given = {"tenant_id": TENANTS.get(name, TENANTS["contoso"]), "home_region": "eastus"} | fields
    return Customer.of(name=name, **given)


def vault_id(name: str, subscription_id: str = ONE) -> str:
    return f"/subscriptions/{subscription_id}/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/{name}"


def facts(resource_id: str, **fields: Any) -> ResourceFacts:
    parsed = ResourceId.parse(resource_id)
    given: dict[str, Any] = {"kind": None, "location": "eastus", "tags": {"env": "prod"}}
    return ResourceFacts(resource_id, parsed.subscription_id, parsed.type, **given | fields)


def by_key(*found: ResourceFacts) -> dict[str, ResourceFacts]:
    return {each.id.lower(): each for each in found}


def list_resources(
    connection: Connection,
    *found: ResourceFacts,
    hours: float = 0,
    complete: bool = True,
    customer: str = "contoso",
    subscription_id: str = ONE,
) -> Changes[str, ResourceFacts]:
    """What a listing of a subscription does to the store."""
    known = known_resources(connection, customer, subscription_id)
    changes = compare(known, by_key(*found), complete=complete, at=at(hours), hold_down=HOLD_DOWN)
    change_resources(connection, customer, changes, at(hours))
    return changes


def list_subscriptions(
    connection: Connection, *ids: str, hours: float = 0, customer: str = "contoso", state: str = "Enabled"
) -> Changes[str, SubscriptionFacts]:
    """What a listing of a customer's subscriptions does to the store."""
    known = known_subscriptions(connection, customer)
    seen = {each: SubscriptionFacts(f"sub {each[-1]}", state) for each in ids}
    changes = compare(known, seen, complete=True, at=at(hours), hold_down=HOLD_DOWN)
    change_subscriptions(connection, customer, changes, at(hours))
    return changes


def target(resource_id: str, within: str | None = None, kind: TargetKind = TargetKind.RESOURCE) -> Target:
    """A resource as a target, or what is nested in one."""
    parsed = ResourceId.parse(resource_id)
    outer = ResourceId.parse(within or resource_id)
    return Target(kind, parsed.text, parsed.key, parsed.subscription_id, outer.key, parsed.type)


def put(connection: Connection, *resource_ids: str, customer: str = "contoso") -> None:
    put_targets(connection, customer, [target(each) for each in resource_ids], NOON)


def judged(
    resource_ids: Iterable[str], hours: float, verdict: Verdict = IN_PLACE, **fields: Any
) -> Sequence[Judgement]:
    return [Judgement(each.lower(), verdict, at(hours), **fields) for each in resource_ids]
