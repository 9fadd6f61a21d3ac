"""The sensor that gives customers an early turn when an event hub of theirs has come."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import starmap
from typing import Final

import dagster as dg

from azmdr.config import Settings
from azmdr.reconcile.early_turns import early_turn, plan_early_turns
from azmdr.store.event_hubs import arrivals_waited_for
from azmdr_dagster.jobs import of_each_customer, reconcile_customers
from azmdr_dagster.resources import Deployment
from sensors.reconciling_runs import customers_in_order, customers_of_runs, why_not
from sensors.runs import UNFINISHED

LOOKED_BACK: Final = timedelta(days=1)
"""A hub that came longer ago has been in the customer's own turns since."""
EARLY: Final = {"azmdr/early-turn": "hub"}
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
        found = arrivals_waited_for(connection, datetime.now(UTC) - LOOKED_BACK)
    if not found:
        return dg.SkipReason("nobody waits whose event hub has come")
    live = set(customers_in_order(context.instance, deployment))
    arrivals = {name: at for name, at in found.items() if name in live}
    chosen = plan_early_turns(
        arrivals,
        asked={key for key in starmap(early_turn, arrivals.items()) if _was_asked(context.instance, key)},
        at_work=customers_of_runs(context.instance, _unfinished()),
        room=settings.change_runs - context.instance.get_runs_count(_unfinished(EARLY)),
    )
    if not chosen:
        return dg.SkipReason(f"{len(arrivals)} customers wait; each had a run, is at work, or waits for room")
    return [_request(name, arrivals[name]) for name in chosen]


def _request(customer: str, arrived: datetime) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=early_turn(customer, arrived),
        partition_key=customer,
        asset_selection=[step.key for step in of_each_customer],
        tags=EARLY,
    )


def _was_asked(instance: dg.DagsterInstance, key: str) -> bool:
    return instance.get_runs_count(dg.RunsFilter(tags={"dagster/run_key": key})) > 0


def _unfinished(tags: Mapping[str, str] | None = None) -> dg.RunsFilter:
    return dg.RunsFilter(job_name=reconcile_customers.name, statuses=UNFINISHED, tags=dict(tags or {}))
