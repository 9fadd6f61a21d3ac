"""Record layouts: the fields records have, in their order, and what follows from their names alone.

Records come in few layouts, so what can be said of one is said once: how many bytes its names and
punctuation have, how a name is spelt, which fields an operation's records are compared by.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Final

import msgspec

from azmdr.condense.facts import STAGE_FIELDS, Shape

CONDENSED: Final = "azure_activity_administrative_condensed"
"""The field of the condensed record that holds the count of its records and what each stage said."""
ADDED: Final = "azmdr"
"""The field of the condensed record that holds what azmdr makes of it."""

_REMEMBERED: Final = 10_000
"""Layouts that are remembered; then all are forgotten, so that hostile input costs only time."""
_UNSURE: Final = -(1 << 62)
"""A length that makes any sum with it wrong."""


class RecordLayout:
    """The names of a record's fields, in their order."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names: Final = names
        self._continues: Final[dict[RecordLayout, bool]] = {}
        self._spelt: Final = tuple(map(msgspec.json.encode, names))
        self.length: Final = self._length()
        """The bytes of such a record beside its values, where it is spelt as it is encoded.

        Below any length where a name has several spellings that are equally short.
        """

    def _length(self) -> int:
        if any(spelt[1:-1] != name.encode() for spelt, name in zip(self._spelt, self.names, strict=True)):
            return _UNSURE
        punctuation = len("{}") + len(self.names) + max(0, len(self.names) - 1)
        return punctuation + sum(map(len, self._spelt))

    @cached_property
    def listed(self) -> bytes:
        """The names as a JSON list."""
        return msgspec.json.encode(self.names)

    @cached_property
    def unclaimed(self) -> bool:
        """Whether none of its names is one the condensed record adds."""
        return not {CONDENSED, ADDED} & set(self.names)

    @cached_property
    def beginnings(self) -> tuple[bytes, ...]:
        """By its place: how a field of that name begins."""
        return tuple(spelt + b":" for spelt in self._spelt)

    @cached_property
    def places(self) -> tuple[int | None, ...]:
        """Where the fields stand that hold the stage, its signature and its properties."""
        return tuple(self.names.index(name) if name in self.names else None for name in _OF_A_STAGE)

    @cached_property
    def around(self) -> Callable[[Sequence[msgspec.Raw]], tuple[msgspec.Raw, ...]]:
        """Takes of values those of the fields around these three; at least the time is one of them."""
        return itemgetter(*(place for place, name in enumerate(self.names) if name not in _OF_A_STAGE))

    @cached_property
    def around_a_stage(self) -> tuple[bytes, ...]:
        """The beginnings of the fields around."""
        return tuple(
            beginning
            for name, beginning in zip(self.names, self.beginnings, strict=True)
            if name not in _OF_A_STAGE
        )

    def continues(self, other: "RecordLayout") -> bool:
        """Whether it has the fields of the other in their order, and behind them none of these three."""
        if (known := self._continues.get(other)) is None:
            shared = len(other.names)
            known = self.names[:shared] == other.names and not set(_OF_A_STAGE) & set(self.names[shared:])
            self._continues[other] = known
        return known


_OF_A_STAGE: Final = STAGE_FIELDS[Shape.DIAGNOSTIC_SETTING]


class RecordLayouts(dict[tuple[str, ...], RecordLayout]):
    """Layouts by names, each made once."""

    def __missing__(self, names: tuple[str, ...]) -> RecordLayout:
        if len(self) >= _REMEMBERED:
            self.clear()
        layout = self[names] = RecordLayout(names)
        return layout
