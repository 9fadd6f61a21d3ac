"""The capture writer: what Event Hubs Capture would have written. It is not Event Hubs.

No AMQP, no consumer, no size limit on a file: it takes planned events, cuts them into the files that Capture
would have cut by time, and encodes them as Capture does. Names, schema and windows:
learn.microsoft.com/azure/event-hubs/event-hubs-capture-overview. Measured in a file of the service: the
setting ``Avro`` gives the ``null`` codec, times are US text in whole seconds, sequence numbers have no gap.
"""

import io
import math
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import fastavro

from azmdr.capture.schema import EVENT_DATA
from lab.customers import PARTITIONS, Hub
from lab.records import Record, us_time
from lab.scenario import PlannedEvent

TIME_FIRST: Final = "{Year}/{Month}/{Day}/{Hour}/{Namespace}/{EventHub}/{PartitionId}/{Minute}/{Second}"
"""Archive name format of the lab: a listing of the last hour needs no listing of all others."""
AZURE_DEFAULT: Final = "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"
"""Archive name format Azure proposes."""

_TOKENS: Final = frozenset(
    {"Namespace", "EventHub", "PartitionId", "Year", "Month", "Day", "Hour", "Minute", "Second"}
)

Codec: TypeAlias = Literal["null", "deflate"]

_EVENT_OVERHEAD_BYTES: Final = 96
_SCHEMA: Final = fastavro.parse_schema(EVENT_DATA)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next event of a partition goes."""

    sequence_number: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True, order=True)
class PartitionWindow:
    """One partition in one window of time: what one capture file holds."""

    window: int
    """Count from the scenario's start."""
    hub: Hub
    partition: int


def cut_windows(
    events: Iterable[PlannedEvent], hubs: Sequence[Hub], window_seconds: int
) -> dict[PartitionWindow, list[PlannedEvent]]:
    """Cut events into capture files: one for each partition and window that has any, in order.

    Hubs that keep empty files have one for every partition and window.
    """
    cut: dict[PartitionWindow, list[PlannedEvent]] = {}
    for event in events:
        window = PartitionWindow(math.floor(event.at / window_seconds), event.hub, event.partition)
        cut.setdefault(window, []).append(event)
    last = max((window.window for window in cut), default=-1)
    for empty in _empty_windows(hubs, last):
        cut.setdefault(empty, [])
    return dict(sorted(cut.items()))


def encode_file(
    events: Sequence[PlannedEvent], start: datetime, position: Position, codec: Codec, block_bytes: int
) -> tuple[bytes, Position]:
    """Encode events as a capture file; without events it is a header alone.

    Args:
        events: of one partition, in order.
        start: what the events' times count from.
        position: of the first event.
        codec: ``null`` for the setting Avro, ``deflate`` for AvroDeflate.
        block_bytes: about how large a block of the file grows.

    Returns:
        The file and the position after its last event.
    """
    rows: list[Record] = []
    for event in events:
        rows.append(_row(event, start, position))
        size = len(event.body or b"") + _EVENT_OVERHEAD_BYTES
        position = Position(position.sequence_number + 1, position.offset + size)
    target = io.BytesIO()
    # The marker between blocks must not be random, so that the same plan gives the same bytes.
    fastavro.writer(target, _SCHEMA, rows, codec=codec, sync_interval=block_bytes, sync_marker=_SYNC_MARKER)
    return target.getvalue(), position


class ArchiveNameFormatError(ValueError):
    """An archive name format that Azure would refuse."""

    def __init__(self, text: str) -> None:
        needed = ", ".join(f"{{{token}}}" for token in sorted(_TOKENS))
        super().__init__(f"archive name format {text!r} must hold each of {needed}, and no other token")
        self.text = text


def checked_name_format(text: str) -> str:
    """The text, if it can name every file apart from every other; else :class:`ArchiveNameFormatError`."""
    try:
        tokens = {token for _, token, _, _ in string.Formatter().parse(text) if token is not None}
    except ValueError as error:
        raise ArchiveNameFormatError(text) from error
    if tokens != _TOKENS:
        raise ArchiveNameFormatError(text)
    return text


def archive_name(name_format: str, hub: Hub, partition: int, window_end: datetime) -> str:
    """The blob name of a capture file whose interval was met at ``window_end`` (aware, UTC)."""
    parts = {
        "Namespace": hub.namespace,
        "EventHub": hub.name,
        "PartitionId": str(partition),
        "Year": f"{window_end:%Y}",
        "Month": f"{window_end:%m}",
        "Day": f"{window_end:%d}",
        "Hour": f"{window_end:%H}",
        "Minute": f"{window_end:%M}",
        "Second": f"{window_end:%S}",
    }
    return f"{name_format.format_map(parts)}.avro"


def window_end(start: datetime, window: int, window_seconds: int) -> datetime:
    """When a window's interval is met."""
    return start + timedelta(seconds=(window + 1) * window_seconds)


_SYNC_MARKER: Final = b"azmdr lab marker"


def _empty_windows(hubs: Sequence[Hub], last: int) -> Iterator[PartitionWindow]:
    for window in range(last + 1):
        for hub in hubs:
            if hub.keeps_empty_files:
                yield from (PartitionWindow(window, hub, partition) for partition in range(PARTITIONS))


def _row(event: PlannedEvent, start: datetime, position: Position) -> Record:
    enqueued = start + timedelta(seconds=event.at)
    return {
        "SequenceNumber": position.sequence_number,
        "Offset": str(position.offset),
        "EnqueuedTimeUtc": us_time(enqueued),
        "SystemProperties": {
            "x-opt-sequence-number": position.sequence_number,
            "x-opt-offset": str(position.offset),
            "x-opt-enqueued-time": int(enqueued.timestamp() * 1000),
        },
        "Properties": {},
        "Body": event.body,
    }
