"""The capture sensor: from announced files to rows of the ledger, and from waiting files to runs."""

from datetime import UTC, datetime

import dagster as dg

from azmdr.capture.intake import take_messages
from azmdr.capture.runs import FileRun, Run, Waiting, plan_runs
from azmdr.config import Settings
from azmdr.store import ledger
from azmdr_dagster.jobs import condense_capture_files
from azmdr_dagster.partitions import customers, days
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
        waiting = Waiting(
            ledger.waiting_by_day(connection, now),
            ledger.waiting_files(connection, now, bounds.files_alone + bounds.in_flight),
        )
    _add_customers(context.instance, seen)
    known = context.instance.get_dynamic_partitions(str(customers.name))
    runs = plan_runs(waiting, flying, bounds, known, days.get_partition_keys())
    with deployment.store.write() as connection:
        ledger.note_requests(connection, [run.file.id for run in runs if isinstance(run, FileRun)])
    return runs


def _add_customers(instance: dg.DagsterInstance, seen: list[str]) -> None:
    known = set(instance.get_dynamic_partitions(str(customers.name)))
    if new := [customer for customer in seen if customer not in known]:
        instance.add_dynamic_partitions(str(customers.name), new)
