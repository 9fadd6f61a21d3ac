"""The activity stream: what happens in the lab's Azure, as capture files of the customers' event hubs.

A diagnostic setting of the subscription would send these records to the hub of its home region, minutes after
the fact; here it takes seconds. They have a partition of their own, in which the replay never writes.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from lab.announcement import announcement_of
from lab.capture_writer import TIME_FIRST, Position, archive_name, encode_file
from lab.customers import CUSTOMERS, PARTITIONS, Hub
from lab.records import encode
from lab.replay import CaptureStorage
from lab.scenario import PlannedEvent

PARTITION: Final = PARTITIONS
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


def _by_hub(lines: Sequence[bytes]) -> dict[Hub, list[dict[str, Any]]]:
    found: defaultdict[Hub, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        record = json.loads(line)
        for hub in _hub_of(record["resourceId"]):
            found[hub].append(record)
    return found


def _hub_of(resource_id: str) -> Iterator[Hub]:
    """The hub that takes the activity log of a resource's subscription."""
    subscription_id = resource_id.lower().split("/")[2]
    for customer in CUSTOMERS:
        for subscription in customer.subscriptions:
            if subscription.id == subscription_id:
                yield customer.hub(subscription.home_region)
