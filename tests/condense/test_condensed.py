"""What a condensed record promises: its shape, who speaks for each stage, and that only the set counts."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.condense.classify import StageRecord
from azmdr.condense.condensed import Operation, condense
from azmdr.condense.record_layout import ADDED, CONDENSED
from azmdr.times import as_datetime
from tests.condense.records import (
    NOON,
    SUBSCRIPTION,
    at,
    data_export_fields,
    encoded,
    stage_fields,
    stage_record,
    staged,
)

START, ACCEPT, SUCCESS, FAILURE = "start", "accept", "success", "failure"


def record_of(*records: StageRecord) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(condense(records).operation)
    return told


def test_the_condensed_record_has_the_published_shape() -> None:
    records = [stage_fields(START, 0), stage_fields(ACCEPT, 1), stage_fields(SUCCESS, 2)]
    told = record_of(*(staged(encoded(fields)) for fields in records))
    start = dict(records[0])
    of_the_stage = {name: start.pop(name) for name in ("resultSignature", "properties", "resultType")}
    added = told.pop(ADDED)
    assert told == {
        **start,
        "azure_activity_administrative_condensed": {
            "num_correlated_records": 3,
            "statuses": {
                "start": {
                    "resultSignature": of_the_stage["resultSignature"],
                    "properties": of_the_stage["properties"],
                },
                "accept": {
                    "resultSignature": records[1]["resultSignature"],
                    "properties": records[1]["properties"],
                },
                "success": {
                    "resultSignature": records[2]["resultSignature"],
                    "properties": records[2]["properties"],
                },
            },
        },
    }
    assert added["outcome"] == "success"


def test_what_the_published_shape_cant_say_stands_beside_it() -> None:
    records = [
        stage_record(START, 0),
        stage_record(FAILURE, 1),
        stage_record(START, 2),
        stage_record(ACCEPT, 3),
    ]
    operation = condense(records)
    added = json.loads(operation.operation)[ADDED]
    assert added["operation_id"] == operation.operation_id
    assert added["revision"] == 4
    assert added["shape"] == "diagnostic_setting"
    assert (added["outcome"], added["complete"]) == ("accepted", False)
    assert (added["ambiguous"], added["conflict"]) == (False, False)
    assert added["told_by"] == {"start": 0, "accept": 3, "failure": 1}, "counted in the order of the records"
    assert [attempt["outcome"] for attempt in added["attempts"]] == ["failure", "accepted"]
    first = f"{NOON:%Y-%m-%dT%H:%M:%S}Z"
    assert added["attempts"][0]["stages"]["start"] == {
        "count": 1,
        "first": first,
        "last": first,
        "signatures": ["Started."],
    }


def test_the_columns_say_the_same_as_the_record() -> None:
    operation = condense([stage_record(FAILURE, 3700), stage_record(START, 0.5, tenantId="t-1")])
    assert operation.revision == 2
    assert operation.time == as_datetime(stage_record(START, 0.5).time)
    assert operation.last_time == as_datetime(stage_record(START, 3700).time)
    assert operation.hour == NOON
    assert operation.outcome == "failure"
    assert operation.attempts == 1
    assert operation.category == "Administrative"
    assert operation.operation_name == "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"
    assert (operation.resource_id or "").endswith("/VIRTUALMACHINES/WEB-1")
    assert operation.subscription_id == SUBSCRIPTION
    assert operation.tenant_id == "t-1"
    assert operation.correlation_id == "c-1"
    assert operation.caller_ip == "203.0.113.7"
    assert operation.result_signature == "Failed.Forbidden"


def test_the_last_attempt_decides_what_became_of_the_operation() -> None:
    records = [
        stage_record(START, 0),
        stage_record(FAILURE, 1),
        stage_record(START, 2),
        stage_record(SUCCESS, 3),
    ]
    assert (condense(records).outcome, condense(records).attempts) == ("success", 2)


def test_all_accepts_are_counted() -> None:
    records = [stage_record(ACCEPT, second, resultSignature="Accepted.") for second in range(28)]
    told = record_of(stage_record(START), *records)
    assert told[CONDENSED]["num_correlated_records"] == 29
    assert told[ADDED]["attempts"][0]["stages"]["accept"]["count"] == 28
    assert list(told[CONDENSED]["statuses"]) == ["start", "accept"]


class TestSpeakers:
    def test_the_first_start_with_a_request_body_speaks(self) -> None:
        bare = stage_record(START, 0, properties={"n": 1})
        full, later = stage_record(START, 1), stage_record(START, 2, properties={"requestbody": "later"})
        told = record_of(bare, full, later)
        assert told[ADDED]["told_by"]["start"] == 1
        assert (
            told[CONDENSED]["statuses"]["start"]["properties"]["requestbody"] == '{"location":"westeurope"}'
        )

    @pytest.mark.parametrize("stage", [ACCEPT, SUCCESS])
    def test_the_first_answer_with_a_body_speaks(self, stage: str) -> None:
        bare = stage_record(stage, 1, properties={"statusMessage": "in progress"})
        full, later = stage_record(stage, 2), stage_record(stage, 3, properties={"responseBody": "later"})
        assert record_of(bare, full, later)[ADDED]["told_by"][stage] == 1

    def test_the_latest_failure_with_a_message_speaks(self) -> None:
        records = [
            stage_record(FAILURE, 1),
            stage_record(FAILURE, 2),
            stage_record(FAILURE, 3, properties={}),
        ]
        assert record_of(*records)[ADDED]["told_by"]["failure"] == 1

    def test_a_body_in_the_json_text_of_an_export_is_a_body(self) -> None:
        bare = staged(encoded(data_export_fields(START, 0, Properties="{}")))
        full = staged(encoded(data_export_fields(START, 1)))
        assert record_of(bare, full)[ADDED]["told_by"]["start"] == 1

    def test_where_nobody_has_a_body_the_first_start_and_the_last_success_speak(self) -> None:
        starts = [stage_record(START, second, properties=None) for second in (0, 1)]
        ends = [stage_record(SUCCESS, second, properties=None) for second in (2, 3)]
        told_by = record_of(*starts, *ends)[ADDED]["told_by"]
        assert told_by == {"start": 0, "success": 3}

    def test_a_stage_without_signature_and_properties_says_nothing(self) -> None:
        fields = stage_fields(START)
        del fields["resultSignature"], fields["properties"]
        assert record_of(staged(encoded(fields)))[CONDENSED]["statuses"] == {"start": {}}


class TestBase:
    def test_who_asked_is_taken_from_the_start_whatever_came_first(self) -> None:
        start = stage_record(START, 5, identity={"name": "asker"})
        assert record_of(stage_record(ACCEPT, 0, identity={"name": "azure"}), start)["identity"] == {
            "name": "asker"
        }

    def test_without_a_start_the_first_record_is_the_base(self) -> None:
        told = record_of(stage_record(SUCCESS, 5, level="late"), stage_record(ACCEPT, 1, level="early"))
        assert told["level"] == "early"

    def test_a_field_of_the_condensed_records_own_names_does_not_get_in_its_way(self) -> None:
        told = record_of(staged(encoded({**stage_fields(START), ADDED: "mine", CONDENSED: "mine too"})))
        assert told[CONDENSED]["num_correlated_records"] == 1
        assert told[ADDED]["outcome"] == "started"


def test_a_data_export_keeps_its_own_field_names_around_the_same_statuses() -> None:
    records = [data_export_fields(START), data_export_fields(SUCCESS, 1)]
    told = record_of(*(staged(encoded(fields)) for fields in records))
    assert told["OperationNameValue"] == records[0]["OperationNameValue"]
    assert told[CONDENSED]["statuses"]["success"] == {
        "resultSignature": "OK",
        "properties": records[1]["Properties"],
    }
    assert "Properties" not in told
    assert told[ADDED]["shape"] == "data_export"


def test_numbers_keep_their_spelling() -> None:
    content = encoded(stage_fields(START))[:-1] + b',"big":1234567890123456789012345678901234,"small":1.10}'
    operation = condense([staged(content)]).operation
    assert '"big":1234567890123456789012345678901234' in operation
    assert '"small":1.10' in operation


@st.composite
def sets_of_records(draw: st.DrawFn) -> list[StageRecord]:
    """Records of one operation: any stages, times that coincide, bodies there or not."""
    bodies: list[dict[str, Any]] = [{}, {"properties": None}, {"properties": {}}, {"resultSignature": None}]
    records = []
    for _ in range(draw(st.integers(1, 8))):
        stage = draw(st.sampled_from([START, ACCEPT, SUCCESS, FAILURE]))
        fields = stage_fields(stage, draw(st.integers(0, 4)) * 1800, level=draw(st.sampled_from("012")))
        records.append(staged(encoded({**fields, **draw(st.sampled_from(bodies))})))
    return records


@given(sets_of_records(), st.integers(0, 1 << 30))
def test_only_the_set_of_records_counts(records: list[StageRecord], seed: int) -> None:
    random = Random(seed)
    again = [*records, *random.choices(records, k=random.randrange(4))]
    random.shuffle(again)
    assert condense(again) == condense(records)


@given(st.lists(st.sampled_from(["time", "level", "properties", "resultType"]), unique=True), st.booleans())
def test_one_record_in_two_spellings_condenses_the_same_in_either_order(
    names: list[str], blanks: bool
) -> None:
    fields = stage_fields(START, level="4")
    turned = {**{name: fields[name] for name in names}, **fields}
    spellings = [staged(encoded(fields)), staged(json.dumps(turned, indent=2 if blanks else None).encode())]
    assert condense(spellings) == condense(spellings[::-1])


@given(sets_of_records())
def test_more_records_are_a_higher_revision(records: list[StageRecord]) -> None:
    def revision(some: list[StageRecord]) -> int:
        return condense(some).revision

    more = [*records, stage_record(SUCCESS, 9 * 3600)]
    assert revision(more) == revision(records) + 1


def test_an_operation_belongs_to_the_hour_of_its_earliest_record() -> None:
    def of(*seconds: float) -> Operation:
        return condense(stage_record(START, second) for second in seconds)

    assert of(3599.9, 3600).hour == NOON
    assert of(3600).hour > NOON
    assert at(3600).startswith("2026-11-24T13")
