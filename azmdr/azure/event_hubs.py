"""Event hub namespaces, hubs and authorization rules of the provider over Azure Resource Manager."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from azmdr.azure.arm import Arm, text_of
from azmdr.azure.dispatch import Call
from azmdr.azure.listing import list_pages
from azmdr.azure.pacing import Kind, Lane
from azmdr.inventory.resource_id import ResourceId, region_name


@dataclass(frozen=True, slots=True)
class FoundNamespace:
    """A namespace, ready for use or not."""

    id: ResourceId
    region: str
    tier: str
    ready: bool


@dataclass(frozen=True, slots=True)
class FoundRule:
    """An authorization rule of a namespace."""

    id: str
    name: str
    sends: bool


@dataclass(frozen=True, slots=True)
class ProviderHubs:
    """Lists what stands in the resource group that takes the logs."""

    arm: Arm
    subscription_id: str
    resource_group: str

    @property
    def _lane(self) -> Lane:
        return Lane(self.subscription_id.lower(), Kind.READS)

    def namespaces(self, seen: list[FoundNamespace]) -> Generator[Call[Any], Any, None]:
        """List the namespaces."""
        client = self.arm.event_hubs(self.subscription_id).namespaces
        what = f"listing the event hub namespaces of resource group {self.resource_group}"
        paged = client.list_by_resource_group(self.resource_group)
        return list_pages(self._lane, what, paged, _namespace, seen)

    def hubs(self, namespace: ResourceId, seen: list[str]) -> Generator[Call[Any], Any, None]:
        """List the names of a namespace's hubs."""
        client = self.arm.event_hubs(self.subscription_id).event_hubs
        what = f"listing the event hubs of {namespace.text}"
        paged = client.list_by_namespace(self.resource_group, namespace.name)
        return list_pages(self._lane, what, paged, lambda each: str(each.name), seen)

    def rules(self, namespace: ResourceId, seen: list[FoundRule]) -> Generator[Call[Any], Any, None]:
        """List a namespace's authorization rules."""
        client = self.arm.event_hubs(self.subscription_id).namespaces
        what = f"listing the authorization rules of {namespace.text}"
        paged = client.list_authorization_rules(self.resource_group, namespace.name)
        return list_pages(self._lane, what, paged, _rule, seen)


def _namespace(found: Any) -> FoundNamespace:
    return FoundNamespace(
        ResourceId.parse(found.id),
        region_name(found.location),
        text_of(found.sku.tier or found.sku.name) if found.sku else "Standard",
        found.provisioning_state == "Succeeded",
    )


def _rule(found: Any) -> FoundRule:
    return FoundRule(found.id, found.name, "Send" in {text_of(each) for each in found.rights or ()})
