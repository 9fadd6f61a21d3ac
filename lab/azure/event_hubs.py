"""Event Hubs: namespaces with their tiers, the hubs in them, and the authorization rules that open them.

Source: learn.microsoft.com/azure/event-hubs/event-hubs-quotas.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lab.azure.arm_error import ArmError, bad_request

HUBS: Final = {"basic": 10, "standard": 10, "premium": 100}
"""Hubs in a namespace, by tier; in Premium per processing unit."""
PARTITIONS: Final = {"basic": 32, "standard": 32, "premium": 100}
RETENTION_DAYS: Final = {"basic": 1, "standard": 7, "premium": 90}
AUTHORIZATION_RULES: Final = 12
"""Authorization rules on a namespace."""
RIGHTS: Final = ("Listen", "Send", "Manage")
ROOT_RULE: Final = "RootManageSharedAccessKey"

_NAMESPACE_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9])*", re.IGNORECASE)
_HUB_NAME: Final = re.compile(r"[a-z0-9](?:[\w.-]{0,254}[a-z0-9])?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Tier:
    """The tier of a namespace and how many units of it were bought."""

    name: str
    units: int = 1

    @property
    def hubs(self) -> int:
        """How many hubs fit."""
        return HUBS[self.name.lower()] * (self.units if self.name.lower() == "premium" else 1)


@dataclass(frozen=True, slots=True)
class EventHub:
    """A hub."""

    name: str
    partitions: int
    retention_days: int
    capture: dict[str, object] | None = None
    """The capture description as it was written; None when Capture was never set up."""


@dataclass(frozen=True, slots=True)
class AuthorizationRule:
    """A shared access policy on a namespace or a hub."""

    name: str
    rights: tuple[str, ...]

    def key(self, place: str, which: str) -> str:
        """The primary or the secondary key: invented, and the same each time."""
        return b64encode(hashlib.sha256(f"{place} {self.name} {which}".encode()).digest()).decode()


def check_namespace(name: str, tier: Tier) -> None:
    """Refuse a namespace's name or tier.

    Raises:
        ArmError: 400.
    """
    if not (6 <= len(name) <= 50 and _NAMESPACE_NAME.fullmatch(name)):
        raise bad_request(f"The namespace name '{name}' is invalid.", "InvalidNamespaceName")
    if tier.name.lower() not in HUBS:
        raise bad_request(f"The SKU '{tier.name}' is not one of Basic, Standard, Premium.")


def check_hub(hub: EventHub, others: Sequence[EventHub], tier: Tier) -> None:
    """Refuse a hub its namespace has no room for.

    Raises:
        ArmError: 400 for what can't be in this tier, 403 when the namespace is full.
    """
    name = tier.name.lower()
    if not _HUB_NAME.fullmatch(hub.name):
        raise bad_request(f"The event hub name '{hub.name}' is invalid.")
    if not 1 <= hub.partitions <= PARTITIONS[name]:
        raise bad_request(f"A {name} event hub has 1 to {PARTITIONS[name]} partitions, not {hub.partitions}.")
    if not 1 <= hub.retention_days <= RETENTION_DAYS[name]:
        raise bad_request(f"A {name} event hub keeps messages for 1 to {RETENTION_DAYS[name]} days.")
    if hub.capture and hub.capture.get("enabled") and name == "basic":
        raise bad_request("Capture is not available in the Basic tier.")
    if len(others) >= tier.hubs:
        raise ArmError(403, "QuotaExceeded", f"The namespace holds {tier.hubs} event hubs already.")


def check_rule(rule: AuthorizationRule, others: Sequence[AuthorizationRule]) -> None:
    """Refuse an authorization rule.

    Raises:
        ArmError: 400 for wrong rights, 403 when there are too many.
    """
    if not rule.rights or not set(rule.rights) <= set(RIGHTS):
        raise bad_request(f"Rights are any of {', '.join(RIGHTS)}.")
    if "Manage" in rule.rights and set(rule.rights) != set(RIGHTS):
        raise bad_request("Manage needs Send and Listen as well.")
    if len(others) >= AUTHORIZATION_RULES:
        raise ArmError(403, "QuotaExceeded", f"There are {AUTHORIZATION_RULES} authorization rules already.")
