"""The condensed record: one operation, told once, with everything its records said.

Around ``azure_activity_administrative_condensed`` stand the fields of the Start record (of the first
record, where no Start came); inside it ``num_correlated_records`` and, for each stage, the result's
signature and properties. Beside it ``azmdr`` says what that shape can't: the outcome, the attempts,
whether requests overlap, and which revision this is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from azmdr.condense.attempts import Attempt, Outcome, attempts_of, in_order
from azmdr.condense.classify import Stage, StageRecord
from azmdr.condense.facts import STAGE_FIELDS, Shape, describe, subscription_of
from azmdr.condense.members import ADDED, CONDENSED, Condensed, Template, Told, encode_members
from azmdr.times import as_datetime, hour_of

CONDENSER: Final = 1
"""Counts up with every change of what a set of records becomes, so that a backfill replaces what was."""

_BODY_FIELDS: Final = {
    Stage.START: b'"requestbody"',
    Stage.ACCEPT: b'"responseBody"',
    Stage.SUCCESS: b'"responseBody"',
    Stage.FAILURE: b'"statusMessage"',
}

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Operation:
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


def condense(records: Iterable[StageRecord]) -> Operation:
    """Condense the records of one operation: at least one, in any order, with or without repetitions."""
    records = tuple(records)
    ordered = in_order(records)
    attempts = attempts_of(ordered)
    base = next((record for record in ordered if record.stage is Stage.START), ordered[0])
    facts = describe(base.content)
    speakers = _speakers(ordered)
    revision = len({record.content for record in records})
    told_by = {stage: record.digest for stage, record in speakers.items()}
    template = Template(
        shape=facts.shape,
        base_fields=_base_fields(base, facts.shape),
        statuses={stage: _told(record, facts.shape) for stage, record in speakers.items()},
    )
    condensed = {
        **template.base_fields,
        CONDENSED: Condensed(len(ordered), dict(template.statuses)),
        ADDED: _added(base.operation_id, revision, facts.shape, attempts, told_by),
    }
    return Operation(
        operation_id=base.operation_id,
        revision=revision,
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
        operation=msgspec.json.encode(condensed).decode(),
        members=encode_members(ordered, template, told_by),
    )


def _base_fields(base: StageRecord, shape: Shape) -> dict[str, msgspec.Raw]:
    own_to_a_stage = (*STAGE_FIELDS[shape], CONDENSED, ADDED)
    return {name: value for name, value in _object.decode(base.content).items() if name not in own_to_a_stage}


def _speakers(ordered: Sequence[StageRecord]) -> dict[Stage, StageRecord]:
    """The record that speaks for each stage: the first with the stage's body, for a failure the latest.

    Where none carries one, the first Start or Accept, and the last word of what ended the operation.
    """
    speakers = {}
    for stage in Stage:
        records = [record for record in ordered if record.stage is stage]
        with_body = [record for record in records if _BODY_FIELDS[stage] in record.content]
        latest = stage is Stage.FAILURE or (stage is Stage.SUCCESS and not with_body)
        if candidates := with_body or records:
            speakers[stage] = candidates[-1 if latest else 0]
    return speakers


def _told(record: StageRecord, shape: Shape) -> Told:
    fields = _object.decode(record.content)
    _, signature, properties = STAGE_FIELDS[shape]
    return Told(fields.get(signature, msgspec.UNSET), fields.get(properties, msgspec.UNSET))


def _added(
    operation_id: str, revision: int, shape: Shape, attempts: Sequence[Attempt], told_by: Mapping[Stage, str]
) -> dict[str, Any]:
    return {
        "operation_id": operation_id,
        "revision": revision,
        "shape": shape,
        "outcome": attempts[-1].outcome,
        "complete": attempts[-1].outcome.final,
        "ambiguous": any(attempt.ambiguous for attempt in attempts),
        "conflict": any(attempt.conflict for attempt in attempts),
        "told_by": told_by,
        "attempts": [_summary(attempt) for attempt in attempts],
    }


def _summary(attempt: Attempt) -> dict[str, Any]:
    stages = {}
    for stage in Stage:
        if records := [record for record in attempt.records if record.stage is stage]:
            stages[stage] = {
                "count": len(records),
                "first": as_datetime(records[0].time),
                "last": as_datetime(records[-1].time),
                "signatures": list(dict.fromkeys(record.signature for record in records)),
            }
    return {
        "outcome": attempt.outcome,
        "ambiguous": attempt.ambiguous,
        "conflict": attempt.conflict,
        "stages": stages,
    }
