"""The destinations of diagnostic settings: whether they stand, and whether the caller may use them.

Source: learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings. That a named hub has to exist is
written nowhere; the lab asks for it.
"""

from collections.abc import Iterator
from typing import Final

from lab.azure.arm_error import bad_request, not_found
from lab.azure.call import Call
from lab.azure.diagnostic_settings import DiagnosticSetting, RegionalSink
from lab.azure.resource_id import ResourceId

LIST_KEYS: Final = "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action"
_RULE_TYPE: Final = "microsoft.eventhub/namespaces/authorizationrules"


def regional_sinks(call: Call, setting: DiagnosticSetting) -> Iterator[RegionalSink]:
    """The destinations of a setting that are bound to a region, each checked.

    Raises:
        ArmError: 400 for an id of the wrong kind, 403 for a destination the caller may not use, 404 for one
            that is not there.
    """
    if setting.workspace_id is not None:
        workspace = _parsed(setting.workspace_id, "workspaceId", "microsoft.operationalinsights/workspaces")
        call.check_linked("Microsoft.OperationalInsights/workspaces/sharedKeys/action", workspace)
        call.cloud.existing(workspace)
    if setting.storage_account_id is not None:
        account = _parsed(setting.storage_account_id, "storageAccountId", "microsoft.storage/storageaccounts")
        call.check_linked("Microsoft.Storage/storageAccounts/listKeys/action", account)
        yield RegionalSink(account.text, call.cloud.existing(account).location)
    if setting.event_hub_rule_id is not None:
        rule = _parsed(setting.event_hub_rule_id, "eventHubAuthorizationRuleId", _RULE_TYPE)
        call.check_linked(LIST_KEYS, rule)
        yield _event_hub_namespace(call, rule, setting.event_hub_name)


def _parsed(text: str, where: str, expected_type: str) -> ResourceId:
    try:
        parsed = ResourceId.parse(text)
    except ValueError as error:
        raise bad_request(f"The id '{text}' in 'properties.{where}' is invalid.") from error
    if parsed.type.lower() != expected_type:
        raise bad_request(
            f"Resource type '{parsed.type}' is invalid for property 'properties.{where}'. Expected types are "
            f"'{expected_type}'."
        )
    return parsed


def _event_hub_namespace(call: Call, rule_id: ResourceId, hub: str | None) -> RegionalSink:
    namespace = call.cloud.existing(ResourceId.parse(rule_id.parent_key))
    rule = call.cloud.rules[namespace.id.key].get(rule_id.names[-1].lower())
    if rule is None:
        raise not_found(f"The authorization rule '{rule_id.text}' was not found.")
    needed = "Send" if hub else "Manage"
    if needed not in rule.rights:
        raise bad_request(f"The authorization rule '{rule_id.text}' has no {needed} right.")
    if hub is not None and hub.lower() not in call.cloud.hubs[namespace.id.key]:
        raise bad_request(f"The event hub '{hub}' is not in the namespace '{namespace.id.text}'.")
    return RegionalSink(namespace.id.text, namespace.location)
