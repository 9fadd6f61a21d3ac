"""The lab's customers: tenants, subscriptions, regions, and the event hubs that take their logs."""

import uuid
from dataclasses import dataclass
from typing import Final

PARTITIONS: Final = 4
"""Partitions of every event hub."""

REGION_NAMES: Final = {
    "eastus": "East US",
    "westeurope": "West Europe",
    "uksouth": "UK South",
    "northeurope": "North Europe",
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription and the region whose namespace takes its Activity Log."""

    id: str
    name: str
    home_region: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: one Entra tenant, several subscriptions, resources in several regions."""

    name: str
    tenant_id: str
    home_region: str
    regions: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    keeps_empty_files: bool
    """Whether Capture writes a file for a window without events (``skipEmptyArchives`` is off)."""

    @property
    def hubs(self) -> tuple["Hub", ...]:
        """The customer's event hub in each of its regions."""
        return tuple(self.hub(region) for region in self.regions)

    def hub(self, region: str) -> "Hub":
        """The event hub for logs of a region."""
        return Hub(f"azure-log-ingest-{region}-01", self.name, self.keeps_empty_files)


@dataclass(frozen=True, slots=True, order=True)
class Hub:
    """An event hub: named as its customer, in the namespace of a region."""

    namespace: str
    name: str
    keeps_empty_files: bool


def _identity(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, ".".join(reversed(parts)) + ".example"))


def _customer(name: str, regions: tuple[str, ...], subscriptions: int, keeps_empty_files: bool) -> Customer:
    return Customer(
        name=name,
        tenant_id=_identity(name),
        home_region=regions[0],
        regions=regions,
        subscriptions=tuple(
            Subscription(
                id=_identity(name, f"subscription-{number}"),
                name=f"{name}-{number:02d}",
                home_region=regions[number % len(regions)],
            )
            for number in range(subscriptions)
        ),
        keeps_empty_files=keeps_empty_files,
    )


CUSTOMERS: Final = (
    _customer("contoso", ("eastus", "westeurope", "uksouth"), subscriptions=4, keeps_empty_files=True),
    _customer("fabrikam", ("westeurope", "northeurope"), subscriptions=3, keeps_empty_files=False),
    _customer("tailwind", ("uksouth", "eastus"), subscriptions=2, keeps_empty_files=False),
)

WOODGROVE: Final = _customer("woodgrove", ("eastus",), subscriptions=1, keeps_empty_files=False)
"""A customer that grows while somebody watches; the replay plays nothing of it."""
NEW_SUBSCRIPTION: Final = Subscription(
    _identity("woodgrove", "subscription-new"), "woodgrove-new", "northeurope"
)
"""What it grows by: a subscription in a region where it had nothing."""
