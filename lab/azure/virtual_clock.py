"""The virtual clock: the one time the lab's Azure knows, so that hours pass in seconds."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
"""When a clock starts unless told otherwise: a Monday morning."""


class VirtualClock:
    """A time that passes only when told to."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time, in UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: for a negative number of seconds; tokens and buckets rely on time's direction.
        """
        if seconds < 0:
            raise ValueError(f"time can't pass by {seconds:g} s")
        with self._lock:
            self._now += timedelta(seconds=seconds)


class WallClock(VirtualClock):
    """The machine's time, for a lab that a person watches."""

    def now(self) -> datetime:
        """The time of the machine, ahead by what was advanced."""
        return datetime.now(UTC) + (super().now() - EPOCH)
