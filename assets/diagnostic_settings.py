"""``subscription_diagnostic_settings``, ``resource_diagnostic_settings``: what has Azure send logs to us."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from assets.reconciling import (
    ONE_RUN,
    TEAM,
    chosen_customers,
    conclude,
    reconciled_spec,
)
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.subscription_settings import reconcile_subscriptions
from azmdr_dagster.partitions import customers
from azmdr_dagster.resources import Deployment


class SettingsConfig(dg.Config):
    """Which targets to reconcile. Left as it is: all whose turn it is."""

    requested_only: bool = Field(
        default=False, description="Only those of which a change was seen in the stream of operations."
    )


@dg.asset(
    name="subscription_diagnostic_settings",
    deps=["event_hubs", "subscriptions"],
    group_name="collection",
    kinds={"azure"},
    description=(
        "The diagnostic setting on each subscription that sends its activity log to the hub of the customer's"
        " home region. Missing ones are created, changed ones repaired, ours removed when the customer"
        " leaves. Only settings with our name are ever touched."
    ),
    check_specs=[reconciled_spec("subscription_diagnostic_settings")],
    owners=TEAM,
    partitions_def=customers,
    backfill_policy=ONE_RUN,
)
def subscription_diagnostic_settings(
    context: dg.AssetExecutionContext, config: SettingsConfig, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """Observe, plan and apply for every subscription."""
    chosen = chosen_customers(context, deployment)
    plane = deployment.control_plane(context.run.run_id)
    report = reconcile_subscriptions(plane, chosen.customers, requested_only=config.requested_only)
    yield conclude(context, deployment, chosen, report)


@dg.asset(
    name="resource_diagnostic_settings",
    deps=["event_hubs", "monitored_resources"],
    group_name="collection",
    kinds={"azure"},
    description=(
        "The diagnostic setting on each resource that sends the logs the category policy wants to the hub of"
        " the resource's region. Settings can't be read in bulk, so a run is a part of a rotation: what is"
        " new or changed first, then what was not looked at for longest."
    ),
    check_specs=[reconciled_spec("resource_diagnostic_settings")],
    owners=TEAM,
    partitions_def=customers,
    backfill_policy=ONE_RUN,
)
def resource_diagnostic_settings(
    context: dg.AssetExecutionContext, config: SettingsConfig, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """Observe, plan and apply for every resource whose turn it is."""
    chosen = chosen_customers(context, deployment)
    plane = deployment.control_plane(context.run.run_id)
    report = reconcile_resources(plane, chosen.customers, requested_only=config.requested_only)
    yield conclude(context, deployment, chosen, report)
