"""``event_hub_mapping``: where every customer's event hub is to be, region by region."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from assets.monitored_resources import monitored_resources
from assets.reconciling import TEAM, table
from azmdr_dagster.resources import Deployment
from terraform_gen.event_hub_mapping import MappingReport, MappingSettings, update_placements
from terraform_gen.mapping import hub_name

PLACED = "every_need_has_a_hub"


@dg.asset(
    name="event_hub_mapping",
    group_name="infrastructure",
    owners=TEAM,
    kinds={"azure", "eventhubs"},
    deps=[monitored_resources],
    description=(
        "Which event hub namespace takes the logs of which customer in which region: one event hub in every"
        " region where the customer has something that logs, in its home region, and in that of its Entra ID"
        " workspace. A place once given never changes, since what sends to an event hub would go on doing so."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            PLACED,
            asset="event_hub_mapping",
            description=(
                "Every customer has a place for an event hub in every region it needs one. Names each need"
                " without a place, and each region that Azure does not have."
            ),
        )
    ],
)
def event_hub_mapping(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """Give places to new needs, and write down which places nothing needs any more."""
    settings, mapping = deployment.settings, MappingSettings.of(deployment.settings)
    committed = deployment.repository.read(settings.github_path) if settings.github_repository else None
    report = update_placements(deployment.store, mapping, datetime.now(UTC), committed)
    for placement in report.given:
        context.log.info("%s: a new place", hub_name(placement))
    yield dg.MaterializeResult(metadata=_metadata(report, mapping), check_results=[_check(report)])


def _metadata(report: MappingReport, settings: MappingSettings) -> dict[str, dg.MetadataValue | int]:
    names = settings.ingest.names
    shards = {each.key: each for each in report.mapping.shards}
    hubs = [
        (
            *(each.customer, each.region, names.of(*each.shard_key), shards[each.shard_key].tier),
            *(each.partitions, f"{since:%Y-%m-%d %H:%M} UTC" if (since := report.unneeded.get(each)) else ""),
        )
        for each in report.mapping.placements
    ]
    columns = ("customer", "region", "namespace", "tier", "partitions", "not needed since")
    gaps = [(customer, gap) for customer, lacking in sorted(report.gaps.items()) for gap in lacking]
    outgrown = [(hub_name(each), each.partitions, wanted) for each, wanted in report.outgrown.items()]
    elsewhere = [(*need, namespace) for need, namespace in sorted(report.elsewhere.items())]
    return {
        "dagster/row_count": len(hubs),
        "namespaces": len(shards),
        "new": len(report.given),
        "adopted": len(report.adopted),
        "event hubs": table(columns, hubs),
        "needs served elsewhere": table(("customer", "region", "namespace"), elsewhere),
        "outgrown": table(("event hub", "partitions", "would need"), outgrown),
        "gaps in the inventory": table(("customer", "what is not known"), gaps),
    }


def _check(report: MappingReport) -> dg.AssetCheckResult:
    wrong = [
        *((customer, region, why) for (customer, region), why in sorted(report.refused.items())),
        *(
            (customer, region, "is no region of Azure that we know")
            for customer, regions in sorted(report.unknown_regions.items())
            for region in sorted(regions)
        ),
    ]
    told = "; ".join(f"{customer} in {region}: {why}" for customer, region, why in wrong[:3])
    return dg.AssetCheckResult(
        check_name=PLACED,
        passed=not wrong,
        description=told or None,
        metadata={"without a place": table(("customer", "region", "why"), wrong)},
    )
