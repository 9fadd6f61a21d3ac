"""The tables of a Log Analytics workspace over HTTP.

Source: Microsoft.OperationalInsights 2022-10-01 in Microsoft's REST API specifications.
"""

from typing import Final

from lab.azure.arm_error import bad_request, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.log_analytics_routes import VERSIONS
from lab.azure.resource_id import respelled
from lab.azure.wire import Answer
from lab.azure.workspace_tables import ENTRA_TABLES, Table

_STANDARD_COLUMNS: Final = (("TenantId", "guid"), ("TimeGenerated", "dateTime"), ("Type", "string"))


def _list(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    tables = call.cloud.tables[call.scope.key]
    return Answer(200, {"value": [_shown(call, tables[name]) for name in sorted(tables)]})


def _get(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    table = call.cloud.tables[call.scope.key].get(call.parts["table"].lower())
    if table is None:
        raise not_found(f"The table '{call.parts['table']}' was not found.")
    return Answer(200, _shown(call, table))


class _Properties(Body):
    plan: str = "Analytics"


class _Body(Body):
    properties: _Properties = _Properties()


def _put(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    name, tables = call.parts["table"], call.cloud.tables[call.scope.key]
    known = {each.lower(): each for each in ENTRA_TABLES}
    if name.lower() not in known and not name.endswith("_CL"):
        raise bad_request(
            f"The table '{name}' is no table of Microsoft's, nor does it end with _CL.", "InvalidParameter"
        )
    table = Table(known.get(name.lower(), name), call.body(_Body).properties.plan)
    tables[name.lower()] = table
    return Answer(200, _shown(call, table))


def _shown(call: Call, table: Table) -> dict[str, object]:
    return {
        "id": f"{respelled(call.scope.text, call.turn)}/tables/{table.name}",
        "name": table.name,
        "type": "Microsoft.OperationalInsights/workspaces/tables",
        "properties": {
            "plan": table.plan,
            "retentionInDays": table.retention_days,
            "totalRetentionInDays": table.retention_days,
            "archiveRetentionInDays": 0,
            "retentionInDaysAsDefault": True,
            "totalRetentionInDaysAsDefault": True,
            "provisioningState": "Succeeded",
            "schema": _schema(table),
        },
    }


def _schema(table: Table) -> dict[str, object]:
    return {
        "name": table.name,
        "tableType": "CustomLog" if table.is_custom else "Microsoft",
        "tableSubType": "DataCollectionRuleBased" if table.is_custom else "Any",
        "source": "customer" if table.is_custom else "microsoft",
        "columns": [],
        "standardColumns": [{"name": name, "type": kind} for name, kind in _STANDARD_COLUMNS],
        "solutions": ["LogManagement"],
    }


_TABLES: Final = "{workspace}/tables"
_READ: Final = "Microsoft.OperationalInsights/workspaces/tables/read"
_WRITE: Final = "Microsoft.OperationalInsights/workspaces/tables/write"

ROUTES: Final = (
    Route("GET", _TABLES, VERSIONS, _list, _READ),
    Route("GET", _TABLES + "/{table}", VERSIONS, _get, _READ),
    Route("PUT", _TABLES + "/{table}", VERSIONS, _put, _WRITE),
)
