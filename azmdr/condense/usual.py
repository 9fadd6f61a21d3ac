"""Usual operations: their words without the reckoning, since most operations are of one kind.

An operation is usual when its records are plain, each comes later than the one before, and each is a
further stage: Start, Accept, Success, or some of these. Then it is one attempt, every record speaks for its
stage, and the first is what the others are compared with. What :mod:`azmdr.condense.condensed` says of it is
said here from patterns; any other operation it says itself. Which way it goes changes no byte.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress, repeat
from operator import add, attrgetter, ne
from typing import Final, TypeAlias

import msgspec

from azmdr.condense.attempts import OUTCOMES, Attempt, Outcome
from azmdr.condense.classify import STAGE_NAMES, TERMINAL_RANK, StageRecord
from azmdr.condense.facts import Shape
from azmdr.condense.record_layout import ADDED, CONDENSED

_PATTERNS: Final = 4096
_MOMENT: Final = slice(1, 27)
"""Of a usual time in its quotes: all but the last digit, which is less than a microsecond, and the zone."""
_SECOND: Final = slice(1, 20)
_MICROSECONDS: Final = slice(21, 27)
_PLACE: Final = b"\0"
"""Stands in a pattern where each operation has its own text, and in no JSON text."""
_Text: TypeAlias = str | msgspec.Raw


class StageSummary(msgspec.Struct, gc=False):
    """The records of one stage of an attempt."""

    count: int
    first: _Text
    last: _Text
    signatures: list[str | None]


class AttemptSummary(msgspec.Struct, gc=False):
    """One attempt."""

    outcome: Outcome
    ambiguous: bool
    conflict: bool
    stages: dict[str, StageSummary]


class Added(msgspec.Struct, gc=False):
    """The value of :data:`azmdr.condense.record_layout.ADDED`."""

    operation_id: _Text
    revision: int
    shape: Shape
    outcome: Outcome
    complete: bool
    ambiguous: bool
    conflict: bool
    told_by: dict[str, int]
    """By stage: which of the operation's records, counted in their order from 0, the words in it are from."""
    attempts: list[AttemptSummary]


def usual_order(records: Sequence[StageRecord]) -> list[StageRecord] | None:
    """The records in their order; None when the operation is not usual."""
    ordered = sorted(records, key=_time) if len(records) > 1 else list(records)
    if not ordered[0].layout.unclaimed:
        return None
    rank, time = -1, -1
    for record in ordered:
        further = rank < record.rank and rank < TERMINAL_RANK and time < record.time
        if not further or record.moment is None or record.held_content is not None:
            return None
        rank, time = record.rank, record.time
    return ordered


def only_attempt(ordered: Sequence[StageRecord]) -> Attempt:
    """The attempt that a usual operation is."""
    last = ordered[-1]
    return Attempt(tuple(ordered), last, OUTCOMES[last.rank], ambiguous=False, conflict=False)


def usual_operation(ordered: Sequence[StageRecord]) -> bytes:
    """The JSON text of the condensed record."""
    base = ordered[0]
    layout = base.layout
    pattern = _pattern(tuple([(record.rank, record.signature) for record in ordered]))
    texts = [base.operation_id.encode()]
    for record in ordered:
        moment = record.moment or b""
        text = moment[_SECOND] if moment[_MICROSECONDS] == b"000000" else moment[_MOMENT]
        texts += (text, text)
    return b"".join(
        (
            b"{",
            b",".join(map(add, layout.around_a_stage, layout.around(base.values))),
            b',"%b":{"num_correlated_records":%d,"statuses":{' % (_CONDENSED, len(ordered)),
            b",".join([_told(record) for record in ordered]),
            b'}},"%b":' % _ADDED,
            pattern % tuple(texts),
            b"}",
        )
    )


