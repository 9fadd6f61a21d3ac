"""A data export rule of a Log Analytics workspace as we compare it.

Source: learn.microsoft.com/azure/azure-monitor/logs/logs-data-export.
"""

from dataclasses import dataclass
from typing import Final

RULE_LIMIT: Final = 10
"""Enabled rules in one workspace, whoever made them."""


@dataclass(frozen=True, slots=True)
class DataExport:
    """A rule: which tables it sends where."""

    name: str
    namespace_id: str
    hub: str | None
    """None lets Azure make a hub a table, ten of which fill a namespace."""
    tables: frozenset[str]
    enabled: bool = True

    def is_named(self, name: str) -> bool:
        """Whether it has this name; Azure does not look at the case."""
        return self.name.lower() == name.lower()

    def has_destination_of(self, other: "DataExport") -> bool:
        """Whether both export to one place, which Azure refuses."""
        return self.destination == other.destination

    @property
    def destination(self) -> tuple[str, str]:
        """Namespace and hub, to be compared."""
        return self.namespace_id.lower(), (self.hub or "").lower()


def differences(wanted: DataExport, found: DataExport) -> tuple[str, ...]:
    """Everything in which a rule is not what it should be, in words; empty when it is."""
    told: list[str] = []
    if not found.has_destination_of(wanted):
        told.append(f"destination {found.namespace_id} {found.hub}")
    expected = {table.lower() for table in wanted.tables}
    present = {table.lower() for table in found.tables}
    told += [f"table {table} is missing" for table in sorted(expected - present)]
    told += [f"table {table} is too many" for table in sorted(present - expected)]
    if found.enabled != wanted.enabled:
        told.append("switched off" if wanted.enabled else "switched on")
    return tuple(told)
