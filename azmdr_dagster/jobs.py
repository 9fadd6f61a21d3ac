"""Jobs: the selections of assets that sensors and schedules ask runs of."""

from typing import Final

import dagster as dg

from assets.capture_files import capture_files
from assets.condensed_tables import condensed_tables

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
