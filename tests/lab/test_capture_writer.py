import io
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.capture.schema import EVENT_DATA
from lab.capture_writer import (
    AZURE_DEFAULT,
    TIME_FIRST,
    ArchiveNameFormatError,
    Codec,
    Position,
    archive_name,
    checked_name_format,
    cut_windows,
    encode_file,
    window_end,
)
from lab.customers import CUSTOMERS, Hub
from lab.records import us_time
from lab.scenario import PlannedEvent, plan_scenario

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HUB = Hub("azure-log-ingest-eastus-01", "contoso", keeps_empty_files=False)
HUBS = [hub for customer in CUSTOMERS for hub in customer.hubs]


def events(*bodies: bytes | None) -> list[PlannedEvent]:
    return [PlannedEvent(HUB, 0, float(second), body, pieces=1) for second, body in enumerate(bodies)]


def rows_of(content: bytes) -> list[dict[str, Any]]:
    return [row for row in fastavro.reader(io.BytesIO(content)) if isinstance(row, dict)]


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("block_bytes", [1, 1_000_000])
def test_a_file_holds_its_events_in_order_under_the_service_s_schema(codec: Codec, block_bytes: int) -> None:
    bodies = (b'{"records":[]}', None, b"x" * 5000)
    content, _ = encode_file(events(*bodies), START, Position(41, 900), codec, block_bytes)

    reader = fastavro.reader(io.BytesIO(content))
    rows = rows_of(content)
    schema = json.loads(reader.metadata["avro.schema"])
    assert schema["name"] == "Microsoft.ServiceBus.Messaging.EventData"
    assert schema["fields"] == EVENT_DATA["fields"]
    assert reader.metadata["avro.codec"] == codec
    assert [row["Body"] for row in rows] == list(bodies)
    assert [row["SequenceNumber"] for row in rows] == [41, 42, 43]
    assert rows[0]["EnqueuedTimeUtc"] == "11/24/2026 9:00:00 AM"
    assert len(list(fastavro.block_reader(io.BytesIO(content)))) == (3 if block_bytes == 1 else 1)


def test_the_schema_is_that_of_a_file_of_the_service(shared: Path) -> None:
    content, _ = encode_file([], START, Position(), "null", 4000)
    real = shared / "samples" / "azure" / "usql-eventhub-capture" / "EHC.avro"
    with real.open("rb") as file:
        theirs = fastavro.reader(file).writer_schema
    assert fastavro.reader(io.BytesIO(content)).writer_schema == theirs


def test_a_file_without_events_is_a_header_alone() -> None:
    content, after = encode_file([], START, Position(5, 7), "null", 4000)
    assert rows_of(content) == []
    assert after == Position(5, 7)


def test_the_same_events_give_the_same_bytes() -> None:
    once, again = (encode_file(events(b"a", b"b"), START, Position(), "deflate", 1)[0] for _ in range(2))
    assert once == again


def test_over_a_scenario_sequence_numbers_have_no_gap_and_offsets_grow() -> None:
    windows = cut_windows(plan_scenario(1, START, 0.2).events, HUBS, 5)
    positions: dict[tuple[Hub, int], Position] = {}
    numbers: dict[tuple[Hub, int], list[int]] = defaultdict(list)
    offsets: dict[tuple[Hub, int], list[int]] = defaultdict(list)
    for window, cut in windows.items():
        partition = (window.hub, window.partition)
        before = positions.get(partition, Position())
        content, positions[partition] = encode_file(cut, START, before, "null", 4000)
        numbers[partition] += [row["SequenceNumber"] for row in rows_of(content)]
        offsets[partition] += [int(row["Offset"]) for row in rows_of(content)]
    assert all(of_one == list(range(len(of_one))) for of_one in numbers.values())
    assert all(of_one == sorted(set(of_one)) for of_one in offsets.values())


@given(
    st.lists(st.tuples(st.sampled_from(HUBS), st.integers(0, 3), st.floats(0, 90)), max_size=60),
    st.integers(1, 30),
)
def test_every_event_is_in_exactly_one_file_and_inside_its_window(
    planned: list[tuple[Hub, int, float]], seconds: int
) -> None:
    told = [
        PlannedEvent(hub, partition, at, b"%d" % number, pieces=1)
        for number, (hub, partition, at) in enumerate(sorted(planned, key=lambda one: one[2]))
    ]
    windows = cut_windows(told, HUBS, seconds)
    assert sorted(int(event.body or b"") for cut in windows.values() for event in cut) == list(
        range(len(told))
    )
    for window, cut in windows.items():
        end = window_end(START, window.window, seconds)
        for event in cut:
            assert (event.hub, event.partition) == (window.hub, window.partition)
            assert end - timedelta(seconds=seconds) <= START + timedelta(seconds=event.at) <= end


def test_only_hubs_that_keep_empty_files_have_them() -> None:
    windows = cut_windows(plan_scenario(1, START, 0.0).events, HUBS, 5)
    empty = {window.hub for window, cut in windows.items() if not cut}
    assert empty
    assert all(hub.keeps_empty_files for hub in empty)


def test_names_follow_the_archive_name_format() -> None:
    end = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    namespace = "azure-log-ingest-eastus-01"
    assert archive_name(TIME_FIRST, HUB, 2, end) == f"2026/03/04/05/{namespace}/contoso/2/06/07.avro"
    assert archive_name(AZURE_DEFAULT, HUB, 2, end) == f"{namespace}/contoso/2/2026/03/04/05/06/07.avro"


@pytest.mark.parametrize(
    "text", [TIME_FIRST.replace("{Second}", "00"), TIME_FIRST + "{Customer}", TIME_FIRST + "{", ""]
)
def test_a_format_that_azure_would_refuse_is_refused(text: str) -> None:
    assert checked_name_format(AZURE_DEFAULT) == AZURE_DEFAULT
    with pytest.raises(ArchiveNameFormatError, match="must hold each of"):
        checked_name_format(text)


@pytest.mark.parametrize(
    ("hour", "text"),
    [
        (0, "12/7/2018 12:22:49 AM"),
        (9, "12/7/2018 9:22:49 AM"),
        (12, "12/7/2018 12:22:49 PM"),
        (23, "12/7/2018 11:22:49 PM"),
    ],
)
def test_times_are_in_the_us_form(hour: int, text: str) -> None:
    assert us_time(datetime(2018, 12, 7, hour, 22, 49, 900_000, tzinfo=UTC)) == text
