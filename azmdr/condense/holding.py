"""Holding customers: a lease for each in the store, so that no two runs condense one at the same time.

What is said in a transaction that prolongs the lease is said by the only one who may: a run that was
silent for longer than its lease, and was overtaken meanwhile, finds that out before it commits.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from azmdr.store.database import Store
from azmdr.store.leases import give_back_lease, prolong_lease, take_lease

LOOK_AGAIN_SECONDS: Final = 0.2
"""How often it is looked whether a customer another run holds has become free."""


class LeaseLostError(Exception):
    """Another run has taken over: this one was silent for longer than its lease."""


class CustomerHeldError(RuntimeError):
    """Customers were held by other runs all the time one could wait for them."""


@dataclass(frozen=True, slots=True)
class Held:
    """A customer that one run holds."""

    customer: str
    store: Store
    owner: str
    lease: timedelta
    clock: Callable[[], datetime]

    def prolong(self, connection: Connection) -> None:
        """Make a transaction one that only the holder can commit.

        Raises:
            LeaseLostError: another run has taken over; the transaction must not commit.
        """
        until = self.clock() + self.lease
        if not prolong_lease(connection, _lease(self.customer), owner=self.owner, until=until):
            raise LeaseLostError(f"{self.customer}: another run has taken over; this one writes nothing more")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction that only the holder can commit. Raises :class:`LeaseLostError`."""
        with self.store.write() as connection:
            self.prolong(connection)
            yield connection

    def give_sign_of_life(self) -> None:
        """Prolong the lease, with nothing to write down. Raises :class:`LeaseLostError`."""
        with self.transaction():
            pass

    def give_back(self) -> None:
        """End the lease early. Should the store not answer, it ends in time."""
        with suppress(SQLAlchemyError), self.store.write() as connection:
            give_back_lease(connection, _lease(self.customer), owner=self.owner)


@dataclass(frozen=True, slots=True)
class Holder:
    """Takes customers, one at a time. ``owner`` is the id of a run."""

    store: Store
    owner: str
    lease: timedelta
    clock: Callable[[], datetime]

    def each(self, customers: Iterable[str], wait: timedelta, left_out: list[str]) -> Iterator[Held]:
        """Hold each customer once, those that other runs hold as soon as they are free.

        Whoever is given one gives it back.

        Args:
            customers: in the order in which they are wanted.
            wait: how long to wait, with nothing else to do, for customers that others hold.
            left_out: takes the customers that were not free by then.
        """
        left = list(customers)
        waited_enough = time.monotonic() + wait.total_seconds()
        while left:
            taken_by_others = []
            for customer in left:
                if (held := self._take(customer)) is None:
                    taken_by_others.append(customer)
                    continue
                yield held
                waited_enough = time.monotonic() + wait.total_seconds()
            left = taken_by_others
            if left and time.monotonic() >= waited_enough:
                left_out += left
                return
            if left:
                time.sleep(LOOK_AGAIN_SECONDS)

    def _take(self, customer: str) -> Held | None:
        with self.store.write() as connection:
            taken = take_lease(
                connection, _lease(customer), owner=self.owner, now=self.clock(), duration=self.lease
            )
        return Held(customer, self.store, self.owner, self.lease, self.clock) if taken else None


def _lease(customer: str) -> str:
    return f"condense {customer}"
