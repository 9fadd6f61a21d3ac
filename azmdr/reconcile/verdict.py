"""Verdicts: what stands of a target's logs, and why. Every target has one, every verdict a reason.

A limit of Azure is a verdict, never an exception: the customer's next target does not wait for it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Standing(StrEnum):
    """Where a target stands, as a customer would ask."""

    COVERED = "covered"
    EXCLUDED = "excluded"
    """Left out by a rule of the policy or of the customer."""
    UNSUPPORTED = "unsupported"
    """Azure has no logs for it that we want."""
    BLOCKED = "blocked"
    """Somebody has to do something: a limit, a permission, a foreign setting."""
    PENDING = "pending"
    """It will be done without anybody's doing."""
    UNKNOWN = "unknown"
    """It could not be read, or not yet."""


class Reason(StrEnum):
    """Why a target stands where it does."""

    IN_PLACE = "in_place"
    CREATED = "created"
    REPAIRED = "repaired"

    EXCLUDED_TYPE = "excluded_type"
    EXCLUDED_TAG = "excluded_tag"
    EXCLUDED_SCOPE = "excluded_scope"
    TYPE_NOT_WANTED = "type_not_wanted"
    """The category policy does not name the type, or wants nothing of it."""
    REFUSED_FOR_COST = "refused_for_cost"
    CUSTOMER_LEAVES = "customer_leaves"

    TYPE_WITHOUT_LOGS = "type_without_logs"
    NO_WANTED_CATEGORY = "no_wanted_category"
    NAME_NOT_ASCII = "name_not_ascii"
    """Azure takes a setting on such an id and loses it."""

    SETTING_LIMIT = "setting_limit"
    SINK_IN_USE = "sink_in_use"
    EXPORT_RULE_LIMIT = "export_rule_limit"
    DESTINATION_IN_USE = "destination_in_use"
    WORKSPACE_MISSING = "workspace_missing"
    TABLES_MISSING = "tables_missing"
    NO_PERMISSION = "no_permission"
    NO_PERMISSION_ON_HUB = "no_permission_on_hub"
    PROVIDER_NOT_REGISTERED = "provider_not_registered"
    SUBSCRIPTION_DISABLED = "subscription_disabled"
    REFUSED_BY_AZURE = "refused_by_azure"

    PENDING_HUB = "pending_hub"
    PLANNED = "planned"
    """A dry run: it would be done."""
    NOT_FOUND = "not_found"
    """Azure says it is not there; the listings have not confirmed that yet."""

    NOT_READ_YET = "not_read_yet"
    READ_FAILED = "read_failed"
    WRITE_FAILED = "write_failed"
    NOT_READ_LATELY = "not_read_lately"

    @property
    def standing(self) -> Standing:
        """Where it puts the target."""
        return _STANDING[self]


_BY_STANDING: Final = {
    Standing.COVERED: (Reason.IN_PLACE, Reason.CREATED, Reason.REPAIRED),
    Standing.EXCLUDED: (
        Reason.EXCLUDED_TYPE,
        Reason.EXCLUDED_TAG,
        Reason.EXCLUDED_SCOPE,
        Reason.TYPE_NOT_WANTED,
        Reason.REFUSED_FOR_COST,
        Reason.CUSTOMER_LEAVES,
    ),
    Standing.UNSUPPORTED: (Reason.TYPE_WITHOUT_LOGS, Reason.NO_WANTED_CATEGORY, Reason.NAME_NOT_ASCII),
    Standing.BLOCKED: (
        Reason.SETTING_LIMIT,
        Reason.SINK_IN_USE,
        Reason.EXPORT_RULE_LIMIT,
        Reason.DESTINATION_IN_USE,
        Reason.WORKSPACE_MISSING,
        Reason.TABLES_MISSING,
        Reason.NO_PERMISSION,
        Reason.NO_PERMISSION_ON_HUB,
        Reason.PROVIDER_NOT_REGISTERED,
        Reason.SUBSCRIPTION_DISABLED,
        Reason.REFUSED_BY_AZURE,
    ),
    Standing.PENDING: (Reason.PENDING_HUB, Reason.PLANNED, Reason.NOT_FOUND),
    Standing.UNKNOWN: (
        Reason.NOT_READ_YET,
        Reason.READ_FAILED,
        Reason.WRITE_FAILED,
        Reason.NOT_READ_LATELY,
    ),
}
_STANDING: Final = {reason: standing for standing, reasons in _BY_STANDING.items() for reason in reasons}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands of one target. ``detail`` says what a person needs to act: a limit, a setting's name."""

    reason: Reason
    detail: str = ""

    @property
    def standing(self) -> Standing:
        """Where the target stands."""
        return self.reason.standing
