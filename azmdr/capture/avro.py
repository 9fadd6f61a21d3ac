"""The events of a capture file: a scan of the Avro object container file that tells what it could not read.

Only the parts of an event that azmdr uses are read, the rest is stepped over, and no byte of a body is
looked at. A damaged file costs the damaged stretch: the scan reports it and goes on behind it.

Sources: avro.apache.org/docs/1.12.0/specification (encoding, container file),
learn.microsoft.com/azure/event-hubs/explore-captured-avro-files (the record). Measured: files written
by the service have the codec ``null`` and may hold all their events in one block.
"""

import re
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from mmap import mmap
from typing import Final, TypeAlias

from azmdr.capture.avro_encoding import Bytes, end_of, read_count, read_long, read_prefixed, shown
from azmdr.capture.event_layout import EventLayout, event_layout
from azmdr.times import as_datetime, parse_time

Buffer: TypeAlias = bytes | memoryview | mmap
"""What a capture file's bytes can be held in."""

EMPTY_FILE: Final = "empty_file"
NOT_AVRO: Final = "not_avro"
HEADER_TRUNCATED: Final = "header_truncated"
WRONG_SCHEMA: Final = "wrong_schema"
UNKNOWN_CODEC: Final = "unknown_codec"
BLOCK_TRUNCATED: Final = "block_truncated"
BLOCK_CORRUPT: Final = "block_corrupt"
BODY_TOO_LARGE: Final = "body_too_large"
TRAILING_BYTES: Final = "trailing_bytes"

MAX_BODY_BYTES: Final = 64 << 20
"""The default bound of a body: three times the largest event of a dedicated cluster (20 MB)."""
MAX_EVENT_BYTES: Final = 128 << 20
"""The bound of one event in a compressed block, as it is what must be held in memory."""
MAX_INFLATED_BYTES: Final = 1 << 30
"""The bound of a whole compressed block, twice the largest capture window (500 MB): past it, it is a bomb."""

_MAGIC: Final = b"Obj\x01"
_SYNC_LENGTH: Final = 16
_LONGEST_TIME: Final = 64
_INFLATE_STEP: Final = 4 << 20
_COMPRESSED_STEP: Final = 256 << 10
_ZLIB_CHECKSUM: Final = 4
"""Bytes that may stand behind compressed data: writers cut them out of a zlib stream, some not cleanly."""


@dataclass(frozen=True, slots=True)
class CapturedEvent:
    """One event of a capture file.

    ``enqueued`` is aware UTC, None when its text is no time. ``body`` is None when the file holds null for
    it. ``file_offset`` is the byte in the file at which the block that holds the event begins.
    """

    sequence_number: int
    enqueued: datetime | None
    body: Bytes | None
    file_offset: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of the file, in bytes, that can't be read as events.

    ``reason`` is one of this module's constants; ``detail`` says what was found and what was expected. In a
    compressed block a body that is too large has the block's ``file_offset`` and its own inflated ``length``.
    """

    reason: str
    file_offset: int
    length: int
    detail: str
    content: bytes | None = None
    """What could not be read, where it is not that stretch of the file: a body out of a compressed block."""


def scan(
    data: Buffer, max_body_bytes: int = MAX_BODY_BYTES, *, views: bool = False
) -> Iterator[CapturedEvent | Damage]:
    """The events of a capture file in file order, and what could not be read, where it stands.

    ``views``: bodies are views of the buffer, where it has them as they are, and not copies of it.

    Never raises for what the file holds. A file without events yields nothing, except an empty one. While
    the iterator lives it holds the buffer: exhaust or close it before closing an mmap.
    """
    with memoryview(data) as view:
        header = _read_header(view)
        if isinstance(header, Damage):
            yield header
            return
        offset = header.end
        while offset < len(view):
            frame = _next_frame(view, offset, header)
            block = _Block(view, frame, header, max_body_bytes, views=views and not header.compressed)
            yield from block
            if damage := _damage(frame, block):
                yield damage
            offset = frame.next_offset


def is_compressed(data: Buffer) -> bool:
    """Whether a capture file's blocks are compressed, as far as its header can be read."""
    with memoryview(data) as view:
        header = _read_header(view)
        return isinstance(header, _Header) and header.compressed


# The header: which layout the events have, how blocks are packed, what closes a block.


@dataclass(frozen=True, slots=True)
class _Header:
    layout: EventLayout
    compressed: bool
    sync: bytes
    end: int


def _read_header(view: memoryview) -> _Header | Damage:
    def unreadable(reason: str, detail: str) -> Damage:
        return Damage(reason, 0, len(view), detail)

    if not view:
        return unreadable(EMPTY_FILE, "the file has no bytes; even a file without events has an Avro header")
    found = bytes(view[: len(_MAGIC)])
    if not _MAGIC.startswith(found):
        return unreadable(NOT_AVRO, f"the file begins with {found!r}, an Avro file with {_MAGIC!r}")
    try:
        metadata, at = _header_metadata(view, len(_MAGIC))
        end = end_of(view, at, _SYNC_LENGTH)
    except IndexError:
        return unreadable(HEADER_TRUNCATED, f"the file ends after {len(view)} bytes, inside its header")
    except ValueError as error:
        return unreadable(NOT_AVRO, f"the header's metadata is no Avro map: {error}")
    try:
        layout = event_layout(metadata.get(b"avro.schema", b""))
    except ValueError as error:
        return unreadable(WRONG_SCHEMA, f"the file's schema is not that of captured events: {error}")
    codec = metadata.get(b"avro.codec", b"null")
    if codec not in (b"null", b"deflate"):
        return unreadable(UNKNOWN_CODEC, f"the blocks' codec is {shown(codec)}, not null or deflate")
    return _Header(layout, codec == b"deflate", bytes(view[at:end]), end)


