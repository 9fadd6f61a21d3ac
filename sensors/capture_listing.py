"""The schedule of the listing that finds capture files whose announcement never came."""

from typing import Final

import dagster as dg

from azmdr.config import Settings
from azmdr_dagster.jobs import list_capture_files

capture_listing: Final = dg.ScheduleDefinition(
    name="capture_listing",
    job=list_capture_files,
    cron_schedule=Settings.load().listing_schedule,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Lists what was written since the last complete listing; unknown files go into the ledger.",
)
