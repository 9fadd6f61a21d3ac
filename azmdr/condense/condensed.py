"""The condensed record: one operation, told once, with everything its records said.

Around ``azure_activity_administrative_condensed`` stand the fields of the Start record (of the first
record, where no Start came); inside it ``num_correlated_records`` and, for each stage, the result's
signature and properties. Beside it ``azmdr`` says what that shape can't: the outcome, the attempts,
whether requests overlap, and which revision this is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from azmdr.condense.attempts import Attempt, Outcome, attempts_of, distinct, other_spellings
from azmdr.condense.classify import RANKS, STAGE_NAMES, TERMINAL_RANK, Stage, StageRecord
from azmdr.condense.facts import STAGE_FIELDS, Shape, describe, subscription_of
from azmdr.condense.members import Told, members_of
from azmdr.condense.record_layout import ADDED, CONDENSED
from azmdr.condense.usual import (
    Added,
    AttemptSummary,
    StageSummary,
    only_attempt,
    usual_members,
    usual_operation,
    usual_order,
)
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


class Line(msgspec.Struct, gc=False):
    """An operation and what it takes to rebuild its records, each as JSON text."""

    operation: bytes
    members: bytes
    revision: int


class Condensed(msgspec.Struct):
    """The value of :data:`CONDENSED`."""

    num_correlated_records: int
    statuses: dict[str, Told]


def condense(records: Iterable[StageRecord]) -> Operation:
    """Condense the records of one operation: at least one, in any order, with or without repetitions."""
    account = _account(list(records))
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
        operation=line.operation.decode(),
        members=line.members.decode(),
    )


def condense_line(records: Sequence[StageRecord]) -> Line:
    """Condense the records of one operation as :func:`condense` does, without columns."""
    usual = usual_order(records)
    return _line(_account(records)) if usual is None else _usual_line(usual)


class _Account(msgspec.Struct, gc=False):
    """What the records of an operation come to, before it is put into words."""

    ordered: Sequence[StageRecord]
    revision: int
    attempts: Sequence[Attempt]
    base: StageRecord
    speakers: dict[int, int]
    """By the rank of a stage, in its order: the position of the record that speaks for it."""
    respelt: Mapping[int, list[bytes]]
    """By the position of a record: the other texts in which it came."""
    usual: bool = False
    """Whether it is as :mod:`azmdr.condense.usual` tells it."""


def _account(records: Sequence[StageRecord]) -> _Account:
    if (usual := usual_order(records)) is not None:
        speakers = {record.rank: position for position, record in enumerate(usual)}
        return _Account(usual, len(usual), (only_attempt(usual),), usual[0], speakers, {}, usual=True)
    ordered, revision = distinct(records)
    respelt = other_spellings(records, ordered) if revision > len(ordered) else {}
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
    ordered = account.ordered
    if account.usual:
        return _usual_line(ordered)
    operation: dict[str, Any] = account.base.fields
    for name in (*STAGE_FIELDS[account.base.shape], CONDENSED, ADDED):
        operation.pop(name, None)
    members = members_of(ordered, dict(operation), account.speakers, account.respelt)
    statuses = {STAGE_NAMES[rank]: _told(ordered[position]) for rank, position in account.speakers.items()}
    operation[CONDENSED] = Condensed(len(ordered), statuses)
    operation[ADDED] = _added(account)
    return Line(msgspec.json.encode(operation), msgspec.json.encode(members), account.revision)


def _usual_line(ordered: Sequence[StageRecord]) -> Line:
    return Line(usual_operation(ordered), usual_members(ordered), len(ordered))


def _told(record: StageRecord) -> Told:
    said = record.fields.get
    _, signature, properties = STAGE_FIELDS[record.shape]
    return Told(said(signature, msgspec.UNSET), said(properties, msgspec.UNSET))


def _added(account: _Account) -> Added:
    attempts = account.attempts
    last = attempts[-1]
    return Added(
        account.base.operation_id,
        account.revision,
        account.base.shape,
        last.outcome,
        last.decisive.rank >= TERMINAL_RANK,
        any(attempt.ambiguous for attempt in attempts),
        any(attempt.conflict for attempt in attempts),
        {STAGE_NAMES[rank]: position for rank, position in account.speakers.items()},
        [_summary(attempt) for attempt in attempts],
    )


def _summary(attempt: Attempt) -> AttemptSummary:
    records = attempt.records
    ranks = {record.rank: [record] for record in records}
    if len(ranks) < len(records):
        ranks = {rank: [record for record in records if record.rank == rank] for rank in ranks}
    stages = {STAGE_NAMES[rank]: _stage_summary(ranks[rank]) for rank in sorted(ranks)}
    return AttemptSummary(attempt.outcome, attempt.ambiguous, attempt.conflict, stages)


def _stage_summary(records: Sequence[StageRecord]) -> StageSummary:
    signatures = list(dict.fromkeys([record.signature for record in records]))
    return StageSummary(len(records), as_text(records[0].time), as_text(records[-1].time), signatures)
