"""A diagnostic setting as we compare it: where it sends which logs, and what else it does.

Source: learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings.
"""

from dataclasses import dataclass
from typing import Final

LIMIT: Final = 5
"""Settings on one target, whoever made them."""


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """A setting. Only what is switched on is in it: a category that is off is as good as not there."""

    name: str
    rule_id: str | None
    """The authorization rule of the event hub namespace it sends with; None when it sends to no event hub."""
    hub: str | None
    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    """Category groups; Azure takes them or categories, not both."""
    extras: frozenset[str] = frozenset()
    """What ours never do: other destinations, metrics; each in a few words."""

    def is_named(self, name: str) -> bool:
        """Whether it has this name; Azure does not look at the case."""
        return self.name.lower() == name.lower()

    def sends_with(self, rule_id: str | None) -> bool:
        """Whether it sends with this authorization rule. For Azure that is the sink, whatever the hub."""
        return rule_id is not None and (self.rule_id or "").lower() == rule_id.lower()


def differences(wanted: DiagnosticSetting, found: DiagnosticSetting) -> tuple[str, ...]:
    """Everything in which a setting is not what it should be, in words; empty when it is."""
    told: list[str] = []
    if not found.sends_with(wanted.rule_id):
        told.append(f"authorization rule {found.rule_id}")
    if (found.hub or "").lower() != (wanted.hub or "").lower():
        told.append(f"event hub {found.hub}")
    for what, should, does in (
        ("category", wanted.categories, found.categories),
        ("category group", wanted.groups, found.groups),
    ):
        expected, present = _folded(should), _folded(does)
        told += [f"{what} {each} is off" for each in sorted(expected - present)]
        told += [f"{what} {each} is on" for each in sorted(present - expected)]
    told += sorted(found.extras - wanted.extras)
    return tuple(told)


def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)
