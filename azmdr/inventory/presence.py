"""Presence: what a listing says of what was known. Pure.

A listing is a fact only if every page of it arrived. One that broke off tells what it saw and nothing of
what it did not see. What is missing in a complete listing is gone only after a second one, and not before
the hold-down time is over: Azure's listings lag behind, and a failed permission looks like an empty list.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Facts = TypeVar("Facts")

LISTINGS_TO_BE_GONE: Final = 2
"""In how many complete listings a thing has to be missing."""


@dataclass(frozen=True, slots=True)
class Absence:
    """How long something known has been missing; None and 0 while it is there."""

    since: datetime | None = None
    listings: int = 0


@dataclass(frozen=True, slots=True)
class Known(Generic[Facts]):
    """What was known of a thing before a listing."""

    facts: Facts
    absence: Absence = Absence()


@dataclass(slots=True)
class Changes(Generic[Key, Facts]):
    """What a listing changes of what is known."""

    new: dict[Key, Facts] = field(default_factory=dict)
    changed: dict[Key, Facts] = field(default_factory=dict)
    back: dict[Key, Facts] = field(default_factory=dict)
    """Were missing, and are there again."""
    missing: dict[Key, Absence] = field(default_factory=dict)
    gone: list[Key] = field(default_factory=list)

    def keep_gone(self, known: Mapping[Key, Known[Facts]]) -> None:
        """Go on missing what would be gone: there is reason to doubt the listing."""
        self.missing.update({key: known[key].absence for key in self.gone})
        self.gone.clear()

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self.new or self.changed or self.back or self.missing or self.gone)


def compare(
    known: Mapping[Key, Known[Facts]],
    seen: Mapping[Key, Facts],
    *,
    complete: bool,
    at: datetime,
    hold_down: timedelta,
) -> Changes[Key, Facts]:
    """What a listing says.

    Args:
        known: what was known before.
        seen: what the listing showed.
        complete: whether every page of it arrived.
        at: when it ended.
        hold_down: how long a thing has to be missing before it is gone.
    """
    changes: Changes[Key, Facts] = Changes()
    for key, facts in seen.items():
        before = known.get(key)
        if before is None:
            changes.new[key] = facts
            continue
        if before.facts != facts:
            changes.changed[key] = facts
        if before.absence.listings:
            changes.back[key] = facts
    if complete:
        for key in known.keys() - seen.keys():
            absence = _longer(known[key].absence, at)
            if absence.listings >= LISTINGS_TO_BE_GONE and at - (absence.since or at) >= hold_down:
                changes.gone.append(key)
            else:
                changes.missing[key] = absence
    return changes


def _longer(absence: Absence, at: datetime) -> Absence:
    return Absence(absence.since or at, absence.listings + 1)
