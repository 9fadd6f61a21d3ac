"""Chaos: which announcements are sent when. Event Grid promises at least once and no order.

Whether a message gets lost it doesn't say; subscriptions get deleted and queues purged, so some are.
Source: learn.microsoft.com/azure/event-grid/delivery-and-retry.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LATEST_STEPS: Final = 4
"""A late message comes at most this many steps after its file."""


@dataclass(frozen=True, slots=True)
class Chaos:
    """How likely each mishap is for the announcement of one file, from 0 to 1."""

    duplicate: float = 0.0
    late: float = 0.0
    reorder: float = 0.0
    lose: float = 0.0


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of one file's announcement."""

    step: int
    order: float
    """Among the sendings of the step."""
    file: str


def delivery_schedule(files: Sequence[tuple[str, int]], chaos: Chaos, seed: int | str) -> list[Sending]:
    """Decide what is sent when; a file without a sending is never announced.

    Args:
        files: name and step of each file, in order.
        chaos: how likely mishaps are.
        seed: the same seed gives the same schedule.

    Returns:
        All sendings in order of time.
    """
    sendings = [
        sending
        for order, (file, step) in enumerate(files)
        for sending in _sendings(file, step, order, len(files), chaos, random.Random(f"chaos {seed} {file}"))
    ]
    return sorted(sendings, key=lambda sending: (sending.step, sending.order, sending.file))


def _sendings(
    file: str, step: int, order: int, files: int, chaos: Chaos, rng: random.Random
) -> list[Sending]:
    if rng.random() < chaos.lose:
        return []
    sent_in = step + rng.randint(1, LATEST_STEPS) if rng.random() < chaos.late else step
    place = rng.uniform(0, files) if rng.random() < chaos.reorder else float(order)
    first = Sending(sent_in, place, file)
    if rng.random() >= chaos.duplicate:
        return [first]
    return [first, Sending(sent_in + rng.randint(0, 2), rng.uniform(0, files), file)]