def _told(record: StageRecord) -> bytes:
    """The JSON text of what its stage says, :class:`azmdr.condense.members.Told`, behind the stage's name."""
    _, signature, properties = record.layout.places
    values = record.values
    if signature is None or properties is None:
        said = [
            b'"%b":%b' % (name, values[place])
            for name, place in ((b"resultSignature", signature), (b"properties", properties))
            if place is not None
        ]
        return b'"%b":{%b}' % (_STAGES[record.rank], b",".join(said))
    before = _SIGNATURES[record.rank]
    return b"".join((before, values[signature], b',"properties":', values[properties], b"}"))


@lru_cache(_PATTERNS)
def _pattern(stages: tuple[tuple[int, str | None], ...]) -> bytes:
    """What is said of operations with such ranks and signatures, with places for what each has of its own."""
    last, _ = stages[-1]
    moment = msgspec.Raw(b'"%bZ"' % _PLACE)
    added = Added(
        msgspec.Raw(b'"%b"' % _PLACE),
        len(stages),
        Shape.DIAGNOSTIC_SETTING,
        OUTCOMES[last],
        last >= TERMINAL_RANK,
        ambiguous=False,
        conflict=False,
        told_by={STAGE_NAMES[rank]: position for position, (rank, _) in enumerate(stages)},
        attempts=[
            AttemptSummary(
                OUTCOMES[last],
                ambiguous=False,
                conflict=False,
                stages={
                    STAGE_NAMES[rank]: StageSummary(1, moment, moment, [signature])
                    for rank, signature in stages
                },
            )
        ],
    )
    return msgspec.json.encode(added).replace(b"%", b"%%").replace(_PLACE, b"%b")


def usual_members(ordered: Sequence[StageRecord]) -> bytes:
    """The JSON text of its :class:`azmdr.condense.members.Members`."""
    base = ordered[0]
    usual = base.layout
    stage, *_ = usual.places
    members = [_text_of(base.rank, [usual.beginnings[stage or 0] + base.values[stage or 0]])]
    for record in ordered[1:]:
        layout = record.layout
        if layout is usual or layout.continues(usual):
            members.append(_text_of(record.rank, _own(record, base)))
        else:
            members.append(_text_of(record.rank, _own_of_any(record, base), layout.listed))
    return b'{"order":%b,"members":[%b]}' % (usual.listed, b",".join(members))


def _text_of(rank: int, own: Sequence[bytes], order: bytes | None = None) -> bytes:
    """The JSON text of a :class:`azmdr.condense.members.Member`."""
    ordered = b',"order":%b' % order if order else b""
    return b'{"stage":"%b","speaks":true,"own":{%b}%b}' % (_STAGES[rank], b",".join(own), ordered)


def _own(record: StageRecord, base: StageRecord) -> list[bytes]:
    """The fields in which a record differs whose layout is that of the base, or continues it."""
    stage, signature, properties = base.layout.places
    differs = list(map(ne, record.values, base.values))
    for place, told in ((stage, True), (signature, False), (properties, False)):
        if place is not None:
            differs[place] = told
    differs += repeat(True, len(record.values) - len(differs))
    fields = zip(record.layout.beginnings, record.values, strict=True)
    return [beginning + value for beginning, value in compress(fields, differs)]


def _own_of_any(record: StageRecord, base: StageRecord) -> list[bytes]:
    """The same whatever the layout."""
    stage, signature, properties = record.layout.places
    differs = list(map(ne, record.values, map(base.fields.get, record.layout.names)))
    for place, told in ((stage, True), (signature, False), (properties, False)):
        if place is not None:
            differs[place] = told
    fields = zip(record.layout.beginnings, record.values, strict=True)
    return [beginning + value for beginning, value in compress(fields, differs)]


_STAGES: Final = tuple(name.encode() for name in STAGE_NAMES)
_SIGNATURES: Final = tuple(b'"%b":{"resultSignature":' % name for name in _STAGES)
_CONDENSED: Final = CONDENSED.encode()
_ADDED: Final = ADDED.encode()
_time = attrgetter("time")
