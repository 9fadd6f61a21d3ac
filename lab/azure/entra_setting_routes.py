"""Diagnostic settings of Entra ID over HTTP: a tenant's own, out of every provider's reach.

Source: microsoft.aadiam 2017-04-01 in Microsoft's REST API specifications;
learn.microsoft.com/entra/identity/monitoring-health/howto-configure-diagnostic-settings (Security
Administrator); github.com/Azure/azure-rest-api-specs issue 11085 (no service principal may).
"""

from typing import Final

from lab.azure.access import forbidden, linked_forbidden
from lab.azure.arm_error import bad_request, not_found
from lab.azure.call import Call, Route
from lab.azure.destinations import regional_sinks
from lab.azure.diagnostic_settings import DiagnosticSetting, Target, as_read, check
from lab.azure.log_categories import ENTRA_CATEGORIES
from lab.azure.resource_id import ResourceId
from lab.azure.setting_shape import SettingBody, shaped, shaped_category
from lab.azure.wire import Answer

_PROVIDER: Final = "microsoft.aadiam"


def _list(call: Call) -> Answer:
    _check_administrator(call, "read")
    existing = sorted(call.cloud.settings[_key(call)].all_latest())
    return Answer(200, {"value": [_shown(call, setting) for _, setting in existing]})


def _get(call: Call) -> Answer:
    _check_administrator(call, "read")
    setting = call.cloud.settings[_key(call)].latest(call.parts["name"].lower())
    if setting is None:
        raise not_found(f"The diagnostic setting '{call.parts['name']}' was not found.")
    return Answer(200, _shown(call, setting))


def _put(call: Call) -> Answer:
    _check_administrator(call, "write")
    setting = call.body(SettingBody).setting(call.parts["name"])
    _check_own_tenant(call, setting)
    # A tenant has no region, so its destinations may be anywhere; what counts is that they may be used.
    sinks = list(regional_sinks(call, setting))
    existing = [each for _, each in call.cloud.settings[_key(call)].all_latest()]
    check(setting, existing, Target("/", None, ENTRA_CATEGORIES), sinks, call.api_version)
    call.cloud.put_setting(_key(call), setting)
    return Answer(200, _shown(call, setting))


def _delete(call: Call) -> Answer:
    _check_administrator(call, "delete")
    gone = call.cloud.settings[_key(call)].remove(call.parts["name"].lower(), call.cloud.clock.now())
    return Answer(200 if gone else 204)


def _list_categories(call: Call) -> Answer:
    _check_administrator(call, "read")
    shown = [shaped_category(each.name, "Logs", each.groups, "", _PROVIDER) for each in ENTRA_CATEGORIES.logs]
    return Answer(200, {"value": shown})


def _key(call: Call) -> str:
    return f"/tenants/{call.principal.tenant_id}"


def _shown(call: Call, setting: DiagnosticSetting) -> dict[str, object]:
    read = as_read(setting, ENTRA_CATEGORIES)
    return shaped(read, "", _PROVIDER, call.api_version, ENTRA_CATEGORIES, call.turn)


def _check_administrator(call: Call, verb: str) -> None:
    if not (call.principal.is_user and call.principal.is_security_administrator):
        action = f"microsoft.aadiam/diagnosticSettings/{verb}"
        raise forbidden(call.principal, action, "/providers/microsoft.aadiam")


def _check_own_tenant(call: Call, setting: DiagnosticSetting) -> None:
    for sink in setting.sinks:
        try:
            parsed = ResourceId.parse(sink)
        except ValueError as error:
            raise bad_request(f"The id '{sink}' of a destination is invalid.") from error
        subscription = call.cloud.subscriptions.get(parsed.subscription_id)
        if subscription is None or subscription.tenant_id != call.principal.tenant_id:
            raise linked_forbidden(call.principal, "write", "/providers/microsoft.aadiam", sink)


_VERSIONS: Final = frozenset({"2017-04-01", "2017-04-01-preview"})
_SETTINGS: Final = "/providers/microsoft.aadiam/diagnosticSettings"

ROUTES: Final = (
    Route("GET", _SETTINGS, _VERSIONS, _list),
    Route("GET", _SETTINGS + "/{name}", _VERSIONS, _get),
    Route("PUT", _SETTINGS + "/{name}", _VERSIONS, _put),
    Route("DELETE", _SETTINGS + "/{name}", _VERSIONS, _delete),
    Route("GET", "/providers/microsoft.aadiam/diagnosticSettingsCategories", _VERSIONS, _list_categories),
)
