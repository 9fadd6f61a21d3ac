"""``compacted_days``: a closed day's operations in few files, without the revisions that no longer count."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from azmdr.condense.compaction import CompactedDay, Compaction, CompactionResult
from azmdr.lake.layout import Table
from azmdr.lake.tables import SCHEMAS
from azmdr_dagster.partitions import customer_days, customer_days_of, partition_key
from azmdr_dagster.resources import Deployment


@dg.multi_asset(
    name="compacted_days",
    specs=[
        dg.AssetSpec(
            "compacted_days",
            deps=[Table.OPERATIONS.value],
            group_name="capture",
            description=(
                "The operations of a day as one file an hour, each operation once, as its latest revision."
                " Condensing adds a file with every run and a row with every revision; this takes away what"
                " no longer counts. Nobody who reads sees a difference. A day may be compacted at any time,"
                " twice, or half: the new file is there before the old ones go."
            ),
            kinds={"polars", "parquet"},
            owners=["team:detection-engineering"],
            metadata={
                "dagster/column_schema": dg.TableSchema(
                    columns=[
                        dg.TableColumn(name, str(kind)) for name, kind in SCHEMAS[Table.OPERATIONS].items()
                    ]
                )
            },
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "days_compacted",
            asset="compacted_days",
            description=(
                "Every day of the run was compacted. What was written was read back and has the digest, over"
                " all rows that count, of the files it was made of; else the run fails and none is deleted."
                " A customer another run held is named here and done the next time."
            ),
        )
    ],
    partitions_def=customer_days,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def compacted_days(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Compact the run's customer-days."""
    settings = deployment.settings.step
    compaction = Compaction(
        deployment.store,
        deployment.lake,
        settings.claim_lease,
        max(settings.customer_wait, timedelta(seconds=1)),
        context.run.run_id,
    )
    result = compaction.compact(customer_days_of(context.partition_keys))
    for day in result.days:
        key = partition_key(day.partition)
        context.add_asset_metadata(_metadata(day), asset_key="compacted_days", partition_key=key)
    yield dg.MaterializeResult(asset_key="compacted_days")
    yield _all_compacted(result)


def _metadata(day: CompactedDay) -> dict[str, int | str]:
    return {
        "files before": day.before.files,
        "files after": day.after.files,
        "bytes before": day.before.bytes,
        "bytes after": day.after.bytes,
        "rows before": day.before.rows,
        "rows after": day.after.rows,
        "operations": day.operations,
        "digest of what counts, before and after": day.digest,
    }


def _all_compacted(result: CompactionResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key="compacted_days",
        check_name="days_compacted",
        passed=not result.leased,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "days": len(result.days),
            "operations": sum(day.operations for day in result.days),
            "left to other runs": ", ".join(result.leased) or "none",
        },
    )
