"""The state of a replay: one small file, replaced as a whole, from which everything else follows again.

It says which episode runs, how far it got, and where every partition stood when it began. A second start
takes up where the first one ended, and sequence numbers go on without a gap.
"""

import os
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec

from lab.capture_writer import Position
from lab.episode import Counts, Episode, EpisodePlan, Settings
from lab.scenario import LONGEST_SECONDS, Totals


class StateError(ValueError):
    """The state file can't be read."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} is no state of a replay: {problem}. Remove it to begin at sequence number 0."
        )
        self.path = path


@dataclass(frozen=True, slots=True)
class ReplayState:
    """How far all episodes have come."""

    episodes: int = 0
    """Episodes played to their end."""
    ended: datetime | None = None
    """When the last window of the last episode ended."""
    positions: dict[str, Position] = field(default_factory=dict)
    """Of each partition, when the running episode began, or else now."""
    running: Episode | None = None
    steps_done: int = 0
    """Of the running episode."""
    counts: Counts = field(default_factory=Counts)
    """Since the state began."""
    customers: dict[str, Totals] = field(default_factory=dict)
    """By customer, over all episodes played to their end."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The state in a file; a new one when there is none. Raises :class:`StateError`."""
        if not path.exists():
            return cls()
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except msgspec.DecodeError as error:
            raise StateError(path, str(error)) from error

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f"{path.name}.new")
        with written.open("wb") as file:
            file.write(msgspec.json.encode(self))
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)


def begun(state: ReplayState, settings: Settings, now: datetime, speed: float) -> ReplayState:
    """The state with an episode running: the one that was not finished, or else a new one.

    Played faster than time, a new episode begins so far back that it does not run ahead of the clock, yet
    never before the last one ended.
    """
    if state.running is not None:
        return state
    start = now - timedelta(seconds=LONGEST_SECONDS * max(0.0, 1 - 1 / speed))
    start = max(start, state.ended or start).replace(microsecond=0)
    return replace(state, running=Episode(state.episodes, start, settings), steps_done=0)


def ended(state: ReplayState, plan: EpisodePlan) -> ReplayState:
    """The state after the last step of the running episode."""
    return replace(
        state,
        episodes=state.episodes + 1,
        ended=plan.end,
        positions=plan.positions,
        running=None,
        steps_done=0,
        customers={
            name: totals + state.customers[name] if name in state.customers else totals
            for name, totals in plan.totals.items()
        },
    )


def step_done(state: ReplayState, counts: Counts) -> ReplayState:
    """The state after one more step of the running episode."""
    return replace(state, steps_done=state.steps_done + 1, counts=state.counts + counts)
