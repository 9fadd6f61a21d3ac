"""Attempts: the order of an operation's records, the attempts they make up, and how each ended.

The answer depends on the set of records alone, never on the order in which they came.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from azmdr.condense.classify import Stage, StageRecord

_WEIGHT: Final = {Stage.START: 0, Stage.ACCEPT: 1, Stage.SUCCESS: 2, Stage.FAILURE: 2}


class Outcome(StrEnum):
    """What became of an operation, as far as its records say."""

    STARTED = "started"
    """Asked for; Azure has not said what it made of it."""
    ACCEPTED = "accepted"
    """Azure took it on; its end is not known."""
    SUCCESS = "success"
    FAILURE = "failure"

    @property
    def final(self) -> bool:
        """Whether the operation has ended."""
        return self in (Outcome.SUCCESS, Outcome.FAILURE)


_OUTCOMES: Final = {
    Stage.START: Outcome.STARTED,
    Stage.ACCEPT: Outcome.ACCEPTED,
    Stage.SUCCESS: Outcome.SUCCESS,
    Stage.FAILURE: Outcome.FAILURE,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an operation: from its Start to what ended it. Records in order."""

    records: tuple[StageRecord, ...]

    @property
    def decisive(self) -> StageRecord:
        """The record that says how it ended: the latest terminal one, whatever its time.

        Without one, the latest Accept, else the latest Start.
        """
        return max(self.records, key=lambda record: (_WEIGHT[record.stage], record.time))

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        return _OUTCOMES[self.decisive.stage]

    @property
    def ambiguous(self) -> bool:
        """Whether several requests share the key and overlap, so that their records can't be told apart."""
        return sum(record.stage is Stage.START for record in self.records) > 1

    @property
    def conflict(self) -> bool:
        """Whether one record says success and another failure."""
        return {Stage.SUCCESS, Stage.FAILURE} <= {record.stage for record in self.records}


def in_order(records: Iterable[StageRecord]) -> list[StageRecord]:
    """Distinct records by event time, then stage, then digest."""
    # Of several spellings of one record the first in order counts, whichever came first.
    by_spelling = sorted(records, key=lambda record: record.content, reverse=True)
    distinct = {record.digest: record for record in by_spelling}
    return sorted(distinct.values(), key=lambda record: (record.time, _WEIGHT[record.stage], record.digest))


def attempts_of(ordered: Sequence[StageRecord]) -> list[Attempt]:
    """Cut an operation's records, in order, into attempts.

    A Start opens a new attempt when what was started before has ended. While a Start is still open a
    further one overlaps it and stays in the attempt, which is then ambiguous.
    """
    attempts: list[list[StageRecord]] = []
    stages: Counter[Stage] = Counter()
    for record in ordered:
        ended = stages[Stage.SUCCESS] + stages[Stage.FAILURE]
        if not attempts or (record.stage is Stage.START and 0 < ended >= stages[Stage.START]):
            attempts.append([])
            stages.clear()
        attempts[-1].append(record)
        stages[record.stage] += 1
    return [Attempt(tuple(attempt)) for attempt in attempts]
