"""Jobs: the selections of assets that sensors and schedules ask runs of."""

from typing import Final

import dagster as dg

from assets.capture_files import capture_files
from assets.condensed_tables import condensed_tables
from assets.coverage import coverage
from assets.customers import customers
from assets.diagnostic_settings import resource_diagnostic_settings, subscription_diagnostic_settings
from assets.entra_data_exports import entra_data_exports
from assets.event_hub_mapping import event_hub_mapping
from assets.event_hub_terraform import event_hub_terraform
from assets.event_hubs import event_hubs
from assets.monitored_resources import monitored_resources
from assets.subscriptions import subscriptions

CONTROL_PLANE: Final = {"azmdr/part": "control plane"}
"""On the runs that reconcile. An instance bounds how many of them run at once, so that they never take the
place of those that condense."""

condense_capture_files: Final = dg.define_asset_job(
    "condense_capture_files",
    selection=dg.AssetSelection.assets(condensed_tables),
    description="Condense the capture files that wait, and emit the operations that are due.",
)

list_capture_files: Final = dg.define_asset_job(
    "list_capture_files",
    selection=dg.AssetSelection.assets(capture_files),
    description="Find capture files whose announcement never came, by listing the container.",
)

mirror_customers: Final = dg.define_asset_job(
    "mirror_customers",
    selection=dg.AssetSelection.assets(customers),
    description="Make every customer of the registry a partition.",
    tags=CONTROL_PLANE,
)

observe_event_hubs: Final = dg.define_asset_job(
    "observe_event_hubs",
    selection=dg.AssetSelection.assets(event_hubs),
    description="See which of our event hubs really stand.",
    tags=CONTROL_PLANE,
)

provision_event_hubs: Final = dg.define_asset_job(
    "provision_event_hubs",
    selection=dg.AssetSelection.assets(event_hub_mapping, event_hub_terraform),
    description="Give every need of an event hub a place, and commit the places as Terraform.",
    tags=CONTROL_PLANE,
)

of_each_customer: Final = (
    subscriptions,
    monitored_resources,
    subscription_diagnostic_settings,
    resource_diagnostic_settings,
    entra_data_exports,
    coverage,
)
"""The assets a slice of customers has reconciled."""

reconcile_customers: Final = dg.define_asset_job(
    "reconcile_customers",
    selection=dg.AssetSelection.assets(event_hubs, *of_each_customer),
    description=(
        "Everything for a range of customers: inventory, settings, exports, coverage. Before it our own event"
        " hubs are looked at, which runs of the schedule leave out when that was done."
    ),
    tags=CONTROL_PLANE,
)

reconcile_changes: Final = dg.define_asset_job(
    "reconcile_changes",
    selection=dg.AssetSelection.assets(subscription_diagnostic_settings, resource_diagnostic_settings),
    description="What was seen to change in the stream of operations, at once.",
    tags=CONTROL_PLANE,
)
