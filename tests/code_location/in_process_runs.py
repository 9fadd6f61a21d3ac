"""Runs of the jobs in this process, on the real storage, with an instance in memory."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from azmdr.store.ledger import CustomerDay
from azmdr_dagster.definitions import build_definitions
from azmdr_dagster.partitions import customers, partition_key
from azmdr_dagster.resources import Deployment


def condense(
    instance: dg.DagsterInstance,
    partition: CustomerDay,
    last: CustomerDay | None = None,
    resource: Deployment | None = None,
    **config: Any,
) -> dg.ExecuteInProcessResult:
    """A run of one partition, or of the range from it to ``last``; without config everything, again."""
    add_customers(instance, [partition.customer, *([last.customer] if last else [])])
    key = partition_key(partition)
    range_tags = {
        "dagster/asset_partition_range_start": key,
        "dagster/asset_partition_range_end": partition_key(last) if last else key,
    }
    return _job("condense_capture_files", resource).execute_in_process(
        run_config={"ops": {"condensed_tables": {"config": config}}},
        instance=instance,
        partition_key=None if last else key,
        tags=range_tags if last else {},
        raise_on_error=False,
    )


def condense_as_requested(instance: dg.DagsterInstance, asked: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """The run a sensor asked for."""
    return _job("condense_capture_files").execute_in_process(
        run_config=asked.run_config,
        instance=instance,
        partition_key=asked.partition_key,
        tags=asked.tags,
        raise_on_error=False,
    )


def list_container(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """The run the schedule asks for."""
    return _job("list_capture_files").execute_in_process(instance=instance)


def add_customers(instance: dg.DagsterInstance, names: Sequence[str]) -> None:
    instance.add_dynamic_partitions(str(customers.name), list(names))


def _job(name: str, resource: Deployment | None = None) -> dg.JobDefinition:
    resources = {"deployment": resource} if resource else None
    return build_definitions(resources).resolve_job_def(name)
