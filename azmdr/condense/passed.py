"""Passed records: records that stand for themselves, and the few fields of them that are columns."""

import msgspec

from azmdr.condense.facts import ENTRA_EVENTS, Fields, Shape, describe
from azmdr.condense.identity import key_digest, record_digest


class Passing(msgspec.Struct, eq=False, gc=False):
    """A record that passes through, as it came."""

    content: bytes
    fields: Fields

    def record(self) -> "PassedRecord":
        """With what the lake wants to know of it."""
        return _passed(self.content, self.fields)


class PassedRecord(msgspec.Struct, frozen=True, gc=False):
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


def _passed(content: bytes, fields: Fields) -> PassedRecord:
    facts = describe(fields)
    digest = record_digest(content)
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
