"""The condensed record: one operation, told once, with everything its records said.

Around ``azure_activity_administrative_condensed`` stand the fields of the Start record (of the first
record, where no Start came); inside it ``num_correlated_records`` and, for each stage, the result's
signature and properties. Beside it ``azmdr`` says what that shape can't: the outcome, the attempts,
whether requests overlap, and which revision this is.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from azmdr.condense.attempts import Attempt, Outcome, attempts_of, distinct, other_spellings
from azmdr.condense.classify import RANKS, STAGE_NAMES, TERMINAL_RANK, Stage, StageRecord
from azmdr.condense.facts import STAGE_FIELDS, Shape, describe, subscription_of
from azmdr.condense.members import ADDED, CONDENSED, Members, Told, members_of
from azmdr.times import as_datetime, as_text, hour_of

CONDENSER: Final = 3
"""Counts up with every change of what a set of records becomes, so that a backfill replaces what was."""

_BODY_FIELDS: Final = (b'"requestbody', b'"responseBody', b'"responseBody', b'"statusMessage')
"""By the rank of a stage: how the field begins that holds its body; in a JSON text a backslash ends it."""
_SUCCESS: Final = RANKS.index(Stage.SUCCESS)
_FAILURE: Final = RANKS.index(Stage.FAILURE)


class Operation(msgspec.Struct, frozen=True):
    """A condensed operation: the columns of its row in the lake. A pure function of its set of records."""

    operation_id: str
    revision: int
    """How many distinct records it holds, each spelling counted, so a higher one always knows more."""
    time: datetime
    last_time: datetime
    hour: datetime
    """The hour it belongs to in the lake: that of its earliest record."""
    outcome: Outcome
    attempts: int
    ambiguous: bool
    conflict: bool
    shape: Shape
    category: str | None
    operation_name: str | None
    resource_id: str | None
    subscription_id: str | None
    tenant_id: str | None
    correlation_id: str | None
    caller_ip: str | None
    result_signature: str | None
    """What the deciding record said: ``Failed.Forbidden``."""
    operation: str
    """The condensed record, JSON text."""
    members: str
    """What it takes beside ``operation`` to rebuild every record byte for byte, JSON text."""


class Line(msgspec.Struct):
    """An operation and what it takes to rebuild its records, ready to be encoded."""

    operation: dict[str, Any]
    members: Members


class Condensed(msgspec.Struct):
    """The value of :data:`CONDENSED`."""

    num_correlated_records: int
    statuses: dict[str, Told]


def condense(records: Iterable[StageRecord]) -> Operation:
    """Condense the records of one operation: at least one, in any order, with or without repetitions."""
    account = _account(records)
    line = _line(account)
    ordered, attempts = account.ordered, account.attempts
    facts = describe(account.base.fields)
    return Operation(
        operation_id=account.base.operation_id,
        revision=account.revision,
        time=as_datetime(ordered[0].time),
        last_time=as_datetime(ordered[-1].time),
        hour=hour_of(ordered[0].time),
        outcome=attempts[-1].outcome,
        attempts=len(attempts),
        ambiguous=any(attempt.ambiguous for attempt in attempts),
        conflict=any(attempt.conflict for attempt in attempts),
        shape=facts.shape,
        category=facts.category,
        operation_name=facts.operation_name,
        resource_id=facts.resource_id,
        subscription_id=subscription_of(facts.resource_id),
        tenant_id=facts.tenant_id,
        correlation_id=facts.correlation_id,
        caller_ip=facts.caller_ip,
        result_signature=attempts[-1].decisive.signature,
        operation=msgspec.json.encode(line.operation).decode(),
        members=msgspec.json.encode(line.members).decode(),
    )


def condense_line(records: Iterable[StageRecord]) -> tuple[Line, int]:
    """Condense the records of one operation as :func:`condense` does, and its revision, without columns."""
    account = _account(records)
    return _line(account), account.revision


class _Account(msgspec.Struct):
    """What the records of an operation come to, before it is put into words."""

    ordered: list[StageRecord]
    revision: int
    attempts: list[Attempt]
    base: StageRecord
    speakers: dict[int, int]
    """By the rank of a stage, in its order: the position of the record that speaks for it."""
    respelt: dict[int, list[bytes]]
    """By the position of a record: the other texts in which it came."""


def _account(records: Iterable[StageRecord]) -> _Account:
    held = list(records)
    ordered, revision = distinct(held)
    respelt = other_spellings(held, ordered) if revision > len(ordered) else {}
    by_rank: dict[int, list[int]] = {}
    for position, record in enumerate(ordered):
        by_rank.setdefault(record.rank, []).append(position)
    base = ordered[by_rank[0][0] if 0 in by_rank else 0]
    speakers = {rank: _speaker(ordered, rank, by_rank[rank]) for rank in sorted(by_rank)}
    return _Account(ordered, revision, attempts_of(ordered), base, speakers, respelt)


def _speaker(ordered: Sequence[StageRecord], rank: int, positions: list[int]) -> int:
    """Which record speaks for a stage: the first with the stage's body, for a failure the latest.

    Where none carries one, the first Start or Accept, and the last word of what ended the operation.
    """
    if len(positions) == 1:
        return positions[0]
    with_body = [position for position in positions if _BODY_FIELDS[rank] in ordered[position].content]
    latest = rank == _FAILURE or (rank == _SUCCESS and not with_body)
    return (with_body or positions)[-1 if latest else 0]


def _line(account: _Account) -> Line:
    ordered, base, attempts = account.ordered, account.base, account.attempts
    stage, signature, properties = STAGE_FIELDS[base.shape]
    base_fields = dict(base.fields)
    for name in (stage, signature, properties, CONDENSED, ADDED):
        base_fields.pop(name, None)
    statuses: dict[str, Told] = {}
    told_by: dict[str, int] = {}
    for rank, position in account.speakers.items():
        said = ordered[position].fields.get
        name = STAGE_NAMES[rank]
        statuses[name] = Told(said(signature, msgspec.UNSET), said(properties, msgspec.UNSET))
        told_by[name] = position
    last = attempts[-1]
    added = _Added(
        base.operation_id,
        account.revision,
        base.shape,
        last.outcome,
        last.decisive.rank >= TERMINAL_RANK,
        any(attempt.ambiguous for attempt in attempts),
        any(attempt.conflict for attempt in attempts),
        told_by,
        [_summary(attempt) for attempt in attempts],
    )
    operation: dict[str, Any] = {**base_fields, CONDENSED: Condensed(len(ordered), statuses), ADDED: added}
    return Line(operation, members_of(ordered, base_fields, account.speakers, account.respelt))


class _StageSummary(msgspec.Struct, gc=False):
    count: int
    first: str
    last: str
    signatures: list[str | None]


class _AttemptSummary(msgspec.Struct, gc=False):
    outcome: Outcome
    ambiguous: bool
    conflict: bool
    stages: dict[str, _StageSummary]


class _Added(msgspec.Struct, gc=False):
    """The value of :data:`ADDED`."""

    operation_id: str
    revision: int
    shape: Shape
    outcome: Outcome
    complete: bool
    ambiguous: bool
    conflict: bool
    told_by: dict[str, int]
    """By stage: which of the operation's records, counted in their order from 0, the words in it are from."""
    attempts: list[_AttemptSummary]


def _summary(attempt: Attempt) -> _AttemptSummary:
    records = attempt.records
    ranks = {record.rank: [record] for record in records}
    if len(ranks) < len(records):
        ranks = {rank: [record for record in records if record.rank == rank] for rank in ranks}
    stages = {STAGE_NAMES[rank]: _stage_summary(ranks[rank]) for rank in sorted(ranks)}
    return _AttemptSummary(attempt.outcome, attempt.ambiguous, attempt.conflict, stages)


def _stage_summary(records: Sequence[StageRecord]) -> _StageSummary:
    first = records[0]
    moment = as_text(first.time)
    if len(records) == 1:
        return _StageSummary(1, moment, moment, [first.signature])
    signatures = list(dict.fromkeys([record.signature for record in records]))
    return _StageSummary(len(records), moment, as_text(records[-1].time), signatures)
