"""What Dagster loads: the one place that knows every asset, job, sensor and schedule."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from assets.capture_files import capture_files
from assets.condensed_tables import condensed_tables
from azmdr_dagster.jobs import condense_capture_files, list_capture_files
from azmdr_dagster.resources import Deployment
from sensors.capture_files import capture_files_sensor
from sensors.capture_listing import capture_listing
from sensors.due_operations import due_operations_sensor

default_assets: Final[list[dg.AssetsDefinition]] = [capture_files, condensed_tables]
default_jobs: Final = [condense_capture_files, list_capture_files]
default_sensors: Final = [capture_files_sensor, due_operations_sensor]
default_schedules: Final = [capture_listing]


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
