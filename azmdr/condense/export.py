"""Exporting: local files condensed into NDJSON, compressed with zstd, in as much memory as there is need of.

A line is an object whose first field says what it is: ``activity_record``, ``quarantined_record``,
``repeated_record``, or ``operation`` with its ``members`` beside. A record is the very text that arrived;
one with a line break in it stands as a JSON text. One that came again is told by its digest alone.
Operations come after all else, in the order of their time.

What passes through is written as it is read. The records of operations are kept until all files are
read: in memory, or, of large files, in a temporary file, so that little is held of each.
"""

import os
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from mmap import MADV_DONTNEED, mmap
from pathlib import Path
from typing import Final, Protocol

import msgspec
import zstandard

from azmdr.capture.avro import is_compressed, scan
from azmdr.condense.body import BodyReader
from azmdr.condense.classify import Classifier, StageRecord
from azmdr.condense.condensed import Line, condense_line
from azmdr.condense.contents import ReadEvent, Span, contents_of, quarantined, read_events
from azmdr.condense.counts import Counts, LocalResult
from azmdr.condense.identity import DIGEST_BYTES, key_digest, spelling_digest
from azmdr.condense.sources import Progress, Source, no_garbage_collection, reported
from azmdr.lake.layout import customer_name

SUFFIX: Final = ".ndjson.zst"
LEVEL: Final = 3
HELD_IN_MEMORY: Final = 160 << 20
"""Bytes of all files up to which the records of their operations are held in memory."""

_WRITTEN_AT_ONCE: Final = 96 << 10
_ONE_PIECE: Final = 1 << 20
"""Bytes up to which an output is compressed in one piece, which is less work than a stream."""
_FORGOTTEN_AT_ONCE: Final = 8 << 20
"""Bytes of bodies after which what was read of a mapped file need no longer stand in memory."""
_COMPRESSED_HOLDS: Final = 5
"""How many times its size a compressed file holds, about: 4.8, measured on captures of activity logs."""
_BEFORE_RECORD: Final = b'{"activity_record":'
_AFTER_RECORD: Final = b"}\n"
_BETWEEN_RECORDS: Final = _AFTER_RECORD + _BEFORE_RECORD


def export(
    paths: Sequence[Path],
    folder: Path,
    progress: Progress,
    *,
    customer: str,
    max_body_bytes: int,
    each: bool = False,
    held_in_memory: int = HELD_IN_MEMORY,
) -> LocalResult:
    """Condense files into one file for each customer, ``each``: for each of them one of its own.

    Raises:
        OSError: a file can't be opened or written.
        CustomerNameError: a name can't be that of a customer.
    """
    owner = customer_name(customer)
    sources = [Source.of(path, owner) for path in paths]
    with no_garbage_collection():
        exporter = _Exporter(folder, progress, max_body_bytes, held_in_memory)
        if not each:
            return exporter.export(sources)
        parts = [exporter.export([source], name=_name(source)) for source in sources]
    return LocalResult(
        sum((part.counts for part in parts), Counts()),
        sum(part.operations for part in parts),
        sum((part.reasons for part in parts), Counter()),
    )


def _name(source: Source) -> str:
    return f"{source.path.stem}-{key_digest('capture file', str(source.path.absolute()))[:16]}"


