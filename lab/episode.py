"""Episodes: a whole scenario as the steps of its replay, decided before the first is taken.

A plan follows from the episode and the partitions' positions alone. A replay that was killed plans the same
again and goes on at the step it was in; the files it uploads twice are the same to the byte.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from lab.announcement import Announcement, Poison, announcement_of
from lab.capture_writer import (
    TIME_FIRST,
    Codec,
    PartitionWindow,
    Position,
    archive_name,
    cut_windows,
    encode_file,
    window_end,
)
from lab.chaos import Chaos, Sending, delivery_schedule
from lab.customers import CUSTOMERS, Hub
from lab.odd_files import OddThings, plan_odd_things
from lab.scenario import PlannedEvent, Totals, plan_scenario
from lab.story import ExpectedOperation

SMALL_BLOCK_BYTES: Final = 4_000
LARGE_BLOCK_BYTES: Final = 1_000_000
_HUBS: Final = tuple(hub for customer in CUSTOMERS for hub in customer.hubs)


@dataclass(frozen=True, slots=True)
class Settings:
    """How episodes are played."""

    seed: int = 7
    size: float = 1.0
    window_seconds: int = 5
    """At least 5, so that odd files find a free second between two windows."""
    deflate_share: float = 0.2
    """Share of the files that are compressed."""
    chaos: Chaos = field(default_factory=Chaos)
    odd: bool = True
    """Whether odd files are planted halfway."""
    name_format: str = TIME_FIRST


@dataclass(frozen=True, slots=True)
class Episode:
    """One playing of the scenario, with a seed of its own."""

    number: int
    start: datetime
    """In whole seconds, aware, UTC."""
    settings: Settings

    @property
    def seed(self) -> str:
        """Seed of all that is random in it."""
        return f"{self.settings.seed}-{self.number}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a step brings; counts of steps add up."""

    files: int = 0
    empty_files: int = 0
    events: int = 0
    records: int = 0
    """Records and unreadable pieces, repeated ones too."""
    messages: int = 0
    lost_messages: int = 0
    odd_files: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in Counts.__slots__))


@dataclass(frozen=True, slots=True)
class Step:
    """What happens when a window ends; the last step has no files, only late messages."""

    uploads: Mapping[str, bytes]
    """Content by blob name."""
    messages: tuple[Announcement | Poison, ...]
    counts: Counts


@dataclass(frozen=True, slots=True)
class EpisodePlan:
    """All steps of an episode, and what must come out of it."""

    episode: Episode
    steps: tuple[Step, ...]
    expected: tuple[ExpectedOperation, ...]
    totals: dict[str, Totals]
    """By customer."""
    positions: dict[str, Position]
    """By partition, after the episode."""

    @property
    def end(self) -> datetime:
        """When its last window ends."""
        return window_end(self.episode.start, len(self.steps) - 1, self.episode.settings.window_seconds)


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    step: int
    end: datetime
    content: bytes
    events: Sequence[PlannedEvent]


def plan_episode(episode: Episode, positions: Mapping[str, Position]) -> EpisodePlan:
    """Decide every file, message and expectation of an episode.

    Args:
        episode: what is to be played.
        positions: of each partition's next event, by :func:`partition_key`; a partition begins at zero.
    """
    settings = episode.settings
    scenario = plan_scenario(episode.seed, episode.start, settings.size)
    windows = cut_windows(scenario.events, _HUBS, settings.window_seconds)
    files, after = _files(episode, windows, positions)
    closing_step = files[-1].step + 1
    schedule = [
        replace(sending, step=min(sending.step, closing_step))
        for sending in delivery_schedule(
            [(file.name, file.step) for file in files], settings.chaos, episode.seed
        )
    ]
    odd_step = closing_step // 2
    odd = _odd(episode, odd_step, positions)
    return EpisodePlan(
        episode=episode,
        steps=tuple(
            _step(n, files, schedule, odd if n == odd_step else _NOTHING) for n in range(closing_step + 1)
        ),
        expected=scenario.expected,
        totals=scenario.totals,
        positions=after,
    )


def partition_key(hub: Hub, partition: int) -> str:
    """Name of a partition in a map of positions."""
    return f"{hub.namespace}/{hub.name}/{partition}"


_NOTHING: Final = OddThings({}, ())


def _files(
    episode: Episode,
    windows: Mapping[PartitionWindow, Sequence[PlannedEvent]],
    before: Mapping[str, Position],
) -> tuple[list[_File], dict[str, Position]]:
    settings, positions, files = episode.settings, dict(before), []
    for window, events in windows.items():
        key = partition_key(window.hub, window.partition)
        end = window_end(episode.start, window.window, settings.window_seconds)
        name = archive_name(settings.name_format, window.hub, window.partition, end)
        rng = random.Random(f"file {episode.seed} {name}")
        codec: Codec = "deflate" if rng.random() < settings.deflate_share else "null"
        block = rng.choice((SMALL_BLOCK_BYTES, LARGE_BLOCK_BYTES))
        position = positions.get(key, Position())
        content, positions[key] = encode_file(events, episode.start, position, codec, block)
        files.append(_File(name, window.window, end, content, events))
    return files, positions


def _odd(episode: Episode, step: int, positions: Mapping[str, Position]) -> OddThings:
    if not episode.settings.odd:
        return _NOTHING
    hub = _HUBS[0]
    moment = window_end(episode.start, step, episode.settings.window_seconds)
    position = positions.get(partition_key(hub, 0), Position())
    return plan_odd_things(episode.settings.name_format, hub, moment, position, episode.seed)


def _step(number: int, files: Sequence[_File], schedule: Iterable[Sending], odd: OddThings) -> Step:
    by_name = {file.name: file for file in files}
    announced = {sending.file for sending in schedule}
    written = [file for file in files if file.step == number]
    messages: list[Announcement | Poison] = [
        announcement_of(sending.file, len(by_name[sending.file].content), by_name[sending.file].end)
        for sending in schedule
        if sending.step == number
    ]
    messages += odd.messages
    return Step(
        uploads={file.name: file.content for file in written} | odd.blobs,
        messages=tuple(messages),
        counts=Counts(
            files=len(written),
            empty_files=sum(not file.events for file in written),
            events=sum(len(file.events) for file in written),
            records=sum(event.pieces for file in written for event in file.events),
            messages=len(messages),
            lost_messages=sum(file.name not in announced for file in written),
            odd_files=len(odd.blobs),
        ),
    )
