"""``activity_records``, ``operations``, ``quarantined_records``: what capture files become, in one pass."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
from pydantic import Field

from azmdr.condense.attempts import Outcome
from azmdr.condense.conservation import Discrepancy, discrepancies
from azmdr.condense.counts import Counts
from azmdr.condense.step import CondensingStep, DoneFile, StepResult
from azmdr.lake.layout import Table, table_prefix
from azmdr.lake.tables import SCHEMAS
from azmdr.store.ledger import CustomerDay
from azmdr_dagster.partitions import customer_days, customer_days_of, partition_key
from azmdr_dagster.resources import Deployment

FILES_SHOWN = 50
"""Rows of the table of files in a materialization's metadata."""


class CondenseConfig(dg.Config):
    """Which capture files of the partitions to condense. Left as it is: all, again, which is a backfill."""

    waiting_only: bool = Field(default=False, description="Only the files that have not been condensed yet.")
    file_ids: list[int] = Field(
        default=[],
        description="With waiting_only: only these rows of the ledger. Empty: every file that waits.",
    )
    hours: list[int] = Field(
        default=[], description="Without waiting_only: only files written in these hours of the day, UTC."
    )


def _spec(table: Table, description: str) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, str(kind)) for name, kind in SCHEMAS[table].items()]
    return dg.AssetSpec(
        table.value,
        deps=["capture_files"],
        group_name="capture",
        description=description,
        kinds={"azure", "polars", "parquet"},
        owners=["team:detection-engineering"],
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
    )


