"""Subscriptions and resources as Azure Resource Manager knows them, and how it shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lab.azure.resource_id import ResourceId, respelled

REGISTERED: Final = frozenset(
    {
        *("microsoft.authorization", "microsoft.insights", "microsoft.managedservices"),
        *("microsoft.eventhub", "microsoft.operationalinsights", "microsoft.resources"),
        *("microsoft.policyinsights", "microsoft.resourcegraph"),
        *("microsoft.keyvault", "microsoft.storage"),
    }
)
"""Resource providers of a subscription in use."""

_CHILDREN: Final = {
    "microsoft.storage/storageaccounts": ("blobServices", "fileServices", "queueServices", "tableServices")
}
"""Children that exist whenever their parent does, all called ``default``, and that no listing shows."""


@dataclass(slots=True)
class Subscription:
    """A subscription."""

    id: str
    tenant_id: str
    name: str
    state: str = "Enabled"
    registered: set[str] = field(default_factory=lambda: set(REGISTERED))
    """Lower-cased namespaces of the registered resource providers."""
    ancestors: tuple[str, ...] = ()
    """Keys of the management groups above it."""

    @property
    def key(self) -> str:
        """The subscription as a scope."""
        return f"/subscriptions/{self.id}"


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """A resource group that somebody made, with or without something in it."""

    name: str
    location: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that a listing shows."""

    id: ResourceId
    location: str
    created: datetime
    changed: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    sku: Mapping[str, object] | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    ready: datetime | None = None
    """When its creation ends; None for what stands already."""

    def state(self, now: datetime) -> str:
        """The provisioning state."""
        return "Creating" if self.ready is not None and now < self.ready else "Succeeded"


def implied_parent_key(target: ResourceId) -> str | None:
    """The key of the resource whose existence implies this nested one; None when nothing does."""
    if len(target.types) != 2 or target.names[1].lower() != "default":
        return None
    parent_type = f"{target.namespace}/{target.types[0]}".lower()
    implied = {child.lower() for child in _CHILDREN.get(parent_type, ())}
    return target.parent_key if target.types[1].lower() in implied else None


def as_listed(
    resource: Resource, now: datetime, turn: int, expand: frozenset[str] = frozenset()
) -> dict[str, object]:
    """The item of a listing.

    Args:
        resource: the resource.
        now: for its provisioning state.
        turn: which spelling its id gets.
        expand: lower-cased names of ``createdtime``, ``changedtime``, ``provisioningstate``.
    """
    shown: dict[str, object] = {
        "id": respelled(resource.id.text, turn),
        "name": resource.id.name,
        "type": resource.id.type,
        "location": resource.location,
    }
    if resource.tags:
        shown["tags"] = dict(resource.tags)
    if resource.kind is not None:
        shown["kind"] = resource.kind
    if resource.sku is not None:
        shown["sku"] = dict(resource.sku)
    optional = {
        "createdTime": resource.created.isoformat(),
        "changedTime": resource.changed.isoformat(),
        "provisioningState": resource.state(now),
    }
    shown.update({name: value for name, value in optional.items() if name.lower() in expand})
    return shown
