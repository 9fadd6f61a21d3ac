"""Queue messages that say a capture file was written.

Event Grid puts a ``Microsoft.Storage.BlobCreated`` event on a Storage queue as base64 of JSON. Messages
arrive at least once and in any order; what the blob really is, its listing and its download say.

Sources: learn.microsoft.com/azure/event-grid/event-schema-blob-storage (the event),
learn.microsoft.com/azure/event-grid/handler-storage-queues (how it lies on the queue).
"""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

from msgspec import DecodeError, Meta, Raw, Struct, json

_BLOB_CREATED: Final = "Microsoft.Storage.BlobCreated"
_SUBJECT: Final = re.compile(
    # A container's name, or one of the service's own: $root, $logs, $web.
    r"/blobServices/default/containers/"
    r"(?P<container>\$[a-z]+|(?=[^/]{3,63}/)[a-z0-9]+(?:-[a-z0-9]+)*)"
    r"/blobs/(?P<path>.+)",
    re.DOTALL,
)
_LONGEST_EXCERPT: Final = 48

_Text = Annotated[str, Meta(min_length=1)]
_Etag = Annotated[str, Meta(min_length=1, max_length=256)]
_AwareTime = Annotated[datetime, Meta(tz=True)]
_Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True)
class BlobCreated:
    """One blob that was written.

    ``path`` is the blob's name as it is, not URL-encoded and not yet checked; ``etag`` is bare (see
    ``etag_text``); ``size`` is in bytes; ``created`` is the event's time, aware UTC.
    """

    event_id: str
    container: str
    path: str
    etag: str
    size: int
    created: datetime


class MessageError(ValueError):
    """A message that is no ``BlobCreated`` event; ``reason`` says what and where, and quotes a little."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Final = reason


class _Event(Struct, rename="camel"):
    id: _Text
    event_type: str
    subject: str
    event_time: _AwareTime
    data: Raw


class _BlobData(Struct, rename={"etag": "eTag", "content_length": "contentLength"}):
    etag: _Etag
    content_length: _Size
    url: _Text


_EVENT: Final[json.Decoder[_Event | list[_Event]]] = json.Decoder(_Event | list[_Event])
_BLOB_DATA: Final[json.Decoder[_BlobData]] = json.Decoder(_BlobData)


def decode_blob_created(content: str | bytes) -> BlobCreated:
    """The event in a queue message, given the message's text as it lies on the queue.

    Takes an Event Grid schema event, bare or as an array of one.

    Raises:
        MessageError: bad base64 or JSON, more or fewer events than one, another event type, a field
            that is missing or of the wrong type, a subject that is no blob.
    """
    event_json = _from_base64(content)
    event = _one_event(event_json)
    if event.event_type != _BLOB_CREATED:
        raise _error(f"the field `$.eventType` is not {_BLOB_CREATED}", event.event_type.encode())
    subject = _SUBJECT.fullmatch(event.subject)
    if subject is None:
        raise _error("the field `$.subject` names no blob in a container", event.subject.encode())
    data = _decoded(_BLOB_DATA, bytes(event.data), "the field `$.data`")
    etag = etag_text(data.etag)
    if not etag or not etag.isprintable():
        raise _error("the field `$.data.eTag` is empty or holds a control character", bytes(event.data))
    return BlobCreated(
        event_id=event.id,
        container=subject["container"],
        path=subject["path"],
        etag=etag,
        size=data.content_length,
        created=_utc(event.event_time),
    )


def etag_text(etag: str) -> str:
    """An etag without quotes and weakness mark.

    The event and the listing write it bare, a download's header in quotes (RFC 9110, section 8.8.3).
    """
    return etag.strip().removeprefix("W/").strip('"')


def _from_base64(content: str | bytes) -> bytes:
    try:
        return b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
        raise _error(f"the message is not base64 ({error})", raw) from None


def _one_event(event_json: bytes) -> _Event:
    event = _decoded(_EVENT, event_json, "the event")
    if isinstance(event, _Event):
        return event
    if len(event) != 1:
        raise _error(f"the event is an array of {len(event)}, not of one", event_json)
    return event[0]


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        text = moment.isoformat()
        raise _error("the field `$.eventTime` is no moment in UTC", text.encode()) from None


def _decoded(decoder: json.Decoder[_Shape], text: bytes, what: str) -> _Shape:
    try:
        return decoder.decode(text)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _error(f"{what} can't be read: {error}", text) from None


def _error(reason: str, content: bytes) -> MessageError:
    # At most half, so that the whole of a message never reaches a log.
    excerpt = content[: min(_LONGEST_EXCERPT, len(content) // 2)]
    return MessageError(f"{reason}; it begins {excerpt!r}")
