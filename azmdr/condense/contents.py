"""Contents: what one capture file holds, sorted into rows. Pure: bytes in, rows and counts out.

Conservation is decided here: every record of the file is in exactly one of passed through, merged (a
stage of an operation), duplicate, quarantined. A stretch of the file that can't be read counts as one
record, quarantined.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from azmdr.capture.avro import Buffer, CapturedEvent, Damage
from azmdr.condense.classify import PassedRecord, RecordError, StageRecord, classify
from azmdr.condense.split import Piece, split_body


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that could not become a row: whole, with where it stood and why."""

    reason: str
    detail: str
    file_offset: int
    """Byte offset in the capture file of the Avro block that holds it."""
    length: int
    sequence_number: int | None
    index: int | None
    """Position in the body of the event; None when it is the event, or a stretch of the file."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """A gapless run of events: their sequence numbers and the times they entered the event hub."""

    first: int
    last: int
    first_enqueued: datetime | None
    last_enqueued: datetime | None

    def covers(self, event: CapturedEvent) -> bool:
        """Whether the event is one of these.

        A hub that was deleted and made again counts from zero again. What tells its events from the old
        ones is the time they entered, so a sequence number alone is not believed.
        """
        if not self.first <= event.sequence_number <= self.last:
            return False
        if event.enqueued is None or self.first_enqueued is None or self.last_enqueued is None:
            return event.enqueued is None and self.first_enqueued is None
        return self.first_enqueued <= event.enqueued <= self.last_enqueued


@dataclass(slots=True)
class Contents:
    """What a capture file holds. ``records`` = passed + staged + duplicates + quarantined, always."""

    events: int = 0
    records: int = 0
    duplicates: int = 0
    """Records of events seen before, and records that stand in this file twice."""
    passed: list[tuple[PassedRecord, datetime]] = field(default_factory=list)
    """Records that pass through, each with the time its event entered the hub."""
    staged: list[StageRecord] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """The events that count as this file's own: all but those seen before."""


def read_contents(
    found: Iterable[CapturedEvent | Damage],
    data: Buffer,
    *,
    window: datetime,
    seen: Iterable[Span] = (),
    own: Iterable[Span] = (),
) -> Contents:
    """Sort what a scan found in a capture file.

    Args:
        found: the events and the damaged stretches.
        data: the file they were found in.
        window: when its capture interval ended; stands in for the time of an event that has none.
        seen: runs of events of the same partition that another file brought before.
        own: runs of events that counted as this file's own when it was done before; they stay its own. Two
            files read at the same moment may both have an event, and it must not be lost to both.
    """
    contents = Contents()
    known: set[bytes] = set()
    seen_before, own_before = tuple(seen), tuple(own)
    for one in found:
        match one:
            case Damage():
                contents.records += 1
                contents.quarantined.append(_from_damage(one, data))
            case CapturedEvent():
                contents.events += 1
                repeated = _covers(seen_before, one) and not _covers(own_before, one)
                _read_event(one, contents, known, window, repeated=repeated)
    return contents


def _covers(spans: Iterable[Span], event: CapturedEvent) -> bool:
    return any(span.covers(event) for span in spans)


def _read_event(
    event: CapturedEvent, contents: Contents, known: set[bytes], window: datetime, *, repeated: bool
) -> None:
    pieces = split_body(event.body or b"")
    contents.records += len(pieces)
    if repeated:
        contents.duplicates += len(pieces)
        return
    _extend(contents.spans, event)
    for piece in pieces:
        row = _row(piece, event)
        if isinstance(row, Quarantined):
            contents.quarantined.append(row)
            continue
        if row.content in known:
            contents.duplicates += 1
            continue
        known.add(row.content)
        if isinstance(row, StageRecord):
            contents.staged.append(row)
        else:
            contents.passed.append((row, event.enqueued or window))


def _row(piece: Piece, event: CapturedEvent) -> StageRecord | PassedRecord | Quarantined:
    if piece.broken is not None:
        detail = f"piece {piece.index} of the body of event {event.sequence_number}"
        return _from_piece(piece, event, piece.broken, detail)
    try:
        return classify(piece.content)
    except RecordError as error:
        return _from_piece(piece, event, error.reason, error.detail)


def _from_piece(piece: Piece, event: CapturedEvent, reason: str, detail: str) -> Quarantined:
    return Quarantined(
        reason=reason,
        detail=detail,
        file_offset=event.file_offset,
        length=len(piece.content),
        sequence_number=event.sequence_number,
        index=piece.index,
        content=piece.content,
    )


def _from_damage(damage: Damage, data: Buffer) -> Quarantined:
    return Quarantined(
        reason=damage.reason,
        detail=damage.detail,
        file_offset=damage.file_offset,
        length=damage.length,
        sequence_number=None,
        index=None,
        content=damage.content or bytes(data[damage.file_offset : damage.file_offset + damage.length]),
    )


def _extend(spans: list[Span], event: CapturedEvent) -> None:
    latest = spans[-1] if spans else None
    if latest is not None and event.sequence_number == latest.last + 1 and _in_time(latest, event):
        spans[-1] = Span(latest.first, event.sequence_number, latest.first_enqueued, event.enqueued)
    else:
        spans.append(Span(event.sequence_number, event.sequence_number, event.enqueued, event.enqueued))


def _in_time(span: Span, event: CapturedEvent) -> bool:
    if span.last_enqueued is None or event.enqueued is None:
        return span.last_enqueued is None and event.enqueued is None
    return span.last_enqueued <= event.enqueued
