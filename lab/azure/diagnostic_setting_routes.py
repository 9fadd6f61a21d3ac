"""Diagnostic settings over HTTP, on resources and on subscriptions."""

from typing import Final

from lab.azure.arm_error import bad_request, not_found
from lab.azure.call import Call, Route
from lab.azure.destinations import regional_sinks
from lab.azure.diagnostic_settings import DiagnosticSetting, Target, as_read, check
from lab.azure.log_categories import SUBSCRIPTION_CATEGORIES
from lab.azure.resource_id import ResourceId
from lab.azure.setting_shape import SettingBody, shaped, shaped_category
from lab.azure.wire import Answer

_PROVIDER: Final = "microsoft.insights"


def _list(call: Call) -> Answer:
    target = _target(call)
    seen_at = call.cloud.clock.now() - call.cloud.visibility_lag
    seen = call.cloud.settings[call.scope.key].all_seen(seen_at)
    return Answer(200, {"value": [_shown(call, target, setting) for _, setting in sorted(seen)]})


def _get(call: Call) -> Answer:
    target = _target(call)
    setting = call.cloud.settings[call.scope.key].latest(call.parts["name"].lower())
    if setting is None:
        raise not_found(
            f"The diagnostic setting '{call.parts['name']}' of '{target.id}' was not found.",
            "ResourceNotFound",
        )
    return Answer(200, _shown(call, target, setting))


def _put(call: Call) -> Answer:
    target = _target(call)
    setting = call.body(SettingBody).setting(call.parts["name"])
    sinks = list(regional_sinks(call, setting))
    existing = [each for _, each in call.cloud.settings[call.scope.key].all_latest()]
    check(setting, existing, target, sinks, call.api_version)
    call.cloud.put_setting(call.scope.key, setting)
    return Answer(200, shaped(setting, target.id, _PROVIDER, call.api_version, target.catalogue, call.turn))


def _delete(call: Call) -> Answer:
    _target(call)
    gone = call.cloud.settings[call.scope.key].remove(call.parts["name"].lower(), call.cloud.clock.now())
    return Answer(200 if gone else 204)


def _list_categories(call: Call) -> Answer:
    target = _target(call)
    return Answer(200, {"value": _categories(target)})


def _get_category(call: Call) -> Answer:
    wanted = call.parts["name"].lower()
    for category in _categories(_target(call)):
        if str(category["name"]).lower() == wanted:
            return Answer(200, category)
    raise not_found(f"The diagnostic settings category '{call.parts['name']}' was not found.")


def _categories(target: Target) -> list[dict[str, object]]:
    logs = [
        shaped_category(each.name, "Logs", each.groups, target.id, _PROVIDER)
        for each in target.catalogue.logs
    ]
    metrics = [
        shaped_category(name, "Metrics", frozenset(), target.id, _PROVIDER)
        for name in target.catalogue.metrics
    ]
    return [*logs, *metrics]


def _shown(call: Call, target: Target, setting: DiagnosticSetting) -> dict[str, object]:
    read = as_read(setting, target.catalogue)
    return shaped(read, target.id, _PROVIDER, call.api_version, target.catalogue, call.turn)


def _target(call: Call) -> Target:
    scope = call.scope
    if scope.namespace is None and scope.group is None:
        return Target(scope.text, None, SUBSCRIPTION_CATEGORIES)
    return _resource_target(call, scope)


def _resource_target(call: Call, scope: ResourceId) -> Target:
    catalogue = call.cloud.catalogues.get(scope.type.lower())
    if scope.namespace is None or catalogue is None:
        raise bad_request(
            f"The resource type '{scope.type.lower()}' does not support diagnostic settings.",
            "ResourceTypeNotSupported",
        )
    location = call.cloud.existing(scope).location
    return Target(scope.text, None if location == "global" else location, catalogue)


_SETTINGS: Final = "{scope}/providers/Microsoft.Insights/diagnosticSettings"
_CATEGORIES: Final = "{scope}/providers/Microsoft.Insights/diagnosticSettingsCategories"
_READ: Final = "Microsoft.Insights/diagnosticSettings/read"
_WRITE: Final = "Microsoft.Insights/diagnosticSettings/write"
_REMOVE: Final = "Microsoft.Insights/diagnosticSettings/delete"
_READ_CATEGORIES: Final = "Microsoft.Insights/diagnosticSettingsCategories/read"
_VERSIONS: Final = frozenset({"2017-05-01-preview", "2021-05-01-preview"})

ROUTES: Final = (
    Route("GET", _SETTINGS, _VERSIONS, _list, _READ),
    Route("GET", _SETTINGS + "/{name}", _VERSIONS, _get, _READ),
    Route("PUT", _SETTINGS + "/{name}", _VERSIONS, _put, _WRITE),
    Route("DELETE", _SETTINGS + "/{name}", _VERSIONS, _delete, _REMOVE),
    Route("GET", _CATEGORIES, _VERSIONS, _list_categories, _READ_CATEGORIES),
    Route("GET", _CATEGORIES + "/{name}", _VERSIONS, _get_category, _READ_CATEGORIES),
)
