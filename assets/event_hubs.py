"""``event_hubs``: our own event hubs, as they really stand in Azure."""

from collections.abc import Iterator

import dagster as dg

from assets.event_hub_terraform import event_hub_terraform
from assets.reconciling import TEAM, table
from azmdr.steps.event_hubs import PROVIDER, observe_event_hubs
from azmdr.store.event_hubs import known_hubs
from azmdr_dagster.resources import Deployment


@dg.asset(
    name="event_hubs",
    group_name="infrastructure",
    owners=TEAM,
    kinds={"azure", "eventhubs"},
    deps=[event_hub_terraform],
    description=(
        "The event hubs that take the customers' logs, in our own subscription: one a customer and region,"
        " named after the customer. Nothing is sent to a hub before it was seen here."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            "event_hubs_listed",
            asset="event_hubs",
            description=(
                "The listing of namespaces, hubs and authorization rules came to its end. While it does not,"
                " no hub is forgotten, and none that is new is known."
            ),
        )
    ],
)
def event_hubs(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """List namespaces, hubs and the rules that settings send with."""
    plane = deployment.control_plane(context.run.run_id)
    report = observe_event_hubs(plane)
    with deployment.store.read() as connection:
        hubs = sorted(known_hubs(connection).items())
    told = report.customers[PROVIDER]
    rows = [
        (
            *(name, known.facts.region, namespace.rpartition("/")[2], known.facts.tier),
            "yes" if known.facts.has_rule else f"no rule {plane.place.rule}",
            "yes" if known.absence.listings else "",
        )
        for (namespace, name), known in hubs
    ]
    yield dg.MaterializeResult(
        metadata={
            "ending": told.ending.value,
            **dict(told.counts),
            "hubs": table(("hub", "region", "namespace", "tier", "can be sent to", "missing"), rows),
            **{f"calls: {kind}": number for kind, number in sorted(report.tally.calls.items())},
            "calls: throttled": report.tally.throttled,
        },
        check_results=[
            dg.AssetCheckResult(
                passed=not report.failed,
                description=report.failed.get(PROVIDER),
                metadata={"problem": report.failed.get(PROVIDER, "none")},
            )
        ],
    )
