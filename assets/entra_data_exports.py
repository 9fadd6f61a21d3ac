"""``entra_data_exports``: Entra ID's logs, which no delegation reaches."""

from collections.abc import Iterator

import dagster as dg

from assets.reconciling import (
    ONE_RUN,
    TEAM,
    chosen_customers,
    conclude,
    reconciled_spec,
)
from azmdr.steps.data_exports import reconcile_exports
from azmdr_dagster.partitions import customers
from azmdr_dagster.resources import Deployment


@dg.asset(
    name="entra_data_exports",
    deps=["event_hubs", "customers", "subscriptions"],
    group_name="collection",
    kinds={"azure"},
    description=(
        "The data export rule on each customer's Entra ID workspace that sends sign-in and audit logs on to"
        " the hub of its region. Lighthouse does not reach Entra ID itself: it logs to a workspace in the"
        " customer's tenant, and from there this rule takes over. Nothing is exported from a workspace in a"
        " subscription the customer has not delegated."
    ),
    check_specs=[reconciled_spec("entra_data_exports")],
    owners=TEAM,
    partitions_def=customers,
    backfill_policy=ONE_RUN,
)
def entra_data_exports(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """Observe, plan and apply for every customer's workspace."""
    chosen = chosen_customers(context, deployment)
    report = reconcile_exports(deployment.control_plane(context.run.run_id), chosen.customers)
    yield conclude(context, deployment, chosen, report)
