"""Holding customers: a lease for each in the store, so that no two runs work on one at the same time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from azmdr.steps.control_plane import ControlPlane, CustomerReport, Ending, StepReport
from azmdr.store.leases import give_back_lease, take_lease


class LeaseLostError(Exception):
    """Another run has taken over: this one was silent for longer than its lease."""


_SILENCE: Final = 0.25
"""The part of a lease after which a sign of life is given, however long a bucket stays closed."""


@dataclass(slots=True)
class Held:
    """The names that one run holds."""

    plane: ControlPlane
    names: Sequence[str]
    _alive_at: datetime

    def give_sign_of_life(self) -> tuple[()]:
        """Prolong all leases now and then; that one is lost shows when something is to be written down.

        Returns:
            Nothing to do, for the gateway that asks for more.
        """
        now = self.plane.clock.now()
        if now - self._alive_at > self.plane.bounds.lease * _SILENCE:
            self._alive_at = now
            with self.plane.store.write() as connection:
                for name in self.names:
                    _take(self.plane, connection, name)
        return ()

    def prolong(self, connection: Connection, name: str) -> None:
        """Give a sign of life, in the transaction that writes down what was done.

        Raises:
            LeaseLostError: it is too late for that; the transaction must not commit.
        """
        if not _take(self.plane, connection, name):
            raise LeaseLostError(f"{name}: another run has taken over; nothing more is written by this one")


@contextmanager
def hold(plane: ControlPlane, names: Sequence[str], report: StepReport) -> Iterator[Held]:
    """Hold those of some customers that nobody else holds; the others are told in the report."""
    held = []
    for name in names:
        with plane.store.write() as connection:
            taken = _take(plane, connection, name)
        report.customers[name] = CustomerReport(Ending.DONE if taken else Ending.LEASED)
        if taken:
            held.append(name)
    try:
        yield Held(plane, held, plane.clock.now())
    finally:
        with suppress(SQLAlchemyError), plane.store.write() as connection:
            for name in held:
                give_back_lease(connection, _lease(name), owner=plane.owner)


def _take(plane: ControlPlane, connection: Connection, name: str) -> bool:
    now, duration = plane.clock.now(), plane.bounds.lease
    return take_lease(connection, _lease(name), owner=plane.owner, now=now, duration=duration)


def _lease(name: str) -> str:
    return f"reconcile {name}"
