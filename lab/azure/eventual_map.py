"""A map that is eventually seen: what was put is there at once, and a listing shows it only after a while."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")

_KEPT_VERSIONS: Final = 8
_CHANGES: Final = itertools.count(1)


class EventualMap(Generic[Value]):
    """Values by key, with the last few versions of each and when they were put."""

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[datetime, Value | None]]] = {}
        self.revision = next(_CHANGES)
        """Another number after every change, and one that no other map ever has."""

    def put(self, key: str, value: Value, at: datetime) -> None:
        """Create or replace a value."""
        self._append(key, value, at)

    def remove(self, key: str, at: datetime) -> bool:
        """Remove a value.

        Returns:
            Whether there was one.
        """
        if self.latest(key) is None:
            return False
        self._append(key, None, at)
        return True

    def latest(self, key: str) -> Value | None:
        """The value now."""
        versions = self._versions.get(key)
        return versions[-1][1] if versions else None

    def all_latest(self) -> Iterator[tuple[str, Value]]:
        """Every key with its value now."""
        for key, versions in self._versions.items():
            if (value := versions[-1][1]) is not None:
                yield key, value

    def all_seen(self, at: datetime) -> Iterator[tuple[str, Value]]:
        """Every key with the value it had at a time."""
        for key, versions in self._versions.items():
            seen = next((value for put_at, value in reversed(versions) if put_at <= at), None)
            if seen is not None:
                yield key, seen

    def _append(self, key: str, value: Value | None, at: datetime) -> None:
        versions = self._versions.setdefault(key, [])
        versions.append((at, value))
        del versions[:-_KEPT_VERSIONS]
        self.revision = next(_CHANGES)
