"""Counts: what became of the records of capture files."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of a file, or of many. ``records`` is the sum of the four after it."""

    files: int = 0
    events: int = 0
    records: int = 0
    passed_through: int = 0
    merged: int = 0
    duplicates: int = 0
    quarantined: int = 0
    bytes: int = 0

    @property
    def conserved(self) -> bool:
        """Whether every record is in exactly one place."""
        return self.records == self.passed_through + self.merged + self.duplicates + self.quarantined

    def __add__(self, other: "Counts") -> "Counts":
        """Sum by field."""
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class LocalResult:
    """What condensing local files came to."""

    counts: Counts
    operations: int
    reasons: Counter[str]
    """Why pieces were quarantined, with how many each."""
