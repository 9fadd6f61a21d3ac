"""Subscriptions and resources over Azure Resource Manager."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from azmdr.azure.arm import Arm, text_of
from azmdr.azure.dispatch import Call
from azmdr.azure.listing import list_pages
from azmdr.azure.pacing import TENANT, Kind, Lane
from azmdr.inventory.resource_id import ResourceId, region_name


@dataclass(frozen=True, slots=True)
class FoundSubscription:
    """A subscription as a listing shows it. ``tenant_id`` is the customer's, not ours."""

    subscription_id: str
    tenant_id: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class FoundResource:
    """A resource as a listing shows it. ``location`` is a region's name or ``global``."""

    id: ResourceId
    kind: str | None
    location: str
    tags: Mapping[str, str]


def list_subscriptions(arm: Arm, seen: list[FoundSubscription]) -> Generator[Call[Any], Any, None]:
    """List every subscription that any customer has delegated to us, a page a call.

    Raises:
        AzureError: as :func:`azmdr.azure.listing.list_pages`.
    """
    paged = arm.subscriptions.subscriptions.list()
    return list_pages(Lane(TENANT, Kind.READS), "listing subscriptions", paged, _subscription, seen)


def list_resources(
    arm: Arm, subscription_id: str, seen: list[FoundResource], only: ResourceId | None = None
) -> Generator[Call[Any], Any, None]:
    """List the resources of a subscription, a page a call; or only the one with an id.

    Raises:
        AzureError: as :func:`azmdr.azure.listing.list_pages`.
    """
    chosen = None
    if only is not None:
        name = only.name.replace("'", "''")
        chosen = f"resourceType eq '{only.type}' and name eq '{name}'"
    paged = arm.resources(subscription_id).resources.list(filter=chosen)
    what = f"listing the resources of subscription {subscription_id}"
    return list_pages(Lane(subscription_id, Kind.READS), what, paged, _resource, seen)


def _subscription(found: Any) -> FoundSubscription:
    return FoundSubscription(
        found.subscription_id.lower(), found.tenant_id.lower(), found.display_name or "", text_of(found.state)
    )


def _resource(found: Any) -> FoundResource:
    tags = {str(name): str(value) for name, value in (found.tags or {}).items()}
    return FoundResource(
        ResourceId.parse(found.id), found.kind, region_name(found.location or "global"), tags
    )
