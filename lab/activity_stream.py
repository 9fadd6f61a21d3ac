"""The activity stream: what diagnostic settings in the lab's Azure send, as capture files of event hubs.

In Azure it takes minutes from the fact to the event hub; here it takes seconds. The records have a partition
of their own, in which the replay never writes.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from lab.announcement import announcement_of
from lab.capture_writer import TIME_FIRST, Position, archive_name, encode_file
from lab.customers import PARTITIONS, Hub
from lab.records import Record, encode
from lab.replay import CaptureStorage
from lab.scenario import PlannedEvent

PARTITION: Final = PARTITIONS
Sent = tuple[Hub, Record]
"""A record and the event hub it is sent to."""
_BLOCK_BYTES: Final = 4_000


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far the stream has come."""

    offset: int = 0
    """Bytes of the activity file that are in capture files."""
    positions: dict[str, Position] = field(default_factory=dict)
    """Of each hub's next event, by namespace and name."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The state in a file; a new one when there is none."""
        return msgspec.json.decode(path.read_bytes(), type=cls) if path.exists() else cls()

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f"{path.name}.new")
        written.write_bytes(msgspec.json.encode(self))
        written.replace(path)


def stream_new_records(
    activity: Path, storage: CaptureStorage, state: StreamState, now: datetime
) -> StreamState:
    """Write what the activity file has got since into capture files, one a hub; returns the state after it.

    Killed before the state is written, it writes the same events again, under the same sequence numbers.
    """
    text = activity.read_bytes()[state.offset :] if activity.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]
    for hub, records in _by_hub(whole.splitlines()).items():
        key = f"{hub.namespace}/{hub.name}"
        body = encode({"records": records})
        events = [PlannedEvent(hub, PARTITION, 0.0, body, len(records))]
        position = state.positions.get(key, Position())
        content, after = encode_file(events, now, position, "null", _BLOCK_BYTES)
        path = archive_name(TIME_FIRST, hub, PARTITION, now)
        storage.upload(path, content)
        storage.announce(announcement_of(path, len(content), now))
        state = replace(state, positions={**state.positions, key: after})
    return replace(state, offset=state.offset + len(whole))


def append(activity: Path, sent: Iterable[Sent]) -> None:
    """Write records at the end of the activity file, all at once."""
    told: Iterator[Record] = (
        {"namespace": hub.namespace, "hub": hub.name, "record": record} for hub, record in sent
    )
    with activity.open("ab") as log:
        log.write(b"".join(encode(line) + b"\n" for line in told))


def _by_hub(lines: Sequence[bytes]) -> dict[Hub, list[Record]]:
    found: defaultdict[Hub, list[Record]] = defaultdict(list)
    for line in lines:
        told = json.loads(line)
        found[Hub(told["namespace"], told["hub"], keeps_empty_files=False)].append(told["record"])
    return found
