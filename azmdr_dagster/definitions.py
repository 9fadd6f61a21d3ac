"""What Dagster loads: the one place that knows every asset, job, sensor and schedule."""

from collections.abc import Mapping
from typing import Any, Final

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
from azmdr_dagster.jobs import (
    condense_capture_files,
    list_capture_files,
    mirror_customers,
    observe_event_hubs,
    provision_event_hubs,
    reconcile_changes,
    reconcile_customers,
)
from azmdr_dagster.resources import Deployment
from sensors.capture_files import capture_files_sensor
from sensors.capture_listing import capture_listing
from sensors.changed_targets import changed_targets
from sensors.due_operations import due_operations_sensor
from sensors.provider_schedules import customers_schedule, event_hubs_schedule, provision_schedule
from sensors.reconcile_slices import reconcile_slices

default_assets: Final[list[dg.AssetsDefinition]] = [
    customers,
    subscriptions,
    monitored_resources,
    event_hub_mapping,
    event_hub_terraform,
    event_hubs,
    subscription_diagnostic_settings,
    resource_diagnostic_settings,
    entra_data_exports,
    coverage,
    capture_files,
    condensed_tables,
]
default_jobs: Final = [
    mirror_customers,
    provision_event_hubs,
    observe_event_hubs,
    reconcile_customers,
    reconcile_changes,
    condense_capture_files,
    list_capture_files,
]
default_sensors: Final = [capture_files_sensor, due_operations_sensor, changed_targets]
default_schedules: Final = [
    capture_listing,
    reconcile_slices,
    provision_schedule,
    event_hubs_schedule,
    customers_schedule,
]


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The code location, with other resources in place of the deployment's where a test wants them."""
    return dg.Definitions(
        assets=default_assets,
        jobs=default_jobs,
        sensors=default_sensors,
        schedules=default_schedules,
        resources={"deployment": Deployment(), **(resources or {})},
        # A step is short; a process of its own would cost more than the step.
        executor=dg.in_process_executor,
    )


definitions: Final = build_definitions()
