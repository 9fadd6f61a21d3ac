"""Log Analytics over HTTP: workspaces and their data export rules."""

from typing import Final

from lab.azure.arm_error import ArmError, bad_request, conflict, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.data_exports import DataExport, check
from lab.azure.destinations import LIST_KEYS
from lab.azure.event_hubs import HUBS
from lab.azure.resource_id import ResourceId, respelled
from lab.azure.resources import Resource, as_listed
from lab.azure.wire import Answer
from lab.azure.workspace_tables import OWN_TABLES, check_tables_exist

_NAMESPACE_TYPE: Final = "microsoft.eventhub/namespaces"
_TYPES: Final = {_NAMESPACE_TYPE: "EventHub", "microsoft.storage/storageaccounts": "StorageAccount"}


class _MetaData(Body):
    event_hub_name: str | None = None


class _Destination(Body):
    resource_id: str
    meta_data: _MetaData | None = None


class _ExportProperties(Body):
    table_names: tuple[str, ...]
    destination: _Destination
    enable: bool = True


class _ExportBody(Body):
    properties: _ExportProperties


def _get_workspace(call: Call) -> Answer:
    return Answer(200, _shown_workspace(call, call.cloud.existing(call.scope)))


class _WorkspaceSku(Body):
    name: str


class _WorkspaceProperties(Body):
    sku: _WorkspaceSku = _WorkspaceSku(name="PerGB2018")


class _WorkspaceBody(Body):
    location: str
    properties: _WorkspaceProperties = _WorkspaceProperties()


def _put_workspace(call: Call) -> Answer:
    body = call.body(_WorkspaceBody)
    subscription_id, group = call.scope.subscription_id, call.scope.group or ""
    if call.cloud.group_location(subscription_id, group) is None:
        raise not_found(f"Resource group '{group}' could not be found.", "ResourceGroupNotFound")
    before = call.cloud.resource(call.scope)
    location = body.location.lower().replace(" ", "")
    if before is not None and before.location != location:
        raise conflict(
            f"The workspace '{call.scope.name}' stands in '{before.location}'.", "InvalidResourceLocation"
        )
    workspace = call.cloud.add_resource(call.scope.text, location, sku={"name": body.properties.sku.name})
    if before is None:
        call.cloud.add_tables(call.scope.text, OWN_TABLES)
    return Answer(200 if before else 201, _shown_workspace(call, workspace))


def _list_workspaces(call: Call) -> Answer:
    cloud = call.cloud
    seen = cloud.resources[call.scope.subscription_id].all_seen(cloud.clock.now() - cloud.visibility_lag)
    workspaces = [each for _, each in sorted(seen, key=lambda pair: pair[0]) if _is_workspace(each)]
    return Answer(200, {"value": [_shown_workspace(call, each) for each in workspaces]})


def _is_workspace(resource: Resource) -> bool:
    return resource.id.type.lower() == "microsoft.operationalinsights/workspaces"


