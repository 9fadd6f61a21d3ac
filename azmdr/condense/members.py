"""Members: what it takes, beside the condensed record, to rebuild each of its records byte for byte.

A member names only what its record does not share with the condensed record. A record that can't be
told this way, one with blanks between its tokens or a key that stands twice, is kept as its whole text
instead. Whether it can be told is not guessed: it can when it is what its fields are encoded as, which
was found out when it was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Self

import msgspec

from azmdr.condense.classify import STAGE_NAMES, Stage, StageRecord
from azmdr.condense.facts import STAGE_FIELDS, Shape
from azmdr.condense.record_layout import ADDED, CONDENSED

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Told(msgspec.Struct, omit_defaults=True):
    """What one stage said: the two fields of the record that speaks for it, where it has them."""

    resultSignature: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (a field of the record)
    properties: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Condensed(msgspec.Struct):
    """The value of :data:`CONDENSED`."""

    num_correlated_records: int
    statuses: dict[Stage, Told]


@dataclass(frozen=True, slots=True)
class Template:
    """What members may share with their condensed record."""

    shape: Shape
    base_fields: Mapping[str, msgspec.Raw]
    statuses: Mapping[Stage, Told]

    @classmethod
    def of(cls, operation: str) -> Self:
        """The template of a condensed record's JSON text."""
        fields = _object.decode(operation)
        statuses = msgspec.json.decode(fields.pop(CONDENSED), type=Condensed).statuses
        shape = msgspec.json.decode(fields.pop(ADDED), type=_Added).shape
        return cls(shape, fields, statuses)


class _Added(msgspec.Struct):
    shape: Shape


class Member(msgspec.Struct, omit_defaults=True, gc=False):
    """How one record differs from the template.

    Its fields are in the order of :class:`Members`, behind them those of its own that are not named there.
    """

    stage: str
    speaks: bool = False
    """Signature and properties are those of the stage in the condensed record."""
    own: dict[str, msgspec.Raw] = {}
    """Fields whose value is not the template's."""
    order: list[str] | None = None
    """All its fields in their order, where that is another."""
    text: str | None = None
    """The whole record, where the other fields can't tell it."""
    spellings: list[str] = []
    """The other texts in which the same record came, in the order of their bytes."""


class Members(msgspec.Struct):
    """All members of an operation, in the order of its records, and the order of fields most of them have."""

    order: list[str]
    members: list[Member]


_members = msgspec.json.Decoder(Members)


def members_of(
    ordered: Sequence[StageRecord],
    base_fields: Mapping[str, msgspec.Raw],
    speakers: Mapping[int, int],
    respelt: Mapping[int, list[bytes]],
) -> Members:
    """The members of an operation.

    ``speakers`` has, by the rank of a stage, the position of the record that speaks for it; ``respelt``, by
    the position of a record, the other texts in which it came.
    """
    order = list(ordered[0].fields)
    told = [
        _member(record, base_fields, speakers[record.rank] == position, order)
        for position, record in enumerate(ordered)
    ]
    for position, spellings in respelt.items():
        told[position].spellings = [text.decode() for text in spellings]
    return Members(order, told)


def rebuild_records(operation: str, members: str) -> list[bytes]:
    """Every record of an operation as it arrived, in order, from the two JSON texts of its row.

    One that came in several spellings is there in each of them.
    """
    return list(_rebuild(Template.of(operation), _members.decode(members)))


def _member(
    record: StageRecord,
    base_fields: Mapping[str, msgspec.Raw],
    speaks: bool,
    order: list[str],
) -> Member:
    stage = STAGE_NAMES[record.rank]
    if record.held_content is not None:
        return Member(stage, text=record.held_content.decode())
    fields = record.fields
    own = dict(compress(fields.items(), map(ne, fields.values(), map(base_fields.get, fields))))
    if speaks:
        _, signature, properties = STAGE_FIELDS[record.shape]
        own.pop(signature, None)
        own.pop(properties, None)
    names = list(fields)
    more = names[len(order) :]
    usual = names == order or (names[: len(order)] == order and all(name in own for name in more))
    return Member(stage, speaks, own, None if usual else names)


def _usual(order: list[str], own: Mapping[str, msgspec.Raw]) -> list[str]:
    """The order of a member's fields where nothing else is said of it."""
    return [*order, *(name for name in own if name not in order)]


def _rebuild(template: Template, members: Members) -> Iterator[bytes]:
    for member in members.members:
        yield _text(template, members.order, member)
        yield from (spelling.encode() for spelling in member.spellings)


def _text(template: Template, order: list[str], member: Member) -> bytes:
    if member.text is not None:
        return member.text.encode()
    fields = {**_shared(template, Stage(member.stage) if member.speaks else None), **member.own}
    names = member.order or _usual(order, member.own)
    return msgspec.json.encode({name: fields[name] for name in names})


def _shared(template: Template, speaks_for: Stage | None) -> dict[str, msgspec.Raw]:
    """The fields a record has from the template: those around, and its stage's where it speaks for it."""
    shared = dict(template.base_fields)
    if speaks_for is None:
        return shared
    told = template.statuses[speaks_for]
    _, signature, properties = STAGE_FIELDS[template.shape]
    if not isinstance(told.resultSignature, msgspec.UnsetType):
        shared[signature] = told.resultSignature
    if not isinstance(told.properties, msgspec.UnsetType):
        shared[properties] = told.properties
    return shared
