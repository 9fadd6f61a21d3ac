"""The sensor that gives customers an early turn when an event hub of theirs has come."""

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from azmdr.config import Settings
from azmdr.store.event_hubs import arrivals_waited_for
from azmdr_dagster.jobs import of_each_customer, reconcile_customers
from azmdr_dagster.resources import Deployment
from sensors.reconciling_runs import customers_in_order, customers_of_runs, why_not
from sensors.runs import UNFINISHED

LOOKED_BACK: Final = timedelta(days=1)
"""A hub that came longer ago has been in the customer's own turns since."""
EARLY_TURN: Final = "azmdr/early-turn"
"""On a run that was asked for out of turn."""


@dg.sensor(
    job=reconcile_customers,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=Settings.load().sensor_seconds,
    description=(
        "When an event hub is seen for the first time and targets of its customer wait for one, this asks for"
        " a run of that customer out of turn: once for each arrival, and not while another is at work for it."
    ),
)
def arrived_hubs(
    context: dg.SensorEvaluationContext, deployment: Deployment
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for a run of each customer whose hub has come, a bounded number of them."""
    settings = deployment.settings
    if reason := why_not(settings):
        return reason
    with deployment.store.read() as connection:
        arrivals = arrivals_waited_for(connection, datetime.now(UTC) - LOOKED_BACK)
    live = set(customers_in_order(context.instance, deployment)) if arrivals else set()
    of_job = dg.RunsFilter(job_name=reconcile_customers.name, statuses=UNFINISHED)
    at_work = customers_of_runs(context.instance, of_job) if arrivals else set()
    early = dg.RunsFilter(job_name=reconcile_customers.name, statuses=UNFINISHED, tags={EARLY_TURN: "hub"})
    room = settings.change_runs - (context.instance.get_runs_count(early) if arrivals else 0)
    keys = {name: f"{name} {at:%Y-%m-%dT%H:%M:%S.%f}" for name, at in arrivals.items() if name in live}
    done = {
        run.tags["dagster/run_key"]
        for name in keys
        for run in context.instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": keys[name]}))
    }
    due = [name for name, key in keys.items() if key not in done and name not in at_work]
    if not due:
        return dg.SkipReason(f"{len(keys)} customers wait and have a new event hub, all with a run since")
    steps = [step.key for step in of_each_customer]
    return [
        dg.RunRequest(run_key=keys[name], partition_key=name, asset_selection=steps, tags={EARLY_TURN: "hub"})
        for name in due[: max(0, room)]
    ] or dg.SkipReason(f"{len(due)} customers wait for room")
