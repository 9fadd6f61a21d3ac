"""What members promise: every record of an operation can be rebuilt, byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.condense.classify import StageRecord
from azmdr.condense.condensed import condense
from azmdr.condense.members import rebuild_records
from azmdr.condense.record_layout import ADDED, CONDENSED
from tests.condense.records import (
    data_export_fields,
    encoded,
    stage_bytes,
    stage_fields,
    stage_with,
    staged,
)

STAGES = ["start", "accept", "success", "failure"]


def rebuilt(records: list[StageRecord]) -> set[bytes]:
    operation = condense(records)
    return set(rebuild_records(operation.operation, operation.members))


def assert_rebuilt(*contents: bytes) -> None:
    assert rebuilt([staged(content) for content in contents]) == set(contents)


def test_the_records_of_an_operation_come_back_in_order() -> None:
    contents = [stage_bytes("start", 0), stage_bytes("accept", 1), stage_bytes("success", 2)]
    operation = condense([staged(content) for content in reversed(contents)])
    assert rebuild_records(operation.operation, operation.members) == contents


def test_records_that_share_their_fields_are_told_in_few_words() -> None:
    claims = {"claims": {f"claim-{n}": "x" * 40 for n in range(40)}}
    contents = [stage_bytes(stage, second, identity=claims) for second, stage in enumerate(STAGES)]
    operation = condense([staged(content) for content in contents])
    assert len(operation.operation) + len(operation.members) < 0.6 * sum(map(len, contents))
    assert_rebuilt(*contents)


def test_a_data_export_comes_back() -> None:
    assert_rebuilt(*(encoded(data_export_fields(stage, second)) for second, stage in enumerate(STAGES)))


@pytest.mark.parametrize(
    "number", ["1.10", "-0.0", "1e400", "1E+2", "1234567890123456789012345678901234", "0.1000000000000000055"]
)
def test_a_number_keeps_its_spelling(number: str) -> None:
    def content(stage: str) -> bytes:
        return (
            stage_bytes(stage)[:-1] + b',"n":' + number.encode() + b',"p":{"n":[' + number.encode() + b"]}}"
        )

    assert_rebuilt(*map(content, STAGES))


@pytest.mark.parametrize(
    "name",
    [ADDED, CONDENSED, "properties", "resultSignature", "operation_id", "statuses", "order", "own", ""],
)
@pytest.mark.parametrize("value", ["text", 1, None, {"statuses": {}}, {"shape": "data_export"}])
def test_a_field_with_a_name_of_our_own_comes_back(name: str, value: object) -> None:
    contents = [stage_with(stage, second, name, value) for second, stage in enumerate(STAGES)]
    mixed = [contents[0], stage_bytes("success", 5)]
    assert_rebuilt(*contents)
    assert_rebuilt(*mixed)


def test_a_key_that_stands_twice_comes_back() -> None:
    twice = stage_bytes("start")[:-1] + b',"level":"1","level":"2"}'
    assert_rebuilt(twice, stage_bytes("success", 1))


def test_spelling_of_keys_and_blanks_come_back() -> None:
    escaped = stage_bytes("start")[:-1] + b',"\\u0061\\/":"\\u00e4"}'
    pretty = json.dumps(stage_fields("success", 1), indent=2).encode()
    assert_rebuilt(escaped, pretty)


def test_a_field_one_record_lacks_is_not_lent_to_it() -> None:
    fields = stage_fields("success", 1)
    for name in ("resultSignature", "properties", "callerIpAddress"):
        del fields[name]
    assert_rebuilt(stage_bytes("start"), encoded(fields))


texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.sampled_from(["0", "-0.0", "1.10", "1e400", "-1E-7", "9" * 34]) | st.integers().map(str)
own_names = st.sampled_from(
    [ADDED, CONDENSED, "properties", "resultSignature", "level", "told_by", "members", "digest", "text"]
)


@st.composite
def spelt_values(draw: st.DrawFn, levels: int = 2) -> str:
    """A JSON value in any spelling: white space, escapes, numbers no float holds, keys that stand twice."""
    kinds = ["number", "text", "word"] + (["object", "list"] if levels else [])
    match draw(st.sampled_from(kinds)):
        case "number":
            return draw(numbers)
        case "text":
            return json.dumps(draw(texts), ensure_ascii=draw(st.booleans()))
        case "word":
            return draw(st.sampled_from(["null", "true", "false"]))
        case "list":
            inner = draw(st.lists(spelt_values(levels=levels - 1), max_size=3))
            return "[" + draw(blanks) + ("," + draw(blanks)).join(inner) + "]"
        case _:
            return draw(spelt_objects([], levels - 1))


blanks = st.text(" \t\r\n", max_size=2)


@st.composite
def spelt_objects(draw: st.DrawFn, fields: list[tuple[str, Any]], levels: int = 2) -> str:
    names = st.text(st.characters(codec="utf-8"), max_size=6) | own_names
    more = draw(st.lists(st.tuples(names, spelt_values(levels=levels)), max_size=4))
    members = [*((name, json.dumps(value)) for name, value in fields), *more]
    told = (
        draw(blanks)
        + json.dumps(name, ensure_ascii=draw(st.booleans()))
        + draw(blanks)
        + ":"
        + draw(blanks)
        + value
        for name, value in draw(st.permutations(members))
    )
    return "{" + ",".join(told) + draw(blanks) + "}"


DECIDING = ("time", "category", "operationName", "resultType", "resourceId", "correlationId")


@st.composite
def operations(draw: st.DrawFn) -> list[bytes]:
    """Up to five records of one operation, each with fields of its own in a spelling of its own."""
    contents = []
    for second in range(draw(st.integers(1, 5))):
        fields = stage_fields(draw(st.sampled_from(STAGES)), second)
        said = [(name, fields[name]) for name in DECIDING]
        contents.append(draw(spelt_objects(said)).encode())
    return contents


@given(operations())
def test_whatever_a_record_holds_it_comes_back_byte_for_byte(contents: list[bytes]) -> None:
    by_operation: dict[str, list[StageRecord]] = {}
    for record in map(staged, contents):
        by_operation.setdefault(record.operation_id, []).append(record)
    for records in by_operation.values():
        assert rebuilt(records) == {record.content for record in records}


def test_a_record_in_several_spellings_comes_back_in_each_and_condenses_the_same() -> None:
    fields = stage_fields("success", 1)
    turned = dict(reversed(fields.items()))
    spellings = [encoded(fields), encoded(turned), json.dumps(turned, indent=1).encode()]
    operation = condense(map(staged, [stage_bytes("start"), *spellings]))
    assert operation.revision == 4
    contents = rebuild_records(operation.operation, operation.members)
    assert sorted(contents) == sorted([stage_bytes("start"), *spellings])
    assert condense(map(staged, contents)) == operation
