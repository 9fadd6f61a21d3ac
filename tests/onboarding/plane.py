"""The product on the estate: a control plane in the process, with the lab's clock and a provider's token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken

from azmdr.azure.address import ArmAddress
from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Gateway
from azmdr.azure.pacing import Pacer
from azmdr.inventory.customers import Customer
from azmdr.onboarding.files import README, templates
from azmdr.onboarding.offer import Offer
from azmdr.onboarding.package import Package, Scope, package_of
from azmdr.onboarding.roles import RoleSet
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.steps.bounds import ProviderPlace
from azmdr.steps.control_plane import ControlPlane
from azmdr.store.customers import add_customer
from azmdr.store.database import Store
from lab.azure.in_process import URL, in_process_transport
from lab.azure.scenario import INGEST_GROUP, SEND_RULE, Scene
from lab.azure.tokens import issue
from tests.onboarding.estate import NAME, REGION, TENANT, Estate


@dataclass(frozen=True)
class Credential:
    """Tokens of the provider's principal."""

    scene: Scene

    def get_token(self, *_: Any, **__: Any) -> AccessToken:
        """A token that outlives the test."""
        cloud, lasts = self.scene.cloud, timedelta(days=30)
        audience = "https://management.azure.com"
        token = issue(self.scene.principal, audience, cloud.clock.now(), lasts, cloud.signing_key)
        return AccessToken(token, 4_000_000_000)


@dataclass(frozen=True)
class LabClock:
    """The lab's clock as the product's."""

    scene: Scene

    def now(self) -> datetime:
        """The time."""
        return self.scene.cloud.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.scene.cloud.clock.advance(seconds)


def customer_of(workspace_id: str | None = None) -> Customer:
    """The estate's owner."""
    return Customer.of(name=NAME, tenant_id=TENANT, home_region=REGION, entra_workspace_id=workspace_id)


def offer_of(
    estate: Estate, roles: RoleSet = RoleSet.LEAST_PRIVILEGE, name: str = "MDR by Northwind"
) -> Offer:
    """What the estate's owner is asked for."""
    delegates = {estate.scene.principal.object_id: "azmdr"}
    return Offer.of(estate.scene.provider.id, name, "Watches the control plane.", delegates, roles)


def package_for(customer: Customer, offer: Offer, scope: Scope) -> Package:
    """The package, with the templates of this repository."""
    files = templates()
    return package_of(customer, offer, scope, files, files.pop(README))


def plane_of(estate: Estate, folder: Path, customer: Customer) -> ControlPlane:
    """A control plane that knows the customer."""
    store = Store.open(f"sqlite:///{folder / 'state.db'}")
    clock, pacer = LabClock(estate.scene), Pacer()
    credential: Any = Credential(estate.scene)
    with store.write() as connection:
        add_customer(connection, customer, clock.now())
    transport = in_process_transport(estate.door)
    return ControlPlane(
        store=store,
        arm=Arm(credential, ArmAddress(URL), pacer, clock, transport=transport),
        gateway=Gateway(pacer, clock),
        policy=CategoryPolicy.load(),
        place=ProviderPlace(estate.scene.subscription_id, INGEST_GROUP, SEND_RULE),
        own_name="azmdr",
        owner="test",
        clock=clock,
    )
