"""Odd files: what lies about in a capture container and its queue besides well-formed capture files.

All are announced, and none is part of what a scenario expects: they must cost nothing but themselves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.announcement import Announcement, Poison, announcement_of
from lab.capture_writer import Position, archive_name, encode_file
from lab.customers import Hub
from lab.scenario import PlannedEvent


@dataclass(frozen=True, slots=True)
class OddThings:
    """Blobs to upload, by name, and messages to send."""

    blobs: dict[str, bytes]
    messages: tuple[Announcement | Poison, ...]


def plan_odd_things(
    name_format: str, hub: Hub, moment: datetime, position: Position, episode: str
) -> OddThings:
    """One of each: a file cut short, one of no bytes, one of another name, a gone blob, a poison message.

    Args:
        name_format: archive name format.
        hub: whose partition 0 they claim to be of.
        moment: a time with the next four seconds free of capture files of that partition.
        position: of the partition's next event, which the truncated file would have held.
        episode: sets the names of two episodes apart.
    """
    truncated, empty, gone = (
        archive_name(name_format, hub, 0, moment + timedelta(seconds=second)) for second in range(1, 4)
    )
    nameless = f"exports/{episode}/readme.txt"
    blobs = {truncated: _truncated(position, moment), empty: b"", nameless: b"This is no capture file.\n"}
    announced = {**{path: len(content) for path, content in blobs.items()}, gone: 4096}
    return OddThings(
        blobs=blobs,
        messages=(
            *(announcement_of(path, size, moment) for path, size in announced.items()),
            Poison(f"neither base64 nor an event ({episode})"),
        ),
    )


def _truncated(position: Position, moment: datetime) -> bytes:
    """A file cut in the middle of its only event, so that nothing in it can be read."""
    body = b'{"records":[' + b" " * 20_000 + b"]}"
    event = PlannedEvent(Hub("", "", keeps_empty_files=False), 0, 0.0, body, pieces=0)
    content, _ = encode_file([event], moment, position, "null", block_bytes=1)
    return content[: len(content) - len(body) // 2]