class _Exporter:
    """What all files share: where they go, and what was learnt from those before."""

    def __init__(self, folder: Path, progress: Progress, max_body_bytes: int, held_in_memory: int) -> None:
        self._folder = folder
        self._progress = progress
        self._max_body_bytes = max_body_bytes
        self._held_in_memory = held_in_memory
        self._reader = BodyReader()
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)

    def export(self, sources: Sequence[Source], name: str = "") -> LocalResult:
        """Condense files together; ``name`` is that of the output where there are many for a customer."""
        large = self._are_large(sources)
        counts = Counts()
        reasons: Counter[str] = Counter()
        seen: defaultdict[tuple[str, str, str], list[Span]] = defaultdict(list)
        files: dict[str, _File] = {}
        try:
            for source in sources:
                file = files.get(source.customer)
                if file is None:
                    path = self._folder / (
                        f"{source.customer}/{name}{SUFFIX}" if name else f"{source.customer}{SUFFIX}"
                    )
                    file = files[source.customer] = _File(path, self._compressor, large=large)
                data = source.mapped()
                found = reported(scan(data, self._max_body_bytes, views=True), data, self._progress)
                known = seen[source.partition]
                counts += file.add(read_events(found, self._reader, seen=known), data, reasons, known)
                counts += Counts(files=1, bytes=source.size)
            written = [file.finish() for file in files.values()]
        finally:
            for file in files.values():
                file.close()
        staged = counts.records - counts.passed_through - counts.duplicates - counts.quarantined
        merged = sum(merged for _, merged in written)
        counts = replace(counts, merged=merged, duplicates=counts.duplicates + staged - merged)
        return LocalResult(counts, sum(operations for operations, _ in written), reasons)

    def _are_large(self, sources: Sequence[Source]) -> bool:
        """Whether files hold more than may be held in memory, so far as their sizes tell."""
        size = sum(source.size for source in sources)
        if size <= self._held_in_memory < size * _COMPRESSED_HOLDS:
            size = sum(
                source.size * (_COMPRESSED_HOLDS if is_compressed(source.mapped()) else 1)
                for source in sources
            )
        return size > self._held_in_memory


