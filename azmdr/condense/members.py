"""Members: what it takes, beside the condensed record, to rebuild each of its records byte for byte.

A member names only what its record does not share with the condensed record. A record that can't be
told this way, one with blanks between its tokens or a key that stands twice, is kept as its whole text
instead. Whether it can be told is not guessed: each member is rebuilt when it is made, and compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import msgspec

from azmdr.condense.classify import Stage, StageRecord
from azmdr.condense.facts import STAGE_FIELDS, Shape

CONDENSED: Final = "azure_activity_administrative_condensed"
"""The field of the condensed record that holds the count of its records and what each stage said."""
ADDED: Final = "azmdr"
"""The field of the condensed record that holds what azmdr makes of it."""

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


class Member(msgspec.Struct, omit_defaults=True):
    """How one record differs from the template."""

    digest: str
    stage: Stage
    speaks: bool = False
    """Signature and properties are those of the stage in the condensed record."""
    own: dict[str, msgspec.Raw] = {}
    """Fields whose value is not the template's."""
    order: list[str] | None = None
    """All its fields in their order, where that is not the order of :class:`Members`."""
    text: str | None = None
    """The whole record, where the other fields can't tell it."""


class Members(msgspec.Struct):
    """All members of an operation, in the order of its records, and the order of fields most of them have."""

    order: list[str]
    members: list[Member]


_members = msgspec.json.Decoder(Members)


def encode_members(ordered: Sequence[StageRecord], template: Template, speakers: Mapping[Stage, str]) -> str:
    """The members of an operation as JSON text.

    ``speakers`` has, by stage, the digest of the record that speaks for it.
    """
    order = list(_object.decode(ordered[0].content))
    members = [
        _member(record, template, speaks=speakers.get(record.stage) == record.digest, order=order)
        for record in ordered
    ]
    return msgspec.json.encode(Members(order, members)).decode()


def rebuild_records(operation: str, members: str) -> list[bytes]:
    """Every record of an operation as it arrived, in order, from the two JSON texts of its row."""
    template = Template.of(operation)
    decoded = _members.decode(members)
    return [_rebuild(member, template, decoded.order) for member in decoded.members]


def _member(record: StageRecord, template: Template, *, speaks: bool, order: list[str]) -> Member:
    fields = _object.decode(record.content)
    shared = _shared(template, record.stage if speaks else None)
    member = Member(
        digest=record.digest,
        stage=record.stage,
        speaks=speaks,
        own={name: value for name, value in fields.items() if shared.get(name) != value},
        order=list(fields) if list(fields) != order else None,
    )
    if _rebuild(member, template, order) == record.content:
        return member
    return Member(digest=record.digest, stage=record.stage, text=record.content.decode())


def _rebuild(member: Member, template: Template, order: list[str]) -> bytes:
    if member.text is not None:
        return member.text.encode()
    fields = {**_shared(template, member.stage if member.speaks else None), **member.own}
    told = (msgspec.json.encode(name) + b":" + bytes(fields[name]) for name in member.order or order)
    return b"{" + b",".join(told) + b"}"


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
