"""Inventories in a store, as the listing steps leave them."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_DNS, uuid5

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.inventory.presence import Changes
from azmdr.store.customers import add_customer, customer_named, replace_customer
from azmdr.store.database import Store
from azmdr.store.event_hubs import HubFacts, HubKey, change_hubs
from azmdr.store.inventory import (
    SUBSCRIPTIONS,
    ResourceFacts,
    SubscriptionFacts,
    change_resources,
    change_subscriptions,
    note_listing,
)
from azmdr.store.targets import Target, TargetKind, put_targets
from terraform_gen.event_hub_mapping import MappingSettings
from terraform_gen.guard import Patience
from terraform_gen.placement import NewShards
from tests.terraform_gen.mappings import INGEST

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
SETTINGS: Final = MappingSettings(INGEST, NewShards(), Patience(DAY, timedelta(hours=2)), 3, DAY)


def subscription_of(name: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"subscription.{name}.example"))


def resource_id(name: str, region: str, kind: str = "Microsoft.KeyVault/vaults") -> str:
    return f"/subscriptions/{subscription_of(name)}/resourceGroups/g/providers/{kind}/{name}-{region}"


def workspace_id(name: str, region: str) -> str:
    return resource_id(name, region, "Microsoft.OperationalInsights/workspaces")


def add(store: Store, name: str, *, home: str = "eastus", workspace: str | None = None) -> Customer:
    """A customer with a subscription, listed completely."""
    tenant = str(uuid5(NAMESPACE_DNS, f"{name}.example"))
    customer = Customer.of(name=name, tenant_id=tenant, home_region=home, entra_workspace_id=workspace)
    subscription = subscription_of(name)
    with store.write() as connection:
        add_customer(connection, customer, NOW)
        new: Changes[str, SubscriptionFacts] = Changes(new={subscription: SubscriptionFacts(name, "Enabled")})
        change_subscriptions(connection, name, new, NOW)
    listed(store, name)
    return customer


def listed(store: Store, name: str, problem: str | None = None) -> None:
    """A listing of all a customer has, complete or broken off."""
    with store.write() as connection:
        for scope in (SUBSCRIPTIONS, subscription_of(name)):
            note_listing(connection, name, scope, NOW, 1, problem)


def found(store: Store, name: str, *ids: tuple[str, str], logs: bool = True) -> None:
    """Resources of a customer: the id and the location of each."""
    facts = {
        text.lower(): ResourceFacts(text, subscription_of(name), "microsoft.keyvault/vaults", None, place, {})
        for text, place in ids
    }
    with store.write() as connection:
        change_resources(connection, name, Changes(new=facts), NOW)
        if logs:
            targets = [
                Target(TargetKind.RESOURCE, text, key, subscription_of(name), key, each.type)
                for key, each in facts.items()
                for text in (each.id,)
            ]
            put_targets(connection, name, targets, NOW)


def gone(store: Store, name: str, *ids: str) -> None:
    """Resources complete listings don't show any more."""
    with store.write() as connection:
        change_resources(connection, name, Changes(gone=[each.lower() for each in ids]), NOW)


def standing(store: Store, namespace: str, hub: str, region: str, tier: str = "Standard") -> None:
    """A hub Azure has."""
    namespace_id = f"/subscriptions/x/resourceGroups/g/providers/Microsoft.EventHub/namespaces/{namespace}"
    new: dict[HubKey, HubFacts] = {(namespace_id.lower(), hub): HubFacts(namespace_id, region, tier, None)}
    with store.write() as connection:
        change_hubs(connection, Changes(new=new), NOW)


def becomes(store: Store, name: str, state: CustomerState) -> None:
    """A customer leaves, or is gone."""
    with store.write() as connection:
        customer = customer_named(connection, name)
        replace_customer(connection, customer.model_copy(update={"state": state}))
