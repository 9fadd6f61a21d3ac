"""What the scan of a capture file promises: every sound event, every damaged stretch, no exception."""

import hashlib
import io
import json
import mmap
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.capture import avro
from azmdr.capture.avro import CapturedEvent, Damage, is_compressed, scan
from azmdr.capture.schema import EVENT_DATA

MAGIC = b"Obj\x01"


def record(
    number: int, body: bytes | None = b"{}", enqueued: str = "12/7/2018 10:22:49 AM"
) -> dict[str, Any]:
    return {
        "SequenceNumber": number,
        "Offset": str(number * 4096),
        "EnqueuedTimeUtc": enqueued,
        "SystemProperties": {"x-opt-sequence-number": number, "double": 0.5, "text": "t", "raw": b"r"},
        "Properties": {"nothing": None} if number % 2 else {},
        "Body": body,
    }


def capture(
    records: list[dict[str, Any]],
    codec: str = "null",
    sync_interval: int = 16000,
    schema: dict[str, Any] = EVENT_DATA,
) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, schema, records, codec=codec, sync_interval=sync_interval)
    return file.getvalue()


def number(value: int) -> bytes:
    """A number as Avro writes it."""
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def header(schema: bytes) -> bytes:
    """A header up to its sync marker."""
    key = b"avro.schema"
    return MAGIC + number(1) + number(len(key)) + key + number(len(schema)) + schema + number(0)


def events(data: bytes) -> list[CapturedEvent]:
    return [found for found in scan(data) if isinstance(found, CapturedEvent)]


def damages(data: bytes) -> list[Damage]:
    return [found for found in scan(data) if isinstance(found, Damage)]


def numbers(data: bytes) -> list[int]:
    return [event.sequence_number for event in events(data)]


def reasons(data: bytes) -> list[str]:
    return [damage.reason for damage in damages(data)]


def block_ends(data: bytes) -> list[tuple[int, int]]:
    """Where the header and each block end, with the number of events before that byte."""
    ends, count, sync = [], 0, data[-16:]
    header_end = data.index(sync) + len(sync)
    ends.append((header_end, 0))
    at = header_end
    for block in fastavro.block_reader(io.BytesIO(data)):
        at = data.index(sync, at) + len(sync)
        count += block.num_records
        ends.append((at, count))
    return ends


SMALL = [record(n, b'{"records":[%d]}' % n) for n in range(6)]
EACH_ITS_OWN_BLOCK = 1


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("sync_interval", [1, 400, 1 << 20])
def test_all_events_of_a_sound_file_come_out_in_order(codec: str, sync_interval: int) -> None:
    records = [record(n, bytes([n]) * n * 37) for n in range(100)]
    found = list(scan(capture(records, codec, sync_interval)))
    assert [(e.sequence_number, e.body) for e in found if isinstance(e, CapturedEvent)] == [
        (r["SequenceNumber"], r["Body"]) for r in records
    ]
    assert len(found) == len(records)


def test_a_header_says_whether_blocks_are_compressed() -> None:
    assert is_compressed(capture([record(1)], codec="deflate"))
    assert not is_compressed(capture([record(1)], codec="null"))
    assert not is_compressed(b"Obj")
    assert not is_compressed(b"")


def test_an_event_says_at_which_byte_its_block_begins() -> None:
    data = capture(SMALL, sync_interval=EACH_ITS_OWN_BLOCK)
    assert [event.file_offset for event in events(data)] == [end for end, _ in block_ends(data)[:-1]]


def test_events_that_inflate_in_many_small_pieces_come_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avro, "_INFLATE_STEP", 64)
    data = capture([record(n, bytes(5000)) for n in range(4)], "deflate", sync_interval=1 << 20)
    assert [event.body for event in events(data)] == [bytes(5000)] * 4
    assert damages(data) == []


