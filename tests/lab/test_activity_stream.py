"""What the activity stream promises: each record of what happened is once in a file of its own hub."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import fastavro
import pytest

from lab.activity_stream import PARTITION, StreamState, append, stream_new_records
from lab.announcement import Announcement
from lab.azure.happenings import Happening
from lab.customers import CUSTOMERS, Customer

NOW: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass
class Kept:
    """Stands where the storage account does, and keeps what is written."""

    files: dict[str, bytes] = field(default_factory=dict)
    announced: list[str] = field(default_factory=list)

    def upload(self, path: str, content: bytes) -> None:
        self.files.setdefault(path, content)

    def announce(self, announcement: Announcement) -> None:
        self.announced.append(announcement.path)

    def events(self, path: str) -> list[dict[str, Any]]:
        return [dict(row) for row in fastavro.reader(BytesIO(self.files[path])) if isinstance(row, dict)]


@pytest.fixture
def activity(tmp_path: Path) -> Path:
    return tmp_path / "activity.ndjson"


def happen(activity: Path, customer: Customer, subscription: int = 0) -> None:
    target = f"/subscriptions/{customer.subscriptions[subscription].id}"
    happening = Happening(
        "setting deleted",
        customer,
        customer.subscriptions[subscription],
        "Microsoft.Insights/diagnosticSettings/delete",
        f"{target}/providers/Microsoft.Insights/diagnosticSettings/azmdr",
    )
    hub = customer.hub(customer.subscriptions[subscription].home_region)
    append(activity, [(hub, record) for record in happening.records(NOW, random.Random(1))])


def streamed(activity: Path, storage: Kept, state: StreamState, seconds: int = 0) -> StreamState:
    now = NOW + timedelta(seconds=seconds)
    return stream_new_records(activity, storage, state, now)  # type: ignore[arg-type] # keeps instead of sending


def records(storage: Kept) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in storage.files:
        for event in storage.events(path):
            yield from ((path, record) for record in json.loads(event["Body"])["records"])


def test_records_come_into_a_file_of_the_hub_they_are_sent_to(activity: Path) -> None:
    contoso, fabrikam = CUSTOMERS[:2]
    happen(activity, contoso, subscription=1)
    happen(activity, fabrikam)
    storage = Kept()
    streamed(activity, storage, StreamState())
    hubs = [contoso.hub(contoso.subscriptions[1].home_region), fabrikam.hub(fabrikam.home_region)]
    places = [f"/{hub.namespace}/{hub.name}/{PARTITION}/" for hub in hubs]
    assert [place in path for place, path in zip(places, storage.files, strict=True)] == [True, True]
    assert storage.announced == list(storage.files)
    tenants = [contoso.tenant_id] * 2 + [fabrikam.tenant_id] * 2
    assert [record["tenantId"] for _, record in records(storage)] == tenants


def test_each_record_comes_once_and_sequence_numbers_have_no_gap(activity: Path) -> None:
    storage, state = Kept(), StreamState()
    for second in range(3):
        happen(activity, CUSTOMERS[0])
        state = streamed(activity, storage, state, second)
        state = streamed(activity, storage, state, second)
    numbers = [event["SequenceNumber"] for path in storage.files for event in storage.events(path)]
    assert numbers == [0, 1, 2]
    assert len(list(records(storage))) == 6


def test_a_line_still_being_written_is_left_for_the_next_time(activity: Path) -> None:
    happen(activity, CUSTOMERS[0])
    whole = activity.read_bytes()
    activity.write_bytes(whole[:-10])
    storage = Kept()
    state = streamed(activity, storage, StreamState())
    assert len(list(records(storage))) == 1
    activity.write_bytes(whole)
    streamed(activity, storage, state, 1)
    assert len(list(records(storage))) == 2


def test_it_goes_on_from_its_state(activity: Path, tmp_path: Path) -> None:
    happen(activity, CUSTOMERS[0])
    streamed(activity, Kept(), StreamState()).write(tmp_path / "state.json")
    happen(activity, CUSTOMERS[0])
    storage = Kept()
    streamed(activity, storage, StreamState.read(tmp_path / "state.json"), 1)
    (path,) = storage.files
    assert [event["SequenceNumber"] for event in storage.events(path)] == [1]


def test_before_anything_happened_nothing_is_written(activity: Path) -> None:
    storage = Kept()
    assert streamed(activity, storage, StreamState()) == StreamState()
    assert storage.files == {}
