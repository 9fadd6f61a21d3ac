"""Capture files for tests, written by an Avro writer that is not the product's."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import fastavro

from azmdr.capture.container import CaptureContainer, CaptureFileChangedError, CaptureFileGoneError
from azmdr.capture.names import TIME_FIRST, CaptureName
from azmdr.capture.schema import EVENT_DATA
from azmdr.store.ledger import CustomerDay, FoundFile
from tests.condense.records import NOON

CUSTOMER: Final = "contoso"
NAMESPACE: Final = "azure-log-ingest-westeurope-01"
TODAY: Final = CustomerDay(CUSTOMER, f"{NOON:%Y-%m-%d}")


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a partition."""

    number: int
    body: bytes | None
    enqueued: datetime


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A blob of the capture container."""

    name: CaptureName
    content: bytes

    @property
    def path(self) -> str:
        return TIME_FIRST.build(self.name)

    @property
    def etag(self) -> str:
        return sha256(self.content).hexdigest()[:16]

    @property
    def found(self) -> FoundFile:
        """As a queue message tells of it."""
        size = len(self.content)
        uploaded = self.name.window
        return FoundFile(self.path, self.etag, size, CUSTOMER, self.name, uploaded, "message")

    def later(self, **by: int) -> "CaptureFile":
        """The same content under the path of a later window."""
        return replace(self, name=replace(self.name, window=self.name.window + timedelta(**by)))


def avro_of(events: Sequence[Event], codec: str = "null") -> bytes:
    file = io.BytesIO()
    rows: list[dict[str, Any]] = [
        {
            "SequenceNumber": event.number,
            "Offset": str(event.number * 4096),
            "EnqueuedTimeUtc": f"{event.enqueued:%m/%d/%Y %I:%M:%S %p}",
            "SystemProperties": {},
            "Properties": {},
            "Body": event.body,
        }
        for event in events
    ]
    marker = sha256(repr(rows).encode()).digest()[:16]
    fastavro.writer(file, EVENT_DATA, rows, codec=codec, sync_marker=marker)
    return file.getvalue()


def capture_file(events: Sequence[Event], partition: int = 0, window: datetime | None = None) -> CaptureFile:
    """A file of one partition; its window ends a minute after its last event unless given."""
    ends = window or events[-1].enqueued + timedelta(minutes=1)
    return CaptureFile(CaptureName(NAMESPACE, CUSTOMER, str(partition), ends), avro_of(events))


def damaged_file(content: bytes, minute: int = 0) -> CaptureFile:
    """Any bytes under the name of a capture file."""
    return CaptureFile(CaptureName(NAMESPACE, CUSTOMER, "7", NOON + timedelta(minutes=minute)), content)


def file_of_bodies(*bodies: bytes | None, partition: int = 0, first: int = 0) -> CaptureFile:
    """One event a second, each with a body."""
    events = [
        Event(first + index, body, NOON + timedelta(seconds=first + index))
        for index, body in enumerate(bodies)
    ]
    return capture_file(events, partition)


class FilesInMemory(CaptureContainer):
    """A capture container that raises what the real one raises."""

    def __init__(self, files: Sequence[CaptureFile] = ()) -> None:
        self._files = {file.path: file for file in files}

    def add(self, *files: CaptureFile) -> None:
        self._files.update((file.path, file) for file in files)

    def remove(self, file: CaptureFile) -> None:
        del self._files[file.path]

    def read(self, path: str, etag: str) -> bytes:
        file = self._files.get(path)
        if file is None:
            raise CaptureFileGoneError(path)
        if file.etag != etag:
            raise CaptureFileChangedError(path, etag)
        return file.content
