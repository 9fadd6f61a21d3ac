"""A clock for the product whose waiting moves the lab's."""

from dataclasses import dataclass, field
from datetime import datetime

from lab.azure.virtual_clock import VirtualClock


@dataclass
class LabTime:
    """The lab's clock as the product's; it remembers what was waited for."""

    clock: VirtualClock
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)
