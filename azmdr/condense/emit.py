"""Emission: operations that are due become rows of the lake.

An operation is written at most as often as it changes. In which hours rows of it may stand is known before
one is written, and that it stands there is noted after: killed in between, the next emission does the same
again. With that it is noted too which targets are to be reconciled, because an operation changed them.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from azmdr.condense.attempts import Outcome, distinct
from azmdr.condense.classify import StageRecord, classify
from azmdr.condense.condensed import Operation, condense
from azmdr.condense.holding import Held
from azmdr.lake.storage import LakeStorage
from azmdr.lake.write import write_operations
from azmdr.reconcile.changes import change_in
from azmdr.store import operations
from azmdr.store.operations import Emitted, OpenOperation
from azmdr.store.requests import note_changes
from azmdr.store.uncompacted import note_written

OPERATIONS_AT_ONCE: Final = 1000
"""Operations written in one go: bounds memory and the size of a lake file."""


@dataclass(frozen=True, slots=True)
class _Revision:
    """An operation as it stands now."""

    operation: Operation
    hours_before: frozenset[datetime]
    """The other hours in which an earlier revision may stand."""
    respelt: bool
    """Whether its row rebuilds fewer records than it was made of, some being one spelt in two ways."""


@dataclass(frozen=True, slots=True)
class Emission:
    """Writes due operations of the customer that is held."""

    held: Held
    lake: LakeStorage

    def emit_due(self) -> Counter[Outcome]:
        """Write what is due; returns how many operations, by outcome.

        Raises:
            LeaseLostError: another run has taken over; it writes them again.
        """
        written: Counter[Outcome] = Counter()
        while due := self._take():
            written.update(self._write(due))
        return written

    def _take(self) -> list[OpenOperation]:
        with self.held.transaction() as connection:
            now = self.held.clock()
            return operations.due_operations(connection, self.held.customer, now, OPERATIONS_AT_ONCE)

    def _write(self, due: list[OpenOperation]) -> Counter[Outcome]:
        revisions = [_revision(operation) for operation in due]
        told = [(one.operation, one.hours_before) for one in revisions]
        write_operations(self.lake, told, customer=self.held.customer)
        self._note(revisions)
        return Counter(one.operation.outcome for one in revisions)

    def _note(self, revisions: list[_Revision]) -> None:
        written = [one.operation for one in revisions]
        emitted = [
            Emitted(one.operation.operation_id, one.operation.revision, one.respelt) for one in revisions
        ]
        changes = [change for operation in written if (change := change_in(operation)) is not None]
        days = {hour.date() for one in revisions for hour in (one.operation.hour, *one.hours_before)}
        now = self.held.clock()
        with self.held.transaction() as connection:
            operations.note_emitted(connection, self.held.customer, emitted, now)
            note_written(connection, self.held.customer, days, now)
            note_changes(connection, self.held.customer, changes, now)


def _revision(operation: OpenOperation) -> _Revision:
    classified = (classify(content) for content in operation.contents)
    records = [record for record in classified if isinstance(record, StageRecord)]
    return _Revision(condense(records), operation.hours_before, _respelt(records))


def _respelt(records: list[StageRecord]) -> bool:
    """Whether some are one record spelt in two ways: such are of one time and one stage."""
    if len({(record.time, record.rank) for record in records}) == len(records):
        return False
    ordered, spellings = distinct(records)
    return len(ordered) < spellings
