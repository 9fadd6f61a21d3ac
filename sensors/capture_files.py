"""The capture sensor: from announced files to rows of the ledger, and from waiting files to runs."""

from datetime import UTC, datetime

import dagster as dg

from azmdr.capture.intake import take_messages
from azmdr.capture.runs import FileRun, Run, Waiting, open_partitions, plan_runs
from azmdr.config import Settings
from azmdr.store import ledger
from azmdr_dagster.jobs import condense_capture_files
from azmdr_dagster.partitions import days, known_customers
from azmdr_dagster.resources import Deployment
from sensors.condensing_runs import in_flight, request


@dg.sensor(
    job=condense_capture_files,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=Settings.load().sensor_seconds,
    description=(
        "Reads the queue on which new capture files are announced, writes them into the ledger, and asks for"
        " runs: one a file while few wait, one a customer's day when many do, one for a range of customers"
        " when very many do. Never more than a bound in flight."
    ),
)
def capture_files_sensor(context: dg.SensorEvaluationContext, deployment: Deployment) -> dg.SensorResult:
    """Take the messages off the queue, then ask for runs of what waits."""
    settings = deployment.settings
    intake = take_messages(
        deployment.store,
        deployment.queue,
        deployment.naming,
        visibility_seconds=settings.message_visibility,
        message_attempts=settings.message_attempts,
        budget_seconds=settings.intake_seconds,
    )
    for refusal in intake.refused:
        context.log.warning("set aside: %s", refusal)
    runs = _plan(context, deployment)
    if runs:
        return dg.SensorResult(run_requests=[request(run) for run in runs])
    told = f"{intake.files} announced, {intake.new} new, {len(intake.refused)} set aside; no run to ask for"
    return dg.SensorResult(skip_reason=told)


def _plan(context: dg.SensorEvaluationContext, deployment: Deployment) -> list[Run]:
    bounds = deployment.settings.run_bounds
    flying = in_flight(context.instance)
    now = datetime.now(UTC)
    with deployment.store.read() as connection:
        seen = ledger.customers(connection)
    known = known_customers(context.instance, seen)
    dates = days.get_partition_keys()
    with deployment.store.read() as connection:
        by_day = ledger.waiting_by_day(connection, now)
        # Files of other partitions, however old, must not hide those that can be asked for. And where more
        # partitions than this are open, files are not asked for one by one.
        enough = bounds.files_alone + bounds.in_flight
        some = list(open_partitions(by_day, flying, known, dates))[:enough]
        waiting = Waiting(by_day, ledger.waiting_files(connection, now, enough, some))
    if stranded := sum(files for partition, files in by_day.items() if partition.day not in dates):
        context.log.warning("%s files wait on days before partitions_start, or in the future", stranded)
    runs = plan_runs(waiting, flying, bounds, known, dates)
    with deployment.store.write() as connection:
        ledger.note_requests(connection, [run.file.id for run in runs if isinstance(run, FileRun)])
    return runs
