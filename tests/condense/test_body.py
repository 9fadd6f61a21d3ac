"""What reading a body as a whole promises: the same as taking it apart and reading each record alone."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.condense import identity
from azmdr.condense.body import BodyReader
from azmdr.condense.classify import RecordError, StageRecord, classify
from azmdr.condense.split import split_body
from azmdr.times import as_datetime, as_text
from tests.condense.records import (
    data_export_fields,
    encoded,
    envelope,
    old_data_export_fields,
    resource_log_bytes,
    rest_fields,
    sign_in_bytes,
    stage_bytes,
    stage_fields,
)
from tests.condense.test_members import operations

Told = tuple[Any, ...]


def alone(body: bytes) -> list[list[Told]]:
    """What the body holds by what it is, each piece of it read by itself."""
    staged: list[Told] = []
    passing: list[Told] = []
    broken: list[Told] = []
    for piece in split_body(body):
        try:
            if piece.broken is not None:
                broken.append((piece.index, piece.content, piece.broken))
                continue
            record = classify(piece.content)
            if isinstance(record, StageRecord):
                staged.append(of_stage(record))
            else:
                passing.append((piece.content,))
        except RecordError as error:
            broken.append((piece.index, piece.content, error.reason))
    return [staged, passing, broken]


def together(body: bytes, reader: BodyReader) -> list[list[Told]]:
    rows = reader.rows(body)
    assert len(rows) == len(split_body(bytes(body)))
    return [
        [of_stage(record) for record in rows.staged],
        [(record.content,) for record in rows.passing],
        [(piece.index, piece.content, piece.broken) for piece in rows.broken],
    ]


def of_stage(record: StageRecord) -> Told:
    return (
        record.content,
        record.operation_id,
        record.stage,
        record.time,
        record.signature,
        record.policy,
        record.shape,
        record.digest,
        record.held_content is None,
    )


PRETTY = json.dumps(stage_fields("success", 1), indent=1).encode()
TWICE = stage_bytes("start")[:-1] + b',"level":"1","level":"2"}'
ESCAPED = stage_bytes("start")[:-1] + b',"\\u0061\\/":"\\u00e4"}'
ODD_NAME = stage_bytes("start")[:-1] + b',"\\u001F":1}'
DEEP = stage_bytes("start")[:-1] + b',"x":' + b"[" * 254 + b"1" + b"]" * 254 + b"}"
DEEPER = stage_bytes("start")[:-1] + b',"x":' + b"[" * 255 + b"1" + b"]" * 255 + b"}"
NOT_UTF8 = b'{"time":"1","x":"\xff"}'
HALF = b'{"time":"1","x":"\\ud800"}'
RECORDS = [
    stage_bytes("start"),
    stage_bytes("accept", 1.5, "c-2"),
    stage_bytes("failure", correlation=""),
    stage_bytes("start", category="Policy"),
    stage_bytes("start", time="2026-11-24T12:00:00+01:00"),
    stage_bytes("start", time="2262-04-11T23:47:16.8547758Z"),
    stage_bytes("start", time="2262-04-11T23:47:16.8547759Z"),
    stage_bytes("start", time="2026-11-24T12:00:00.12345678"),
    stage_bytes("start", time=["2026-11-24T12:00:00.1234567"]),
    stage_bytes("start", time=None, timeStamp="2026-11-24T12:00:00Z"),
    stage_bytes("start", resultSignature=7, TimeGenerated="2026-11-24T12:00:00Z"),
    encoded(data_export_fields("success")),
    encoded({**data_export_fields("success"), "category": "SignInLogs"}),
    encoded(old_data_export_fields("accept")),
    encoded(rest_fields("failure")),
    sign_in_bytes("one"),
    resource_log_bytes("pod", None),
    PRETTY,
    TWICE,
    ESCAPED,
    ODD_NAME,
    DEEP,
    DEEPER,
    NOT_UTF8,
    HALF,
    b"{}",
    b'"text"',
]


@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_a_record_is_read_among_others_as_it_is_alone(record: bytes) -> None:
    for body in (envelope(record), envelope(stage_bytes("start"), record, sign_in_bytes("two"))):
        assert together(body, BodyReader()) == alone(body)


@given(st.lists(st.sampled_from(RECORDS), max_size=6), st.data())
def test_bodies_in_any_spelling_are_read_the_same_by_a_reader_of_many(
    records: list[bytes], data: st.DataObject
) -> None:
    reader = BodyReader()
    for some in (records, records[::-1], [*records, *data.draw(operations())]):
        comma = data.draw(st.sampled_from([b",", b", ", b"\n,"]))
        opening, closing = data.draw(
            st.sampled_from(
                [
                    (b'{"records":[', b"]}"),
                    (b'{ "records" : [ ', b" ]}"),
                    (b'{"records": [', b'],"x":[1]}'),
                    (b"[", b"]"),
                    (b'\xef\xbb\xbf{"records":[', b"]}\n"),
                    (b'{"records":[', b"]"),
                ]
            )
        )
        body = opening + comma.join(some) + closing
        assert together(body, reader) == alone(body)
        assert together(memoryview(body), reader) == alone(body)  # type: ignore[arg-type]


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
names = st.text(st.characters(codec="utf-8"), max_size=3)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names, values, max_size=5), st.booleans())
def test_the_quick_canonical_form_is_the_slow_one(fields: dict[str, Any], plain: bool) -> None:
    content = msgspec.json.encode(fields) if plain else json.dumps(fields).encode()
    quick = identity._canonical_of_plain(content)  # noqa: SLF001 (the two ways must agree)
    compact = msgspec.json.format(content, indent=-1)
    slow = identity._ordered(compact, identity.DEEPEST)  # noqa: SLF001
    assert quick in (None, slow)


@given(st.integers(0, 2**63 - 1) | st.integers(0, 2**33).map(lambda second: second * 10**9))
def test_a_time_in_words_is_that_of_the_datetime(nanoseconds: int) -> None:
    assert f'"{as_text(nanoseconds)}"'.encode() == msgspec.json.encode(as_datetime(nanoseconds))