def _list_exports(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    exports = call.cloud.exports[call.scope.key]
    return Answer(200, {"value": [_shown_export(call, exports[name]) for name in sorted(exports)]})


def _get_export(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    export = call.cloud.exports[call.scope.key].get(call.parts["export"].lower())
    if export is None:
        raise not_found(f"The data export '{call.parts['export']}' was not found.")
    return Answer(200, _shown_export(call, export))


def _put_export(call: Call) -> Answer:
    workspace = call.cloud.existing(call.scope)
    body = call.body(_ExportBody).properties
    destination = _destination(call, body.destination.resource_id)
    exports = call.cloud.exports[call.scope.key]
    before = exports.get(call.parts["export"].lower())
    export = _export(call, body, before)
    check(export, list(exports.values()), workspace.location, destination.location)
    check_tables_exist(export.tables, call.cloud.tables[call.scope.key].values())
    if destination.id.type.lower() == _NAMESPACE_TYPE:
        _check_hubs(call, destination, export)
    exports[export.name.lower()] = export
    return Answer(200 if before else 201, _shown_export(call, export))


def _export(call: Call, body: _ExportProperties, before: DataExport | None) -> DataExport:
    now = call.cloud.clock.now().isoformat()
    return DataExport(
        name=before.name if before else call.parts["export"],
        id=before.id if before else f"00000000-0000-4000-9000-{call.turn:012x}",
        tables=body.table_names,
        destination_id=body.destination.resource_id,
        event_hub_name=body.destination.meta_data.event_hub_name if body.destination.meta_data else None,
        enabled=body.enable,
        created=before.created if before else now,
        modified=now,
    )


def _destination(call: Call, text: str) -> Resource:
    try:
        destination = ResourceId.parse(text)
    except ValueError as error:
        raise bad_request(f"The destination '{text}' is no resource id.", "InvalidParameter") from error
    if destination.type.lower() not in _TYPES:
        raise bad_request(f"A data export can't go to a '{destination.type}'.", "InvalidParameter")
    if destination.type.lower() == _NAMESPACE_TYPE:
        call.check_linked("Microsoft.EventHub/namespaces/write", destination)
        call.check_linked(LIST_KEYS, destination)
    else:
        call.check_linked("Microsoft.Storage/storageAccounts/listKeys/action", destination)
    return call.cloud.existing(destination)


def _check_hubs(call: Call, namespace: Resource, export: DataExport) -> None:
    hubs = call.cloud.hubs[namespace.id.key]
    if export.event_hub_name is not None:
        if export.event_hub_name.lower() not in hubs:
            raise bad_request(f"The event hub '{export.event_hub_name}' is not in the namespace.")
        return
    wanted = {f"am-{table}".lower() for table in export.tables} - hubs.keys()
    room = HUBS[str((namespace.sku or {}).get("tier", "Standard")).lower()] - len(hubs)
    if len(wanted) > room:
        raise ArmError(403, "QuotaExceeded", "The namespace has no room for a hub for each table.")
    for name in sorted(wanted):
        call.cloud.add_event_hub(namespace.id.text, name)


def _delete_export(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    gone = call.cloud.exports[call.scope.key].pop(call.parts["export"].lower(), None)
    return Answer(200 if gone else 404)


def _shown_workspace(call: Call, workspace: Resource) -> dict[str, object]:
    sku = workspace.sku or {"name": "PerGB2018"}
    properties = {"provisioningState": "Succeeded", "sku": dict(sku), "retentionInDays": 30}
    listed = as_listed(workspace, call.cloud.clock.now(), call.turn)
    listed.pop("sku", None)
    return {**listed, "properties": properties}


def _shown_export(call: Call, export: DataExport) -> dict[str, object]:
    kind = _TYPES[ResourceId.parse(export.destination_id).type.lower()]
    destination: dict[str, object] = {
        "resourceId": respelled(export.destination_id, call.turn + 1),
        "type": kind,
    }
    if export.event_hub_name is not None:
        destination["metaData"] = {"eventHubName": export.event_hub_name}
    return {
        "id": f"{respelled(call.scope.text, call.turn)}/dataExports/{export.name}",
        "name": export.name,
        "type": "Microsoft.OperationalInsights/workspaces/dataExports",
        "properties": {
            "dataExportId": export.id,
            "destination": destination,
            "tableNames": list(export.tables),
            "enable": export.enabled,
            "createdDate": export.created,
            "lastModifiedDate": export.modified,
        },
    }


VERSIONS: Final = frozenset({"2020-08-01", "2022-10-01", "2023-09-01", "2025-02-01", "2025-07-01"})
_EXPORTS: Final = "{workspace}/dataExports"
_OF_WORKSPACE: Final = "Microsoft.OperationalInsights/workspaces/"
_OF_EXPORT: Final = _OF_WORKSPACE + "dataExports/"

ROUTES: Final = (
    Route(
        *("GET", "{subscription}/providers/Microsoft.OperationalInsights/workspaces", VERSIONS),
        _list_workspaces,
        _OF_WORKSPACE + "read",
    ),
    Route("GET", "{workspace}", VERSIONS, _get_workspace, _OF_WORKSPACE + "read"),
    Route("PUT", "{workspace}", VERSIONS, _put_workspace, _OF_WORKSPACE + "write"),
    Route("GET", _EXPORTS, VERSIONS, _list_exports, _OF_EXPORT + "read"),
    Route("GET", _EXPORTS + "/{export}", VERSIONS, _get_export, _OF_EXPORT + "read"),
    Route("PUT", _EXPORTS + "/{export}", VERSIONS, _put_export, _OF_EXPORT + "write"),
    Route("DELETE", _EXPORTS + "/{export}", VERSIONS, _delete_export, _OF_EXPORT + "delete"),
)