def test_a_map_written_with_its_size_in_bytes_is_stepped_over() -> None:
    data = capture([record(1)])
    plain = number(1) + number(len("nothing")) + b"nothing" + number(4)
    assert plain in data
    sized = number(-1) + number(len(plain) - 1) + plain[1:]
    head = len(number(1)) + 2
    start, end = block_ends(data)[0][0], len(data) - 16
    content = data[start + head : end].replace(plain, sized)
    [event] = scan(data[:start] + number(1) + number(len(content)) + content + data[end:])
    assert isinstance(event, CapturedEvent)
    assert event.body == b"{}"


def test_a_null_body_is_none_and_an_empty_body_is_empty() -> None:
    assert [event.body for event in events(capture([record(1, None), record(2, b"")]))] == [None, b""]


def test_a_file_without_events_yields_nothing() -> None:
    assert list(scan(capture([]))) == []


def test_a_file_without_a_codec_entry_is_not_compressed() -> None:
    data = capture(SMALL).replace(b"\x14avro.codec", b"\x14avro.other")
    assert numbers(data) == [0, 1, 2, 3, 4, 5]


def test_a_file_from_the_service_reads_as_fastavro_reads_it(shared: Path) -> None:
    data = (shared / "samples/azure/usql-eventhub-capture/EHC.avro").read_bytes()
    found = list(scan(data))
    assert [event.sequence_number for event in events(data)] == list(range(4141, 4818))
    assert len(found) == 677
    for event, expected in zip(events(data), fastavro.reader(io.BytesIO(data)), strict=True):
        assert isinstance(expected, dict)
        assert event.sequence_number == expected["SequenceNumber"]
        assert event.body == expected["Body"]
        assert event.enqueued == datetime.strptime(
            expected["EnqueuedTimeUtc"] + " +0000", "%m/%d/%Y %I:%M:%S %p %z"
        )


@pytest.mark.parametrize("finish", ["exhausted", "closed"])
def test_a_mapped_file_can_be_closed_after_the_scan(tmp_path: Path, finish: str) -> None:
    path = tmp_path / "capture.avro"
    path.write_bytes(capture(SMALL))
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    found = scan(mapped)
    assert isinstance(next(iter(found)), CapturedEvent)
    if finish == "exhausted":
        assert len(list(found)) == 5
    else:
        found.close()  # type: ignore[attr-defined]  # a generator behind the Iterator
    mapped.close()


# The time an event was enqueued.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12/7/2018 10:22:49 AM", datetime(2018, 12, 7, 10, 22, 49, tzinfo=UTC)),
        ("2/6/2023 6:29:45 PM", datetime(2023, 2, 6, 18, 29, 45, tzinfo=UTC)),
        ("2/6/2023 12:00:00 AM", datetime(2023, 2, 6, 0, 0, 0, tzinfo=UTC)),
        ("2/6/2023 12:00:00 PM", datetime(2023, 2, 6, 12, 0, 0, tzinfo=UTC)),
        ("2/6/2023 6:29:45\u202fPM", datetime(2023, 2, 6, 18, 29, 45, tzinfo=UTC)),
        ("12/7/2018 10:22:49 AM +00:00", datetime(2018, 12, 7, 10, 22, 49, tzinfo=UTC)),
        ("12/7/2018 10:22:49 AM +02:00", datetime(2018, 12, 7, 8, 22, 49, tzinfo=UTC)),
        ("12/07/2018 22:22:49", datetime(2018, 12, 7, 22, 22, 49, tzinfo=UTC)),
        ("2018-12-07T10:22:49.1234567Z", datetime(2018, 12, 7, 10, 22, 49, 123456, tzinfo=UTC)),
        ("2018-12-07T10:22:49", datetime(2018, 12, 7, 10, 22, 49, tzinfo=UTC)),
        ("2018-12-07T10:22:49-05:00", datetime(2018, 12, 7, 15, 22, 49, tzinfo=UTC)),
        ("13/7/2018 10:22:49 AM", None),
        ("2/30/2023 1:00:00 AM", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        ("SOME-ERROR-HERE", None),
        ("1" * 10_000, None),
    ],
)
def test_the_enqueued_time_is_read_as_utc_or_not_at_all(text: str, expected: datetime | None) -> None:
    [event] = events(capture([record(1, enqueued=text)]))
    assert event.enqueued == expected
    assert event.enqueued is None or event.enqueued.utcoffset() == timedelta(0)