def _header_metadata(view: memoryview, at: int) -> tuple[dict[bytes, bytes], int]:
    metadata: dict[bytes, bytes] = {}
    while True:
        count, at = read_count(view, at)
        if count == 0:
            return metadata, at
        for _ in range(count):
            key, at = read_prefixed(view, at)
            value, at = read_prefixed(view, at)
            if key in (b"avro.schema", b"avro.codec"):
                metadata[bytes(key)] = bytes(value)


# Framing: where the next block lies, whatever state the file is in.


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a block lies. ``reason`` is empty when the sync marker stands where the block says it ends."""

    offset: int
    count: int
    start: int
    end: int
    next_offset: int
    reason: str = ""
    detail: str = ""


def _next_frame(view: memoryview, offset: int, header: _Header) -> _Frame:
    rest = len(view)
    try:
        count, at = read_long(view, offset)
        size, start = read_long(view, at)
    except IndexError:
        return _Frame(offset, 0, offset, offset, rest, BLOCK_TRUNCATED, "the file ends in a block's head")
    except ValueError as error:
        return _lost_head(view, offset, header, f"a block's head can't be read ({error})")
    end = start + size
    if size >= 0 and view[end : end + _SYNC_LENGTH] == header.sync:
        return _Frame(offset, count, start, end, end + _SYNC_LENGTH)
    sync_at = _find_sync(view, start, header)
    if (count <= 0 or size < 0) and sync_at is None:
        return _lost_head(view, offset, header, f"no block has {count} events in {size} bytes")
    if sync_at is None and end + _SYNC_LENGTH > rest:
        detail = f"the block needs {size + _SYNC_LENGTH} bytes after its head; the file has {rest - start}"
        return _Frame(offset, count, start, min(end, rest), rest, BLOCK_TRUNCATED, detail)
    return _unclosed(view, _Frame(offset, count, start, end, end + _SYNC_LENGTH), sync_at, header)


def _lost_head(view: memoryview, offset: int, header: _Header, detail: str) -> _Frame:
    """No block begins here: what stands before the next sync marker is lost, without one all the rest."""
    sync_at = _find_sync(view, offset, header)
    if sync_at is None:
        detail = f"{detail}, and no sync marker follows"
        return _Frame(offset, 0, offset, offset, len(view), TRAILING_BYTES, detail)
    return _Frame(offset, 0, offset, offset, sync_at + _SYNC_LENGTH, BLOCK_CORRUPT, detail)


def _unclosed(view: memoryview, declared: _Frame, sync_at: int | None, header: _Header) -> _Frame:
    """A block that does not end in the sync marker: either its marker is damaged or its size is."""
    ends_before_sync = sync_at is None or declared.next_offset <= sync_at
    if declared.start <= declared.end and ends_before_sync and _is_whole(view, declared, header):
        detail = f"no sync marker stands at {declared.end}, where the block ends"
        return replace(declared, reason=BLOCK_CORRUPT, detail=detail)
    if sync_at is None:
        detail = f"no sync marker stands at {declared.end}, where the block says it ends, nor after it"
        return replace(declared, next_offset=len(view), reason=BLOCK_CORRUPT, detail=detail)
    detail = f"the block says it ends at {declared.end}; the next sync marker stands at {sync_at}"
    return replace(
        declared, end=sync_at, next_offset=sync_at + _SYNC_LENGTH, reason=BLOCK_CORRUPT, detail=detail
    )


def _is_whole(view: memoryview, frame: _Frame, header: _Header) -> bool:
    block = _Block(view, frame, header, MAX_BODY_BYTES)
    for _ in block:
        pass
    return not block.flaw and block.count == frame.count


def _find_sync(view: memoryview, start: int, header: _Header) -> int | None:
    found = re.compile(re.escape(header.sync)).search(view, start)
    return found.start() if found else None


def _damage(frame: _Frame, block: "_Block") -> Damage | None:
    """What of a block could not be read, given how far its reading came."""
    unread = frame.start + block.read_to if block.read_to else frame.offset
    if frame.reason:
        detail = "; ".join(filter(None, (frame.detail, block.flaw)))
        return Damage(frame.reason, unread, frame.next_offset - unread, detail)
    if block.flaw:
        return Damage(BLOCK_CORRUPT, unread, frame.next_offset - unread, block.flaw)
    if block.count != frame.count:
        detail = f"the block's head says {frame.count} events; it holds {block.count}"
        return Damage(BLOCK_CORRUPT, frame.offset, frame.start - frame.offset, detail)
    return None


# Reading the events of one block.


class _Block:
    """Iterates over one block's events; afterwards ``count``, ``read_to`` and ``flaw`` say how far it came.

    ``read_to`` counts the content's bytes that were read as whole events; it stays 0 in a compressed block,
    where no byte belongs to one event.
    """

    def __init__(
        self, view: memoryview, frame: _Frame, header: _Header, max_body_bytes: int, *, views: bool = False
    ) -> None:
        self.count = 0
        self.read_to = 0
        self.flaw = ""
        self._content = view[frame.start : frame.end]
        self._frame = frame
        self._header = header
        self._max_body_bytes = max_body_bytes
        self._views = views

    def __iter__(self) -> Iterator[CapturedEvent | Damage]:
        try:
            yield from self._events()
        except (ValueError, zlib.error) as error:
            self.flaw = f"after {self.count} events: {error}"

    def _events(self) -> Iterator[CapturedEvent | Damage]:
        compressed = self._header.compressed
        pieces: Iterator[Bytes] = _inflate(self._content) if compressed else iter((self._content,))
        held: Bytes = b""
        for piece in pieces:
            held = b"".join((held, piece)) if held else piece
            used = yield from self._whole_events(held)
            held = held[used:]
            if compressed and len(held) > MAX_EVENT_BYTES:
                raise ValueError(f"an event has more than {MAX_EVENT_BYTES} bytes")
        if held:
            raise ValueError("the block ends inside an event")

    def _whole_events(self, held: Bytes) -> Generator[CapturedEvent | Damage, None, int]:
        """Yields the events that stand wholly in ``held``, and returns where the next begins."""
        used = 0
        while used < len(held):
            try:
                found, used = self._event(held, used)
            except IndexError:
                break
            self.count += 1
            if not self._header.compressed:
                self.read_to = used
            yield found
        return used

    def _event(self, held: Bytes, at: int) -> tuple[CapturedEvent | Damage, int]:
        """The event that begins at ``at``, and where the next begins."""
        layout = self._header.layout
        starts = [at]
        for skip in layout.skips:
            at = skip(held, at)
            starts.append(at)
        sequence_number, _ = read_long(held, starts[layout.sequence_number])
        time_text, _ = read_prefixed(held, starts[layout.enqueued])
        enqueued = _enqueued(bytes(time_text[:_LONGEST_TIME]))
        vouched_for = not self._frame.reason and self.count < self._frame.count
        if enqueued is None and not vouched_for:
            # Six zero bytes decode as an event: what no sync marker and no count stands for needs a time.
            raise ValueError("an event has no time it was enqueued")
        body = _body(held, starts[layout.body], layout.body_branches)
        if body is not None and len(body) > self._max_body_bytes:
            return self._too_large(sequence_number, starts[layout.body + 1] - len(body), body), at
        content = body if body is None or self._views else bytes(body)
        return CapturedEvent(sequence_number, enqueued, content, self._frame.offset), at

    def _too_large(self, sequence_number: int, at: int, body: Bytes) -> Damage:
        length = len(body)
        detail = f"event {sequence_number} has a body of {length} bytes; the bound is {self._max_body_bytes}"
        if self._header.compressed:
            return Damage(BODY_TOO_LARGE, self._frame.offset, length, detail, bytes(body))
        return Damage(BODY_TOO_LARGE, self._frame.start + at, length, detail)


def _body(held: Bytes, at: int, branches: tuple[str, ...]) -> Bytes | None:
    if branches:
        branch, at = read_long(held, at)
        if branches[branch] == "null":
            return None
    body, _ = read_prefixed(held, at)
    return body


def _inflate(content: memoryview) -> Iterator[bytes]:
    """The content of a compressed block in pieces, so that a small bomb can't become a large allocation.

    A stream without an end mark is taken: whether events are missing, their number says.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = 0
    for start in range(0, len(content), _COMPRESSED_STEP):
        waiting: Bytes = content[start : start + _COMPRESSED_STEP]
        more = True
        while more:
            piece = inflater.decompress(waiting, _INFLATE_STEP)
            waiting = inflater.unconsumed_tail
            more = not inflater.eof and (bool(waiting) or len(piece) == _INFLATE_STEP)
            inflated += len(piece)
            if inflated > MAX_INFLATED_BYTES:
                raise ValueError(f"the block inflates to more than {MAX_INFLATED_BYTES} bytes")
            if piece:
                yield piece
        left = len(inflater.unused_data) + max(0, len(content) - start - _COMPRESSED_STEP)
        if inflater.eof and left > _ZLIB_CHECKSUM:
            raise ValueError(f"{left} bytes stand after the end of the compressed data")


@lru_cache(maxsize=256)  # Events of one batch have the same second.
def _enqueued(text: bytes) -> datetime | None:
    """EnqueuedTimeUtc as aware UTC; None when it is no time. Measured: ``12/7/2018 10:22:49 AM``, no zone."""
    nanoseconds = parse_time(text.decode("utf-8", "replace"))
    return None if nanoseconds is None else as_datetime(nanoseconds)
