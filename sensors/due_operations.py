"""The sensor for due operations: has them emitted when no further capture file does."""

from datetime import UTC, datetime

import dagster as dg

from azmdr.capture.runs import plan_emissions
from azmdr.config import Settings
from azmdr.store.operations import customers_due
from azmdr_dagster.jobs import condense_capture_files
from azmdr_dagster.partitions import customers
from azmdr_dagster.resources import Deployment
from sensors.condensing_runs import in_flight, request


@dg.sensor(
    job=condense_capture_files,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=Settings.load().sensor_seconds,
    description=(
        "Every condensing run emits the operations that are due. Where a customer's operations became due and"
        " no run of that customer is queued or running, this asks for one."
    ),
)
def due_operations_sensor(
    context: dg.SensorEvaluationContext, deployment: Deployment
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a run of today's partition of each customer with due operations."""
    settings = deployment.settings
    now = datetime.now(UTC)
    with deployment.store.read() as connection:
        due = customers_due(connection, now)
    known = context.instance.get_dynamic_partitions(str(customers.name))
    flying = in_flight(context.instance)
    runs = plan_emissions(due, flying, settings.run_bounds, known, f"{now:%Y-%m-%d}")
    if not runs:
        return dg.SkipReason(f"{len(due)} customers with due operations, {flying.runs} runs in flight")
    return dg.SensorResult(run_requests=[request(run, reason="due operations") for run in runs])