# Headers that can't be read.


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", avro.EMPTY_FILE),
        (b"PAR1" + bytes(100), avro.NOT_AVRO),
        (b"O", avro.HEADER_TRUNCATED),
        (MAGIC, avro.HEADER_TRUNCATED),
        (MAGIC + number(1 << 62), avro.HEADER_TRUNCATED),
        (MAGIC + number(1) + number(1 << 62), avro.HEADER_TRUNCATED),
        (MAGIC + number(1) + number(-5) + bytes(99), avro.NOT_AVRO),
        (MAGIC + b"\xff" * 99, avro.NOT_AVRO),
        (MAGIC + bytes(17), avro.WRONG_SCHEMA),
    ],
)
def test_a_header_that_cannot_be_read_is_one_damage_of_the_whole_file(data: bytes, reason: str) -> None:
    [damage] = scan(data)
    assert isinstance(damage, Damage)
    assert (damage.reason, damage.file_offset, damage.length) == (reason, 0, len(data))


def test_an_unknown_codec_is_refused_by_name() -> None:
    data = capture(SMALL).replace(b"\x08null\x16avro.schema", b"\x0csnappy\x16avro.schema")
    [damage] = damages(data)
    assert damage.reason == avro.UNKNOWN_CODEC
    assert "snappy" in damage.detail


def fields_with(name: str, avro_type: Any) -> list[dict[str, Any]]:
    return [{**f, "type": avro_type} if f["name"] == name else f for f in EVENT_DATA["fields"]]


