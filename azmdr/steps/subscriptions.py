"""The step ``subscriptions``: which subscriptions each customer has delegated to us."""

from collections.abc import Generator, Sequence
from typing import Any

from azmdr.azure.dispatch import Call, Source
from azmdr.azure.errors import AzureError
from azmdr.azure.inventory import FoundSubscription, list_subscriptions
from azmdr.inventory.customers import Customer
from azmdr.inventory.presence import compare
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.holding import Held, LeaseLostError, hold
from azmdr.store.inventory import (
    SUBSCRIPTIONS,
    SubscriptionFacts,
    change_subscriptions,
    known_subscriptions,
    note_listing,
)
from azmdr.store.targets import Target, TargetKind, put_targets

TYPE = "microsoft.resources/subscriptions"


def find_subscriptions(plane: ControlPlane, customers: Sequence[Customer]) -> StepReport:
    """List the subscriptions delegated to us, once for all these customers, and write down what changed.

    Raises:
        SignInError: there is no token to be had.
    """
    report = StepReport()
    with hold(plane, [customer.name for customer in customers], report) as held:
        listing = _Listing()
        tally = plane.work_off([Source("", iter([listing.job(plane)]))], plane.until, held.give_sign_of_life)
        for customer in customers:
            if customer.name in held.names:
                try:
                    _take_over(held, customer, listing, report)
                except LeaseLostError as error:
                    report.fail(customer.name, str(error))
        report.close(tally, held.names)
    return report


class _Listing:
    """The subscriptions of all customers, and whether all of them arrived."""

    def __init__(self) -> None:
        self.seen: list[FoundSubscription] = []
        self.problem: str | None = "the time was up before the listing ended"

    def job(self, plane: ControlPlane) -> Generator[Call[Any], Any, None]:
        """List them."""
        try:
            yield from list_subscriptions(plane.arm, self.seen)
            self.problem = None
        except AzureError as error:
            self.problem = str(error)


def _take_over(held: Held, customer: Customer, listing: _Listing, report: StepReport) -> None:
    plane = held.plane
    seen = {
        each.subscription_id: SubscriptionFacts(each.name, each.state)
        for each in listing.seen
        if each.tenant_id == customer.tenant_id
    }
    now = plane.clock.now()
    with plane.store.write() as connection:
        held.prolong(connection, customer.name)
        known = known_subscriptions(connection, customer.name)
        changes = compare(
            known, seen, complete=listing.problem is None, at=now, hold_down=plane.bounds.hold_down
        )
        change_subscriptions(connection, customer.name, changes, now)
        anew = [*changes.new, *changes.changed, *changes.back]
        put_targets(connection, customer.name, [target_of(each) for each in anew], now)
        note_listing(connection, customer.name, SUBSCRIPTIONS, now, len(seen), listing.problem)
    counted = report.customers[customer.name]
    counted.counts.update(
        {
            "seen": len(seen),
            "new": len(changes.new),
            "changed": len(changes.changed),
            "missing": len(changes.missing),
            "gone": len(changes.gone),
        }
    )
    if listing.problem is not None:
        report.fail(customer.name, listing.problem)


def target_of(subscription_id: str) -> Target:
    """A subscription as a target: its activity log."""
    key = f"/subscriptions/{subscription_id}"
    return Target(TargetKind.SUBSCRIPTION, key, key, subscription_id, key, TYPE)
