"""The scenario: all stories of all customers, as the events that reach their event hubs.

The same seed, start and size give the same scenario to the byte. Azure Monitor batches records into bodies
``{"records": [...]}`` and gives no partition key, so Event Hubs deals the events over the partitions and
records of one operation end up in different files
(learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings).
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from lab.broken_stories import BROKEN_STORIES
from lab.compound_stories import COMPOUND_STORIES
from lab.customers import CUSTOMERS, PARTITIONS, Customer, Hub
from lab.hostile_stories import HOSTILE_STORIES
from lab.operation_stories import SINGLE_STORIES, Story
from lab.passing_stories import PASSING_STORIES
from lab.story import Delivery, Envelope, ExpectedOperation, Kind, Piece, Plot, Storyteller

STORIES: Final[dict[str, tuple[Story, int]]] = {
    **SINGLE_STORIES,
    **COMPOUND_STORIES,
    **HOSTILE_STORIES,
    **PASSING_STORIES,
    **BROKEN_STORIES,
}
"""Every story by name, with how often a customer has it in a scenario of size 1."""

SPAN_SECONDS: Final = 50.0
"""Within which all stories begin; the longest goes on for some 25 s more."""
LONGEST_SECONDS: Final = 90.0
"""No scenario lasts longer."""
BATCH_SECONDS: Final = 1.0
BATCH_RECORDS: Final = 30


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event of one partition of a customer's event hub."""

    hub: Hub
    partition: int
    at: float
    """Seconds since the scenario's start at which the event hub has it."""
    body: bytes | None
    pieces: int
    """Records and unreadable pieces in the body."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a customer's bodies hold, piece by piece: the five kinds add up to ``records``."""

    records: int
    operation_records: int
    passed_through: int
    duplicates: int
    reemitted: int
    quarantined: int
    operations: int

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*(getattr(self, name) + getattr(other, name) for name in Totals.__slots__))


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens at the lab's customers, and what must come out of it."""

    start: datetime
    events: tuple[PlannedEvent, ...]
    """In the order in which the event hubs have them."""
    expected: tuple[ExpectedOperation, ...]
    totals: dict[str, Totals]
    """By customer."""

    @property
    def span(self) -> float:
        """Seconds from the start to the last event."""
        return self.events[-1].at


@dataclass(frozen=True, slots=True)
class _Body:
    hub: Hub
    at: float
    content: bytes | None
    pieces: tuple[Piece, ...]


def plan_scenario(seed: int | str, start: datetime, size: float = 1.0) -> Scenario:
    """Plan a scenario.

    Args:
        seed: the same seed gives the same scenario.
        start: when its first story begins.
        size: how many of everything; below 1 every customer still has every story once.
    """
    rng = random.Random(f"scenario {seed}")
    plots = {customer: _told(customer, start, size, rng) for customer in CUSTOMERS}
    bodies = [body for plot in plots.values() for body in _bodies(plot, rng)]
    return Scenario(
        start=start,
        events=tuple(_dealt(sorted(bodies, key=lambda body: body.at))),
        expected=tuple(operation for plot in plots.values() for operation in plot.expected),
        totals={customer.name: _totals(plot) for customer, plot in plots.items()},
    )


def _told(customer: Customer, start: datetime, size: float, rng: random.Random) -> Plot:
    plot = Plot()
    for story, (tell_it, weight) in STORIES.items():
        for _ in range(max(1, round(weight * size))):
            tell_it(Storyteller(plot, rng, customer, start, rng.uniform(0, SPAN_SECONDS), story))
    return plot


def _bodies(plot: Plot, rng: random.Random) -> Iterator[_Body]:
    streams: dict[tuple[str, str], list[Delivery]] = {}
    for delivery in sorted(plot.deliveries, key=lambda delivery: delivery.at):
        streams.setdefault((delivery.region, delivery.stream), []).append(delivery)
    for deliveries in streams.values():
        for batch in _batches(deliveries, rng):
            pieces = tuple(piece for delivery in batch for piece in delivery.pieces)
            hub = batch[-1].customer.hub(batch[-1].region)
            yield _Body(hub, batch[-1].at, _enveloped(pieces), pieces)
    for envelope in plot.envelopes:
        hub = envelope.customer.hub(envelope.region)
        yield _Body(hub, envelope.at, envelope.body, envelope.pieces)


def _batches(deliveries: Sequence[Delivery], rng: random.Random) -> Iterator[list[Delivery]]:
    """Deliveries that arrive within a second, at most as many as a body takes."""
    batch: list[Delivery] = []
    room = rng.randint(1, BATCH_RECORDS)
    for delivery in deliveries:
        records = sum(len(other.pieces) for other in (*batch, delivery))
        if batch and (delivery.at - batch[0].at > BATCH_SECONDS or records > room):
            yield batch
            batch, room = [], rng.randint(1, BATCH_RECORDS)
        batch.append(delivery)
    if batch:
        yield batch


def _enveloped(pieces: Sequence[Piece]) -> bytes:
    return b'{"records":[' + b",".join(piece.content for piece in pieces) + b"]}"


def _dealt(bodies: Sequence[_Body]) -> Iterator[PlannedEvent]:
    turns: dict[Hub, Iterator[int]] = {}
    for body in bodies:
        turn = next(turns.setdefault(body.hub, count()))
        yield PlannedEvent(body.hub, turn % PARTITIONS, body.at, body.content, len(body.pieces))


def _totals(plot: Plot) -> Totals:
    planted: Sequence[Delivery | Envelope] = [*plot.deliveries, *plot.envelopes]
    kinds = Counter(piece.kind for told in planted for piece in told.pieces)
    return Totals(
        records=kinds.total(),
        operation_records=kinds[Kind.OPERATION],
        passed_through=kinds[Kind.PASSED_THROUGH],
        duplicates=kinds[Kind.DUPLICATE],
        reemitted=kinds[Kind.REEMITTED],
        quarantined=kinds[Kind.QUARANTINED],
        operations=len(plot.expected),
    )
