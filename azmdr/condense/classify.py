"""Classifying: what a record is, from its own fields.

A record is either one stage of an operation (Azure writes several records for one operation: it
started, was accepted, succeeded or failed) or it stands for itself and passes through. The rule is
narrow on purpose: the categories Administrative (older exports wrote the verb Write, Delete or Action
instead) and Policy, a stage we know, and an operation name with a slash. Resource logs, sign-ins,
alerts and everything nobody has seen yet pass through.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from azmdr.condense.facts import ENTRA_EVENTS, Facts, Shape, describe, subscription_of
from azmdr.condense.identity import key_digest, record_digest

INVALID_UTF8: Final = "invalid_utf8"
"""The record holds bytes that are no UTF-8, so no text column could hold it unchanged."""
UNREADABLE_FIELD: Final = "unreadable_field"
"""A field that says what the record is can't be read, for example half of a surrogate pair."""

OPERATION_CATEGORIES: Final = frozenset({"administrative", "write", "delete", "action", "policy"})


class Stage(StrEnum):
    """How far an operation has come, as one record says it."""

    START = "start"
    ACCEPT = "accept"
    SUCCESS = "success"
    FAILURE = "failure"

    @property
    def terminal(self) -> bool:
        """Whether nothing is expected after it."""
        return self in (Stage.SUCCESS, Stage.FAILURE)


_STAGES: Final = {
    "start": Stage.START,
    "started": Stage.START,
    "accept": Stage.ACCEPT,
    "accepted": Stage.ACCEPT,
    "success": Stage.SUCCESS,
    "succeeded": Stage.SUCCESS,
    "failure": Stage.FAILURE,
    "failed": Stage.FAILURE,
}


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A record that is one stage of an operation."""

    operation_id: str
    digest: str
    stage: Stage
    time: int
    """Event time in nanoseconds since 1970, UTC."""
    signature: str | None
    """The result as Azure spells it: ``Accepted.Created``, ``Failed.Forbidden``."""
    policy: bool
    """A policy evaluation: its operation does not wait for more, since most of them never get any."""
    content: bytes


@dataclass(frozen=True, slots=True)
class PassedRecord:
    """A record that stands for itself, with the few fields that are columns of their own."""

    record_id: str
    """Identity of the event: two deliveries of one event have the same."""
    revision: int
    """Which of several deliveries of an event counts: the highest."""
    digest: str
    time: int | None
    """Event time in nanoseconds since 1970, UTC; None when the record has none that can be read."""
    shape: Shape
    category: str | None
    operation_name: str | None
    resource_id: str | None
    correlation_id: str | None
    result_type: str | None
    caller_ip: str | None
    tenant_id: str | None
    content: bytes


class RecordError(ValueError):
    """A record that can't become a row; ``reason`` is one of this module's constants."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def classify(content: bytes) -> StageRecord | PassedRecord:
    """Say what one record is. ``content`` is a JSON object.

    Raises:
        RecordError: the record can't be kept unchanged in a text column, or a deciding field can't be read.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(INVALID_UTF8, f"byte {error.start} of the record") from error
    try:
        facts = describe(content)
        digest = record_digest(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RecordError(UNREADABLE_FIELD, str(error)) from error
    stage = _operation_stage(facts)
    if stage is not None and facts.time is not None:
        return StageRecord(
            operation_id=_operation_id(facts, digest),
            digest=digest,
            stage=stage,
            time=facts.time,
            signature=facts.signature,
            policy=(facts.category or "").lower() == "policy",
            content=content,
        )
    return _passed(facts, digest, content)


def _operation_stage(facts: Facts) -> Stage | None:
    if (facts.category or "").lower() not in OPERATION_CATEGORIES or "/" not in (facts.operation_name or ""):
        return None
    return _STAGES.get((facts.stage or "").strip().rstrip(".").lower())


def _operation_id(facts: Facts, digest: str) -> str:
    scope = subscription_of(facts.resource_id) or facts.tenant_id or ""
    # Nothing can be said to belong to a record without a correlation id, so it is an operation of its own.
    correlation = facts.correlation_id or f"record {digest}"
    parts = (scope, correlation, facts.operation_name or "", facts.resource_id or "")
    return key_digest(facts.shape, *(part.lower() for part in parts))


def _passed(facts: Facts, digest: str, content: bytes) -> PassedRecord:
    category = (facts.category or "").lower()
    known_event = facts.event_id is not None and category in ENTRA_EVENTS
    return PassedRecord(
        record_id=key_digest(facts.shape, category, facts.event_id or "") if known_event else digest,
        revision=facts.time or 0 if known_event else 0,
        digest=digest,
        time=facts.event_time if known_event and facts.event_time is not None else facts.time,
        shape=facts.shape,
        category=facts.category,
        operation_name=facts.operation_name,
        resource_id=facts.resource_id,
        correlation_id=facts.correlation_id,
        result_type=facts.result_type,
        caller_ip=facts.caller_ip,
        tenant_id=facts.tenant_id,
        content=content,
    )
