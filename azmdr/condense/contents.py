"""Contents: what one capture file holds, sorted into rows. Pure: bytes in, rows and counts out.

Conservation is decided here: every record of the file is in exactly one of passed through, merged (a
stage of an operation), duplicate, quarantined. A stretch of the file that can't be read counts as one
record, quarantined.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from azmdr.capture.avro import Buffer, CapturedEvent, Damage
from azmdr.condense.body import BodyReader, Rows
from azmdr.condense.classify import StageRecord
from azmdr.condense.passed import PassedRecord

_reader: Final = BodyReader()
"""One for all files, since the files of a deployment are alike."""


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
    """Records of events seen before, and passed records that stand in this file twice."""
    passed: list[tuple[PassedRecord, datetime]] = field(default_factory=list)
    """Records that pass through, each with the time its event entered the hub."""
    staged: list[StageRecord] = field(default_factory=list)
    """Stages of operations, repetitions among them: who adds them to their operations finds those."""
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
    for one in read_events(found, _reader, seen=seen, own=own):
        contents.spans = one.spans
        contents.events += one.event is not None
        contents.records += one.records
        if one.repeated:
            contents.duplicates += one.records
        else:
            _add(contents, one, known, data, window)
    return contents


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """What one event holds, or one damaged stretch, which counts as a record."""

    event: CapturedEvent | None
    rows: Rows
    damage: Damage | None
    repeated: bool
    """Whether it was seen before, so that its rows are duplicates."""
    spans: list[Span]
    """The events so far that count as this file's own."""

    @property
    def records(self) -> int:
        """How many records it holds."""
        return 1 if self.damage else len(self.rows)


def read_events(
    found: Iterable[CapturedEvent | Damage],
    reader: BodyReader,
    *,
    seen: Iterable[Span] = (),
    own: Iterable[Span] = (),
) -> Iterator[ReadEvent]:
    """Read what a scan found, one by one. The arguments are those of :func:`read_contents`."""
    spans: list[Span] = []
    seen_before, own_before = tuple(seen), tuple(own)
    for one in found:
        if isinstance(one, Damage):
            yield ReadEvent(None, Rows(), one, repeated=False, spans=spans)
            continue
        repeated = _covers(seen_before, one) and not _covers(own_before, one)
        if not repeated:
            _extend(spans, one)
        yield ReadEvent(one, reader.rows(one.body or b""), None, repeated=repeated, spans=spans)


def quarantined(one: ReadEvent, data: Buffer) -> list[Quarantined]:
    """What is kept of what could not become a row."""
    if one.damage is not None:
        return [_from_damage(one.damage, data)]
    offset, number = (one.event.file_offset, one.event.sequence_number) if one.event else (0, None)
    return [
        Quarantined(
            reason=piece.broken or "",
            detail=piece.detail or f"piece {piece.index} of the body of event {number}",
            file_offset=offset,
            length=len(piece.content),
            sequence_number=number,
            index=piece.index,
            content=piece.content,
        )
        for piece in one.rows.broken
    ]


def contents_of(one: ReadEvent, data: Buffer) -> list[bytes]:
    """The bytes of all an event holds, by what it is, or of a damaged stretch."""
    if one.damage is not None:
        return [_from_damage(one.damage, data).content]
    return [row.content for rows in (one.rows.staged, one.rows.passing, one.rows.broken) for row in rows]


def _covers(spans: Iterable[Span], event: CapturedEvent) -> bool:
    return any(span.covers(event) for span in spans)


def _add(contents: Contents, one: ReadEvent, known: set[bytes], data: Buffer, window: datetime) -> None:
    contents.staged += one.rows.staged
    contents.quarantined += quarantined(one, data)
    enqueued = (one.event.enqueued if one.event else None) or window
    for passing in one.rows.passing:
        if passing.content in known:
            contents.duplicates += 1
        else:
            known.add(passing.content)
            contents.passed.append((passing.record(), enqueued))


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
