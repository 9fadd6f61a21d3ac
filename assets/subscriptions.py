"""``subscriptions``: what each customer has delegated to us."""

from collections.abc import Iterator

import dagster as dg

from assets.reconciling import (
    ONE_RUN,
    TEAM,
    chosen_customers,
    complete_spec,
    conclude,
    listings_check,
    reconciled_spec,
)
from azmdr.steps.subscriptions import find_subscriptions
from azmdr_dagster.partitions import customers
from azmdr_dagster.resources import Deployment


@dg.asset(
    name="subscriptions",
    deps=["customers"],
    group_name="inventory",
    kinds={"azure"},
    description=(
        "The Azure subscriptions each customer has delegated to us through Lighthouse, and their state. One"
        " listing finds those of all customers of a run. What is missing from it is gone only after two"
        " complete listings and the hold-down time."
    ),
    check_specs=[reconciled_spec("subscriptions"), complete_spec("subscriptions")],
    owners=TEAM,
    partitions_def=customers,
    backfill_policy=ONE_RUN,
)
def subscriptions(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """List the delegated subscriptions."""
    chosen = chosen_customers(context, deployment)
    report = find_subscriptions(deployment.control_plane(context.run.run_id), chosen.customers)
    yield conclude(context, deployment, chosen, report, listings_check(context, deployment, chosen))
