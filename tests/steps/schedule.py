"""Schedules: what is run and what goes wrong meanwhile, as data; a seed makes it, a search takes it apart."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from lab.azure.faults import FaultKind
from tests.steps.lab_plane import Where
from tests.steps.world import WorldSpec, seeded_world, simpler_worlds


class Step(StrEnum):
    """The steps, in the order in which one builds on the other."""

    EVENT_HUBS = "event_hubs"
    SUBSCRIPTIONS = "subscriptions"
    RESOURCES = "monitored_resources"
    SUBSCRIPTION_SETTINGS = "subscription_diagnostic_settings"
    RESOURCE_SETTINGS = "resource_diagnostic_settings"
    EXPORTS = "entra_data_exports"


class What(StrEnum):
    """What happens in Azure, or is decided by our people, while steps run."""

    SUBSCRIPTION_VANISHES = "a subscription vanishes"
    SUBSCRIPTION_SWITCHED = "a subscription is disabled, or enabled again"
    RESOURCE_DELETED = "a resource is deleted"
    RESOURCE_CREATED = "a resource is created"
    RESOURCE_TAGGED = "a resource gets or loses the tag that excludes it"
    FOREIGN_ADDED = "a foreign setting is added"
    FOREIGN_REMOVED = "a foreign setting is removed"
    OURS_REMOVED = "our setting is removed"
    OURS_CHANGED = "our setting is changed"
    EXPORT_REMOVED = "our export rule is removed"
    HUB_ADDED = "a hub is added"
    HUB_REMOVED = "a hub is removed"
    RULES_CHANGED = "a customer excludes a type, or no longer does"
    CUSTOMER_LEAVES = "a customer leaves"
    WORKSPACE_MOVED = "a customer names another workspace"
    REQUEST = "a change is seen in the stream"
    GHOST_REQUEST = "a change is seen of something that is not there"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens; ``index`` picks to whom, among those there are by then."""

    what: What
    index: int


@dataclass(frozen=True, slots=True)
class Kill:
    """The process dies."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another process runs a step meanwhile, perhaps so late that the first one's leases have lapsed."""

    step: Step
    lapse: bool


@dataclass(frozen=True, slots=True)
class Interruption:
    """Something in the middle of a run, at the n-th boundary of a kind."""

    where: Where
    number: int
    what: Happening | Kill | Overlap


@dataclass(frozen=True, slots=True)
class Run:
    """A process that runs a step."""

    step: Step
    interruptions: tuple[Interruption, ...] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes."""

    seconds: int


Event = Run | Pass | Happening


@dataclass(frozen=True, slots=True)
class Case:
    """A world and all that goes wrong in it."""

    seed: int
    world: WorldSpec
    events: tuple[Event, ...]
    rates: Mapping[FaultKind, float] = field(default_factory=dict)
    slowest: float = 0.0

    def __str__(self) -> str:
        """For a person who has to find out."""
        lines = [f"seed {self.seed}: {self.world}", f"faults {dict(self.rates)}, latency {self.slowest}"]
        return "\n  ".join((*lines, *(str(event) for event in self.events)))


_MILD: Final = 0.05
_WILD: Final = 0.4


def seeded_case(seed: int) -> Case:
    """The case of a seed."""
    rng = random.Random(seed)
    world = seeded_world(rng)
    most = rng.choice((0.0, _MILD, _MILD, _WILD))
    rates = {kind: rng.uniform(0, most) / 3 for kind in FaultKind} if most else {}
    events: list[Event] = []
    for _ in range(rng.choice((0, 1, 2, 2, 3))):
        steps = list(Step)
        if rng.random() < 0.5:
            rng.shuffle(steps)
        for step in steps:
            if rng.random() < 0.25:
                events.append(_seeded_happening(rng))
            if rng.random() < 0.3:
                events.append(Pass(rng.choice((10, 120, 700, 4000, 30_000))))
            events.append(Run(step, tuple(_seeded_interruptions(rng))))
    return Case(seed, world, tuple(events), rates, rng.choice((0.0, 0.0, 2.0, 40.0)))


def _seeded_happening(rng: random.Random) -> Happening:
    return Happening(rng.choice(list(What)), rng.randrange(1000))


def _seeded_interruptions(rng: random.Random) -> Iterator[Interruption]:
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        number = int(rng.expovariate(1 / 6))
        chance = rng.random()
        if chance < 0.35:
            yield Interruption(rng.choice(list(Where)), number, Kill())
            continue
        where = rng.choice((Where.BEFORE_CALL, Where.AFTER_CALL))
        if chance < 0.6:
            yield Interruption(where, number, Overlap(rng.choice(list(Step)), rng.random() < 0.5))
        else:
            yield Interruption(where, number, _seeded_happening(rng))


def simpler(case: Case) -> Iterator[Case]:
    """Cases with less in them: without half of the events, one event, one interruption, one thing."""
    events = case.events
    half = len(events) // 2
    if half > 1:
        yield replace(case, events=events[half:])
        yield replace(case, events=events[:half])
    for at in range(len(events)):
        yield replace(case, events=events[:at] + events[at + 1 :])
    if case.rates:
        yield replace(case, rates={})
    if case.slowest:
        yield replace(case, slowest=0.0)
    for at, event in enumerate(events):
        if isinstance(event, Run):
            for number in range(len(event.interruptions)):
                fewer = event.interruptions[:number] + event.interruptions[number + 1 :]
                changed = (*events[:at], replace(event, interruptions=fewer), *events[at + 1 :])
                yield replace(case, events=changed)
    for kind in case.rates:
        yield replace(case, rates={each: rate for each, rate in case.rates.items() if each != kind})
    for world in simpler_worlds(case.world):
        yield replace(case, world=world)
