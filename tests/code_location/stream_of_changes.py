"""Changes of a customer's Azure as they come through the stream of capture files."""

from datetime import UTC, datetime

from tests.code_location.lab_provider import OURS
from tests.code_location.local_deployment import CaptureBlob, capture_blob
from tests.condense.records import NOON, envelope, stage_bytes


def deletion_of_setting(target: str, customer: str) -> CaptureBlob:
    """A capture file with the operation that deletes our setting on a target, of this moment."""
    seconds = (datetime.now(UTC) - NOON).total_seconds()
    operation = {
        "operationName": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        "resourceId": f"{target}/providers/microsoft.insights/diagnosticSettings/{OURS}".upper(),
    }
    start, success = (
        stage_bytes(stage, seconds + later, f"deletion of {target}", **operation)
        for stage, later in (("start", 0), ("success", 1))
    )
    return capture_blob(envelope(start, success), customer=customer)
