"""Diagnostic settings: what one says, and why Azure refuses some.

The same rules hold for a resource, a subscription and a tenant; what differs is the target. Sources:
learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings (limits, regions, destinations),
github.com/hashicorp/terraform-provider-azurerm issues 21161 (sink conflict) and 17172 (disabled categories
come back), github.com/Azure/missionlz issue 565 (the limit at subscription scope),
github.com/Azure/Community-Policy issue 507 (category groups and old API versions).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lab.azure.arm_error import bad_request, conflict
from lab.azure.log_categories import Catalogue

LIMIT: Final = 5
"""Settings on one target."""

KNOWS_GROUPS: Final = "2021-05-01-preview"
"""The first API version that knows category groups."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A category or a category group, on or off."""

    category: str | None
    group: str | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """A setting: what goes where. Ids are kept as they were written."""

    name: str
    logs: tuple[Switch, ...] = ()
    metrics: tuple[Switch, ...] = ()
    event_hub_rule_id: str | None = None
    event_hub_name: str | None = None
    storage_account_id: str | None = None
    workspace_id: str | None = None
    marketplace_partner_id: str | None = None
    workspace_tables: str | None = None
    """``Dedicated`` or none; Azure calls it logAnalyticsDestinationType."""

    @property
    def sinks(self) -> tuple[str, ...]:
        """The ids of its destinations. A hub's name is no part of it: Azure names the rule alone."""
        ids = (
            self.event_hub_rule_id,
            self.storage_account_id,
            self.workspace_id,
            self.marketplace_partner_id,
        )
        return tuple(each for each in ids if each)

    @property
    def uses_groups(self) -> bool:
        """Whether it names a category group."""
        return any(switch.group for switch in self.logs)


@dataclass(frozen=True, slots=True)
class Target:
    """What a setting is set on."""

    id: str
    location: str | None
    """The region; None for what has none: a global resource, a subscription, a tenant."""
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class RegionalSink:
    """A destination that has to be in the region of the target: an event hub namespace, a storage account."""

    id: str
    location: str


def check(
    proposed: DiagnosticSetting,
    existing: Sequence[DiagnosticSetting],
    target: Target,
    sinks: Sequence[RegionalSink],
    api_version: str,
) -> None:
    """Refuse a setting Azure would refuse.

    Args:
        proposed: the setting to be created or replaced.
        existing: all settings of the target.
        target: what it is set on.
        sinks: those of its destinations that are bound to a region.
        api_version: the request's.

    Raises:
        ArmError: 400 for a setting that can't be, 409 for one that collides with others.
    """
    others = [each for each in existing if each.name.lower() != proposed.name.lower()]
    before = next((each for each in existing if each.name.lower() == proposed.name.lower()), None)
    _check_api_version(proposed, before, api_version)
    _check_destination(proposed)
    _check_switches(proposed, target)
    _check_regions(target, sinks)
    _check_limit(others, target)
    _check_sinks_free(proposed, others, target.catalogue)


def _check_api_version(proposed: DiagnosticSetting, before: DiagnosticSetting | None, version: str) -> None:
    touched = (proposed, before) if before else (proposed,)
    if version < KNOWS_GROUPS and any(setting.uses_groups for setting in touched):
        raise bad_request(
            "Invalid API version used to modify diagnostic setting with one or more category groups "
            f"selected, please use API version higher than or equal to {KNOWS_GROUPS}."
        )


def _check_destination(setting: DiagnosticSetting) -> None:
    if not setting.sinks:
        raise bad_request(f"Diagnostic setting '{setting.name}' has no destination.")


def _check_switches(setting: DiagnosticSetting, target: Target) -> None:
    catalogue = target.catalogue
    if setting.uses_groups and any(switch.category for switch in setting.logs):
        raise bad_request(f"Diagnostic setting '{setting.name}' mixes category groups with log categories.")
    for switch in (*setting.logs, *setting.metrics):
        if bool(switch.category) == bool(switch.group):
            raise bad_request("Each log and metric names either a category or a category group.")
    categories = [each.name for each in catalogue.logs]
    for switch in setting.logs:
        _check_known("Category", switch.category, categories)
        _check_known("Category group", switch.group, sorted(catalogue.groups))
    for switch in setting.metrics:
        _check_known("Metric category", switch.category, [*catalogue.metrics, "AllMetrics"])
    if not any(switch.enabled for switch in (*setting.logs, *setting.metrics)):
        raise bad_request(f"Diagnostic setting '{setting.name}' enables nothing.")


def _check_known(what: str, name: str | None, known: Sequence[str]) -> None:
    if name and name.lower() not in {each.lower() for each in known}:
        raise bad_request(f"{what} '{name}' is not supported, supported ones are: '{', '.join(known)}'.")


def _check_regions(target: Target, sinks: Iterable[RegionalSink]) -> None:
    for sink in sinks:
        if target.location is not None and sink.location != target.location:
            raise bad_request(
                f"Resources should be in the same region. Resource '{target.id}' is in region "
                f"'{target.location}' and resource '{sink.id}' is in region '{sink.location}'."
            )


def _check_limit(others: Sequence[DiagnosticSetting], target: Target) -> None:
    if len(others) >= LIMIT:
        raise conflict(
            f"The limit of {LIMIT} diagnostic settings was reached. To create new setting for resource "
            f"'{target.id}', delete an existing one."
        )


def _check_sinks_free(
    proposed: DiagnosticSetting, others: Iterable[DiagnosticSetting], catalogue: Catalogue
) -> None:
    sends = categories_sent(proposed, catalogue)
    for other in others:
        shared = sorted(sends & categories_sent(other, catalogue))
        reused = sorted({sink.lower() for sink in proposed.sinks} & {sink.lower() for sink in other.sinks})
        if shared and reused:
            raise conflict(
                f"Data sink '{reused[0]}' is already used in diagnostic setting '{other.name}' for category "
                f"'{shared[0]}'. Data sinks can't be reused in different settings on the same category for "
                "the same resource."
            )


def categories_sent(setting: DiagnosticSetting, catalogue: Catalogue) -> frozenset[str]:
    """The log and metric categories a setting sends, in lower case, its groups written out."""
    return frozenset(name.lower() for name in _sent(setting, catalogue))


def _sent(setting: DiagnosticSetting, catalogue: Catalogue) -> Iterator[str]:
    for switch in (*setting.logs, *setting.metrics):
        if switch.enabled and switch.group:
            yield from catalogue.in_group(switch.group)
        elif switch.enabled and switch.category:
            yield switch.category


def as_read(setting: DiagnosticSetting, catalogue: Catalogue) -> DiagnosticSetting:
    """The setting as a read gives it back: what was not asked for stands there too, switched off."""
    if setting.uses_groups or not setting.logs:
        return setting
    named = {switch.category.lower() for switch in setting.logs if switch.category}
    rest = (Switch(each.name, None, False) for each in catalogue.logs if each.name.lower() not in named)
    return replace(setting, logs=(*setting.logs, *rest))
