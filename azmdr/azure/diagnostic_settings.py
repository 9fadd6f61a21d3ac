"""Diagnostic settings over Azure Resource Manager, of resources and of subscriptions.

Reading takes one call a target: settings are in no bulk interface and not in Resource Graph
(github.com/Azure/bicep/issues/18820).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from azure.mgmt.monitor.v2021_05_01_preview.models import (
    DiagnosticSettingsResource,
    LogSettings,
    SubscriptionDiagnosticSettingsResource,
    SubscriptionLogSettings,
)

from azmdr.azure.arm import Arm, text_of
from azmdr.azure.dispatch import Call
from azmdr.azure.pacing import Kind, Lane
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.log_catalogue import LogCatalogue


@dataclass(frozen=True, slots=True)
class ResourceSettings:
    """Diagnostic settings on resources."""

    arm: Arm

    def read(self, target: ResourceId) -> Call[list[DiagnosticSetting]]:
        """All settings of a resource, whoever made them."""
        client = self.arm.settings.diagnostic_settings
        return Call(
            Lane(target.subscription_id, Kind.READS),
            f"reading the diagnostic settings of {target.text}",
            lambda: [_setting(each) for each in client.list(_address(target))],
        )

    def write(self, target: ResourceId, setting: DiagnosticSetting) -> Call[object]:
        """Create a setting or replace it as a whole."""
        client = self.arm.settings.diagnostic_settings
        body = DiagnosticSettingsResource(
            event_hub_authorization_rule_id=setting.rule_id,
            event_hub_name=setting.hub,
            logs=[LogSettings(**switch, enabled=True) for switch in _switches(setting)],
        )
        return Call(
            Lane(target.subscription_id, Kind.WRITES),
            f"writing diagnostic setting {setting.name} of {target.text}",
            lambda: client.create_or_update(_address(target), setting.name, body),
        )

    def remove(self, target: ResourceId, name: str) -> Call[object]:
        """Remove a setting; one that is not there is as good as removed."""
        client = self.arm.settings.diagnostic_settings
        return Call(
            Lane(target.subscription_id, Kind.DELETES),
            f"removing diagnostic setting {name} of {target.text}",
            lambda: client.delete(_address(target), name),
        )

    def catalogue(self, target: ResourceId) -> Call[LogCatalogue]:
        """The log categories a resource can send."""
        client = self.arm.settings.diagnostic_settings_category
        return Call(
            Lane(target.subscription_id, Kind.READS),
            f"reading the log categories of {target.text}",
            lambda: _catalogue(client.list(_address(target))),
        )


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """Diagnostic settings on subscriptions: where their activity log goes."""

    arm: Arm

    def read(self, target: ResourceId) -> Call[list[DiagnosticSetting]]:
        """All settings of a subscription, whoever made them."""
        client = self.arm.monitor(target.subscription_id).subscription_diagnostic_settings
        return Call(
            Lane(target.subscription_id, Kind.READS),
            f"reading the diagnostic settings of {target.text}",
            lambda: [_setting(each) for each in client.list()],
        )

    def write(self, target: ResourceId, setting: DiagnosticSetting) -> Call[object]:
        """Create a setting or replace it as a whole."""
        client = self.arm.monitor(target.subscription_id).subscription_diagnostic_settings
        body = SubscriptionDiagnosticSettingsResource(
            event_hub_authorization_rule_id=setting.rule_id,
            event_hub_name=setting.hub,
            logs=[SubscriptionLogSettings(**switch, enabled=True) for switch in _switches(setting)],
        )
        return Call(
            Lane(target.subscription_id, Kind.WRITES),
            f"writing diagnostic setting {setting.name} of {target.text}",
            lambda: client.create_or_update(setting.name, body),
        )

    def remove(self, target: ResourceId, name: str) -> Call[object]:
        """Remove a setting; one that is not there is as good as removed."""
        client = self.arm.monitor(target.subscription_id).subscription_diagnostic_settings
        return Call(
            Lane(target.subscription_id, Kind.DELETES),
            f"removing diagnostic setting {name} of {target.text}",
            lambda: client.delete(name),
        )


def _address(target: ResourceId) -> str:
    # The client puts ids into addresses as they are: what stands behind a ``#`` would be cut off, and a write
    # would go to another resource. Azure SQL, for one, takes ``#`` in names.
    return quote(target.text, safe="/()")


_SINKS: Final = ("storage_account_id", "service_bus_rule_id", "workspace_id", "marketplace_partner_id")


def _setting(found: Any) -> DiagnosticSetting:
    # The two kinds of settings have models of their own, alike in all that is read here but metrics.
    switched_on = [each for each in found.logs or () if each.enabled]
    metrics = (each for each in getattr(found, "metrics", None) or () if each.enabled)
    sinks = (getattr(found, sink, None) for sink in _SINKS)
    extras = [f"metric {each.category} is on" for each in metrics]
    extras += [f"also sends to {sink}" for sink in sinks if sink]
    return DiagnosticSetting(
        name=found.name,
        rule_id=found.event_hub_authorization_rule_id,
        hub=found.event_hub_name,
        categories=frozenset(each.category for each in switched_on if each.category),
        groups=frozenset(each.category_group for each in switched_on if each.category_group),
        extras=frozenset(extras),
    )


def _switches(setting: DiagnosticSetting) -> Iterator[dict[str, Any]]:
    """Each in one order always, so that two writes of one setting are the same bytes."""
    for group in sorted(setting.groups):
        yield {"category_group": group}
    for category in sorted(setting.categories):
        yield {"category": category}


def _catalogue(found: Iterable[Any]) -> LogCatalogue:
    # An answer without items has no list at all in this older client.
    logs = (each for each in found or () if text_of(each.category_type) == "Logs")
    return LogCatalogue({each.name: frozenset(each.category_groups or ()) for each in logs})
