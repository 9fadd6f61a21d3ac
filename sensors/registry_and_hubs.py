"""The schedules of what is of no customer: the registry as partitions, and our own event hubs."""

from typing import Any, Final

import dagster as dg

from azmdr.config import Settings
from azmdr_dagster.jobs import mirror_customers, observe_event_hubs
from azmdr_dagster.resources import Deployment
from sensors.reconciling_runs import why_not
from sensors.runs import UNFINISHED


def _schedule(name: str, job: Any, cron: str, description: str) -> dg.ScheduleDefinition:
    """A schedule that asks for a run of a job, unless one is still queued or under way."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def asking(
        context: dg.ScheduleEvaluationContext, deployment: Deployment
    ) -> dg.RunRequest | dg.SkipReason:
        if reason := why_not(deployment.settings):
            return reason
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED)):
            return dg.SkipReason("the run before is still queued or under way")
        return dg.RunRequest()

    return asking


event_hubs_schedule: Final = _schedule(
    "event_hubs_schedule",
    observe_event_hubs,
    Settings.load().event_hubs_schedule,
    "Sees which of our own event hubs stand; a setting is written only when its hub was seen.",
)

customers_schedule: Final = _schedule(
    "customers_schedule",
    mirror_customers,
    Settings.load().customers_schedule,
    "Mirrors the registry of customers into the partitions, and shows it as a table.",
)
