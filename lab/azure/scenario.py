"""A scenario to start from: a provider with event hubs, and the lab's customers that delegate to it.

All ids follow from names, so that two runs and two machines speak of the same things.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lab.azure.cloud import Cloud
from lab.azure.delegations import Authorization
from lab.azure.directory import Principal, Tenant
from lab.azure.event_hubs import AuthorizationRule
from lab.azure.roles import (
    ASSIGNMENT_DELETE_ROLE,
    CONTRIBUTOR,
    EVENT_HUBS_DATA_OWNER,
    LOG_ANALYTICS_CONTRIBUTOR,
    MONITORING_CONTRIBUTOR,
    READER,
    Role,
)
from lab.azure.workspace_tables import ENTRA_TABLES
from lab.customers import CUSTOMERS, Customer, Subscription

PROVIDER: Final = "northwind-mdr"
SECRET: Final = "only-good-in-the-lab"  # noqa: S105 - opens nothing but the lab
INGEST_GROUP: Final = "azure-log-ingest"
SEND_RULE: Final = "diagnostics"
"""The authorization rule on every namespace that settings name."""
DELEGATED: Final = (MONITORING_CONTRIBUTOR, READER, ASSIGNMENT_DELETE_ROLE)
"""The roles every subscription delegates; the resource group of the Entra ID workspace delegates one more."""
WORKSPACE_GROUP: Final = "entra-logs"


@dataclass(frozen=True, slots=True)
class Scene:
    """The provider's side of a scenario."""

    cloud: Cloud
    provider: Tenant
    principal: Principal
    """The service principal the product runs as."""
    deployer: Principal
    """The one Terraform Cloud runs as."""
    subscription_id: str
    """The subscription that holds the event hubs."""

    def namespace_id(self, region: str) -> str:
        """The event hub namespace of a region."""
        group = f"/subscriptions/{self.subscription_id}/resourceGroups/{INGEST_GROUP}"
        return f"{group}/providers/Microsoft.EventHub/namespaces/azure-log-ingest-{region}-01"

    def rule_id(self, region: str) -> str:
        """The authorization rule that settings of a region name."""
        return f"{self.namespace_id(region)}/authorizationRules/{SEND_RULE}"


def identity(*parts: str) -> str:
    """A made-up GUID that follows from names."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, ".".join((*reversed(parts), "lab.example"))))


def build_scene(cloud: Cloud, customers: Iterable[Customer] = CUSTOMERS, *, with_hubs: bool = True) -> Scene:
    """Put a provider and its customers into a cloud.

    Args:
        cloud: an empty one.
        customers: who delegates.
        with_hubs: whether the customers' event hubs stand already, or somebody else is to make them.
    """
    scene = _provider(cloud)
    for customer in customers:
        if with_hubs:
            _add_hubs(scene, customer)
        cloud.add_tenant(customer.tenant_id, customer.name)
        for subscription in customer.subscriptions:
            add_subscription(scene, customer, subscription)
        _add_entra_workspace(scene, customer)
    return scene


def add_subscription(scene: Scene, customer: Customer, subscription: Subscription) -> None:
    """A subscription of a customer with its resources, delegated to the provider."""
    scene.cloud.add_subscription(customer.tenant_id, subscription.id, subscription.name)
    delegate(scene, f"/subscriptions/{subscription.id}", DELEGATED)
    for resource_id, location, kind in resources(customer, subscription):
        scene.cloud.add_resource(resource_id, location, {"environment": "production"}, kind)


def delegate(scene: Scene, scope: str, roles: Iterable[Role]) -> None:
    """Delegate a scope to the provider's principal, under an offer named after the scope."""
    authorizations = [Authorization(scene.principal.object_id, role.id, "azmdr") for role in roles]
    scene.cloud.delegate(scope, scene.provider, authorizations, offer="Managed detection and response")


def resources(customer: Customer, subscription: Subscription) -> Iterator[tuple[str, str, str | None]]:
    """Id, location and kind of the resources in one subscription: one of each sort in each region."""
    short = subscription.id[:8]
    for region in customer.regions:
        group = f"/subscriptions/{subscription.id}/resourceGroups/{customer.name}-{region}/providers"
        yield f"{group}/Microsoft.KeyVault/vaults/kv-{short}-{region}", region, None
        yield f"{group}/Microsoft.Storage/storageAccounts/st{short}{region}", region, "StorageV2"
        yield f"{group}/Microsoft.Network/networkSecurityGroups/nsg-{region}", region, None
        yield f"{group}/Microsoft.Sql/servers/sql-{short}-{region}/databases/orders", region, None
        yield f"{group}/Microsoft.Compute/disks/disk-{region}", region, None
    edge = f"/subscriptions/{subscription.id}/resourceGroups/{customer.name}-edge/providers"
    yield f"{edge}/Microsoft.Network/frontDoors/fd-{short}", "global", None


def workspace_id(customer: Customer) -> str:
    """The workspace that takes a customer's Entra ID logs."""
    place = f"/subscriptions/{customer.subscriptions[0].id}/resourceGroups/{WORKSPACE_GROUP}"
    return f"{place}/providers/Microsoft.OperationalInsights/workspaces/{customer.name}-entra-logs"


def _provider(cloud: Cloud) -> Scene:
    tenant = cloud.add_tenant(identity(PROVIDER), PROVIDER)
    subscription = cloud.add_subscription(tenant.id, identity(PROVIDER, "ingest"), f"{PROVIDER}-ingest")
    principal = _principal(cloud, tenant, "azmdr", "principal", "application")
    cloud.assign(principal, READER, subscription.key)
    cloud.assign(principal, EVENT_HUBS_DATA_OWNER, subscription.key)
    deployer = _principal(cloud, tenant, "terraform-cloud", "deployer", "deployer-application")
    cloud.assign(deployer, CONTRIBUTOR, subscription.key)
    return Scene(cloud, tenant, principal, deployer, subscription.id)


def _principal(cloud: Cloud, tenant: Tenant, name: str, *of: str) -> Principal:
    object_id, app_id = (identity(PROVIDER, each) for each in of)
    return cloud.add_principal(Principal(tenant.id, object_id, name, app_id, SECRET))


def _add_hubs(scene: Scene, customer: Customer) -> None:
    for region in customer.regions:
        namespace_id = scene.namespace_id(region)
        if f"{namespace_id}".lower() not in scene.cloud.rules:
            namespace = scene.cloud.add_event_hub_namespace(namespace_id, region)
            rule = AuthorizationRule(SEND_RULE, ("Send",))
            scene.cloud.rules[namespace.id.key][SEND_RULE] = rule
        scene.cloud.add_event_hub(namespace_id, customer.name)


def _add_entra_workspace(scene: Scene, customer: Customer) -> None:
    scene.cloud.add_resource(workspace_id(customer), customer.home_region, sku={"name": "PerGB2018"})
    scene.cloud.add_tables(workspace_id(customer), ENTRA_TABLES)
    group = workspace_id(customer).partition("/providers/")[0]
    delegate(scene, group, (LOG_ANALYTICS_CONTRIBUTOR, ASSIGNMENT_DELETE_ROLE))
