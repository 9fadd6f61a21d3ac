"""Emission: operations that are due become rows of the lake.

An operation is written at most as often as it changes. The hours it may stand in are noted before its
rows are written, and that it stands there after: killed in between, the next emission does the same again.
With that it is noted too which targets are to be reconciled, because an operation changed them.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from azmdr.condense.attempts import Outcome
from azmdr.condense.classify import StageRecord, classify
from azmdr.condense.condensed import Operation, condense
from azmdr.lake.storage import LakeStorage
from azmdr.lake.write import write_operations
from azmdr.reconcile.changes import change_in
from azmdr.store import operations
from azmdr.store.database import Store
from azmdr.store.leases import give_back_lease, take_lease
from azmdr.store.operations import Emitted, OpenOperation, Patience
from azmdr.store.requests import note_changes

OPERATIONS_AT_ONCE: Final = 1000
"""Operations written in one go: bounds memory and the size of a lake file."""

_Revision = tuple[Operation, frozenset[datetime]]
"""An operation as it stands now, and the hours in which an earlier revision may stand."""


@dataclass(frozen=True, slots=True)
class Emission:
    """Writes one customer's due operations. ``owner`` holds the lease while it does."""

    store: Store
    lake: LakeStorage
    patience: Patience
    lease: timedelta
    owner: str
    clock: Callable[[], datetime]

    def emit_due(self, customer: str) -> Counter[Outcome]:
        """Write what is due, unless another run is about it; returns how many operations, by outcome."""
        written: Counter[Outcome] = Counter()
        try:
            while due := self._take(customer):
                written.update(self._write(customer, due))
        finally:
            with suppress(SQLAlchemyError), self.store.write() as connection:
                give_back_lease(connection, f"emit {customer}", owner=self.owner)
        return written

    def _take(self, customer: str) -> list[OpenOperation]:
        with self.store.write() as connection:
            operations.lock_customers(connection, [customer])
            now = self.clock()
            if not take_lease(connection, f"emit {customer}", owner=self.owner, now=now, duration=self.lease):
                return []
            return operations.due_operations(connection, customer, self.patience, now, OPERATIONS_AT_ONCE)

    def _write(self, customer: str, due: list[OpenOperation]) -> Counter[Outcome]:
        revisions = [(_condensed(operation), operation.emitted_hours) for operation in due]
        self._note_hours(customer, revisions)
        write_operations(self.lake, revisions, customer=customer)
        self._note_emitted(customer, revisions)
        return Counter(operation.outcome for operation, _ in revisions)

    def _note_hours(self, customer: str, revisions: list[_Revision]) -> None:
        new = [(one.operation_id, before | {one.hour}) for one, before in revisions if one.hour not in before]
        with self.store.write() as connection:
            operations.lock_customers(connection, [customer])
            operations.note_hours(connection, customer, new)

    def _note_emitted(self, customer: str, revisions: list[_Revision]) -> None:
        emitted = [Emitted(operation.operation_id, operation.revision) for operation, _ in revisions]
        changes = [change for operation, _ in revisions if (change := change_in(operation)) is not None]
        now = self.clock()
        with self.store.write() as connection:
            operations.lock_customers(connection, [customer])
            operations.note_emitted(connection, customer, emitted, now)
            note_changes(connection, customer, changes, now)


def _condensed(operation: OpenOperation) -> Operation:
    classified = (classify(content) for content in operation.contents)
    return condense(record for record in classified if isinstance(record, StageRecord))
