"""What a client of the lab's Azure is told: where it is, whom to sign in as, what there is to watch."""

from collections.abc import Iterable
from pathlib import Path

from lab.azure.scenario import INGEST_GROUP, SEND_RULE, Scene, workspace_id
from lab.customers import NEW_SUBSCRIPTION, WOODGROVE, Customer


def introduction(
    scene: Scene, customers: Iterable[Customer], url: str, authority_file: Path
) -> dict[str, object]:
    """The address, the provider's identity and event hubs, and its customers."""
    return {
        "url": url,
        "authority_file": str(authority_file),
        "provider_tenant_id": scene.provider.id,
        "client_id": scene.principal.app_id,
        "client_secret": scene.principal.secret,
        "deployer_client_id": scene.deployer.app_id,
        "ingest_subscription_id": scene.subscription_id,
        "ingest_resource_group": INGEST_GROUP,
        "authorization_rule": SEND_RULE,
        # Comes when it comes, if it was asked for.
        "newcomer": {
            "customer": WOODGROVE.name,
            "subscription_id": NEW_SUBSCRIPTION.id,
            "region": NEW_SUBSCRIPTION.home_region,
        },
        "customers": [
            {
                "name": customer.name,
                "tenant_id": customer.tenant_id,
                "home_region": customer.home_region,
                "subscription_ids": [each.id for each in customer.subscriptions],
                "entra_workspace_id": workspace_id(customer),
            }
            for customer in customers
        ],
    }
