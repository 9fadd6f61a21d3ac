"""A provider with customers in the lab's Azure, over TLS, and a state store that knows them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, select

from azmdr.clock import SystemClock
from azmdr.inventory.customers import Customer
from azmdr.reconcile.verdict import Standing
from azmdr.steps.coverage import cover
from azmdr.store.customers import add_customer, all_customers
from azmdr.store.database import Store
from azmdr.store.tables import TARGET
from lab.azure.cloud import Cloud
from lab.azure.event_hubs import AuthorizationRule
from lab.azure.front_door import FrontDoor
from lab.azure.introduction import introduction
from lab.azure.resource_id import ResourceId
from lab.azure.scenario import DELEGATED, Scene, build_scene, delegate
from lab.azure.server import AzureServer
from lab.azure.virtual_clock import WallClock
from lab.customers import CUSTOMERS

OURS: Final = "azmdr"


@dataclass(frozen=True)
class LabProvider:
    """What the control plane is told of in ``environment``, seen from outside."""

    scene: Scene
    door: FrontDoor
    store: Store
    told: Mapping[str, Any]
    environment: Mapping[str, str] = field(repr=False)

    def register(self, *names: str, **fields: Any) -> None:
        """Put customers of the lab into the registry; without names all of them."""
        with self.store.write() as connection:
            for one in self.told["customers"]:
                if not names or one["name"] in names:
                    known = {key: one[key] for key in ("name", "tenant_id", "home_region")}
                    customer = Customer.of(**known, entra_workspace_id=one["entra_workspace_id"], **fields)
                    add_customer(connection, customer, datetime.now(UTC))

    def customers(self) -> list[str]:
        with self.store.read() as connection:
            return [one.name for one in all_customers(connection)]

    def subscriptions_of(self, name: str) -> list[str]:
        found = next(one["subscription_ids"] for one in self.told["customers"] if one["name"] == name)
        return list(found)

    def targets_of(self, name: str) -> list[str]:
        """Keys of what carries a setting of ours, in Azure."""
        wanted = tuple(f"/subscriptions/{each}" for each in self.subscriptions_of(name))
        settings = self.scene.cloud.settings
        return sorted(key for key in settings if key.startswith(wanted) and settings[key].latest(OURS))

    def delete_setting(self, target: str) -> None:
        """As somebody of the customer's would."""
        cloud = self.scene.cloud
        assert cloud.settings[target].remove(OURS, cloud.clock.now())

    def has_setting(self, target: str) -> bool:
        return self.scene.cloud.settings[target].latest(OURS) is not None

    def delegate(self, subscription_id: str) -> None:
        """Give the provider a subscription back."""
        delegate(self.scene, f"/subscriptions/{subscription_id}", DELEGATED)

    def allow_sending(self, namespace_id: str, rule: str) -> None:
        """Add the rule that settings send with to a namespace."""
        rules = self.scene.cloud.rules[ResourceId.parse(namespace_id).key]
        rules[rule.lower()] = AuthorizationRule(rule, ("Send",))

    def lose_a_target(self, name: str) -> None:
        """Have the store forget a target, as no code of ours may."""
        with self.store.write() as connection:
            one = select(TARGET.c.key).where(TARGET.c.customer == name, TARGET.c.kind == "resource").limit(1)
            connection.execute(delete(TARGET).where(TARGET.c.key.in_(one), TARGET.c.customer == name))

    def standings(self, name: str) -> Mapping[Standing, int]:
        return cover(self.store, name, SystemClock(), timedelta(days=1)).by_standing

    def writes(self) -> int:
        """Requests that would change something, so far."""
        return len(self.door.writes())


@contextmanager
def lab_provider(store_url: str, folder: Path, *, with_hubs: bool = True) -> Iterator[LabProvider]:
    """Serve a new lab's Azure, and open an empty store."""
    scene = build_scene(Cloud(clock=WallClock()), CUSTOMERS, with_hubs=with_hubs)
    door = FrontDoor(scene.cloud)
    store = Store.open(store_url)
    try:
        with AzureServer(door, folder=folder) as server:
            told = introduction(scene, CUSTOMERS, server.url, server.authority_file)
            yield LabProvider(scene, door, store, told, _environment(told, store_url))
    finally:
        store.close()


def _environment(told: Mapping[str, Any], store_url: str) -> dict[str, str]:
    return {
        "AZMDR_STORE_URL": store_url,
        "AZMDR_ARM_ENDPOINT": told["url"],
        "AZMDR_ENTRA_AUTHORITY": told["url"],
        "AZMDR_AUTHORITY_FILE": told["authority_file"],
        "AZMDR_PROVIDER_TENANT_ID": told["provider_tenant_id"],
        "AZMDR_CLIENT_ID": told["client_id"],
        "AZMDR_CLIENT_SECRET": told["client_secret"],
        "AZMDR_INGEST_SUBSCRIPTION_ID": told["ingest_subscription_id"],
    }
