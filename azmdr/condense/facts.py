"""Facts: what a record says of itself, read from either shape under one set of names.

Two shapes reach an event hub: that of a diagnostic setting, and that of a Log Analytics data export
with its PascalCase columns. Sources: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
and learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from azmdr.times import parse_time

ENTRA_EVENTS: Final = frozenset(
    {
        "auditlogs",
        "signinlogs",
        "noninteractiveusersigninlogs",
        "serviceprincipalsigninlogs",
        "managedidentitysigninlogs",
        "adfssigninlogs",
        "provisioninglogs",
        "aadnoninteractiveusersigninlogs",
        "aadserviceprincipalsigninlogs",
        "aadmanagedidentitysigninlogs",
        "aadprovisioninglogs",
    }
)
"""Categories (or data export tables) whose ``id`` names one event, so that a re-emission can be told."""

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]+)")


class Shape(StrEnum):
    """Which of the two forms a record has."""

    DIAGNOSTIC_SETTING = "diagnostic_setting"
    DATA_EXPORT = "data_export"


STAGE_FIELDS: Final = {
    Shape.DIAGNOSTIC_SETTING: ("resultType", "resultSignature", "properties"),
    Shape.DATA_EXPORT: ("ActivityStatusValue", "ActivitySubstatusValue", "Properties"),
}
"""By shape: the fields that hold the stage, the result's signature and the stage's properties."""


class _Fields(msgspec.Struct):
    """The fields of both shapes that say what a record is. Their types drift, so they are read raw."""

    time: msgspec.Raw = msgspec.Raw()
    time_stamp: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="timeStamp")
    timestamp: msgspec.Raw = msgspec.Raw()
    category: msgspec.Raw = msgspec.Raw()
    operation_name: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="operationName")
    result_type: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="resultType")
    result_signature: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="resultSignature")
    resource_id: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="resourceId")
    correlation_id: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="correlationId")
    caller_ip: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="callerIpAddress")
    tenant_id: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="tenantId")
    properties: msgspec.Raw = msgspec.Raw()

    time_generated: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="TimeGenerated")
    created: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="CreatedDateTime")
    activity_time: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ActivityDateTime")
    table: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="Type")
    table_category: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="Category")
    category_value: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="CategoryValue")
    table_operation: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="OperationName")
    operation_value: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="OperationNameValue")
    activity_status: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ActivityStatusValue")
    activity_substatus: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ActivitySubstatusValue")
    table_result: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ResultType")
    table_resource: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="_ResourceId")
    old_resource: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ResourceId")
    table_correlation: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="CorrelationId")
    table_caller_ip: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="CallerIpAddress")
    table_ip: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="IPAddress")
    entra_tenant: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="AADTenantId")
    event_id: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="Id")


class _EntraProperties(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw()
    created: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="createdDateTime")
    activity_time: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="activityDateTime")


@dataclass(frozen=True, slots=True)
class Facts:
    """What both shapes say, under one set of names."""

    shape: Shape
    time: int | None
    category: str | None
    operation_name: str | None
    stage: str | None
    signature: str | None
    result_type: str | None
    resource_id: str | None
    correlation_id: str | None
    caller_ip: str | None
    tenant_id: str | None
    event_id: str | None
    event_time: int | None


_fields = msgspec.json.Decoder(_Fields)
_entra_properties = msgspec.json.Decoder(_EntraProperties)
_text = msgspec.json.Decoder(str)


def describe(content: bytes) -> Facts:
    """Read what a record says of itself. Raises :class:`msgspec.DecodeError` where that can't be read."""
    fields = _fields.decode(content)
    if _given(fields.time_generated) and not _given(fields.time):
        return _data_export_facts(fields)
    return _diagnostic_setting_facts(fields)


def subscription_of(resource_id: str | None) -> str | None:
    """The subscription in a resource id, in lower case."""
    match = _SUBSCRIPTION.match((resource_id or "").lower())
    return match.group(1) if match else None


def _diagnostic_setting_facts(fields: _Fields) -> Facts:
    category = _read(fields.category)
    properties = _EntraProperties()
    if (category or "").lower() in ENTRA_EVENTS and bytes(fields.properties)[:1] == b"{":
        properties = _entra_properties.decode(fields.properties)
    return Facts(
        shape=Shape.DIAGNOSTIC_SETTING,
        time=_first_time(fields.time, fields.time_stamp, fields.timestamp),
        category=category,
        operation_name=_read(fields.operation_name),
        stage=_read(fields.result_type),
        signature=_read(fields.result_signature),
        result_type=_read(fields.result_type),
        resource_id=_read(fields.resource_id),
        correlation_id=_read(fields.correlation_id),
        caller_ip=_read(fields.caller_ip),
        tenant_id=_read(fields.tenant_id),
        event_id=_read(properties.id),
        event_time=_first_time(properties.created, properties.activity_time),
    )


def _data_export_facts(fields: _Fields) -> Facts:
    table = _read(fields.table)
    activity = _given(fields.activity_status)
    category = _first_text(fields.category_value, fields.table_category)
    return Facts(
        shape=Shape.DATA_EXPORT,
        time=_first_time(fields.time_generated),
        category=category if activity else table or category,
        operation_name=_first_text(fields.operation_value, fields.table_operation),
        stage=_read(fields.activity_status),
        signature=_read(fields.activity_substatus),
        result_type=_first_text(fields.activity_status, fields.table_result),
        resource_id=_first_text(fields.table_resource, fields.old_resource),
        correlation_id=_read(fields.table_correlation),
        caller_ip=_first_text(fields.table_caller_ip, fields.table_ip),
        tenant_id=_first_text(fields.entra_tenant),
        event_id=_read(fields.event_id),
        event_time=_first_time(fields.created, fields.activity_time),
    )


def _given(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def _read(raw: msgspec.Raw) -> str | None:
    """A field as text: a JSON text's own characters, a number or truth value as it is spelt."""
    if not _given(raw):
        return None
    spelt = bytes(raw)
    return _text.decode(spelt) if spelt[:1] == b'"' else spelt.decode()


def _first_text(*candidates: msgspec.Raw) -> str | None:
    return next((text for text in map(_read, candidates) if text), None)


def _first_time(*candidates: msgspec.Raw) -> int | None:
    texts = (text for text in map(_read, candidates) if text)
    return next((time for time in map(parse_time, texts) if time is not None), None)
