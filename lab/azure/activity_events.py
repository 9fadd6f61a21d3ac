"""The activity log's events: what was asked of a subscription and how it ended, seen only minutes later.

Every write, delete and action is two events, at its begin and at its end. Off unless a cloud is given a log,
because benchmarks write more than anybody reads. Source:
learn.microsoft.com/azure/azure-monitor/platform/activity-log (3 to 20 minutes, 90 days).
"""

import random
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

KEPT_FOR: Final = timedelta(days=90)
DELAY: Final = (180.0, 1200.0)
"""Seconds from an event until a query shows it."""
KEPT: Final = 20_000
"""Events, of all subscriptions."""
_TOOK: Final = timedelta(milliseconds=400)


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked, by whom, and with which HTTP status it ended."""

    subscription_id: str
    tenant_id: str
    action: str
    resource_id: str
    correlation_id: str
    caller: str
    method: str
    status: int

    @property
    def group(self) -> str:
        """The resource group, empty outside of one."""
        found = re.search(r"/resourcegroups/([^/]+)", self.resource_id, re.IGNORECASE)
        return found[1] if found else ""

    @property
    def provider(self) -> str:
        """The namespace of the resource provider: the last, where one stands behind the other."""
        return self._own.partition("/")[0]

    @property
    def resource_type(self) -> str:
        """The type, without the names between its parts."""
        namespace, *rest = self._own.split("/")
        return "/".join((namespace, *rest[::2]))

    @property
    def _own(self) -> str:
        before, found, after = self.resource_id.rpartition("/providers/")
        return after if found else "Microsoft.Resources" + before


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """The begin or the end of an operation."""

    number: int
    operation: Operation
    at: datetime
    visible: datetime
    is_end: bool

    @property
    def status(self) -> str:
        """How far the operation has come."""
        if not self.is_end:
            return "Started"
        return "Succeeded" if self.operation.status < 400 else "Failed"


@dataclass(slots=True)
class ActivityLog:
    """The events of all subscriptions, the oldest dropped when there are too many.

    Args:
        delay: between how many seconds and how many a query shows an event.
        seed: decides which of them it is for each.
        kept: how many events.
    """

    delay: tuple[float, float] = DELAY
    seed: int = 7
    kept: int = KEPT
    _events: deque[ActivityEvent] = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self._events = deque(maxlen=self.kept)

    def record(self, operation: Operation, at: datetime) -> None:
        """Keep the two events of an operation."""
        self._keep(operation, at, is_end=False)
        self._keep(operation, at + _TOOK, is_end=True)

    def seen(self, subscription_id: str, now: datetime) -> Iterator[ActivityEvent]:
        """The events of a subscription that a query shows at a time, the newest first."""
        for event in reversed(self._events):
            if event.operation.subscription_id != subscription_id:
                continue
            if event.visible <= now and event.at > now - KEPT_FOR:
                yield event

    def _keep(self, operation: Operation, at: datetime, is_end: bool) -> None:
        self._count += 1
        wait = random.Random(f"activity {self.seed} {self._count}").uniform(*self.delay)
        visible = at + timedelta(seconds=wait)
        self._events.append(ActivityEvent(self._count, operation, at, visible, is_end))
