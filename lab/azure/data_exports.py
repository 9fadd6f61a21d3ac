"""Data export rules of a Log Analytics workspace, and why Azure refuses some.

Source: learn.microsoft.com/azure/azure-monitor/logs/logs-data-export. A table that can't be exported is taken
without a word and never exported; that, too, is as Azure does it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lab.azure.arm_error import bad_request, conflict

LIMIT: Final = 10
"""Enabled rules in a workspace."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,61}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class DataExport:
    """A rule: which tables go to which namespace, and to one hub of it or to one hub a table."""

    name: str
    id: str
    tables: tuple[str, ...]
    destination_id: str
    event_hub_name: str | None
    enabled: bool
    created: str
    modified: str


def check(
    proposed: DataExport,
    existing: Sequence[DataExport],
    workspace_location: str,
    destination_location: str,
) -> None:
    """Refuse a rule Azure would refuse.

    Raises:
        ArmError: 400 for a rule that can't be, 409 for one too many or one whose destination is taken.
    """
    others = [each for each in existing if each.name.lower() != proposed.name.lower()]
    if not _NAME.fullmatch(proposed.name):
        raise bad_request(f"The data export name '{proposed.name}' is invalid.", "InvalidParameter")
    if not proposed.tables:
        raise bad_request("A data export needs at least one table.", "InvalidParameter")
    if workspace_location != destination_location:
        raise bad_request(
            f"The destination is in region '{destination_location}', its workspace in "
            f"'{workspace_location}'; they have to be in the same one.",
            "InvalidDestinationRegion",
        )
    if proposed.enabled and sum(each.enabled for each in others) >= LIMIT:
        raise conflict(f"A workspace holds {LIMIT} enabled data exports.", "DataExportLimitReached")
    for other in others:
        if _destination(other) == _destination(proposed):
            raise conflict(f"Data export '{other.name}' has this destination already.", "DestinationInUse")


def _destination(export: DataExport) -> tuple[str, str]:
    return export.destination_id.lower(), (export.event_hub_name or "").lower()
