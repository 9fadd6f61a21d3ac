"""Facts: what a record says of itself, read from either shape under one set of names.

Two shapes reach an event hub: that of a diagnostic setting, and that of a Log Analytics data export
with its PascalCase columns. Sources: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
and learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity.
"""

import re
from collections.abc import Mapping
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


Fields = Mapping[str, msgspec.Raw]
"""The fields of a record, each value as it is spelt. Their types drift, so they are read raw."""


class _EntraProperties(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw()
    created: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="createdDateTime")
    activity_time: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="activityDateTime")


class Facts(msgspec.Struct, frozen=True):
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


_entra_properties = msgspec.json.Decoder(_EntraProperties)
_text = msgspec.json.Decoder(str)
_NULL: Final = b"null"


def describe(fields: Fields) -> Facts:
    """Read what a record says of itself. Raises :class:`msgspec.DecodeError` where that can't be read."""
    if shape_of(fields) is Shape.DATA_EXPORT:
        return _data_export_facts(fields)
    return _diagnostic_setting_facts(fields)


def shape_of(fields: Fields) -> Shape:
    """Which of the two forms a record has."""
    exported = _given(fields.get("TimeGenerated")) and not _given(fields.get("time"))
    return Shape.DATA_EXPORT if exported else Shape.DIAGNOSTIC_SETTING


def subscription_of(resource_id: str | None) -> str | None:
    """The subscription in a resource id, in lower case."""
    match = _SUBSCRIPTION.match((resource_id or "").lower())
    return match.group(1) if match else None


def _diagnostic_setting_facts(fields: Fields) -> Facts:
    get = fields.get
    category = read_text(get("category"))
    properties = get("properties")
    entra = _NO_PROPERTIES
    if properties is not None and (category or "").lower() in ENTRA_EVENTS and bytes(properties)[:1] == b"{":
        entra = _entra_properties.decode(properties)
    stage = read_text(get("resultType"))
    return Facts(
        shape=Shape.DIAGNOSTIC_SETTING,
        time=_first_time(get("time"), get("timeStamp"), get("timestamp")),
        category=category,
        operation_name=read_text(get("operationName")),
        stage=stage,
        signature=read_text(get("resultSignature")),
        result_type=stage,
        resource_id=read_text(get("resourceId")),
        correlation_id=read_text(get("correlationId")),
        caller_ip=read_text(get("callerIpAddress")),
        tenant_id=read_text(get("tenantId")),
        event_id=read_text(entra.id),
        event_time=_first_time(entra.created, entra.activity_time),
    )


def _data_export_facts(fields: Fields) -> Facts:
    get = fields.get
    table = read_text(get("Type"))
    activity = _given(get("ActivityStatusValue"))
    category = _first_text(get("CategoryValue"), get("Category"))
    return Facts(
        shape=Shape.DATA_EXPORT,
        time=_first_time(get("TimeGenerated")),
        category=category if activity else table or category,
        operation_name=_first_text(get("OperationNameValue"), get("OperationName")),
        stage=read_text(get("ActivityStatusValue")),
        signature=read_text(get("ActivitySubstatusValue")),
        result_type=_first_text(get("ActivityStatusValue"), get("ResultType")),
        resource_id=_first_text(get("_ResourceId"), get("ResourceId")),
        correlation_id=read_text(get("CorrelationId")),
        caller_ip=_first_text(get("CallerIpAddress"), get("IPAddress")),
        tenant_id=_first_text(get("AADTenantId")),
        event_id=read_text(get("Id")),
        event_time=_first_time(get("CreatedDateTime"), get("ActivityDateTime")),
    )


def _given(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(raw) not in (b"", _NULL)


def read_text(raw: msgspec.Raw | bytes | None) -> str | None:
    """A field as text: a JSON text's own characters, a number or truth value as it is spelt."""
    if raw is None:
        return None
    spelt = bytes(raw)
    if spelt[:1] == b'"':
        return _text.decode(spelt) if b"\\" in spelt else spelt[1:-1].decode()
    return None if spelt in (b"", _NULL) else spelt.decode()


def _first_text(*candidates: msgspec.Raw | None) -> str | None:
    return next((text for text in map(read_text, candidates) if text), None)


def _first_time(*candidates: msgspec.Raw | None) -> int | None:
    for candidate in candidates:
        text = read_text(candidate)
        if text and (time := parse_time(text)) is not None:
            return time
    return None


_NO_PROPERTIES: Final = _EntraProperties()
