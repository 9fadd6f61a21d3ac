"""Faults: what goes wrong on the way, decided by a seed or by a plan, never by chance.

A decision hangs on the method, the path and how often the pair was asked before, so two callers at once get
the same faults in whatever order they ask.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class FaultKind(StrEnum):
    """What goes wrong. "Before": nothing was done. "After": all was done, and nobody was told."""

    FAIL_BEFORE = "fail before"
    FAIL_AFTER = "fail after"
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    TRUNCATE = "truncate"
    EXPIRE_TOKEN = "expire token"  # noqa: S105 - a kind of fault, no password
    THROTTLE = "throttle"
    FAIL_NEXT_PAGE = "fail next page"
    """Only pages after the first: a listing that begins well and does not end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing going wrong."""

    kind: FaultKind
    status: int = 503
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a request when its fate is decided."""

    method: str
    path: str
    """Lower-cased."""
    is_continuation: bool
    times_before: int
    """How often the same method and path were asked before."""


class Faults(Protocol):
    """Decides the fate of requests."""

    def decide(self, seen: Seen) -> Fault | None:
        """What goes wrong with this one."""

    def latency(self, seen: Seen) -> float:
        """How many seconds of the virtual clock it takes."""


@dataclass(frozen=True, slots=True)
class PlannedFaults:
    """Faults somebody wrote down; by default none.

    Args:
        plan: by (method, a part of the lower-cased path, how often it was asked before).
        seconds: the latency of every request.
    """

    plan: Mapping[tuple[str, str, int], Fault] = field(default_factory=dict)
    seconds: float = 0.0

    def decide(self, seen: Seen) -> Fault | None:
        """The first planned fault that fits."""
        for (method, part, times), fault in self.plan.items():
            if (method, times) == (seen.method, seen.times_before) and part in seen.path:
                return fault
        return None

    def latency(self, seen: Seen) -> float:  # noqa: ARG002 - the same for all
        """The same for every request."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class SeededFaults:
    """Faults by a seed: the same seed, the same fate.

    Args:
        seed: the seed.
        rates: how likely each kind is, from 0 to 1.
        slowest: the longest latency in seconds.
    """

    seed: int
    rates: Mapping[FaultKind, float]
    slowest: float = 0.0

    def decide(self, seen: Seen) -> Fault | None:
        """At most one fault a request."""
        rng = self._rng("fault", seen)
        for kind, rate in self.rates.items():
            unlucky = rng.random() < rate
            if unlucky and (kind != FaultKind.FAIL_NEXT_PAGE or seen.is_continuation):
                wait = rng.choice((None, 1, 5, 17))
                return Fault(kind, rng.choice((500, 502, 503, 504)), wait)
        return None

    def latency(self, seen: Seen) -> float:
        """Anything up to the slowest."""
        return self._rng("latency", seen).uniform(0, self.slowest)

    def _rng(self, purpose: str, seen: Seen) -> random.Random:
        page = "next" if seen.is_continuation else "first"
        return random.Random(f"{purpose} {self.seed} {seen.method} {seen.path} {page} {seen.times_before}")
