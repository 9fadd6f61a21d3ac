"""Facts: what a record says of itself, read from any shape under one set of names.

Two shapes reach an event hub by themselves: that of a diagnostic setting, and that of a Log Analytics data
export with its PascalCase columns, of which the activity log's had other names before. The third, that of
the REST interface, is what people have who fetched the activity log and send it on.
Sources: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema,
learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity
and learn.microsoft.com/rest/api/monitor/activity-logs/list.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeGuard

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
    """Which form a record has."""

    DIAGNOSTIC_SETTING = "diagnostic_setting"
    DATA_EXPORT = "data_export"
    OLD_DATA_EXPORT = "old_data_export"
    """The columns of AzureActivity before those whose names end in Value: ``ActivityStatus``."""
    REST = "rest"
    """An event of the Activity Logs REST interface: ``eventTimestamp``, names as objects with a ``value``."""


STAGE_FIELDS: Final = {
    Shape.DIAGNOSTIC_SETTING: ("resultType", "resultSignature", "properties"),
    Shape.DATA_EXPORT: ("ActivityStatusValue", "ActivitySubstatusValue", "Properties"),
    Shape.OLD_DATA_EXPORT: ("ActivityStatus", "ActivitySubstatus", "Properties"),
    Shape.REST: ("status", "subStatus", "properties"),
}
"""By shape: the fields that hold the stage, the result's signature and the stage's properties."""


Fields = Mapping[str, msgspec.Raw]
"""The fields of a record, each value as it is spelt. Their types drift, so they are read raw."""


class _EntraProperties(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw()
    created: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="createdDateTime")
    activity_time: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="activityDateTime")


class Facts(msgspec.Struct, frozen=True):
    """What every shape says, under one set of names."""

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


class _Named(msgspec.Struct):
    """A name in an event of the REST interface, which has it in the reader's language too."""

    value: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    message: msgspec.Raw = msgspec.Raw()


class _HttpRequest(msgspec.Struct):
    client_ip: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="clientIpAddress")


_named = msgspec.json.Decoder(_Named)
_message = msgspec.json.Decoder(_Message)
_http_request = msgspec.json.Decoder(_HttpRequest)
_entra_properties = msgspec.json.Decoder(_EntraProperties)
_text = msgspec.json.Decoder(str)
_NULL: Final = b"null"


def describe(fields: Fields) -> Facts:
    """Read what a record says of itself. Raises :class:`msgspec.DecodeError` where that can't be read."""
    match shape_of(fields):
        case Shape.DATA_EXPORT:
            return _data_export_facts(fields)
        case Shape.OLD_DATA_EXPORT:
            return _old_data_export_facts(fields)
        case Shape.REST:
            return _rest_facts(fields)
        case Shape.DIAGNOSTIC_SETTING:
            return _diagnostic_setting_facts(fields)


def shape_of(fields: Fields) -> Shape:
    """Which form a record has."""
    given = fields.get
    if _given(given("time")):
        return Shape.DIAGNOSTIC_SETTING
    if _given(given("TimeGenerated")):
        old = _given(given("ActivityStatus")) and not _given(given("ActivityStatusValue"))
        return Shape.OLD_DATA_EXPORT if old else Shape.DATA_EXPORT
    return Shape.REST if _given(given("eventTimestamp")) else Shape.DIAGNOSTIC_SETTING


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
        time=_first_time(get("time"), get("timeStamp"), get("timestamp"), get("EventTimeString")),
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


def _old_data_export_facts(fields: Fields) -> Facts:
    get = fields.get
    name = read_text(get("OperationName"))
    stage = read_text(get("ActivityStatus"))
    return Facts(
        shape=Shape.OLD_DATA_EXPORT,
        time=_first_time(get("TimeGenerated")),
        category=read_text(get("Category")),
        # The column has the name for people; the other stands in the properties as their message.
        operation_name=name if "/" in (name or "") else _message_in(get("Properties")) or name,
        stage=stage,
        signature=read_text(get("ActivitySubstatus")),
        result_type=stage,
        resource_id=_first_text(get("_ResourceId"), get("ResourceId")),
        correlation_id=read_text(get("CorrelationId")),
        caller_ip=read_text(get("CallerIpAddress")),
        tenant_id=None,
        event_id=None,
        event_time=None,
    )


def _rest_facts(fields: Fields) -> Facts:
    get = fields.get
    stage = _name(get("status"))
    request = get("httpRequest")
    return Facts(
        shape=Shape.REST,
        time=_first_time(get("eventTimestamp")),
        category=_name(get("category")) or _name(get("eventSource")),
        operation_name=_name(get("operationName")),
        stage=stage,
        signature=_name(get("subStatus")),
        result_type=stage,
        resource_id=_first_text(get("resourceId"), get("resourceUri")),
        correlation_id=read_text(get("correlationId")),
        caller_ip=read_text(_http_request.decode(request).client_ip) if _is_object(request) else None,
        tenant_id=read_text(get("tenantId")),
        event_id=None,
        event_time=None,
    )


def _is_object(raw: msgspec.Raw | None) -> TypeGuard[msgspec.Raw]:
    return raw is not None and bytes(raw)[:1] == b"{"


def _name(raw: msgspec.Raw | None) -> str | None:
    """A name that may be an object with the name and its translation."""
    return read_text(_named.decode(raw).value if _is_object(raw) else raw)


def _message_in(properties: msgspec.Raw | None) -> str | None:
    """The message of properties, which are an object or its JSON text; None where it names no operation."""
    spelt = bytes(properties or b"")
    try:
        content = _text.decode(spelt) if spelt[:1] == b'"' else spelt
        message = read_text(_message.decode(content).message)
    except msgspec.DecodeError:  # Properties are Azure's to change, and decide nothing but this name.
        return None
    return message if "/" in (message or "") else None


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
