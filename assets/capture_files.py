"""``capture_files``: what Event Hubs Capture writes. Azure makes it; we observe it."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from azmdr.capture.intake import take_listing
from azmdr.store import ledger
from azmdr_dagster.resources import Deployment


@dg.multi_observable_source_asset(  # type: ignore[untyped-decorator] # Dagster types its siblings only
    name="capture_container_listing",
    specs=[
        dg.AssetSpec(
            "capture_files",
            group_name="capture",
            description=(
                "Avro files that Event Hubs Capture writes: one for each partition of each event hub every"
                " few minutes. New ones are announced on a storage queue, which the sensor reads. Observing"
                " lists the container and puts into the ledger the files whose announcement never came."
                " A condensing run that holds few files records an observation for each."
            ),
            kinds={"azure", "eventhubs", "avro"},
            owners=["team:detection-engineering"],
        )
    ],
)
def capture_files(deployment: Deployment) -> dg.ObserveResult:
    """List the container from the last complete listing on."""
    settings = deployment.settings
    now = datetime.now(UTC)
    intake = take_listing(
        deployment.store,
        deployment.container,
        deployment.naming,
        now=now,
        look_back=timedelta(hours=settings.listing_hours),
        grace=timedelta(seconds=settings.listing_grace),
    )
    with deployment.store.read() as connection:
        states = ledger.states(connection)
    return dg.ObserveResult(
        metadata={
            "files listed": intake.files,
            "files found that no message announced": intake.new,
            "blobs that are no capture files": len(intake.refused),
            "refused": dg.MetadataValue.md(
                "\n".join(f"- `{reason}`" for reason in intake.refused[:20]) or "none"
            ),
            "container": dg.MetadataValue.url(deployment.container.url),
            **{f"ledger: {state}": files for state, files in sorted(states.items())},
        }
    )
