"""The step ``monitored_resources``: which resources stand in each subscription, and what of them logs.

Azure leaves out of a listing what we may not read, and says nothing: a delegation that has shrunk to one
resource group lists that group, completely. So nothing is gone while Azure says that we may not look at it.
"""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from azmdr.azure.dispatch import Call, Job, Source
from azmdr.azure.errors import AzureError
from azmdr.azure.inventory import FoundResource, list_resources
from azmdr.inventory.customers import Customer
from azmdr.inventory.presence import Changes, Known, compare
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.steps.control_plane import ControlPlane, CustomerReport, StepReport
from azmdr.steps.holding import Held, hold
from azmdr.store.inventory import (
    ResourceFacts,
    change_resources,
    known_resources,
    known_subscriptions,
    note_listing,
)
from azmdr.store.targets import Target, TargetKind, denied_targets, put_targets

_LISTINGS_AT_ONCE = 8
"""Listings of one customer going on at a time: each holds the resources of a subscription in memory."""


def find_resources(
    plane: ControlPlane, customers: Sequence[Customer], subscription_ids: Collection[str] = ()
) -> StepReport:
    """List the resources of the customers' subscriptions, or only of some of them.

    Raises:
        SignInError: there is no token to be had.
    """
    report = StepReport()
    with hold(plane, [customer.name for customer in customers], report) as held:
        sources = [
            Source(name, _listings(held, name, report.customers[name], subscription_ids), _LISTINGS_AT_ONCE)
            for name in held.names
        ]
        report.close(plane.work_off(sources, plane.until, held.give_sign_of_life), held.names)
    return report


def _listings(held: Held, customer: str, report: CustomerReport, chosen: Collection[str]) -> Iterator[Job]:
    with held.plane.store.read() as connection:
        known = known_subscriptions(connection, customer)
    for subscription_id in known:
        if not chosen or subscription_id in chosen:
            yield _listing(held, customer, subscription_id, report)


def _listing(
    held: Held, customer: str, subscription_id: str, report: CustomerReport
) -> Generator[Call[Any], Any, None]:
    seen: list[FoundResource] = []
    problem = None
    try:
        yield from list_resources(held.plane.arm, subscription_id, seen)
    except AzureError as error:
        problem = str(error)
        report.counts["listings that broke off"] += 1
        report.problem = problem
    now = held.plane.clock.now()
    with held.plane.store.write() as connection:
        held.prolong(connection, customer)
        known = known_resources(connection, customer, subscription_id)
        changes = compare(
            known, _facts(seen), complete=problem is None, at=now, hold_down=held.plane.bounds.hold_down
        )
        if denied := denied_targets(connection, customer, changes.gone):
            problem = f"no permission on {denied} targets it lacks: a delegation has shrunk"
            report.problem = problem
            changes.keep_gone(known)
        write_changes(connection, customer, changes, held.plane)
        note_listing(connection, customer, subscription_id, now, len(seen), problem)
    report.counts.update(
        {
            "subscriptions": 1,
            "seen": len(seen),
            "new": len(changes.new),
            "changed": len(changes.changed),
            "missing": len(changes.missing),
            "gone": len(changes.gone),
        }
    )


def take_in(
    connection: Connection,
    plane: ControlPlane,
    customer: str,
    known: Mapping[str, Known[ResourceFacts]],
    seen: Iterable[FoundResource],
) -> None:
    """Write down resources seen apart from a listing; nothing follows about what was not seen."""
    now, hold_down = plane.clock.now(), plane.bounds.hold_down
    changes = compare(known, _facts(seen), complete=False, at=now, hold_down=hold_down)
    write_changes(connection, customer, changes, plane)


def write_changes(
    connection: Connection, customer: str, changes: Changes[str, ResourceFacts], plane: ControlPlane
) -> None:
    """Write down what changed of resources, and put what logs of them to the front of the rotation."""
    now = plane.clock.now()
    change_resources(connection, customer, changes, now)
    anew = (changes.new | changes.changed | changes.back).values()
    targets = [target for facts in anew for target in targets_of_resource(facts, plane.policy)]
    put_targets(connection, customer, targets, now)


def targets_of_resource(facts: ResourceFacts, policy: CategoryPolicy) -> Iterator[Target]:
    """A resource as a target, and what is nested in it, logs on its own, and stands in no listing."""
    own = ResourceId.parse(facts.id)
    yield _target(own, own)
    for path in policy.children_of(facts.type):
        yield _target(own.child(path), own)


def _target(target: ResourceId, resource: ResourceId) -> Target:
    return Target(
        TargetKind.RESOURCE, target.text, target.key, target.subscription_id, resource.key, target.type
    )


def _facts(seen: Iterable[FoundResource]) -> dict[str, ResourceFacts]:
    return {
        each.id.key: ResourceFacts(
            id=each.id.text,
            subscription_id=each.id.subscription_id,
            type=each.id.type,
            kind=each.kind,
            location=each.location,
            tags=dict(each.tags),
        )
        for each in seen
    }
