"""The ``$filter`` of an activity log query: a time range and at most one other condition, nothing else.

Source: learn.microsoft.com/rest/api/monitor/activity-logs/list, which lists the patterns and says that no
other syntax is allowed. That the begin may lie no more than 90 days back is what Azure answers.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lab.azure.activity_events import KEPT_FOR, ActivityEvent
from lab.azure.arm_error import ArmError, bad_request

_PATTERN: Final = re.compile(
    r"eventTimestamp ge '(?P<begin>[^']+)'"
    r"(?: and eventTimestamp le '(?P<end>[^']+)')?"
    r"(?: and (?P<name>resourceGroupName|resourceUri|resourceProvider|correlationId) eq '(?P<value>[^']+)')?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What a query wants."""

    begin: datetime
    end: datetime | None
    name: str | None
    value: str

    def keeps(self, event: ActivityEvent) -> bool:
        """Whether an event is wanted."""
        if event.at < self.begin or (self.end is not None and event.at > self.end):
            return False
        return self.name is None or self._of(event).lower() == self.value

    def _of(self, event: ActivityEvent) -> str:
        operation = event.operation
        match self.name:
            case "resourcegroupname":
                return operation.group
            case "resourceuri":
                return operation.resource_id
            case "resourceprovider":
                return operation.provider
        return operation.correlation_id


def activity_filter(text: str | None, now: datetime) -> ActivityFilter:
    """Understand a filter.

    Raises:
        ArmError: 400 without one, for another pattern, or for a begin that is too long ago.
    """
    found = _PATTERN.fullmatch((text or "").strip())
    if found is None:
        raise _refused(f"The filter '{text}' is not understood; it begins with eventTimestamp ge.")
    begin, end = _time(found["begin"]), _time(found["end"]) if found["end"] else None
    if begin < now - KEPT_FOR:
        raise _refused("The start time cannot be more than 90 days in the past.")
    if end is not None and end < begin:
        raise _refused("The end time is before the start time.")
    return ActivityFilter(begin, end, found["name"] and found["name"].lower(), (found["value"] or "").lower())


def _time(text: str) -> datetime:
    try:
        # Azure writes seven digits of a second's fraction; Python knows six.
        parsed = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip()))
    except ValueError as error:
        raise _refused(f"'{text}' is no time.") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _refused(message: str) -> ArmError:
    return bad_request(message, "BadRequest")
