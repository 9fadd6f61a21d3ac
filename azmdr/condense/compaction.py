"""Compaction: a day's operations, rewritten into one file an hour without the revisions that no longer count.

The new file is there before those it was made of go, and holds the row that counts of every operation of the
hour. So whatever of the old files is still there when a reader looks, or when the process dies, the same
rows count. The name of the new file follows from its rows: doing it again replaces it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from azmdr.condense.holding import Held, Holder, LeaseLostError
from azmdr.condense.identity import key_digest
from azmdr.lake.layout import Bucket, Table
from azmdr.lake.read import digest_of, latest, standing
from azmdr.lake.storage import LakeStorage
from azmdr.lake.tables import SCHEMAS
from azmdr.lake.write import put_rows
from azmdr.store.database import Store
from azmdr.store.ledger import CustomerDay
from azmdr.store.uncompacted import note_compacted


class CompactionChangedSomethingError(RuntimeError):
    """The new file does not say what the old ones say; they are all still there."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a day takes in the lake."""

    files: int = 0
    bytes: int = 0
    rows: int = 0

    def __add__(self, other: "Extent") -> "Extent":
        """Sum by field."""
        return Extent(self.files + other.files, self.bytes + other.bytes, self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class CompactedDay:
    """What compacting a customer's day came to."""

    partition: CustomerDay
    before: Extent
    after: Extent
    operations: int
    """Operations that stand in the day, the same before and after."""
    digest: str
    """Of the rows that count, hour by hour, read back from the new files: the same as before."""


@dataclass(slots=True)
class CompactionResult:
    """What compacting days came to."""

    days: list[CompactedDay] = field(default_factory=list)
    leased: list[str] = field(default_factory=list)
    """Customers left alone, because other runs held them all the time."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """Compacts days. ``owner`` is the id of a run; it holds each customer it works on."""

    store: Store
    lake: LakeStorage
    lease: timedelta
    wait: timedelta
    """How long to wait for customers that other runs hold."""
    owner: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def compact(self, partitions: Sequence[CustomerDay]) -> CompactionResult:
        """Compact some days, whether closed or not.

        Raises:
            CompactionChangedSomethingError: a new file read back is not what it should be.
        """
        result = CompactionResult()
        days = sorted(set(partitions))
        holder = Holder(self.store, self.owner, self.lease, self.clock)
        customers = dict.fromkeys(day.customer for day in days)
        for held in holder.each(customers, self.wait, result.leased):
            try:
                result.days += [self._day(held, day) for day in days if day.customer == held.customer]
            except LeaseLostError:
                result.leased.append(held.customer)
            finally:
                held.give_back()
        return result

    def _day(self, held: Held, partition: CustomerDay) -> CompactedDay:
        midnight = datetime.combine(date.fromisoformat(partition.day), time(), UTC)
        hours = [
            _Hour(self.lake, Bucket(partition.customer, Table.OPERATIONS, midnight + timedelta(hours=hour)))
            for hour in range(24)
        ]
        told = []
        for hour in hours:
            held.give_sign_of_life()
            told.append(hour.compact())
        with held.transaction() as connection:
            note_compacted(connection, partition)
        return CompactedDay(
            partition,
            before=sum((one.before for one in told), Extent()),
            after=sum((one.after for one in told), Extent()),
            operations=sum(one.operations for one in told),
            digest=key_digest(*(one.digest for one in told)),
        )


@dataclass(frozen=True, slots=True)
class _CompactedHour:
    before: Extent
    after: Extent
    operations: int
    digest: str


@dataclass(frozen=True, slots=True)
class _Hour:
    """One hour of a customer's operations."""

    lake: LakeStorage
    bucket: Bucket

    def compact(self) -> _CompactedHour:
        """Write the rows that count into one file, read it back, then delete what it was made of."""
        paths = list(self.lake.list(self.bucket.prefix))
        before, rows = self._read(paths)
        counting = latest(Table.OPERATIONS, rows)
        digest = digest_of(counting)
        if len(paths) < 2:
            return _CompactedHour(before, before, counting.height, digest)
        kept = standing(rows).sort("time", "operation_id")
        path = put_rows(self.lake, self.bucket, _name_of(kept), kept)
        after, written = self._read([path])
        if digest_of(latest(Table.OPERATIONS, written)) != digest:
            raise CompactionChangedSomethingError(
                f"{path}: does not say what the {len(paths)} files say that it was made of; none was deleted"
            )
        for old in paths:
            if old != path:
                self.lake.delete(old)
        return _CompactedHour(before, after, counting.height, digest)

    def _read(self, paths: Sequence[str]) -> tuple[Extent, pl.DataFrame]:
        contents = [self.lake.read(path) for path in paths]
        frames = [pl.read_parquet(content, hive_partitioning=False) for content in contents]
        rows = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMAS[Table.OPERATIONS])
        return Extent(len(paths), sum(map(len, contents)), rows.height), rows


def _name_of(rows: pl.DataFrame) -> str:
    told = rows.select("operation_id", "revision", "condenser", "moved").iter_rows()
    return f"compacted-{key_digest(*(' '.join(map(str, row)) for row in told))}"
