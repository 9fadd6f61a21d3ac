"""Ticks of the sensors, and runs as Dagster's queue would hold them."""

from collections.abc import Iterable
from datetime import datetime

import dagster as dg

from azmdr_dagster.jobs import condense_capture_files
from azmdr_dagster.resources import Deployment
from sensors.capture_files import capture_files_sensor
from sensors.changed_targets import changed_targets
from sensors.due_operations import due_operations_sensor


def capture_tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the capture sensor asks for when Dagster evaluates it now."""
    return _tick(capture_files_sensor, instance)


def due_tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the sensor for due operations asks for when Dagster evaluates it now."""
    return _tick(due_operations_sensor, instance)


def changes_tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    """What the drift sensor asks for when Dagster evaluates it now."""
    with dg.build_sensor_context(
        instance=instance, resources={"deployment": Deployment()}, cursor=cursor
    ) as context:
        result = changed_targets(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def schedule_tick(
    schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, at: datetime
) -> list[dg.RunRequest] | str:
    """What a schedule asks for at a time, or why nothing."""
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, resources={"deployment": Deployment()}
    ) as context:
        result = schedule(context)
    if isinstance(result, dg.SkipReason):
        assert result.skip_message
        return result.skip_message
    if isinstance(result, dg.RunRequest):
        return [result]
    assert isinstance(result, list)
    return result


def _tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """A tick that asks for nothing must say why."""
    with dg.build_sensor_context(
        instance=instance, resources={"deployment": Deployment()}, sensor_name=sensor.name
    ) as context:
        result = sensor(context)
    if isinstance(result, dg.SkipReason):
        assert result.skip_message
        return []
    assert isinstance(result, dg.SensorResult)
    assert bool(result.run_requests) != bool(result.skip_reason)
    return list(result.run_requests or [])


def enqueue(
    instance: dg.DagsterInstance,
    requests: Iterable[dg.RunRequest],
    job: str = condense_capture_files.name,
) -> list[dg.DagsterRun]:
    """Put the runs into the instance as not started, with the tags Dagster gives them."""
    return [
        instance.add_run(
            dg.DagsterRun(
                job_name=job,
                status=dg.DagsterRunStatus.NOT_STARTED,
                tags={**request.tags, **_partition_tag(request)},
            )
        )
        for request in requests
    ]


def _partition_tag(request: dg.RunRequest) -> dict[str, str]:
    return {"dagster/partition": str(request.partition_key)} if request.partition_key else {}
