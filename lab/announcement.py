"""Announcements: the Event Grid event ``BlobCreated`` for a new file, as it lies on a storage queue.

Shape: learn.microsoft.com/azure/event-grid/event-schema-blob-storage. A queue subscription holds the event as
base64 text.
"""

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lab.records import Record, encode

_TOPIC: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/capture/providers/"
    "Microsoft.Storage/storageAccounts/devstoreaccount1"
)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is announced of a blob. Two deliveries of one event have the same id."""

    event_id: str
    path: str
    size: int
    created: datetime


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that is no announcement."""

    text: str


def announcement_of(path: str, size: int, created: datetime) -> Announcement:
    """The announcement of a blob; its event id follows from the path, so that it is the same each time."""
    return Announcement(str(uuid.uuid5(uuid.NAMESPACE_URL, path)), path, size, created)


def message(announcement: Announcement, container_url: str, etag: str) -> str:
    """The message's text.

    Args:
        announcement: of which blob.
        container_url: address of the container the blob is in.
        etag: as the blob service gave it; Event Grid leaves its quotes out.
    """
    return base64.b64encode(encode(blob_created(announcement, container_url, etag))).decode()


def blob_created(announcement: Announcement, container_url: str, etag: str) -> Record:
    """The event itself."""
    container = container_url.rstrip("/").rsplit("/", 1)[-1]
    sequencer = int(announcement.created.timestamp() * 1_000_000)
    return {
        "topic": _TOPIC,
        "subject": f"/blobServices/default/containers/{container}/blobs/{announcement.path}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "id": announcement.event_id,
        "eventTime": f"{announcement.created:%Y-%m-%dT%H:%M:%S.%f}Z",
        "data": {
            "api": "PutBlob",
            "requestId": announcement.event_id,
            "eTag": etag.strip('"'),
            "contentType": "application/octet-stream",
            "contentLength": announcement.size,
            "blobType": "BlockBlob",
            "url": f"{container_url.rstrip('/')}/{announcement.path}",
            "sequencer": f"{sequencer:048x}",
            "storageDiagnostics": {"batchId": announcement.event_id},
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }
