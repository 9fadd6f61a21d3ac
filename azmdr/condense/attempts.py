"""Attempts: the order of an operation's records, the attempts they make up, and how each ended.

The answer depends on the set of records alone, never on the order in which they came.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from azmdr.condense.classify import TERMINAL_RANK, Stage, StageRecord


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


OUTCOMES: Final = (Outcome.STARTED, Outcome.ACCEPTED, Outcome.SUCCESS, Outcome.FAILURE)
"""By the rank of the stage that says so."""
_START, _SUCCESS, _FAILURE = (
    tuple(Stage).index(stage) for stage in (Stage.START, Stage.SUCCESS, Stage.FAILURE)
)


class Attempt(msgspec.Struct, frozen=True):
    """One try at an operation: from its Start to what ended it. Records in order."""

    records: tuple[StageRecord, ...]
    decisive: StageRecord
    """The record that says how it ended: the latest terminal one, whatever its time.

    Without one, the latest Accept, else the latest Start.
    """
    outcome: Outcome
    """What became of it."""
    ambiguous: bool
    """Whether several requests share the key and overlap, so that their records can't be told apart."""
    conflict: bool
    """Whether one record says success and another failure."""


def in_order(records: Iterable[StageRecord]) -> list[StageRecord]:
    """Distinct records by event time, then stage, then digest."""
    return distinct(records)[0]


def distinct(records: Iterable[StageRecord]) -> tuple[list[StageRecord], int]:
    """Distinct records in order, and how many distinct spellings of them there are.

    Records that are the same, spelt the same or not, are of one time and one stage. So only those that
    share both are compared, and only they need a digest.
    """
    ordered = sorted(records, key=_place)
    if len(ordered) == 1:
        return ordered, 1
    places = [_place(record) for record in ordered]
    if len(set(places)) == len(places):
        return ordered, len(ordered)
    together: dict[int, list[StageRecord]] = {}
    for place, record in zip(places, ordered, strict=True):
        together.setdefault(place, []).append(record)
    told: list[StageRecord] = []
    spellings = 0
    for some in together.values():
        if len(some) == 1:
            told += some
            spellings += 1
            continue
        by_spelling = {record.content: record for record in some}
        spellings += len(by_spelling)
        # Of several spellings of one record the first in order counts, whichever came first.
        by_digest = {
            by_spelling[spelling].digest: by_spelling[spelling] for spelling in sorted(by_spelling)[::-1]
        }
        told += (by_digest[digest] for digest in sorted(by_digest))
    return told, spellings


def other_spellings(records: Iterable[StageRecord], ordered: Sequence[StageRecord]) -> dict[int, list[bytes]]:
    """The texts of records that came spelt in another way too, by the place in ``ordered`` of each record."""
    places = {record.digest: place for place, record in enumerate(ordered)}
    told = {record.content for record in ordered}
    others = {record.content: places[record.digest] for record in records if record.content not in told}
    found: dict[int, list[bytes]] = {}
    for content, place in sorted(others.items()):
        found.setdefault(place, []).append(content)
    return found


def _place(record: StageRecord) -> int:
    """What orders the records of an operation: time, then stage; success and failure stand together."""
    rank = record.rank
    return record.time * 4 + (min(TERMINAL_RANK, rank))


def attempts_of(ordered: Sequence[StageRecord]) -> list[Attempt]:
    """Cut an operation's records, in order, into attempts.

    A Start opens a new attempt when what was started before has ended. While a Start is still open a
    further one overlaps it and stays in the attempt, which is then ambiguous.
    """
    attempts: list[Attempt] = []
    begun = starts = ended = 0
    for position, record in enumerate(ordered):
        rank = record.rank
        if rank == _START:
            if 0 < ended >= starts:
                attempts.append(_attempt(ordered[begun:position], starts))
                begun, starts, ended = position, 0, 0
            starts += 1
        elif rank >= TERMINAL_RANK:
            ended += 1
    if ordered:
        attempts.append(_attempt(ordered[begun:], starts))
    return attempts


def _attempt(records: Sequence[StageRecord], starts: int) -> Attempt:
    decisive = records[0]
    best = min(decisive.rank, TERMINAL_RANK)
    ranks = {decisive.rank}
    for record in records[1:]:
        rank = record.rank
        ranks.add(rank)
        weight = min(TERMINAL_RANK, rank)
        if weight > best or (weight == best and record.time > decisive.time):
            decisive, best = record, weight
    conflict = _SUCCESS in ranks and _FAILURE in ranks
    return Attempt(tuple(records), decisive, OUTCOMES[decisive.rank], starts > 1, conflict)
