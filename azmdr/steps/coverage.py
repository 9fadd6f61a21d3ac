"""The step ``coverage``: reads the verdicts from the store; asks nobody."""

from datetime import timedelta

from sqlalchemy import Connection

from azmdr.clock import Clock
from azmdr.reconcile.coverage import Coverage, Inventory, coverage_of
from azmdr.store.database import Store
from azmdr.store.inventory import count_resources, known_subscriptions, listings
from azmdr.store.targets import judged_targets


def cover(store: Store, customer: str, clock: Clock, stale_after: timedelta, *, shown: int = 20) -> Coverage:
    """Where a customer's targets stand. Times and ``shown`` as in :func:`azmdr.reconcile.coverage`."""
    with store.read() as connection:
        return coverage_of(
            customer,
            judged_targets(connection, customer),
            listings(connection, customer),
            _inventory(connection, customer),
            now=clock.now(),
            stale_after=stale_after,
            shown=shown,
        )


def _inventory(connection: Connection, customer: str) -> Inventory:
    return Inventory(len(known_subscriptions(connection, customer)), count_resources(connection, customer))
