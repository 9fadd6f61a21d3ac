"""Spreading: when in an interval each customer's turn comes, so that the load is flat. Pure.

Customers stand in a row and are cut into slices; the turns of the slices are spread evenly over the interval.
What a missed minute should have asked for is due at the next one, and nobody is asked for twice.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spread:
    """How customers are spread."""

    interval: timedelta
    """In which every customer has its turn once; whole minutes."""
    customers_per_slice: int

    def begun(self, now: datetime) -> datetime:
        """When the interval began that a moment is in."""
        return now - (now - _EPOCH) % self.interval


@dataclass(frozen=True, slots=True)
class Stretch:
    """Customers that stand next to each other and whose turn it is."""

    first: str
    last: str
    customers: int


def due_stretches(
    now: datetime, customers: Sequence[str], spread: Spread, asked: Collection[str]
) -> list[Stretch]:
    """The customers whose turn has come in this interval, and who have not been asked for in it.

    Args:
        now: the time.
        customers: all of them, in an order that does not change.
        spread: how they are spread.
        asked: those asked for since the interval began, or at work.
    """
    elapsed = now - spread.begun(now)
    due = (each for turn, each in _slices(customers, spread) if turn <= elapsed)
    return [stretch for each in due for stretch in _without(each, frozenset(asked))]


def _slices(customers: Sequence[str], spread: Spread) -> Iterator[tuple[timedelta, Sequence[str]]]:
    """Each slice with the whole minutes after which its turn is."""
    size = spread.customers_per_slice
    starts = range(0, len(customers), size)
    for number, start in enumerate(starts):
        minutes = number * spread.interval // (len(starts) * _MINUTE)
        yield minutes * _MINUTE, customers[start : start + size]


def _without(customers: Sequence[str], asked: frozenset[str]) -> Iterator[Stretch]:
    for is_asked, group in groupby(customers, key=lambda each: each in asked):
        if not is_asked:
            row = list(group)
            yield Stretch(row[0], row[-1], len(row))
