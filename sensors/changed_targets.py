"""The drift sensor: what was seen to change in the stream of operations is reconciled at once."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.diagnostic_settings import (
    SettingsConfig,
    resource_diagnostic_settings,
    subscription_diagnostic_settings,
)
from azmdr.config import Settings
from azmdr.reconcile.change_runs import plan_change_runs
from azmdr.store.requests import customers_with_requests
from azmdr_dagster.jobs import reconcile_changes
from azmdr_dagster.resources import Deployment
from sensors.reconciling_runs import customers_in_order, customers_of_runs, why_not
from sensors.runs import UNFINISHED


@dg.sensor(
    job=reconcile_changes,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=Settings.load().sensor_seconds,
    description=(
        "When a condensed operation shows that somebody changed or deleted a diagnostic setting, or wrote a"
        " resource, this asks for a run of that customer that looks at those targets only."
    ),
)
def changed_targets(
    context: dg.SensorEvaluationContext, deployment: Deployment
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a run of each customer with requests, a bounded number of them."""
    settings = deployment.settings
    if reason := why_not(settings):
        return reason
    now = datetime.now(UTC)
    asked = _asked(context.cursor)
    with deployment.store.read() as connection:
        requests = customers_with_requests(connection)
    live = set(customers_in_order(context.instance, deployment)) if requests else set()
    waiting = {name: newest for name, newest in requests.items() if name in live}
    flying = customers_of_runs(
        context.instance, dg.RunsFilter(job_name=reconcile_changes.name, statuses=UNFINISHED)
    )
    again_after = timedelta(seconds=settings.customer_lease)
    chosen = plan_change_runs(
        waiting, asked, flying, now=now, again_after=again_after, bound=settings.change_runs
    )
    if not chosen:
        return dg.SkipReason(f"{len(waiting)} customers with changes, {len(flying)} of them at work")
    after = {name: at for name, at in asked.items() if name in waiting} | dict.fromkeys(chosen, now)
    return dg.SensorResult(
        run_requests=[_request(name) for name in chosen],
        cursor=json.dumps({name: at.isoformat() for name, at in after.items()}),
    )


def _request(customer: str) -> dg.RunRequest:
    config = SettingsConfig(requested_only=True)
    steps = (subscription_diagnostic_settings, resource_diagnostic_settings)
    return dg.RunRequest(
        partition_key=customer, run_config=dg.RunConfig(ops={step.op.name: config for step in steps})
    )


def _asked(cursor: str | None) -> dict[str, datetime]:
    """When a run was last asked for, by customer, as the cursor keeps it."""
    kept = json.loads(cursor) if cursor else {}
    return {name: datetime.fromisoformat(at) for name, at in kept.items()}
