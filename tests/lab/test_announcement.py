import base64
import json
from datetime import UTC, datetime

from lab.announcement import announcement_of, message

CREATED = datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC)
CONTAINER = "http://127.0.0.1:10000/devstoreaccount1/capture"


def test_a_message_is_the_base64_of_one_event_grid_event() -> None:
    announcement = announcement_of("2026/11/24/09/ns/contoso/0/00/05.avro", 4711, CREATED)
    event = json.loads(base64.b64decode(message(announcement, CONTAINER, '"0x8DC"'), validate=True))

    assert event["eventType"] == "Microsoft.Storage.BlobCreated"
    assert event["subject"] == f"/blobServices/default/containers/capture/blobs/{announcement.path}"
    assert event["eventTime"] == "2026-11-24T09:00:05.000000Z"
    assert event["data"]["url"] == f"{CONTAINER}/{announcement.path}"
    assert (event["data"]["contentLength"], event["data"]["blobType"]) == (4711, "BlockBlob")
    assert event["data"]["eTag"] == "0x8DC"
    assert {"topic", "id", "dataVersion", "metadataVersion"} <= event.keys()


def test_two_deliveries_of_one_event_have_the_same_id_and_two_blobs_have_two() -> None:
    once, again, other = (announcement_of(path, 1, CREATED) for path in ("a", "a", "b"))
    assert once.event_id == again.event_id != other.event_id
