"""The schedules of what is the provider's own: the registry as partitions, our event hubs and their code."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import dagster as dg

from assets.event_hub_mapping import event_hub_mapping
from azmdr.config import Settings
from azmdr_dagster.jobs import mirror_customers, observe_event_hubs, provision_event_hubs
from azmdr_dagster.resources import Deployment
from sensors.reconciling_runs import why_not
from sensors.runs import UNFINISHED


def _schedule(
    name: str,
    job: Any,
    cron: str,
    description: str,
    chosen: Callable[[Settings], Sequence[dg.AssetKey] | None] = lambda _: None,
) -> dg.ScheduleDefinition:
    """A schedule that asks for a run of a job, unless one is still queued or under way.

    Args:
        name: of the schedule.
        job: what is run.
        cron: when.
        description: what a person is told.
        chosen: which of the job's assets; None for all.
    """

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
        return dg.RunRequest(asset_selection=chosen(deployment.settings))

    return asking


def _without_repository(settings: Settings) -> Sequence[dg.AssetKey] | None:
    return None if settings.github_repository else [event_hub_mapping.key]


provision_schedule: Final = _schedule(
    "provision_schedule",
    provision_event_hubs,
    Settings.load().provision_schedule,
    "Gives new needs a place for an event hub and commits the places as Terraform. Where no repository is"
    " set, only the places are given: somebody provisions what `azmdr terraform show` prints.",
    _without_repository,
)

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
