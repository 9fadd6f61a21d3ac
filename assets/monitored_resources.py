"""``monitored_resources``: what stands in each customer's subscriptions, and can log."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from assets.reconciling import (
    ONE_RUN,
    TEAM,
    chosen_customers,
    complete_spec,
    conclude,
    listings_check,
    reconciled_spec,
)
from azmdr.steps.monitored_resources import find_resources
from azmdr_dagster.partitions import customers
from azmdr_dagster.resources import Deployment


class ListingConfig(dg.Config):
    """Which subscriptions to list. Left as it is: all of the customers."""

    subscription_ids: list[str] = Field(
        default=[], description="Only these subscriptions of the customers. Empty: all of them."
    )


@dg.asset(
    name="monitored_resources",
    deps=["subscriptions"],
    group_name="inventory",
    kinds={"azure"},
    description=(
        "The resources in each subscription, and what is nested in them and logs on its own, such as the blob"
        " service of a storage account. Each becomes a target with a verdict: covered, excluded, unsupported,"
        " blocked, pending or unknown."
    ),
    check_specs=[reconciled_spec("monitored_resources"), complete_spec("monitored_resources")],
    owners=TEAM,
    partitions_def=customers,
    backfill_policy=ONE_RUN,
)
def monitored_resources(
    context: dg.AssetExecutionContext, config: ListingConfig, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """List the resources."""
    chosen = chosen_customers(context, deployment)
    plane = deployment.control_plane(context.run.run_id)
    report = find_resources(plane, chosen.customers, [each.lower() for each in config.subscription_ids])
    yield conclude(context, deployment, chosen, report, listings_check(context, deployment, chosen))
