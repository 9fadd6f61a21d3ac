"""Records as Azure writes them, for tests: stages of operations, sign-ins, resource logs, broken ones."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from azmdr.condense.classify import PassedRecord, StageRecord, classify

NOON: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SUBSCRIPTION: Final = "6e0b1c2d-0000-4000-8000-000000000001"
STAGES: Final = {
    "start": ("Start", "Started."),
    "accept": ("Accept", "Accepted.Created"),
    "success": ("Success", "Succeeded.OK"),
    "failure": ("Failure", "Failed.Forbidden"),
}
BODIES: Final = {
    "start": {"requestbody": '{"location":"westeurope"}'},
    "accept": {"responseBody": '{"state":"Creating"}', "statusCode": "Created"},
    "success": {"responseBody": '{"state":"Succeeded"}', "statusCode": "OK"},
    "failure": {"statusMessage": '{"error":{"code":"AuthorizationFailed"}}', "statusCode": "Forbidden"},
}


def at(seconds: float) -> str:
    """So many seconds after noon, with seven digits of fraction as the Activity Log has them."""
    return f"{NOON + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}0Z"


def encoded(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def stage_fields(stage: str, seconds: float = 0, correlation: str = "c-1", **fields: Any) -> dict[str, Any]:
    """One stage of writing a virtual machine, as a diagnostic setting sends it."""
    result_type, signature = STAGES[stage]
    return {
        "time": at(seconds),
        "resourceId": f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/RG/PROVIDERS"
        "/MICROSOFT.COMPUTE/VIRTUALMACHINES/WEB-1",
        "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
        "category": "Administrative",
        "resultType": result_type,
        "resultSignature": signature,
        "callerIpAddress": "203.0.113.7",
        "correlationId": correlation,
        "properties": {"eventCategory": "Administrative", **BODIES[stage]},
        **fields,
    }


def stage_bytes(stage: str, seconds: float = 0, correlation: str = "c-1", **fields: Any) -> bytes:
    return encoded(stage_fields(stage, seconds, correlation, **fields))


def stage_with(stage: str, seconds: float, name: str, value: object) -> bytes:
    """A stage one of whose fields has any value."""
    return encoded({**stage_fields(stage, seconds), name: value})


def stage_record(stage: str, seconds: float = 0, correlation: str = "c-1", **fields: Any) -> StageRecord:
    return staged(stage_bytes(stage, seconds, correlation, **fields))


def data_export_fields(stage: str, seconds: float = 0, **fields: Any) -> dict[str, Any]:
    """The same stage as a Log Analytics data export sends it."""
    result_type, signature = STAGES[stage]
    return {
        "TimeGenerated": at(seconds),
        "Type": "AzureActivity",
        "TenantId": "the-workspace",
        "OperationNameValue": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
        "CategoryValue": "Administrative",
        "ActivityStatusValue": result_type,
        "ActivitySubstatusValue": signature.partition(".")[2],
        "CorrelationId": "c-1",
        "_ResourceId": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg",
        "CallerIpAddress": "203.0.113.7",
        "Properties": json.dumps(BODIES[stage]),
        **fields,
    }


def old_data_export_fields(stage: str, seconds: float = 0, **fields: Any) -> dict[str, Any]:
    """The same stage in the columns AzureActivity had before."""
    old = {"start": "Started", "accept": "Accepted", "success": "Succeeded", "failure": "Failed"}
    properties = {"message": "Microsoft.Compute/virtualMachines/write", **BODIES[stage]}
    return {
        "TimeGenerated": at(seconds),
        "Type": "AzureActivity",
        "OperationName": "Create or Update Virtual Machine",
        "Category": "Administrative",
        "ActivityStatus": old[stage],
        "ActivitySubstatus": "" if stage == "start" else "Created (HTTP Status Code: 201)",
        "CorrelationId": "c-1",
        "ResourceId": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg",
        "CallerIpAddress": "203.0.113.7",
        "Properties": json.dumps(properties),
        **fields,
    }


def rest_fields(stage: str, seconds: float = 0, **fields: Any) -> dict[str, Any]:
    """The same stage as the REST interface of the Activity Log gives it."""
    old = {"start": "Started", "accept": "Accepted", "success": "Succeeded", "failure": "Failed"}

    def named(name: str) -> dict[str, str]:
        return {"value": name, "localizedValue": f"{name}, in other words"}

    return {
        "authorization": {"action": "Microsoft.Compute/virtualMachines/write"},
        "correlationId": "c-1",
        "category": named("Administrative"),
        "httpRequest": {"clientIpAddress": "203.0.113.7", "method": "PUT"},
        "resourceId": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg",
        "operationId": f"a new one for each record: {stage}",
        "operationName": named("Microsoft.Compute/virtualMachines/write"),
        "properties": BODIES[stage],
        "status": named(old[stage]),
        "subStatus": named("" if stage == "start" else "Created"),
        "eventTimestamp": at(seconds),
        "submissionTimestamp": at(seconds + 20),
        "tenantId": "t-1",
        **fields,
    }


def sign_in_bytes(event_id: str, seconds: float = 0, delivered: float = 0) -> bytes:
    """A sign-in. ``delivered`` moves only the outer time, as a re-emission does."""
    return encoded(
        {
            "time": at(seconds + delivered),
            "resourceId": "/tenants/t-1/providers/Microsoft.aadiam",
            "operationName": "Sign-in activity",
            "category": "SignInLogs",
            "resultType": "0",
            "tenantId": "t-1",
            "properties": {"id": event_id, "createdDateTime": at(seconds)},
        }
    )


def resource_log_bytes(name: str, seconds: float | None = 0) -> bytes:
    """A resource log; without seconds it has no time of its own."""
    fields: dict[str, Any] = {"category": "kube-audit", "operationName": "Read", "properties": {"pod": name}}
    return encoded(fields if seconds is None else {"time": at(seconds), **fields})


def staged(content: bytes) -> StageRecord:
    """Classified; fails the test when it is not a stage of an operation."""
    record = classify(content)
    assert isinstance(record, StageRecord)
    return record


def passed(content: bytes) -> PassedRecord:
    """Classified; fails the test when it does not pass through."""
    record = classify(content)
    assert isinstance(record, PassedRecord)
    return record


def envelope(*records: bytes) -> bytes:
    """A body as Azure Monitor sends it."""
    return b'{"records": [' + b",".join(records) + b"]}"
