"""Placements: which namespace shard holds a customer's event hub in a region. Data with a memory.

An event hub can't be moved: what is set to send to it would go on sending to the old one. So a placement,
once given, stays. Limits: learn.microsoft.com/azure/event-hubs/event-hubs-quotas.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from azmdr.inventory.regions import REGIONS, RegionError
from azmdr.lake.layout import customer_name

MAX_NAMESPACES: Final = 1000
"""Namespaces in a subscription."""
MAX_PARTITIONS: Final = 32
"""Partitions of a hub in Standard, and the most azurerm takes without a dedicated cluster."""
MAX_UNITS: Final = 16
"""Processing units of a Premium namespace."""
_LONGEST_NAMESPACE: Final = 50
_PREFIX: Final = re.compile(r"[a-z](?:-?[a-z0-9])*")
_LONGEST_REGION: Final = max(map(len, REGIONS))


class PlacementError(ValueError):
    """A namespace or a hub that can't be; the message says which and why."""


class Tier(StrEnum):
    """The tiers a namespace may have: Basic knows no Capture."""

    STANDARD = "Standard"
    PREMIUM = "Premium"


_HUBS: Final = {Tier.STANDARD: 10, Tier.PREMIUM: 100}
"""Event hubs in a namespace; in Premium for each processing unit."""


def capacity(tier: Tier, units: int) -> int:
    """How many event hubs a namespace holds."""
    return _HUBS[tier] * (units if tier is Tier.PREMIUM else 1)


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One of the namespaces of a region. Its tier can't be changed later, so it is part of the memory."""

    region: str
    number: int
    tier: Tier = Tier.STANDARD
    units: int = 1
    """Processing units of a Premium namespace; a Standard one inflates by itself and stays at 1 here."""

    def __post_init__(self) -> None:
        """Refuse what can't be.

        Raises:
            PlacementError: the region, the number or the units.
        """
        if self.region not in REGIONS:
            raise PlacementError(str(RegionError(self.region)))
        if not 1 <= self.number <= MAX_NAMESPACES:
            raise PlacementError(f"shard {self.number} in {self.region}: is not 1 to {MAX_NAMESPACES}")
        most = MAX_UNITS if self.tier is Tier.PREMIUM else 1
        if not 1 <= self.units <= most:
            raise PlacementError(
                f"shard {self.label} in {self.region}: {self.units} units are not 1 to {most}"
            )

    @property
    def label(self) -> str:
        """The number as names have it: ``01``."""
        return f"{self.number:02d}"

    @property
    def key(self) -> tuple[str, int]:
        """What identifies it."""
        return self.region, self.number

    @property
    def capacity(self) -> int:
        """How many event hubs it holds."""
        return capacity(self.tier, self.units)


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """A customer's event hub in a region. The hub is named after the customer."""

    region: str
    shard: int
    customer: str
    partitions: int = 4

    def __post_init__(self) -> None:
        """Refuse what can't be.

        Raises:
            PlacementError: the region or the partitions.
            CustomerNameError: the customer's name.
        """
        if self.region not in REGIONS:
            raise PlacementError(str(RegionError(self.region)))
        if customer_name(self.customer) != self.customer:
            raise PlacementError(f"customer {self.customer!r}: is not in lower case")
        if not 1 <= self.partitions <= MAX_PARTITIONS:
            raise PlacementError(
                f"{self.customer} in {self.region}: {self.partitions} partitions are not 1 to"
                f" {MAX_PARTITIONS}"
            )

    @property
    def need(self) -> tuple[str, str]:
        """What it is for: the customer and the region."""
        return self.customer, self.region

    @property
    def shard_key(self) -> tuple[str, int]:
        """Which namespace it is in."""
        return self.region, self.shard


@dataclass(frozen=True, slots=True)
class NamespaceNames:
    """How namespaces are named: ``<prefix>-<region>-<nn>``. The name is unique in all of Azure."""

    prefix: str

    def __post_init__(self) -> None:
        """Refuse a prefix no namespace can have.

        Raises:
            PlacementError: it is none.
        """
        longest = len(self.prefix) + 1 + _LONGEST_REGION + 1 + len(str(MAX_NAMESPACES))
        if not _PREFIX.fullmatch(self.prefix) or longest > _LONGEST_NAMESPACE:
            raise PlacementError(
                f"namespace prefix {self.prefix[:80]!r}: must be lower-case letters, digits and single"
                " hyphens, begin with a letter, and leave room for region and number in"
                f" {_LONGEST_NAMESPACE} characters"
            )

    def of(self, region: str, number: int) -> str:
        """The name of a shard's namespace."""
        return f"{self.prefix}-{region}-{number:02d}"

    def parse(self, namespace: str) -> tuple[str, int] | None:
        """Region and number a namespace's name says; None for one that is not ours by name."""
        found = re.fullmatch(rf"{re.escape(self.prefix)}-([a-z0-9]+)-(\d{{2,4}})", namespace.lower())
        if found is None or found[1] not in REGIONS:
            return None
        number = int(found[2])
        ours = 1 <= number <= MAX_NAMESPACES and self.of(found[1], number) == namespace.lower()
        return (found[1], number) if ours else None
