"""Intake: from what is announced or listed to rows of the ledger.

A message leaves the queue only after its row is committed, so whatever happens between two lines, the
file is known or the message comes again.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from azmdr.capture.container import CaptureContainer, ListedBlob
from azmdr.capture.messages import MessageError, decode_blob_created
from azmdr.capture.names import AZURE_DEFAULT, ArchiveNameFormat, CaptureNameError, parse_capture_name
from azmdr.capture.queue import CaptureQueue, QueueMessage
from azmdr.lake.layout import CustomerNameError, customer_name
from azmdr.store.database import Store
from azmdr.store.ledger import FoundFile, record_files
from azmdr.store.listing import complete_until, note_complete_until


@dataclass(slots=True)
class Intake:
    """What one look at the queue, or one listing, came to."""

    files: int = 0
    """Messages or blobs that name a capture file."""
    new: int = 0
    """Of these, the files the ledger did not have."""
    refused: list[str] = field(default_factory=list)
    """What could not be used: each with the thing and the reason."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a capture file's place and name may be."""

    container: str
    archive_name_format: ArchiveNameFormat
    """The format the event hubs are set up with. Azure's default order is understood beside it."""

    def found_by_message(self, message: QueueMessage) -> FoundFile:
        """The file a message announces.

        Raises:
            MessageError: it announces no file of ours.
            CaptureNameError: its name is not that of a capture file.
            CustomerNameError: its event hub is not named after a customer.
        """
        created = decode_blob_created(message.content)
        if created.container != self.container:
            raise MessageError(f"subject: container {created.container!r} is not the capture container")
        return self._found(created.path, created.etag, created.size, created.created, "message")

    def found_by_listing(self, blob: ListedBlob) -> FoundFile:
        """The file a listed blob is. Raises as :meth:`found_by_message` does for the name."""
        return self._found(blob.path, blob.etag, blob.size, blob.modified, "listing")

    def _found(self, path: str, etag: str, size: int, uploaded_at: datetime, found_by: str) -> FoundFile:
        name = parse_capture_name(path, (self.archive_name_format, AZURE_DEFAULT))
        return FoundFile(path, etag, size, customer_name(name.event_hub), name, uploaded_at, found_by)


def take_messages(
    store: Store,
    queue: CaptureQueue,
    naming: Naming,
    *,
    visibility_seconds: float,
    message_attempts: int,
    budget_seconds: float,
) -> Intake:
    """Turn messages into rows until the queue is empty or the time is used up.

    A message that can't be used is set aside at once: trying again would not change it. One that was
    received more often than allowed, because something fails each time, is set aside too.
    """
    intake = Intake()
    end = time.monotonic() + budget_seconds
    while time.monotonic() < end and (messages := queue.receive(visibility_seconds)):
        usable: list[QueueMessage] = []
        found: list[FoundFile] = []
        for message in messages:
            try:
                if message.dequeue_count > message_attempts:
                    raise MessageError(f"received {message.dequeue_count} times without success")
                found.append(naming.found_by_message(message))
                usable.append(message)
            except (MessageError, CaptureNameError, CustomerNameError) as error:
                intake.refused.append(f"message {message.id}: {error}")
                queue.set_aside(message, str(error))
        with store.write() as connection:
            intake.new += record_files(connection, found, datetime.now(UTC))
        intake.files += len(found)
        queue.delete(usable)
    return intake


def take_listing(
    store: Store,
    container: CaptureContainer,
    naming: Naming,
    *,
    now: datetime,
    look_back: timedelta,
    grace: timedelta,
) -> Intake:
    """Find the files whose message never came, by listing what was written since the last complete listing.

    The mark moves only when every page of the listing arrived.
    """
    with store.read() as connection:
        marked = complete_until(connection, container.url)
    intake = Intake()
    for prefix in prefixes_to_list(naming.archive_name_format, marked, now, look_back):
        _take_blobs(store, naming, container.list(prefix), intake, now)
    with store.write() as connection:
        note_complete_until(connection, container.url, now - grace)
    return intake


def prefixes_to_list(
    archive_name_format: ArchiveNameFormat, marked: datetime | None, now: datetime, look_back: timedelta
) -> list[str]:
    """What to list: the hours since the mark, at least ``look_back``.

    Everything before the first complete listing, and where names do not begin with the time.
    """
    if marked is None:
        return [""]
    hour = min(marked, now - look_back).replace(minute=0, second=0, microsecond=0)
    prefixes: list[str] = []
    while hour <= now:
        prefix = archive_name_format.hour_prefix(hour)
        if prefix is None:
            return [""]
        prefixes.append(prefix)
        hour += timedelta(hours=1)
    return prefixes


def _take_blobs(
    store: Store, naming: Naming, blobs: Iterable[ListedBlob], intake: Intake, now: datetime
) -> None:
    page: list[FoundFile] = []
    for blob in blobs:
        try:
            page.append(naming.found_by_listing(blob))
        except (CaptureNameError, CustomerNameError) as error:
            intake.refused.append(str(error))
            continue
        if len(page) == 1000:
            _record(store, page, intake, now)
            page = []
    _record(store, page, intake, now)


def _record(store: Store, page: list[FoundFile], intake: Intake, now: datetime) -> None:
    with store.write() as connection:
        intake.new += record_files(connection, page, now)
    intake.files += len(page)