@dg.multi_asset(
    name="condensed_tables",
    specs=[
        _spec(
            Table.ACTIVITY_RECORDS,
            "Records that stand for themselves: sign-ins, directory audit, resource logs, alerts, whatever is"
            " not one stage of an operation. Each is kept as the text that arrived, byte for byte.",
        ),
        _spec(
            Table.OPERATIONS,
            "One row for each operation on Azure, made of the several records Azure writes for it (started,"
            " accepted, succeeded or failed), with its outcome. The highest revision of an operation id"
            " counts. Every record it was made of can be rebuilt from it.",
        ),
        _spec(
            Table.QUARANTINED_RECORDS,
            "What could not become a row, whole: with the capture file, the byte offset in it, the reason.",
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "records_conserved",
            asset=Table.OPERATIONS.value,
            blocking=True,
            description=(
                "Every record of every capture file of the run is in exactly one place: passed through,"
                " merged into an operation, a duplicate, or quarantined. Recounted from the rows in the lake"
                " and the store."
            ),
        ),
        dg.AssetCheckSpec(
            "capture_files_read",
            asset=Table.ACTIVITY_RECORDS.value,
            description="Every capture file of the run could be read; the others are named, with the reason.",
        ),
    ],
    partitions_def=customer_days,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def condensed_tables(
    context: dg.AssetExecutionContext, config: CondenseConfig, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Condense capture files of the run's partitions, then emit the operations that are due."""
    partitions = customer_days_of(context.partition_keys)
    step = CondensingStep(
        deployment.store, deployment.container, deployment.lake, deployment.settings.step, context.run.run_id
    )
    if config.waiting_only:
        result = step.condense_waiting(partitions, config.file_ids)
    else:
        redo = context.run.root_run_id or context.run.run_id
        result = step.condense_again(partitions, redo=redo, hours=config.hours)
    _log_trouble(context, result)
    if len(result.done) <= deployment.settings.observations_per_run:
        _observe_files(context, result.done)
    for table in Table:
        _describe_partitions(context, table, partitions, result, deployment.lake.address)
        yield dg.MaterializeResult(asset_key=table.value)
    yield _all_read(result)
    yield _conservation(discrepancies(deployment.lake, result.done), result)


def _log_trouble(context: dg.AssetExecutionContext, result: StepResult) -> None:
    for one in result.not_done:
        context.log.warning("%s: %s", one.state, one.reason)
    for customer in result.leased:
        context.log.info("skipped: leased: %s is held by another run", customer)
    for operation_id in result.not_in_lake:
        context.log.warning(
            "operation %s: its row is not in the lake any more; condense its days again to have it whole",
            operation_id,
        )


def _observe_files(context: dg.AssetExecutionContext, done: Sequence[DoneFile]) -> None:
    for one in done:
        counts = one.counts
        context.log_event(
            dg.AssetObservation(
                asset_key="capture_files",
                description=one.file.path,
                metadata={
                    "path": one.file.path,
                    "etag": one.file.etag,
                    "customer": one.file.customer,
                    "uploaded": dg.MetadataValue.timestamp(one.file.uploaded_at),
                    "bytes": counts.bytes,
                    "events": counts.events,
                    "records": counts.records,
                    "passed through": counts.passed_through,
                    "merged into operations": counts.merged,
                    "duplicates": counts.duplicates,
                    "quarantined": counts.quarantined,
                    "lake files": dg.MetadataValue.json(list(one.outputs)),
                },
            )
        )


def _describe_partitions(
    context: dg.AssetExecutionContext,
    table: Table,
    partitions: Sequence[CustomerDay],
    result: StepResult,
    lake: str,
) -> None:
    done: defaultdict[CustomerDay, list[DoneFile]] = defaultdict(list)
    for one in result.done:
        done[one.file.partition].append(one)
    for partition in partitions:
        metadata = _metadata(table, done[partition], result.emitted.get(partition.customer, {}))
        if table is Table.OPERATIONS:
            metadata |= _state(partition.customer, result)
        metadata["lake"] = f"{lake}/{table_prefix(partition.customer, table)}"
        context.add_asset_metadata(metadata, asset_key=table.value, partition_key=partition_key(partition))


def _metadata(
    table: Table, done: Sequence[DoneFile], emitted: Mapping[Outcome, int]
) -> dict[str, dg.TableMetadataValue | int | str]:
    counts = sum((one.counts for one in done), start=Counts())
    rows = {
        Table.ACTIVITY_RECORDS: counts.passed_through,
        Table.OPERATIONS: sum(emitted.values()),
        Table.QUARANTINED_RECORDS: counts.quarantined,
    }
    return {
        "rows written": rows[table],
        "capture files": counts.files,
        "capture bytes": counts.bytes,
        "events": counts.events,
        "records": counts.records,
        "passed through": counts.passed_through,
        "merged into operations": counts.merged,
        "duplicates": counts.duplicates,
        "quarantined": counts.quarantined,
        "operations emitted": sum(emitted.values()),
        **{f"operations: {outcome}": number for outcome, number in sorted(emitted.items())},
        "files": _files_table(done),
    }


def _state(customer: str, result: StepResult) -> dict[str, dg.TableMetadataValue | int | str]:
    """How much state the customer has, and how that came about."""
    if (size := result.sizes.get(customer)) is None:
        return {"skipped": "leased: another run held the customer; what waits goes on waiting"}
    return {
        "state: open operations": size.operations,
        "state: records": size.records,
        "state: bytes": size.bytes,
        "state: closed operations": size.closed_operations,
        "operations closed": result.closed[customer],
        "closed operations read back": result.reopened[customer],
    }


def _files_table(done: Sequence[DoneFile]) -> dg.TableMetadataValue:
    columns = ["path", "bytes", "events", "records", "passed", "merged", "duplicates", "quarantined"]
    rows = [
        (one.file.path, c.bytes, c.events, c.records, c.passed_through, c.merged, c.duplicates, c.quarantined)
        for one in done[:FILES_SHOWN]
        for c in [one.counts]
    ]
    kinds = ["string", *["int"] * (len(columns) - 1)]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(zip(columns, row, strict=True))) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(*column) for column in zip(columns, kinds, strict=True)]),
    )


def _all_read(result: StepResult) -> dg.AssetCheckResult:
    reasons = [f"- {one.state}: {one.reason}" for one in result.not_done]
    return dg.AssetCheckResult(
        asset_key=Table.ACTIVITY_RECORDS.value,
        check_name="capture_files_read",
        passed=not reasons,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "files read": len(result.done),
            "files not read": len(reasons),
            "reasons": dg.MetadataValue.md("\n".join(reasons[:FILES_SHOWN]) or "none"),
        },
    )


def _conservation(found: Sequence[Discrepancy], result: StepResult) -> dg.AssetCheckResult:
    counts = result.counts
    return dg.AssetCheckResult(
        asset_key=Table.OPERATIONS.value,
        check_name="records_conserved",
        passed=not found,
        metadata={
            "files": counts.files,
            "records": counts.records,
            "passed through + merged + duplicates + quarantined": (
                f"{counts.passed_through} + {counts.merged} + {counts.duplicates} + {counts.quarantined}"
            ),
            "discrepancies": dg.MetadataValue.md(
                "\n".join(f"- `{one.path}`: {one.what}" for one in found[:FILES_SHOWN]) or "none"
            ),
        },
    )
