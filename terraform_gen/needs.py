"""Needs: which customers need an event hub in which region, and what the inventory lacks to say so. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.inventory.regions import GLOBAL, RegionError, known_region
from azmdr.store.inventory import SUBSCRIPTIONS, Listing
from terraform_gen.mapping import Need


@dataclass(frozen=True, slots=True)
class CustomerInventory:
    """What the inventory says of a customer."""

    customer: Customer
    locations: Collection[str]
    """Where its resources are that log, or of which it is not known yet."""
    workspace_location: str | None
    """Where its Entra ID workspace is; None where it has none, or no listing has shown it."""
    subscription_ids: Collection[str]
    listings: Sequence[Listing]


@dataclass(slots=True)
class Needs:
    """Who needs a hub where."""

    needed: set[Need] = field(default_factory=set)
    kept: set[Need] = field(default_factory=set)
    """Needs of customers that leave: what stands stays until they are gone, nothing new is made."""
    unknown_regions: dict[str, set[str]] = field(default_factory=dict)
    """Locations by customer that are no region of Azure's we know."""
    gaps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the inventory of each customer lacks; a customer whose inventory is whole has none."""


def needs_of(inventories: Iterable[CustomerInventory], standing: Collection[Need]) -> Needs:
    """What all customers need.

    Args:
        inventories: of every customer in the registry.
        standing: the placements there are.
    """
    needs = Needs()
    known = set()
    for inventory in inventories:
        customer = inventory.customer
        known.add(customer.name)
        if customer.state is CustomerState.LEAVING:
            needs.kept |= {need for need in standing if need[0] == customer.name}
        elif customer.state is CustomerState.ACTIVE:
            _add(needs, inventory)
            needs.gaps[customer.name] = tuple(_gaps(inventory))
    for name, _ in standing:
        if name not in known:
            needs.gaps[name] = ("the registry has no such customer",)
    return needs


def _add(needs: Needs, inventory: CustomerInventory) -> None:
    customer = inventory.customer
    # Subscriptions and global resources send to the home region, which is needed from the first day on.
    needs.needed.add((customer.name, customer.home_region))
    places = {*inventory.locations, inventory.workspace_location or GLOBAL}
    for place in places - {GLOBAL}:
        try:
            needs.needed.add((customer.name, known_region(place)))
        except RegionError:
            needs.unknown_regions.setdefault(customer.name, set()).add(place)


def _gaps(inventory: CustomerInventory) -> Iterable[str]:
    listed: Mapping[str, Listing] = {each.scope: each for each in inventory.listings}
    for scope in (SUBSCRIPTIONS, *sorted(inventory.subscription_ids)):
        what = "its subscriptions" if scope == SUBSCRIPTIONS else f"subscription {scope}"
        listing = listed.get(scope)
        if listing is None or listing.complete_at is None:
            yield f"{what} were never listed completely"
        elif listing.problem is not None:
            yield f"the last listing of {what} broke off: {listing.problem[:200]}"
    if inventory.customer.entra_workspace_id and inventory.workspace_location is None:
        yield "no listing has shown where its Entra ID workspace is"