class _File:
    """One customer's output: there as a whole once it is finished, and until then not at all."""

    def __init__(self, path: Path, compressor: zstandard.ZstdCompressor, *, large: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._file = self._beside.open("wb")
        self._compressor = compressor
        self._writer: zstandard.ZstdCompressionWriter | None = None
        self._buffer = bytearray()
        self._flushed_at = _ONE_PIECE
        self._large = large
        self._held: _Held = _OnDisk() if large else _InMemory()

    def add(
        self, events: Iterable[ReadEvent], data: bytes | mmap, reasons: Counter[str], spans: list[Span]
    ) -> Counts:
        """Write what of a file stands for itself, keep the rest; how much of it is merged shows later."""
        number = records = passed = duplicates = broken = 0
        known: set[bytes] = set()
        own: list[Span] = []
        read = 0
        for one in events:
            own = one.spans
            records += one.records
            number += one.event is not None
            read += len(one.event.body or b"") if one.event else 0
            if self._large and read > _FORGOTTEN_AT_ONCE and isinstance(data, mmap):
                data.madvise(MADV_DONTNEED)
                read = 0
            if one.repeated:
                duplicates += one.records
                self._write_repetitions(contents_of(one, data))
                continue
            self._held.add(one.rows.staged)
            passing = [record.content for record in one.rows.passing]
            fresh = self._fresh(passing, known)
            passed += len(fresh)
            if len(fresh) < len(passing):
                duplicates += len(passing) - len(fresh)
                self._write_repetitions((Counter(passing) - Counter(fresh)).elements())
            self._write_records(fresh)
            for piece in quarantined(one, data):
                broken += 1
                reasons[piece.reason] += 1
                self._buffer += b'{"quarantined_record":%b}\n' % msgspec.json.encode(piece)
        spans += own
        return Counts(
            events=number, records=records, passed_through=passed, duplicates=duplicates, quarantined=broken
        )

    def finish(self) -> tuple[int, int]:
        """Write every operation; returns how many there are, and of how many distinct records."""
        operations = merged = 0
        for records in self._held.operations():
            line = condense_line(records)
            operations += 1
            merged += line.revision
            if len(records) > line.revision:
                contents = [record.content for record in records]
                self._write_repetitions((Counter(contents) - Counter(set(contents))).elements())
            self._write_operation(line)
        if self._writer is None:
            self._file.write(self._compressor.compress(self._buffer))
        else:
            self._flush()
            self._writer.flush(zstandard.FLUSH_FRAME)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._beside.replace(self._path)
        return operations, merged

    def close(self) -> None:
        """Leave nothing behind of a file that was not finished."""
        self._file.close()
        self._beside.unlink(missing_ok=True)

    def _fresh(self, contents: list[bytes], known: set[bytes]) -> list[bytes]:
        """Those that are not known yet, each once; from then on they are."""
        signs = contents
        if self._large:
            signs = [blake2b(content, digest_size=DIGEST_BYTES).digest() for content in contents]
        new = set(signs)
        if len(new) == len(signs) and known.isdisjoint(new):
            known |= new
            return contents
        fresh = []
        for sign, content in zip(signs, contents, strict=True):
            if sign not in known:
                known.add(sign)
                fresh.append(content)
        return fresh

    def _write_records(self, contents: list[bytes]) -> None:
        if not contents:
            return
        buffer = self._buffer
        buffer += _BEFORE_RECORD
        buffer += _BETWEEN_RECORDS.join([_on_a_line(content) for content in contents])
        buffer += _AFTER_RECORD
        if len(buffer) > self._flushed_at:
            self._flush()

    def _write_repetitions(self, contents: Iterable[bytes]) -> None:
        for content in contents:
            self._buffer += b'{"repeated_record":"%b"}\n' % spelling_digest(content).encode()

    def _write_operation(self, line: Line) -> None:
        operation, members = line.operation, line.members
        if b"\n" in operation or b"\n" in members:
            operation, members = (msgspec.json.encode(text.decode()) for text in (operation, members))
        buffer = self._buffer
        buffer += b'{"operation":'
        buffer += operation
        buffer += b',"members":'
        buffer += members
        buffer += b"}\n"
        if len(buffer) > self._flushed_at:
            self._flush()

    def _flush(self) -> None:
        if self._writer is None:
            self._writer = self._compressor.stream_writer(self._file, closefd=False)
            self._flushed_at = _WRITTEN_AT_ONCE
        self._writer.write(self._buffer)
        self._buffer.clear()


class _Held(Protocol):
    """The records of operations, until all are there."""

    def add(self, records: Iterable[StageRecord]) -> None:
        """Keep some."""

    def operations(self) -> Iterator[list[StageRecord]]:
        """The records of every operation, in the order of their first record's time."""


class _InMemory:
    """Keeps records as they were read."""

    def __init__(self) -> None:
        self._operations: dict[str, list[StageRecord]] = {}

    def add(self, records: Iterable[StageRecord]) -> None:
        operations = self._operations
        for record in records:
            held = operations.get(record.operation_id)
            if held is None:
                operations[record.operation_id] = [record]
            else:
                held.append(record)

    def operations(self) -> Iterator[list[StageRecord]]:
        first = ((min([one.time for one in held]), name) for name, held in self._operations.items())
        for _, name in sorted(first):
            yield self._operations.pop(name)


class _OnDisk:
    """Keeps the texts of records in a temporary file, and of each only where it stands and its time."""

    def __init__(self) -> None:
        from tempfile import TemporaryFile

        self._file = TemporaryFile()  # noqa: SIM115 (held as long as this is)
        self._operations: dict[bytes, array[int]] = {}
        self._end = 0

    def add(self, records: Iterable[StageRecord]) -> None:
        for record in records:
            content = record.content
            self._file.write(content)
            held = self._operations.setdefault(bytes.fromhex(record.operation_id), array("q"))
            held.extend((record.time, self._end, len(content)))
            self._end += len(content)

    def operations(self) -> Iterator[list[StageRecord]]:
        self._file.flush()
        classifier = Classifier()
        for _, name in sorted((min(held[::3]), name) for name, held in self._operations.items()):
            held = self._operations.pop(name)
            records = (
                classifier.classify(self._text(at, size))
                for at, size in zip(held[1::3], held[2::3], strict=True)
            )
            yield [record for record in records if isinstance(record, StageRecord)]
        self._file.close()

    def _text(self, at: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, at)


def _on_a_line(content: bytes) -> bytes:
    """A record, or the JSON text of one that has a line break in it."""
    return msgspec.json.encode(content.decode()) if b"\n" in content else content
