"""What telling a usual operation from patterns promises: the same words, to the byte, as without."""

from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.condense import condensed
from azmdr.condense.classify import StageRecord
from azmdr.condense.condensed import Operation, condense
from azmdr.condense.usual import usual_order
from tests.condense.records import encoded, stage_bytes, stage_fields, stage_record, stage_with, staged
from tests.condense.test_members import operations

LONE = [
    stage_record("start", 0),
    stage_record("start", 0.5),
    stage_record("start", 0, resultSignature=None),
    stage_record("start", 0, resultSignature="100 %b \0 \\u0000"),
    stage_record("start", 0, resultSignature=7),
    stage_record("start", 0, tenantId="t-1"),
    staged(stage_with("accept", 1, 'odd "name"\n', [1, "{"])),
    staged(stage_with("success", 2, "properties", None)),
    staged(stage_with("success", 2, "azmdr", {"shape": "data_export"})),
    stage_record("failure", 3, jobId="7", properties="text"),
    stage_record("success", 3, level="Information"),
    staged(stage_bytes("success", 4)[:-1] + b',"level":"1","level":"2"}'),
]


def without(name: str, stage: str, seconds: float) -> StageRecord:
    fields = stage_fields(stage, seconds)
    del fields[name]
    return staged(encoded(fields))


def told_slowly(records: list[StageRecord]) -> Operation:
    with patch.object(condensed, "usual_order", lambda _: None):
        return condense(records)


@given(st.lists(st.sampled_from(LONE), min_size=1, max_size=4), st.randoms())
def test_it_is_told_as_without_patterns(records: list[StageRecord], random: Random) -> None:
    random.shuffle(records)
    assert condense(records) == told_slowly(records)


@given(operations())
def test_any_operation_is(contents: list[bytes]) -> None:
    records = [staged(content) for content in contents]
    assert condense(records) == told_slowly(records)


@pytest.mark.parametrize("name", ["properties", "resultSignature", "resourceId", "callerIpAddress"])
@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_so_is_one_whose_records_have_not_the_same_fields(name: str, lacking: int) -> None:
    stages = ["start", "accept", "success"]
    records = [
        without(name, stage, second) if second == lacking else stage_record(stage, second)
        for second, stage in enumerate(stages)
    ]
    assert condense(records) == told_slowly(records)


def test_the_usual_operation_is_found_to_be_one() -> None:
    records = [stage_record("start", 0), stage_record("success", 2, jobId="7"), stage_record("accept", 1)]
    assert [record.stage for record in usual_order(records) or ()] == ["start", "accept", "success"]


@pytest.mark.parametrize(
    "records",
    [
        [stage_record("success", 0), stage_record("start", 1)],
        [stage_record("start", 0), stage_record("accept", 0)],
        [stage_record("start", 0), stage_record("start", 1)],
        [stage_record("success", 0), stage_record("failure", 1)],
        [stage_record("start", 0), staged(stage_bytes("success", 1) + b" ")],
        [stage_record("start", time="2026-11-24T12:00:00Z")],
        [stage_record("start", azmdr=1)],
    ],
)
def test_any_other_is_told_by_reckoning(records: list[StageRecord]) -> None:
    assert usual_order(records) is None