def schema_of(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Other", "fields": list(fields)}


@pytest.mark.parametrize("missing", ["SequenceNumber", "EnqueuedTimeUtc", "Body"])
def test_a_schema_without_a_field_azmdr_reads_is_refused_by_that_field(missing: str) -> None:
    [damage] = damages(
        capture([], schema=schema_of(*(f for f in EVENT_DATA["fields"] if f["name"] != missing)))
    )
    assert damage.reason == avro.WRONG_SCHEMA
    assert missing in damage.detail


@pytest.mark.parametrize(
    ("field", "avro_type"),
    [
        ("SequenceNumber", "string"),
        ("SequenceNumber", ["null", "long"]),
        ("EnqueuedTimeUtc", "long"),
        ("Body", "string"),
        ("Body", ["null", "string"]),
        ("Body", ["bytes", "long"]),
    ],
)
def test_a_field_of_another_type_is_refused_by_name(field: str, avro_type: Any) -> None:
    [damage] = damages(capture([], schema=schema_of(*fields_with(field, avro_type))))
    assert damage.reason == avro.WRONG_SCHEMA
    assert field in damage.detail


def test_any_record_with_the_three_fields_is_read_whatever_stands_between_them() -> None:
    schema = schema_of(
        {"name": "Body", "type": ["string", "bytes", "null"]},
        {"name": "Tags", "type": {"type": "array", "items": ["null", "int", "float", "boolean"]}},
        {"name": "SequenceNumber", "type": {"type": "int"}},
        {"name": "Nothing", "type": {"type": "array", "items": "null"}},
        {"name": "Digest", "type": {"type": "fixed", "name": "Digest", "size": 4}},
        {"name": "Kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {
            "name": "Where",
            "type": {"type": "record", "name": "Where", "fields": [{"name": "x", "type": "double"}]},
        },
        {"name": "Maps", "type": {"type": "map", "values": {"type": "map", "values": "bytes"}}},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "At", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    )
    rest = {
        "Tags": [None, 7, 0.5, True],
        "Nothing": [None] * 1000,
        "Digest": b"abcd",
        "Kind": "B",
        "Where": {"x": 1.5},
        "Maps": {"a": {"b": b"c"}},
        "At": datetime(2026, 11, 24, tzinfo=UTC),
    }
    bodies: list[Any] = ["text", b"raw", None]
    records = [{**record(n, body), **rest} for n, body in enumerate(bodies)]
    data = capture(records, schema=schema)
    assert [event.body for event in events(data)] == [b"text", b"raw", None]
    assert numbers(data) == [0, 1, 2]
    assert damages(data) == []


def test_a_count_of_items_without_bytes_costs_nothing() -> None:
    schema = schema_of(*EVENT_DATA["fields"], {"name": "Nothing", "type": {"type": "array", "items": "null"}})
    data = capture([{**record(1), "Nothing": [None]}], schema=schema)
    one_item, endless = b"\x02\x00", number(1 << 60) + b"\x00"
    content_end = len(data) - 16
    assert data[content_end - 2 : content_end] == one_item
    [event] = events(data[: content_end - 2] + endless + data[content_end:])
    assert event.sequence_number == 1


def test_a_schema_with_two_fields_of_one_name_is_refused() -> None:
    text = json.dumps(schema_of(*EVENT_DATA["fields"], {"name": "Body", "type": "bytes"})).encode()
    assert reasons(header(text) + bytes(16)) == [avro.WRONG_SCHEMA]


def test_a_schema_of_more_than_a_mebibyte_is_refused() -> None:
    text = json.dumps({**EVENT_DATA, "doc": "x" * (1 << 20)}).encode()
    assert reasons(header(text) + bytes(16)) == [avro.WRONG_SCHEMA]


def test_a_schema_that_never_ends_is_refused() -> None:
    deep: Any = "long"
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    assert reasons(capture([], schema=schema_of(*EVENT_DATA["fields"], {"name": "Deep", "type": deep}))) == [
        avro.WRONG_SCHEMA
    ]


# Damage in and between blocks.


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_file_cut_at_any_byte_keeps_every_event_before_the_cut(codec: str) -> None:
    data = capture(SMALL, codec, sync_interval=200)
    ends = block_ends(data)
    for cut in range(len(data)):
        whole = max((count for end, count in ends if end <= cut), default=0)
        found = numbers(data[:cut])
        assert found == list(range(len(found))), f"cut at {cut}"
        assert len(found) >= whole, f"cut at {cut}"
        if cut not in [end for end, _ in ends]:
            assert len(damages(data[:cut])) == 1, f"cut at {cut}"


def test_a_cut_block_still_gives_the_events_that_stand_whole_before_the_cut() -> None:
    data = capture(SMALL, sync_interval=1 << 20)
    cut = data.index(b'{"records":[4]}')
    assert numbers(data[:cut]) == [0, 1, 2, 3]
    [damage] = damages(data[:cut])
    assert damage.reason == avro.BLOCK_TRUNCATED
    assert damage.file_offset + damage.length == cut
    assert data.index(b'{"records":[3]}') < damage.file_offset < cut


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_no_flipped_byte_raises_or_loses_an_event_of_another_block(codec: str) -> None:
    data = capture(
        [record(n, hashlib.sha256(b"%d" % n).digest()) for n in range(6)], codec, EACH_ITS_OWN_BLOCK
    )
    for (start, before), (end, _) in pairwise(block_ends(data)):
        untouched = [event.body for n, event in enumerate(events(data)) if n != before]
        for at in range(start, end):
            for flip in (0x01, 0x80, 0xFF):
                broken = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
                bodies = [event.body for event in events(broken)]
                assert [body for body in bodies if body in untouched] == untouched, f"byte {at} ^ {flip}"


@given(st.data())
def test_no_garbled_file_raises_and_no_damage_lies_outside_it(draw: st.DataObject) -> None:
    codec = draw.draw(st.sampled_from(["null", "deflate"]))
    data = bytearray(capture(SMALL, codec, sync_interval=draw.draw(st.sampled_from([1, 200, 1 << 20]))))
    for _ in range(draw.draw(st.integers(1, 4))):
        start = draw.draw(st.integers(0, len(data)))
        data[start : start + draw.draw(st.integers(0, 40))] = draw.draw(st.binary(max_size=40))
    for damage in damages(bytes(data)):
        if damage.reason != avro.BODY_TOO_LARGE:
            assert damage.file_offset >= 0
            assert damage.file_offset + damage.length <= len(data)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    list(scan(data))
    list(scan(capture([record(1)]) + data))
    list(scan(capture([]) + data))


def middle_block(data: bytes) -> tuple[int, int]:
    (start, _), (end, _) = block_ends(data)[2:4]
    return start, end


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_damaged_sync_marker_costs_no_event(codec: str) -> None:
    data = capture(SMALL, codec, sync_interval=EACH_ITS_OWN_BLOCK)
    _, end = middle_block(data)
    broken = data[: end - 16] + b"?" * 16 + data[end:]
    assert numbers(broken) == [0, 1, 2, 3, 4, 5]
    assert reasons(broken) == [avro.BLOCK_CORRUPT]


@pytest.mark.parametrize("wrong", [-1, 0, 1, 1 << 40])
def test_a_wrong_block_size_costs_no_event(wrong: int) -> None:
    data = capture(SMALL, sync_interval=EACH_ITS_OWN_BLOCK)
    start, end = middle_block(data)
    head = number(1) + number(end - 16 - start - 3)
    assert data[start : start + len(head)] == head
    broken = data[:start] + number(1) + number(wrong) + data[start + len(head) :]
    assert numbers(broken) == [0, 1, 2, 3, 4, 5]
    assert reasons(broken) == [avro.BLOCK_CORRUPT]


@pytest.mark.parametrize("wrong", [-1, 0, 2, 1 << 62])
def test_a_wrong_count_of_events_costs_no_event_and_no_memory(wrong: int) -> None:
    data = capture(SMALL, sync_interval=EACH_ITS_OWN_BLOCK)
    start, _ = middle_block(data)
    broken = data[:start] + number(wrong) + data[start + 1 :]
    assert numbers(broken) == [0, 1, 2, 3, 4, 5]
    [damage] = damages(broken)
    assert damage.reason == avro.BLOCK_CORRUPT
    assert damage.file_offset == start


def test_after_a_lost_block_the_scan_goes_on_at_the_next_sync_marker() -> None:
    data = capture(SMALL, sync_interval=EACH_ITS_OWN_BLOCK)
    start, end = middle_block(data)
    broken = data[:start] + b"\xff" * (end - 16 - start) + data[end - 16 :]
    assert numbers(broken) == [0, 1, 3, 4, 5]
    [damage] = damages(broken)
    assert (damage.reason, damage.file_offset, damage.length) == (avro.BLOCK_CORRUPT, start, end - start)


def test_an_event_that_claims_too_long_a_value_costs_the_rest_of_its_block_only() -> None:
    data = capture(SMALL, sync_interval=250)
    text = number(len("4096")) + b"4096"
    broken = data.replace(text, number((1 << 32) + 5)[:5] + text[5:], 1)
    assert len(broken) == len(data)
    kept = numbers(broken)
    assert kept[0] == 0
    assert 1 not in kept
    assert kept[-1] == 5
    assert reasons(broken) == [avro.BLOCK_CORRUPT]


@pytest.mark.parametrize("branch", [-1, 5, 1 << 40])
def test_a_value_of_no_type_its_schema_lists_is_damage(branch: int) -> None:
    data = capture([record(1), record(2)], sync_interval=EACH_ITS_OWN_BLOCK)
    nothing = number(len("nothing")) + b"nothing"
    at = data.index(nothing) + len(nothing)
    assert data[at : at + 1] == number(4)
    broken = data[:at] + number(branch) + data[at + len(number(branch)) :]
    assert len(broken) == len(data)
    assert numbers(broken) == [2]
    assert reasons(broken) == [avro.BLOCK_CORRUPT]


def test_a_block_whose_size_leads_back_to_an_earlier_sync_marker_ends_the_file() -> None:
    data = capture(SMALL)
    head = number(1) + number(-18)
    assert len(head) == 2
    assert numbers(data + head) == [0, 1, 2, 3, 4, 5]
    assert reasons(data + head) == [avro.TRAILING_BYTES]


@pytest.mark.parametrize("tail", [bytes(64), b"?" * 7, b"\x01\x01" * 30])
def test_bytes_after_the_last_block_are_reported_where_they_stand(tail: bytes) -> None:
    data = capture(SMALL)
    assert numbers(data + tail) == [0, 1, 2, 3, 4, 5]
    [damage] = damages(data + tail)
    assert (damage.reason, damage.file_offset, damage.length) == (avro.TRAILING_BYTES, len(data), len(tail))


def test_a_file_filled_up_with_zeros_gives_no_events_of_zeros() -> None:
    data = capture(SMALL, sync_interval=1 << 20)
    cut = data.index(b'{"records":[3]}') + 15
    assert numbers(data[:cut] + bytes(len(data) - cut)) == [0, 1, 2, 3]


def test_zeros_written_over_a_block_give_no_events_beyond_those_it_declares() -> None:
    data = capture(SMALL, sync_interval=1 << 20)
    start = data.index(b'{"records":[3]}') + 15
    assert numbers(data[:start] + bytes(len(data) - 16 - start) + data[-16:]) == [0, 1, 2, 3, 0, 0]


def with_content(change: Callable[[bytes], bytes]) -> bytes:
    """A deflate file of one block whose packed content is changed; count and sync marker are sound."""
    plain, data = (capture(SMALL, codec, sync_interval=1 << 20) for codec in ("null", "deflate"))
    header_end = block_ends(data)[0][0]
    size = block_ends(plain)[1][0] - block_ends(plain)[0][0] - 16
    content = plain[-16 - size : -16]
    packed = change(content[len(number(6)) + len(number(size)) :])
    return data[:header_end] + number(6) + number(len(packed)) + packed + data[-16:]


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def test_a_block_that_cannot_be_inflated_is_corrupt() -> None:
    assert reasons(with_content(lambda _: b"\xff" * 50)) == [avro.BLOCK_CORRUPT]


def test_the_rest_of_a_zlib_checksum_behind_a_compressed_block_is_no_damage() -> None:
    content = with_content(lambda plain: deflated(plain) + b"\x01\x02\x03")
    assert numbers(content) == [0, 1, 2, 3, 4, 5]
    assert damages(content) == []


def test_other_bytes_behind_a_compressed_block_are_damage() -> None:
    assert reasons(with_content(lambda plain: deflated(plain) + bytes(99))) == [avro.BLOCK_CORRUPT]


def test_a_block_that_inflates_without_end_is_corrupt_after_its_sound_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(avro, "MAX_INFLATED_BYTES", 8 << 20)
    endless_body = b"".join((bytes(5), number(1), number(1 << 40)))
    bomb = with_content(lambda plain: deflated(plain + endless_body + bytes(32 << 20)))
    assert events(bomb) == events(with_content(deflated))
    [damage] = damages(bomb)
    assert damage.reason == avro.BLOCK_CORRUPT
    assert str(8 << 20) in damage.detail


def test_a_small_bomb_never_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avro, "MAX_EVENT_BYTES", 4 << 20)
    endless_text = number(7) + number(1 << 40)
    bomb = with_content(lambda _: deflated(endless_text + bytes(200 << 20)))
    tracemalloc.start()
    found = reasons(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [avro.BLOCK_CORRUPT]
    assert peak < 32 << 20


# Large bodies.


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_body_over_the_limit_is_a_damage_and_the_rest_goes_on(codec: str) -> None:
    large = 64 << 20
    data = capture([record(1), record(2, bytes(large)), record(3)], codec)
    under, at, over = (list(scan(data, limit)) for limit in (large - 1, large, large + 1))
    assert [type(found) for found in under] == [CapturedEvent, Damage, CapturedEvent]
    assert isinstance(under[1], Damage)
    assert (under[1].reason, under[1].length) == (avro.BODY_TOO_LARGE, large)
    assert "2" in under[1].detail
    for found in (at, over):
        assert [len(event.body or b"") for event in found if isinstance(event, CapturedEvent)] == [
            2,
            large,
            2,
        ]


def test_a_body_over_the_limit_is_found_by_its_offset_and_length() -> None:
    body = b"B" * 100
    data = capture([record(1), record(2, body), record(3)])
    [damage] = [found for found in scan(data, max_body_bytes=99) if isinstance(found, Damage)]
    assert data[damage.file_offset : damage.file_offset + damage.length] == body
