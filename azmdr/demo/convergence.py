"""Convergence: whether the control plane has brought the lab's customers to where they should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azmdr.clock import SystemClock
from azmdr.inventory.customers import Customer
from azmdr.reconcile.coverage import Coverage
from azmdr.reconcile.verdict import Standing
from azmdr.steps.coverage import cover
from azmdr.store.customers import add_customer, all_customers
from azmdr.store.database import Store
from azmdr.store.targets import count_ours

_STALE_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Convergence:
    """Where all customers stand."""

    coverages: Sequence[Coverage]
    subscriptions: int
    """How many the lab says there are."""
    ours: int
    """Settings and export rules of ours."""

    @property
    def covered(self) -> int:
        """Targets whose logs flow."""
        return self._count(Standing.COVERED)

    @property
    def wanting(self) -> int:
        """Targets whose logs should flow and don't, or nobody knows."""
        return sum(map(self._count, (Standing.BLOCKED, Standing.PENDING, Standing.UNKNOWN)))

    @property
    def complete(self) -> bool:
        """Whether everything the lab has is known and covered, and the counts add up."""
        found = sum(one.inventory.subscriptions for one in self.coverages)
        sound = not any(one.uncounted or one.unsound_listings for one in self.coverages)
        listed = all(one.inventory.resources for one in self.coverages)
        return found == self.subscriptions > 0 and listed and sound and self.wanting == 0

    def shortfalls(self) -> list[str]:
        """What is wanting, in a sentence each."""
        found = [f"{one.customer}: {told}" for one in self.coverages for told in one.uncounted]
        found += [
            f"{one.customer}: {target.id} is {target.verdict.standing}: {target.verdict.reason}"
            for one in self.coverages
            for target in one.trouble
        ]
        return found or ["not everything the lab has was found"]

    def __str__(self) -> str:
        """In a few words."""
        return f"covered: {self.covered} of {self.covered + self.wanting} targets"

    def _count(self, standing: Standing) -> int:
        return sum(one.by_standing[standing] for one in self.coverages)


def register_customers(store: Store, told: Sequence[Mapping[str, Any]]) -> None:
    """Put the lab's customers into the registry, unless they are there."""
    with store.write() as connection:
        known = {one.name for one in all_customers(connection)}
        for one in told:
            if one["name"] not in known:
                fields = ("name", "tenant_id", "home_region", "entra_workspace_id")
                customer = Customer.of(**{field: one[field] for field in fields})
                add_customer(connection, customer, datetime.now(UTC))


def read_convergence(store: Store, subscriptions: int) -> Convergence:
    """Where all customers stand now, of whom the lab says they have so many subscriptions."""
    with store.read() as connection:
        names = [one.name for one in all_customers(connection)]
        ours = sum(count_ours(connection, name) for name in names)
    coverages = [cover(store, name, SystemClock(), _STALE_AFTER) for name in names]
    return Convergence(coverages, subscriptions, ours)
