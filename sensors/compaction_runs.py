"""The schedule that has closed days compacted, those to which operations were written since."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from azmdr.capture.runs import RangeRun, plan_compactions
from azmdr.config import Settings
from azmdr.store.ledger import CustomerDay
from azmdr.store.uncompacted import uncompacted_days
from azmdr_dagster.jobs import compact_days
from azmdr_dagster.partitions import customers, days, partition_key
from azmdr_dagster.resources import Deployment
from sensors.runs import RANGE_END, RANGE_START, UNFINISHED


@dg.schedule(
    job=compact_days,
    cron_schedule=Settings.load().compaction_schedule,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Asks for a run of each stretch of customers that has operations, written since the last compaction,"
        " on a day that is closed: over for some hours. A late record that re-opens an operation of an old"
        " day has that day compacted again."
    ),
)
def compaction_schedule(
    context: dg.ScheduleEvaluationContext, deployment: Deployment
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for the compactions that are due."""
    if context.instance.get_runs_count(dg.RunsFilter(job_name=compact_days.name, statuses=UNFINISHED)):
        return dg.SkipReason("the runs before are still queued or under way")
    settings = deployment.settings
    open_since = (datetime.now(UTC) - timedelta(seconds=settings.day_closes_after)).date()
    with deployment.store.read() as connection:
        due = [one.partition for one in uncompacted_days(connection, open_since)]
    known = context.instance.get_dynamic_partitions(str(customers.name))
    runs = plan_compactions(due, settings.run_bounds, known, days.get_partition_keys())
    if not runs:
        return dg.SkipReason(f"no closed day was written to; {len(due)} are outside the partitions")
    return [_request(run) for run in runs]


def _request(run: RangeRun) -> dg.RunRequest:
    ends = {RANGE_START: run.first, RANGE_END: run.last}
    return dg.RunRequest(
        tags={tag: partition_key(CustomerDay(customer, run.day)) for tag, customer in ends.items()}
    )
