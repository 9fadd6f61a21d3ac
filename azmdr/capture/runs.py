"""Runs: how the files that wait become runs, one, a day's or a range's worth at a time. Pure.

A run costs seconds whatever it does, a file in it milliseconds. So while few files wait each gets a run
of its own, soonest done and easiest to follow; while many wait, each customer's day gets one; and when
very many wait, one run takes a range of customers.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, PositiveInt

from azmdr.store.ledger import CustomerDay, LedgerFile


class RunBounds(BaseModel):
    """How many runs are asked for, and of which size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_flight: PositiveInt = 4
    """Condensing runs queued or running at most; none is asked for beyond it."""
    files_alone: PositiveInt = 20
    """While no more files than this wait, each gets a run of its own."""
    day_runs: PositiveInt = 12
    """While no more customer-days than this have files waiting, each gets one run; above it, range runs."""
    customers_per_range: PositiveInt = 50
    """Customers in one range run, at most."""


@dataclass(frozen=True, slots=True)
class FileRun:
    """A run for one capture file."""

    file: LedgerFile

    @property
    def run_key(self) -> str:
        """Path and etag; asked for again after a run that came to nothing, with the number of the request."""
        again = f"#{self.file.requests + 1}" if self.file.requests else ""
        return f"{self.file.path}@{self.file.etag}{again}"


@dataclass(frozen=True, slots=True)
class DayRun:
    """A run for all files of a customer's day that wait."""

    partition: CustomerDay
    files: int


@dataclass(frozen=True, slots=True)
class RangeRun:
    """A run for all files of one day that wait, of customers from ``first`` to ``last`` in their order."""

    first: str
    last: str
    day: str
    files: int


Run = FileRun | DayRun | RangeRun


@dataclass(frozen=True, slots=True)
class InFlight:
    """The condensing runs that are queued or running, and what they will do."""

    runs: int = 0
    file_ids: frozenset[int] = frozenset()
    partitions: frozenset[CustomerDay] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: how many files in each partition, and the oldest of them one by one."""

    by_day: Mapping[CustomerDay, int]
    """In the order in which they are to be served: the one that has waited longest first."""
    oldest: Sequence[LedgerFile]


def plan_runs(
    waiting: Waiting, in_flight: InFlight, bounds: RunBounds, customers: Sequence[str], days: Collection[str]
) -> list[Run]:
    """The runs to ask for now.

    Args:
        waiting: the files that wait. ``oldest`` must hold at least ``bounds.files_alone + in_flight.runs``
            of those in open partitions, where there are as many.
        in_flight: runs already asked for; what they will do is not asked for again.
        bounds: how many, and of which size.
        customers: every customer in the order of the partitions, which is what a range goes by.
        days: the days that are partitions. Files of other days are left.
    """
    room = bounds.in_flight - in_flight.runs
    if room <= 0:
        return []
    by_day = open_partitions(waiting.by_day, in_flight, customers, days)
    runs: Iterable[Run]
    if sum(by_day.values()) - len(in_flight.file_ids) <= bounds.files_alone:
        alone = (
            file for file in waiting.oldest if file.partition in by_day and file.id not in in_flight.file_ids
        )
        runs = [FileRun(file) for file in alone]
    else:
        runs = _whole_partitions(by_day, bounds, customers)
    return list(runs)[:room]


def plan_emissions(
    due: Sequence[str], in_flight: InFlight, bounds: RunBounds, customers: Sequence[str], day: str
) -> list[Run]:
    """The runs that emit due operations: of a day's partition of each customer no whole run is about.

    Args:
        due: the customers with due operations, the one that waited longest first.
        in_flight: runs already asked for; each emits what its customers have due.
        bounds: how many, and of which size.
        customers: every customer in the order of the partitions.
        day: the partition that the runs are of; any will do.
    """
    room = max(0, bounds.in_flight - in_flight.runs)
    busy = {partition.customer for partition in in_flight.partitions}
    known = set(customers)
    idle = {CustomerDay(customer, day): 0 for customer in due if customer in known and customer not in busy}
    return list(_whole_partitions(idle, bounds, customers))[:room]


def plan_compactions(
    due: Sequence[CustomerDay], bounds: RunBounds, customers: Sequence[str], days: Collection[str]
) -> list[RangeRun]:
    """The runs that compact days: one for each stretch of customers, the earliest day first.

    Args:
        due: the days that are to be compacted.
        bounds: how many, and of which size.
        customers: every customer in the order of the partitions.
        days: the days that are partitions. Others are left as they are.
    """
    known = set(customers)
    there = sorted(
        (one for one in due if one.customer in known and one.day in days), key=lambda one: (one.day, one)
    )
    return _ranges(dict.fromkeys(there, 0), bounds.customers_per_range, customers)[: bounds.in_flight]


def open_partitions(
    by_day: Mapping[CustomerDay, int], in_flight: InFlight, customers: Collection[str], days: Collection[str]
) -> dict[CustomerDay, int]:
    """The partitions that may be asked for: those there are, without those that are in flight as a whole."""
    return {
        partition: files
        for partition, files in by_day.items()
        if partition not in in_flight.partitions and partition.day in days and partition.customer in customers
    }


def _whole_partitions(
    by_day: Mapping[CustomerDay, int], bounds: RunBounds, customers: Sequence[str]
) -> Sequence[Run]:
    """A run for each partition, or where they are many for stretches of them."""
    if len(by_day) > bounds.day_runs:
        return _ranges(by_day, bounds.customers_per_range, customers)
    return [DayRun(partition, files) for partition, files in by_day.items()]


def _ranges(by_day: Mapping[CustomerDay, int], longest: int, customers: Sequence[str]) -> list[RangeRun]:
    """For each day, stretches of the customers' order that begin and end with a customer who waits.

    The stretch with the partition that has waited longest comes first.
    """
    turn = {partition: index for index, partition in enumerate(by_day)}
    place = {customer: index for index, customer in enumerate(customers)}
    stretches: list[list[CustomerDay]] = []
    for partition in sorted(by_day, key=lambda one: (one.day, place[one.customer])):
        first = stretches[-1][0] if stretches else None
        if (
            first is None
            or first.day != partition.day
            or place[partition.customer] - place[first.customer] >= longest
        ):
            stretches.append([])
        stretches[-1].append(partition)
    stretches.sort(key=lambda stretch: min(turn[partition] for partition in stretch))
    return [
        RangeRun(
            stretch[0].customer, stretch[-1].customer, stretch[0].day, sum(by_day[one] for one in stretch)
        )
        for stretch in stretches
    ]
