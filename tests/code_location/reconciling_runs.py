"""Runs of the control plane's jobs in this process, as a schedule or a person asks for them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from azmdr_dagster.definitions import build_definitions
from azmdr_dagster.partitions import customers

Shown = dict[tuple[str, str], dict[str, Any]]

RANGE: Final = "dagster/asset_partition_range"


def run_job(
    instance: dg.DagsterInstance,
    job: str,
    *keys: str,
    steps: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """A run of a job for some customers.

    Args:
        instance: of Dagster.
        job: its name.
        keys: the customers, from the first to the last in the order of the partitions.
        steps: only these assets of it.
        config: of each of ``steps``.
        tags: more tags.
    """
    known = instance.get_dynamic_partitions(str(customers.name))
    instance.add_dynamic_partitions(str(customers.name), [key for key in keys if key not in known])
    ends = {f"{RANGE}_start": keys[0], f"{RANGE}_end": keys[-1]} if len(keys) > 1 else {}
    return (
        build_definitions()
        .resolve_job_def(job)
        .execute_in_process(
            instance=instance,
            partition_key=keys[0] if len(keys) == 1 else None,
            asset_selection=[dg.AssetKey(step) for step in steps] or None,
            run_config={"ops": {step: {"config": dict(config)} for step in steps}} if config else None,
            tags={**ends, **(tags or {})},
            raise_on_error=False,
        )
    )


def run_as_requested(
    instance: dg.DagsterInstance, job: str, asked: dg.RunRequest
) -> dg.ExecuteInProcessResult:
    """The run a schedule or a sensor asked for."""
    return (
        build_definitions()
        .resolve_job_def(job)
        .execute_in_process(
            run_config=asked.run_config,
            instance=instance,
            partition_key=asked.partition_key,
            asset_selection=asked.asset_selection,
            tags=asked.tags,
            raise_on_error=False,
        )
    )


def shown(result: dg.ExecuteInProcessResult) -> Shown:
    """What the run's materializations show, by asset and partition; tables as lists of rows."""
    events = [
        event.step_materialization_data.materialization for event in result.get_asset_materialization_events()
    ]
    return {
        (event.asset_key.to_user_string(), event.partition or ""): {
            label: [record.data for record in value.records]
            if isinstance(value, dg.TableMetadataValue)
            else value.value
            for label, value in event.metadata.items()
        }
        for event in events
    }


def check(result: dg.ExecuteInProcessResult, asset: str, name: str) -> dg.AssetCheckEvaluation:
    (found,) = (
        one
        for one in result.get_asset_check_evaluations()
        if (one.asset_key.to_user_string(), one.check_name) == (asset, name)
    )
    return found


def troubled(evaluation: dg.AssetCheckEvaluation) -> dict[str, str]:
    """Whom a check names, and what it says of them."""
    rows = evaluation.metadata["trouble"]
    assert isinstance(rows, dg.TableMetadataValue)
    return {str(row.data["customer"]): str(row.data["what"]) for row in rows.records}
