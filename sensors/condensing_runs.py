"""Asking for condensing runs: what sensors share when they request runs of ``condense_capture_files``."""

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

from assets.condensed_tables import CondenseConfig, condensed_tables
from azmdr.capture.runs import DayRun, FileRun, InFlight, RangeRun, Run
from azmdr.store.ledger import CustomerDay
from azmdr_dagster.jobs import condense_capture_files
from azmdr_dagster.partitions import customer_days, customer_days_of, partition_key
from sensors.runs import PARTITION, RANGE_END, RANGE_START, UNFINISHED

FILE_TAG: Final = "azmdr/capture_file"
"""On a run for one capture file: its row in the ledger."""
KIND_TAG: Final = "azmdr/run"
"""What a condensing run is for: ``file``, ``customer-day``, ``range`` or ``due operations``."""


def in_flight(instance: dg.DagsterInstance) -> InFlight:
    """The condensing runs that are queued or running, and what they will do."""
    wanted = dg.RunsFilter(job_name=condense_capture_files.name, statuses=UNFINISHED)
    runs = [record.dagster_run for record in instance.get_run_records(wanted)]
    files = {int(run.tags[FILE_TAG]) for run in runs if FILE_TAG in run.tags}
    whole = [run.tags for run in runs if FILE_TAG not in run.tags]
    partitions = {partition for tags in whole for partition in _partitions(tags, instance)}
    return InFlight(len(runs), frozenset(files), frozenset(partitions))


def request(run: Run, reason: str | None = None) -> dg.RunRequest:
    """The request for a planned run. ``reason`` says what for, where not for the files that wait."""
    match run:
        case FileRun(file):
            return dg.RunRequest(
                run_key=run.run_key,
                partition_key=partition_key(file.partition),
                run_config=_config(file_ids=[file.id]),
                tags={KIND_TAG: "file", FILE_TAG: str(file.id)},
            )
        case DayRun(partition):
            return dg.RunRequest(
                partition_key=partition_key(partition),
                run_config=_config(),
                tags={KIND_TAG: reason or "customer-day"},
            )
        case RangeRun(first, last, day):
            tags = {
                KIND_TAG: reason or "range",
                RANGE_START: partition_key(CustomerDay(first, day)),
                RANGE_END: partition_key(CustomerDay(last, day)),
            }
            return dg.RunRequest(run_config=_config(), tags=tags)


def _config(file_ids: Sequence[int] = ()) -> dg.RunConfig:
    config = CondenseConfig(waiting_only=True, file_ids=list(file_ids))
    return dg.RunConfig(ops={condensed_tables.op.name: config})


def _partitions(tags: Mapping[str, str], instance: dg.DagsterInstance) -> list[CustomerDay]:
    if PARTITION in tags:
        return customer_days_of([tags[PARTITION]])
    if RANGE_START in tags and RANGE_END in tags:
        stretch = dg.PartitionKeyRange(tags[RANGE_START], tags[RANGE_END])
        return customer_days_of(
            customer_days.get_partition_keys_in_range(stretch, dynamic_partitions_store=instance)
        )
    return []
