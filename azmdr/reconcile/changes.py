"""Changes seen in the stream: which operations ask for a target to be reconciled at once. Pure.

A deleted or changed diagnostic setting is repaired as soon as its record has come through, and a new
resource need not wait for the next listing.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from azmdr.condense.attempts import Outcome
from azmdr.condense.condensed import Operation
from azmdr.inventory.resource_id import ResourceId, ResourceIdError

_SETTING: Final = re.compile(
    r"(?P<target>.+)/providers/microsoft\.insights/diagnosticsettings/[^/]+", re.IGNORECASE
)
_SETTING_CHANGED: Final = frozenset(
    {"microsoft.insights/diagnosticsettings/write", "microsoft.insights/diagnosticsettings/delete"}
)
_NO_RESOURCES: Final = frozenset({"microsoft.resources", "microsoft.authorization", "microsoft.insights"})
"""Providers whose objects are no resources with logs: deployments, role assignments, alert rules."""


class ChangeKind(StrEnum):
    """What has changed."""

    SETTING = "setting"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a target, or of its settings."""

    kind: ChangeKind
    target: ResourceId
    at: datetime
    """When the last record of the operation was written."""
    operation_id: str


def change_in(operation: Operation) -> Change | None:
    """The change an operation stands for, if it succeeded and changed what we look after."""
    if operation.outcome is not Outcome.SUCCESS or not operation.operation_name or not operation.resource_id:
        return None
    name = operation.operation_name.lower()
    try:
        if name in _SETTING_CHANGED:
            found = _SETTING.fullmatch(operation.resource_id.rstrip("/"))
            return _change(ChangeKind.SETTING, found["target"], operation) if found else None
        target = ResourceId.parse(operation.resource_id)
    except ResourceIdError:
        return None
    written = f"{target.type}/write"
    if name == written and target.names and target.provider not in _NO_RESOURCES:
        return _change(ChangeKind.RESOURCE, operation.resource_id, operation)
    return None


def _change(kind: ChangeKind, target: str, operation: Operation) -> Change:
    return Change(kind, ResourceId.parse(target), operation.last_time, operation.operation_id)
