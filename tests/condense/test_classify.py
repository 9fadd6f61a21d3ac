"""What classifying promises: only a stage of an operation is condensed, everything else passes through."""

import json
from typing import Any

import pytest

from azmdr.condense import classify as classify_module
from azmdr.condense.classify import PassedRecord, RecordError, Stage, StageRecord, classify
from azmdr.condense.condensed import condense
from azmdr.condense.facts import Shape
from azmdr.condense.members import rebuild_records
from tests.condense.records import (
    SUBSCRIPTION,
    at,
    data_export_fields,
    encoded,
    old_data_export_fields,
    passed,
    rest_fields,
    sign_in_bytes,
    stage_bytes,
    stage_fields,
    stage_record,
    stage_with,
    staged,
)

ARM = "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"
POLICY = "MICROSOFT.AUTHORIZATION/POLICIES/AUDIT/ACTION"


def of_category(category: str | None, operation: str, result_type: str | None) -> bytes:
    fields = stage_fields("start", category=category, operationName=operation, resultType=result_type)
    return encoded({name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    "category", ["Administrative", "ADMINISTRATIVE", "Write", "Delete", "Action", "Policy"]
)
@pytest.mark.parametrize("result_type", ["Start", "Accept", "Success", "Failure"])
def test_a_stage_of_an_operation_is_condensed(category: str, result_type: str) -> None:
    assert isinstance(classify(of_category(category, ARM, result_type)), StageRecord)


@pytest.mark.parametrize(
    ("category", "operation", "result_type"),
    [
        ("Administrative", "Add member to role requested (PIM activation)", "Succeeded"),
        ("Administrative", ARM, "Resolved"),
        ("Administrative", ARM, None),
        ("Security", "Microsoft.Security/locations/alerts/activate/action", "Active"),
        ("ServiceHealth", "Microsoft.ServiceHealth/incident/action", "Active"),
        ("ServiceHealth", "Microsoft.ServiceHealth/incident/action", "Success"),
        ("ResourceHealth", "Microsoft.Resourcehealth/healthevent/Updated/action", "Updated"),
        ("Alert", "Microsoft.Insights/AlertRules/Activated/Action", "Succeeded."),
        ("Recommendation", "Microsoft.Advisor/recommendations/available/action", "Active"),
        ("Autoscale", "Microsoft.Insights/AutoscaleSettings/Scaleup/Action", "Succeeded"),
        ("SignInLogs", "Sign-in activity", "0"),
        ("AuditLogs", "Update user", None),
        ("RiskyUsers", "Risky user", None),
        ("ProvisioningLogs", "Provisioning activity", "Success"),
        ("MicrosoftGraphActivityLogs", "Microsoft Graph Activity", None),
        ("AuditEvent", "VaultGet", "Success"),
        ("StorageWrite", "PutBlob", None),
        ("kube-audit", "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read", None),
        ("A category nobody has seen yet", "MICROSOFT.NEW/THINGS/WRITE", "Start"),
        (None, ARM, "Start"),
    ],
)
def test_what_is_no_stage_of_an_operation_passes_through(
    category: str | None, operation: str, result_type: str | None
) -> None:
    record = passed(of_category(category, operation, result_type))
    assert (record.category, record.operation_name, record.result_type) == (category, operation, result_type)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("Start", Stage.START),
        ("Started", Stage.START),
        ("START.", Stage.START),
        ("Accept", Stage.ACCEPT),
        ("Accepted", Stage.ACCEPT),
        ("accepted.", Stage.ACCEPT),
        ("Success", Stage.SUCCESS),
        ("Succeeded", Stage.SUCCESS),
        ("Succeeded.", Stage.SUCCESS),
        (" succeeded ", Stage.SUCCESS),
        ("Failure", Stage.FAILURE),
        ("Failed", Stage.FAILURE),
        ("FAILED.", Stage.FAILURE),
    ],
)
def test_every_spelling_of_a_stage_is_known(text: str, stage: Stage) -> None:
    assert stage_record("start", resultType=text).stage is stage


def test_only_policy_does_not_wait() -> None:
    assert stage_record("start", category="Policy", operationName=POLICY).policy
    assert not stage_record("start").policy


