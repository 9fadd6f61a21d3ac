"""Diagnostic settings on the wire: the body a PUT brings, the shape an answer has.

Source: Microsoft.Insights 2021-05-01-preview and microsoft.aadiam 2017-04-01 in Microsoft's REST API
specifications.
"""

from typing import Final

from pydantic import Field

from lab.azure.arm_error import bad_request
from lab.azure.call import Body
from lab.azure.diagnostic_settings import KNOWS_GROUPS, DiagnosticSetting, Switch
from lab.azure.log_categories import Catalogue
from lab.azure.resource_id import respelled

_NO_RETENTION: Final = {"enabled": False, "days": 0}


class RetentionBody(Body):
    """How long a storage account would keep it."""

    enabled: bool
    days: int = Field(ge=0)


class SwitchBody(Body):
    """A log or a metric."""

    category: str | None = None
    category_group: str | None = None
    enabled: bool
    retention_policy: RetentionBody | None = None


class PropertiesBody(Body):
    """The properties of a setting."""

    storage_account_id: str | None = None
    workspace_id: str | None = None
    event_hub_authorization_rule_id: str | None = None
    event_hub_name: str | None = None
    marketplace_partner_id: str | None = None
    log_analytics_destination_type: str | None = None
    logs: tuple[SwitchBody, ...] | None = None
    metrics: tuple[SwitchBody, ...] | None = None


class SettingBody(Body):
    """The body of a PUT."""

    properties: PropertiesBody

    def setting(self, name: str) -> DiagnosticSetting:
        """The setting it stands for; an empty id is none.

        Raises:
            ArmError: 400 when it asks for retention, which new settings may no longer.
        """
        body = self.properties
        switches = (*(body.logs or ()), *(body.metrics or ()))
        if any(each.retention_policy and each.retention_policy.enabled for each in switches):
            raise bad_request("Diagnostic settings does not support retention for new diagnostic settings.")
        return DiagnosticSetting(
            name=name,
            logs=tuple(_switch(each) for each in body.logs or ()),
            metrics=tuple(_switch(each) for each in body.metrics or ()),
            event_hub_rule_id=body.event_hub_authorization_rule_id or None,
            event_hub_name=body.event_hub_name or None,
            storage_account_id=body.storage_account_id or None,
            workspace_id=body.workspace_id or None,
            marketplace_partner_id=body.marketplace_partner_id or None,
            workspace_tables=body.log_analytics_destination_type or None,
        )


def _switch(body: SwitchBody) -> Switch:
    return Switch(body.category or None, body.category_group or None, body.enabled)


def shaped(
    setting: DiagnosticSetting, place: str, provider: str, api_version: str, catalogue: Catalogue, turn: int
) -> dict[str, object]:
    """A setting as an answer shows it.

    Args:
        setting: the setting.
        place: the id of its target as text; empty for a tenant.
        provider: ``microsoft.insights`` or ``microsoft.aadiam``, the latter without retention and metrics.
        api_version: before category groups were known, their members are shown instead.
        catalogue: what the target can send.
        turn: which spelling the ids get.
    """
    knows_groups = api_version >= KNOWS_GROUPS
    logs = setting.logs if knows_groups else _ungrouped(setting.logs, catalogue)
    properties: dict[str, object] = {
        "eventHubAuthorizationRuleId": respelled(setting.event_hub_rule_id or "", turn + 1) or None,
        "eventHubName": setting.event_hub_name,
        "storageAccountId": setting.storage_account_id,
        "workspaceId": setting.workspace_id,
        "logs": [_shaped_switch(each, knows_groups) for each in logs],
    }
    if provider != "microsoft.aadiam":
        properties["metrics"] = [_shaped_switch(each, False) for each in setting.metrics]
        properties["marketplacePartnerId"] = setting.marketplace_partner_id
        properties["logAnalyticsDestinationType"] = setting.workspace_tables
    return {
        "id": f"{respelled(place, turn)}/providers/{provider}/diagnosticSettings/{setting.name}",
        "type": f"{provider}/diagnosticSettings",
        "name": setting.name,
        "properties": properties,
    }


def _shaped_switch(switch: Switch, knows_groups: bool) -> dict[str, object]:
    shown: dict[str, object] = {"category": switch.category}
    if knows_groups:
        shown["categoryGroup"] = switch.group
    return {**shown, "enabled": switch.enabled, "retentionPolicy": dict(_NO_RETENTION)}


def _ungrouped(switches: tuple[Switch, ...], catalogue: Catalogue) -> tuple[Switch, ...]:
    named = [switch for switch in switches if not switch.group]
    members = [
        Switch(category, None, switch.enabled)
        for switch in switches
        if switch.group
        for category in sorted(catalogue.in_group(switch.group))
    ]
    return (*named, *members)


def shaped_category(
    name: str, kind: str, groups: frozenset[str], place: str, provider: str
) -> dict[str, object]:
    """A category as a listing of categories shows it.

    Args:
        name: the category's.
        kind: ``Logs`` or ``Metrics``.
        groups: the category groups it belongs to.
        place: the id of the target as text; empty for a tenant.
        provider: ``microsoft.insights`` or ``microsoft.aadiam``.
    """
    properties: dict[str, object] = {"categoryType": kind}
    if provider != "microsoft.aadiam":
        properties["categoryGroups"] = sorted(groups)
    return {
        "id": f"{place}/providers/{provider}/diagnosticSettingsCategories/{name}",
        "type": f"{provider}/diagnosticSettingsCategories",
        "name": name,
        "properties": properties,
    }
