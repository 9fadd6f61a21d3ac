"""Pacing: what Azure Resource Manager's token buckets hold, as far as we know, and how long to wait. Pure.

A bucket belongs to a subscription (or the tenant), our principal and a kind of operation. It holds 250 reads
and fills by 25 a second, or 200 writes or deletes and 10 a second. A call made before Retry-After is over is
refused and lengthens the wait. Source: learn.microsoft.com/azure/azure-resource-manager/management/
request-limits-and-throttling; other principals draw on buckets 15 times as large, so ours run dry first.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kinds of operations with buckets of their own."""

    READS = "reads"
    WRITES = "writes"
    DELETES = "deletes"


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """What one token bucket paces: a subscription's id, or ``tenant``, and a kind of operation."""

    scope: str
    kind: Kind


TENANT: Final = "tenant"
"""The scope of calls that name no subscription."""


@dataclass(frozen=True, slots=True)
class BucketSize:
    """How many calls a bucket holds, and how many come back each second."""

    burst: float
    per_second: float


SIZES: Final[Mapping[Kind, BucketSize]] = {
    Kind.READS: BucketSize(249, 25),
    Kind.WRITES: BucketSize(199, 10),
    Kind.DELETES: BucketSize(199, 10),
}
"""Azure's, each short of one call, so that a rounded fraction never makes us ask a moment too early."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What we think is in a bucket. Times are seconds of one clock."""

    tokens: float
    at: float
    closed_until: float = 0.0

    def wait(self, size: BucketSize, now: float) -> float:
        """Seconds until a call may be made; 0 when it may be made now."""
        closed = max(0.0, self.closed_until - now)
        filled = self.filled(size, now)
        short = 0.0 if filled >= 1 else (1 - filled) / size.per_second
        return max(closed, short)

    def filled(self, size: BucketSize, now: float) -> float:
        """What is in it by now."""
        return min(size.burst, self.tokens + max(0.0, now - self.at) * size.per_second)

    def taken(self, size: BucketSize, now: float) -> "Bucket":
        """After a call."""
        return replace(self, tokens=self.filled(size, now) - 1, at=now)

    def told(self, remaining: float, size: BucketSize, now: float) -> "Bucket":
        """After Azure said what is left; somebody else may have taken from it, never put into it."""
        return replace(self, tokens=min(self.filled(size, now), remaining), at=now)

    def closed(self, until: float) -> "Bucket":
        """After Azure refused a call and said when to come again."""
        return replace(self, closed_until=max(self.closed_until, until))


class Pacer:
    """The buckets of one process, each full when it is first used. Threads may share it."""

    def __init__(self, sizes: Mapping[Kind, BucketSize] = SIZES) -> None:
        self._sizes = sizes
        self._buckets: dict[Lane, Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, lane: Lane, now: float) -> float:
        """Seconds until a call may be made in a lane."""
        with self._lock:
            return self._bucket(lane, now).wait(self._sizes[lane.kind], now)

    def take(self, lane: Lane, now: float) -> None:
        """Count a call."""
        with self._lock:
            self._buckets[lane] = self._bucket(lane, now).taken(self._sizes[lane.kind], now)

    def told(self, lane: Lane, remaining: float, now: float) -> None:
        """Note what Azure says is left."""
        with self._lock:
            self._buckets[lane] = self._bucket(lane, now).told(remaining, self._sizes[lane.kind], now)

    def close(self, lane: Lane, until: float) -> None:
        """Make no call before a time."""
        with self._lock:
            self._buckets[lane] = self._bucket(lane, until).closed(until)

    def _bucket(self, lane: Lane, now: float) -> Bucket:
        return self._buckets.get(lane) or Bucket(self._sizes[lane.kind].burst, now)
