"""Throttling: Azure Resource Manager's token buckets, and what a caller is told of them.

A bucket per subscription, principal and kind of operation; all principals together share one of fifteen times
the size. A call made before Retry-After is over is refused and lengthens the wait.
Source: learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling.
"""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from lab.azure.arm_error import ArmError


class Kind(StrEnum):
    """The kinds of operations with buckets of their own."""

    READS = "reads"
    WRITES = "writes"
    DELETES = "deletes"

    @classmethod
    def of(cls, method: str) -> "Kind":
        """The kind of an HTTP method."""
        return {"GET": cls.READS, "HEAD": cls.READS, "DELETE": cls.DELETES}.get(method, cls.WRITES)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a bucket holds, and how fast it fills."""

    burst: float
    per_second: float

    def times(self, factor: float) -> "Size":
        """A bucket that many times as big."""
        return Size(self.burst * factor, self.per_second * factor)


SIZES: Final = {Kind.READS: Size(250, 25), Kind.WRITES: Size(200, 10), Kind.DELETES: Size(200, 10)}
ALL_PRINCIPALS: Final = 15
"""How many times the bucket of one principal all of a subscription's principals share."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The state of a bucket: what was in it at a time (seconds), and until when it refuses."""

    tokens: float
    at: float
    refuses_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call got from a bucket."""

    allowed: bool
    remaining: int
    retry_after: int
    """Whole seconds; 0 when allowed."""


def take(bucket: Bucket, size: Size, now: float) -> tuple[Bucket, Taken]:
    """Take a token at a time (seconds)."""
    tokens = min(size.burst, bucket.tokens + (now - bucket.at) * size.per_second)
    if now < bucket.refuses_until:
        until = bucket.refuses_until + 1
        refused = replace(bucket, tokens=tokens, at=now, refuses_until=until)
        return refused, Taken(False, 0, math.ceil(until - now))
    if tokens < 1:
        wait = math.ceil((1 - tokens) / size.per_second)
        return Bucket(tokens, now, now + wait), Taken(False, 0, wait)
    return Bucket(tokens - 1, now), Taken(True, int(tokens - 1), 0)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in one window, counted from its first call."""

    calls: int
    seconds: float


@dataclass(slots=True)
class Throttle:
    """All buckets of this Azure."""

    sizes: dict[Kind, Size] = field(default_factory=lambda: dict(SIZES))
    provider_limits: dict[str, Limit] = field(default_factory=dict)
    """What resource providers allow a subscription beside, by lower-cased namespace.

    None unless given: Microsoft says that there are such limits and not which. Users of Azure Monitor saw 400
    calls in 5 minutes.
    """
    _windows: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    _buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)

    def admit(self, scope: str, principal: str, kind: Kind, now: float) -> dict[str, str]:
        """Count one call.

        Args:
            scope: the subscription's id, or the tenant's for a call at tenant level.
            principal: the object id of the caller.
            kind: the kind of operation.
            now: seconds.

        Returns:
            The headers that tell what is left.

        Raises:
            ArmError: 429 with Retry-After.
        """
        size = self.sizes[kind]
        own = self._take((scope, principal, kind), size, now)
        shared = self._take((scope, kind), size.times(ALL_PRINCIPALS), now) if own.allowed else own
        if not (own.allowed and shared.allowed):
            raise _throttled(scope, kind, max(own.retry_after, shared.retry_after))
        return {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(own.remaining),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(shared.remaining),
        }

    def admit_to_provider(self, scope: str, provider: str, now: float) -> None:
        """Count one call against the provider's own limit, where it has one.

        Raises:
            ArmError: 429 with Retry-After.
        """
        limit = self.provider_limits.get(provider)
        if limit is None:
            return
        began, calls = self._windows.get((scope, provider), (now, 0))
        if now - began >= limit.seconds:
            began, calls = now, 0
        if calls >= limit.calls:
            wait = str(max(1, math.ceil(began + limit.seconds - now)))
            message = f"'{provider}' takes no more calls for '{scope}'. Please try again later."
            raise ArmError(429, "TooManyRequests", message, {"Retry-After": wait})
        self._windows[scope, provider] = (began, calls + 1)

    def _take(self, key: tuple[str, ...], size: Size, now: float) -> Taken:
        bucket, taken = take(self._buckets.get(key, Bucket(size.burst, now)), size, now)
        self._buckets[key] = bucket
        return taken


def _throttled(scope: str, kind: Kind, retry_after: int) -> ArmError:
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of {kind} for '{scope}' exceeded the limit. Please try again after '{retry_after}' seconds.",
        {"Retry-After": str(retry_after), f"x-ms-ratelimit-remaining-subscription-{kind}": "0"},
    )
