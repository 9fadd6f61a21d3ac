"""The schedule that has every customer reconciled once an interval, a slice of them at a time."""

from collections.abc import Sequence

import dagster as dg

from assets.event_hubs import event_hubs
from azmdr.reconcile.spreading import Stretch, due_stretches
from azmdr.steps.event_hubs import PROVIDER
from azmdr.store.inventory import EVENT_HUBS, listings
from azmdr_dagster.jobs import of_each_customer, reconcile_customers
from azmdr_dagster.resources import Deployment
from sensors.reconciling_runs import customers_in_order, customers_of_runs, why_not
from sensors.runs import RANGE_END, RANGE_START, UNFINISHED

INTERVAL_TAG = "azmdr/interval"
"""On a run of a slice: when the interval began in which the customers have their turn."""


@dg.schedule(
    job=reconcile_customers,
    cron_schedule="* * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Looks every minute whose turn it is. Every customer has one turn an interval, in slices that are"
        " spread evenly over it; a slice is one run. What a missed minute should have asked for is asked for"
        " at the next."
    ),
)
def reconcile_slices(
    context: dg.ScheduleEvaluationContext, deployment: Deployment
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for a run of each stretch of customers whose turn has come."""
    if reason := why_not(deployment.settings):
        return reason
    now, spread = context.scheduled_execution_time, deployment.settings.spread
    interval = f"{spread.begun(now):%Y-%m-%dT%H:%MZ}"
    order = customers_in_order(context.instance, deployment)
    asked = customers_of_runs(context.instance, dg.RunsFilter(tags={INTERVAL_TAG: interval}))
    at_work = customers_of_runs(
        context.instance, dg.RunsFilter(job_name=reconcile_customers.name, statuses=UNFINISHED)
    )
    due = due_stretches(now, order, spread, asked | at_work)
    if not due:
        told = f"{len(order)} customers, {len(asked & set(order))} had their turn since {interval}"
        return dg.SkipReason(f"{told}, {len(at_work)} are at work; nobody's turn has come")
    steps = _steps(deployment)
    return [_request(stretch, interval, steps) for stretch in due]


def _request(stretch: Stretch, interval: str, steps: Sequence[dg.AssetKey]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{interval} {stretch.first}",
        asset_selection=steps,
        tags={RANGE_START: stretch.first, RANGE_END: stretch.last, INTERVAL_TAG: interval},
    )


def _steps(deployment: Deployment) -> list[dg.AssetKey]:
    """What a run does: our own hubs have a schedule, and come first only where nobody has looked yet.

    Without them every setting would have to wait for its hub, and so for the next turn.
    """
    with deployment.store.read() as connection:
        looked = any(one.scope == EVENT_HUBS for one in listings(connection, PROVIDER))
    before = [] if looked else [event_hubs]
    return [step.key for step in (*before, *of_each_customer)]
