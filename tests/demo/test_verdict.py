"""What the verdict promises: all that was planted came out and nothing else did, or it says what is wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.demo.verdict import Expected, counts_of, judge, read_expected
from azmdr.lake.layout import Table
from azmdr.lake.tables import SCHEMAS
from lab.story import ExpectedOperation, Outcome

WRITE = Expected(
    customer="contoso",
    story="virtual machine is written",
    correlation_id="C-1",
    operation_name="MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
    resource_id="/SUBSCRIPTIONS/1/VM",
    outcome="success",
    attempts=1,
    records=3,
    ambiguous=False,
)


def row(one: Expected, **other: Any) -> dict[str, Any]:
    """The row of the operations table that is just as expected, or other than that."""
    return {
        "operation_id": f"{one.customer} {one.correlation_id} {one.operation_name}",
        "correlation_id": one.correlation_id,
        "operation_name": one.operation_name,
        "resource_id": one.resource_id,
        "outcome": one.outcome,
        "attempts": one.attempts,
        "revision": one.records,
        "ambiguous": one.ambiguous,
        **other,
    }


def table(*rows: dict[str, Any], name: Table = Table.OPERATIONS) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema_overrides=SCHEMAS[name]) if rows else empty(name)


def empty(name: Table) -> pl.DataFrame:
    return pl.DataFrame(schema=SCHEMAS[name])


def test_what_came_out_as_expected_is_good() -> None:
    verdict = judge([WRITE], {"contoso": table(row(WRITE))})
    assert verdict.good
    assert (verdict.planted, verdict.unexpected) == (1, 0)
    (story,) = verdict.stories
    assert (story.name, story.outcomes, story.as_expected) == (WRITE.story, {"success": 1}, 1)


def test_letters_may_be_of_another_case() -> None:
    other_case = row(
        WRITE,
        correlation_id="c-1",
        operation_name=WRITE.operation_name.lower(),
        resource_id=WRITE.resource_id.lower(),
    )
    assert judge([WRITE], {"contoso": table(other_case)}).good


@pytest.mark.parametrize("absent", [None, ""])
def test_an_operation_without_a_correlation_id_is_found(absent: str | None) -> None:
    one = msgspec.structs.replace(WRITE, correlation_id=None)
    assert judge([one], {"contoso": table(row(one, correlation_id=absent))}).good


@pytest.mark.parametrize(
    ("other", "seen"),
    [
        ({"outcome": "failure"}, "failure of 3 records"),
        ({"attempts": 2}, "success of 3 records, 2 attempts"),
        ({"revision": 1}, "success of 1 record"),
        ({"ambiguous": True}, "success of 3 records, ambiguous"),
    ],
)
def test_what_came_out_otherwise_is_a_miss_that_says_what_was_seen(other: dict[str, Any], seen: str) -> None:
    verdict = judge([WRITE], {"contoso": table(row(WRITE, **other))})
    assert not verdict.good
    assert [(miss.expected, miss.seen) for miss in verdict.stories[0].misses] == [(WRITE, seen)]
    assert verdict.stories[0].planted == 1


def test_what_did_not_come_out_is_a_miss() -> None:
    verdict = judge([WRITE], {"contoso": empty(Table.OPERATIONS)})
    assert not verdict.good
    assert [miss.seen for miss in verdict.stories[0].misses] == ["nothing"]


def test_what_nobody_planted_is_counted() -> None:
    verdict = judge([WRITE], {"contoso": table(row(WRITE), row(WRITE, correlation_id="c-2"))})
    assert not verdict.good
    assert verdict.unexpected == 1


def test_an_operation_that_came_out_twice_is_a_miss() -> None:
    verdict = judge([WRITE], {"contoso": table(row(WRITE), row(WRITE, operation_id="another"))})
    assert not verdict.good
    assert [miss.seen for miss in verdict.stories[0].misses] == [
        "success of 3 records and success of 3 records"
    ]


def test_an_operation_that_came_out_at_another_customer_is_missing_here_and_unexpected_there() -> None:
    verdict = judge([WRITE], {"contoso": empty(Table.OPERATIONS), "fabrikam": table(row(WRITE))})
    assert not verdict.good
    assert verdict.unexpected == 1


def test_a_demo_in_which_nothing_was_planted_is_not_good() -> None:
    assert not judge([], {"contoso": empty(Table.OPERATIONS)}).good


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["success", "failure"])), max_size=12))
def test_every_planted_operation_is_in_exactly_one_story(planted: list[tuple[str, str]]) -> None:
    expected = [
        msgspec.structs.replace(WRITE, story=story, outcome=outcome, correlation_id=f"c-{number}")
        for number, (story, outcome) in enumerate(planted)
    ]
    came = [row(one) for one in expected[::2]]
    verdict = judge(expected, {"contoso": table(*came)})
    assert verdict.planted == len(planted)
    assert sum(story.as_expected for story in verdict.stories) == len(came)
    assert {story.name: sum(story.outcomes.values()) for story in verdict.stories} == {
        story.name: story.planted for story in verdict.stories
    }


def test_rows_are_counted_in_the_labs_words() -> None:
    piece = {"quarantine_id": "q", "sequence_number": 7}
    whole_file = {"quarantine_id": "r", "sequence_number": None}
    assert counts_of(
        {
            Table.OPERATIONS: table(row(WRITE), row(WRITE, revision=4)),
            Table.ACTIVITY_RECORDS: table({"record_id": "1"}, name=Table.ACTIVITY_RECORDS),
            Table.QUARANTINED_RECORDS: table(piece, whole_file, name=Table.QUARANTINED_RECORDS),
        }
    ) == {"operations": 2, "passed_through": 1, "quarantined": 1, "operation_records": 7}


def test_what_the_lab_writes_is_read_as_it_was_meant(tmp_path: Path) -> None:
    told = ExpectedOperation(
        "contoso", "a story", None, "WRITE", "/vm", Outcome.FAILURE, attempts=2, records=3, ambiguous=True
    )
    file = tmp_path / "expected.jsonl"
    file.write_bytes(
        msgspec.json.encode(told) + b"\n" + msgspec.json.encode(replace(told, records=4)) + b"\n"
    )
    first, second = read_expected(file)
    assert msgspec.to_builtins(first) == msgspec.to_builtins(told)
    assert second.records == 4


def test_a_line_that_is_still_being_written_is_left(tmp_path: Path) -> None:
    file = tmp_path / "expected.jsonl"
    assert read_expected(file) == []
    line = msgspec.json.encode(WRITE) + b"\n"
    for end in range(len(line) + 1):
        file.write_bytes(line + line[:end])
        assert read_expected(file) == [WRITE] * (2 if end == len(line) else 1)