def test_the_key_is_subscription_correlation_operation_and_resource_without_regard_to_case() -> None:
    fields = stage_fields("start")
    lower = {
        name: value.lower() if name in ("resourceId", "operationName", "correlationId") else value
        for name, value in fields.items()
    }
    assert staged(encoded(fields)).operation_id == staged(encoded(lower)).operation_id


@pytest.mark.parametrize(
    "other",
    [
        {"correlationId": "c-2"},
        {"operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE"},
        {"resourceId": f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/OTHER"},
    ],
)
def test_what_differs_in_its_key_is_another_operation(other: dict[str, str]) -> None:
    assert (
        stage_record("start").operation_id != staged(encoded({**stage_fields("start"), **other})).operation_id
    )


def test_without_a_subscription_the_tenant_tells_operations_apart() -> None:
    resource = "/providers/Microsoft.Management/managementGroups/root"
    one, two = (stage_record("start", resourceId=resource, tenantId=tenant) for tenant in ("t-1", "t-2"))
    assert one.operation_id != two.operation_id


@pytest.mark.parametrize("correlation", [None, ""])
def test_without_a_correlation_id_a_record_is_an_operation_of_its_own(correlation: str | None) -> None:
    start = stage_record("start", correlationId=correlation)
    success = stage_record("success", correlationId=correlation)
    assert start.operation_id != success.operation_id


@pytest.mark.parametrize("time", ["SOME-ERROR", "", None, 7, {"at": 1}, True, "0001-01-01T00:00:00Z"])
def test_a_stage_without_a_time_passes_through(time: object) -> None:
    record = passed(stage_bytes("start", time=time))
    assert record.time is None
    assert record.operation_name == ARM


@pytest.mark.parametrize("name", ["timeStamp", "timestamp", "EventTimeString"])
def test_the_other_names_of_the_time_are_known(name: str) -> None:
    fields = stage_fields("start")
    fields[name] = fields.pop("time")
    assert staged(encoded(fields)).time == stage_record("start").time


DECIDING = [
    "time",
    "resourceId",
    "operationName",
    "category",
    "resultType",
    "resultSignature",
    "callerIpAddress",
    "correlationId",
    "tenantId",
    "properties",
    "identity",
    "level",
    "durationMs",
]
DRIFT = [7, 1.5, "text", {"object": [1]}, ["list"], None, True, ""]


@pytest.mark.parametrize("name", DECIDING)
@pytest.mark.parametrize("value", DRIFT, ids=repr)
def test_a_field_of_another_type_costs_no_record(name: str, value: object) -> None:
    content = stage_with("start", 0, name, value)
    assert classify(content).content == content


@pytest.mark.parametrize("name", DECIDING)
def test_an_absent_field_costs_no_record(name: str) -> None:
    fields = stage_fields("start")
    fields.pop(name, None)
    assert classify(encoded(fields)).content == encoded(fields)


@pytest.mark.parametrize(
    "name", ["identity", "level", "durationMs", "properties", "resultSignature", "tenantId"]
)
@pytest.mark.parametrize("value", DRIFT, ids=repr)
def test_a_field_that_decides_nothing_may_be_anything(name: str, value: object) -> None:
    record = staged(stage_with("start", 0, name, value))
    assert record.operation_id == stage_record("start").operation_id


def test_level_in_two_spellings_is_one_record() -> None:
    assert stage_record("start", Level="4", level="Informational").stage is Stage.START


class TestDataExport:
    def test_an_operation_is_condensed(self) -> None:
        record = staged(encoded(data_export_fields("success")))
        assert record.stage is Stage.SUCCESS
        assert record.signature == "OK"
        assert record.time == stage_record("start").time

    def test_its_stages_share_an_operation(self) -> None:
        start, success = (staged(encoded(data_export_fields(stage))) for stage in ("start", "success"))
        assert start.operation_id == success.operation_id

    def test_a_sign_in_passes_through_under_the_name_of_its_table(self) -> None:
        fields = {
            "TimeGenerated": at(60),
            "Type": "SigninLogs",
            "Category": "SignInLogs",
            "OperationName": "Sign-in activity",
            "ResultType": "50140",
            "CorrelationId": "c-1",
            "AADTenantId": "t-1",
            "TenantId": "the-workspace",
            "IPAddress": "203.0.113.7",
            "Id": "event-1",
            "CreatedDateTime": at(0),
        }
        record = passed(encoded(fields))
        assert record.shape is Shape.DATA_EXPORT
        assert record.category == "SigninLogs"
        assert record.tenant_id == "t-1"
        assert record.result_type == "50140"
        assert record.caller_ip == "203.0.113.7"
        assert record.time == stage_record("start").time

    def test_the_workspace_is_not_taken_for_the_tenant(self) -> None:
        assert passed(b'{"TimeGenerated":"x","TenantId":"the-workspace"}').tenant_id is None

    def test_the_resource_id_is_that_of_the_table_or_the_older_column(self) -> None:
        old = data_export_fields("start")
        old["ResourceId"] = old.pop("_ResourceId").upper()
        assert staged(encoded(old)).operation_id == staged(encoded(data_export_fields("start"))).operation_id


SHAPES = {
    Shape.DIAGNOSTIC_SETTING: stage_fields,
    Shape.DATA_EXPORT: data_export_fields,
    Shape.OLD_DATA_EXPORT: old_data_export_fields,
    Shape.REST: rest_fields,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_known_in_every_shape(shape: Shape, stage: Stage) -> None:
    record = staged(encoded(SHAPES[shape](stage, 5)))
    assert (record.stage, record.shape) == (stage, shape)
    assert record.time == stage_record("start", 5).time
    assert record.operation_id == staged(encoded(SHAPES[shape]("start"))).operation_id


@pytest.mark.parametrize("shape", SHAPES)
def test_an_operation_says_the_same_of_itself_in_every_shape(shape: Shape) -> None:
    records = [staged(encoded(SHAPES[shape](stage, second))) for second, stage in enumerate(Stage)]
    operation = condense(records[:3])
    assert (operation.outcome, operation.attempts, operation.revision) == ("success", 1, 3)
    assert (operation.operation_name or "").upper() == ARM
    assert operation.category == "Administrative"
    assert operation.subscription_id == SUBSCRIPTION
    assert (operation.correlation_id, operation.caller_ip) == ("c-1", "203.0.113.7")
    assert rebuild_records(operation.operation, operation.members) == [one.content for one in records[:3]]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", DRIFT, ids=repr)
def test_no_field_of_another_type_costs_a_record_in_any_shape(shape: Shape, value: object) -> None:
    for name in SHAPES[shape]("start"):
        content = encoded({**SHAPES[shape]("start"), name: value})
        record = classify(content)
        assert record.content == content
        if isinstance(record, StageRecord):
            operation = condense([record])
            assert rebuild_records(operation.operation, operation.members) == [content]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_absent_field_costs_a_record_in_any_shape(shape: Shape) -> None:
    for name in SHAPES[shape]("start"):
        fields = SHAPES[shape]("start")
        del fields[name]
        assert classify(encoded(fields)).content == encoded(fields)


class TestRest:
    def test_a_name_may_be_a_text(self) -> None:
        plain = rest_fields("start", category="Administrative", status="Succeeded", operationName=ARM.lower())
        assert staged(encoded(plain)).stage is Stage.SUCCESS

    def test_what_older_events_call_otherwise_is_known(self) -> None:
        fields = rest_fields("start")
        old = {**fields, "eventSource": fields["category"], "resourceUri": fields["resourceId"]}
        del old["category"], old["resourceId"]
        assert staged(encoded(old)).operation_id == staged(encoded(fields)).operation_id

    def test_what_is_no_stage_passes_through_under_its_names(self) -> None:
        record = passed(encoded(rest_fields("start", category={"value": "Security"})))
        assert (record.shape, record.category) == (Shape.REST, "Security")
        assert record.time == stage_record("start").time

    def test_a_time_of_its_own_makes_it_the_record_of_a_diagnostic_setting(self) -> None:
        assert stage_record("start", eventTimestamp=at(7)).shape is Shape.DIAGNOSTIC_SETTING


class TestOldDataExport:
    @pytest.mark.parametrize(
        "properties", [{"message": ARM}, json.dumps({"message": ARM}), json.dumps({"message": ARM.lower()})]
    )
    def test_the_operation_is_named_by_the_message_of_its_properties(self, properties: object) -> None:
        record = staged(encoded(old_data_export_fields("start", Properties=properties)))
        assert record.operation_id == staged(encoded(old_data_export_fields("start"))).operation_id

    @pytest.mark.parametrize(
        "properties", ["", "no JSON", "[]", None, {"message": "in words"}, '{"message":7}']
    )
    def test_without_that_it_passes_through_under_the_name_for_people(self, properties: object) -> None:
        record = passed(encoded(old_data_export_fields("start", Properties=properties)))
        assert record.operation_name == "Create or Update Virtual Machine"

    def test_an_operation_that_stands_in_its_column_is_believed(self) -> None:
        policy = old_data_export_fields("start", OperationName=POLICY, Category="Policy")
        assert staged(encoded(policy)).policy

    def test_a_row_that_has_both_is_one_of_the_new(self) -> None:
        both = {**old_data_export_fields("start"), **data_export_fields("success")}
        assert staged(encoded(both)).shape is Shape.DATA_EXPORT


class TestEntraIdentity:
    def test_a_re_emission_is_the_same_event_and_the_latest_delivery_counts(self) -> None:
        first, again = passed(sign_in_bytes("e-1")), passed(sign_in_bytes("e-1", delivered=21.6))
        assert first.record_id == again.record_id
        assert first.digest != again.digest
        assert first.revision < again.revision

    def test_the_time_of_the_event_is_when_it_was_created(self) -> None:
        assert passed(sign_in_bytes("e-1", 5, delivered=60)).time == stage_record("start", 5).time

    def test_another_id_is_another_event(self) -> None:
        assert passed(sign_in_bytes("e-1")).record_id != passed(sign_in_bytes("e-2")).record_id

    def test_an_id_in_another_category_is_no_identity(self) -> None:
        def record(message: str) -> PassedRecord:
            return passed(encoded({"category": "AuditEvent", "properties": {"id": "x", "message": message}}))

        assert record("one").record_id != record("two").record_id

    @pytest.mark.parametrize("properties", [None, "text", 7, [], {}, {"id": None}])
    def test_without_an_id_the_content_is_the_identity(self, properties: object) -> None:
        record = passed(encoded({"time": at(0), "category": "SignInLogs", "properties": properties}))
        assert record.record_id == record.digest

    def test_an_event_without_a_readable_time_still_has_its_identity(self) -> None:
        content = encoded({"time": "?", "category": "AuditLogs", "properties": {"id": "e-1"}})
        assert (passed(content).time, passed(content).revision) == (None, 0)


def test_the_order_of_fields_and_blanks_make_no_other_record() -> None:
    fields = stage_fields("start")
    turned = dict(reversed(fields.items()))
    assert staged(encoded(fields)).digest == staged(json.dumps(turned, indent=2).encode()).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1.0}', b'{"a":1}'),
        (b'{"a":1e400}', b'{"a":1e401}'),
        (b'{"a":-0.0}', b'{"a":0.0}'),
        (b'{"a":"1"}', b'{"a":1}'),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a":[1,2]}', b'{"a":[2,1]}'),
        (b'{"x":{"a":1,"a":2}}', b'{"x":{"a":2}}'),
    ],
)
def test_records_that_differ_in_any_value_are_two(one: bytes, other: bytes) -> None:
    assert passed(one).digest != passed(other).digest


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"time":"1","x":"\xff"}', classify_module.INVALID_UTF8),
        (b'{"category":"\\ud800"}', classify_module.UNREADABLE_FIELD),
        (b'{"\\ud800":1}', classify_module.UNREADABLE_FIELD),
        (b'{"time":"1","x":"half \\ud800 a pair"}', classify_module.UNREADABLE_FIELD),
    ],
)
def test_what_no_row_can_hold_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RecordError) as refused:
        classify(content)
    assert refused.value.reason == reason
    assert refused.value.detail


def nested(levels: int) -> bytes:
    return stage_bytes("start")[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"


def below(frames: int, content: bytes) -> Any:
    """What classifying says when so many calls are already under way."""
    return below(frames - 1, content) if frames else outcome_of(content)


def outcome_of(content: bytes) -> str:
    try:
        return classify(content).digest
    except RecordError as refused:
        return refused.reason


@pytest.mark.parametrize("levels", [100, 200, 300, 400, 450, 480, 600, 2000])
def test_how_deep_a_record_may_be_does_not_depend_on_who_asks(levels: int) -> None:
    assert outcome_of(nested(levels)) == below(200, nested(levels))


def test_a_hundred_levels_are_not_too_deep() -> None:
    assert staged(nested(100)).stage is Stage.START
