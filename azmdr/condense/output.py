"""Outputs: what the condenser wrote, read back into the records it was made of.

An output is a file of lines (:mod:`azmdr.condense.export`), a Parquet file of the lake, or a folder with any
of these. Lines hold every delivery: a record that came again is told by its digest. A lake holds every
record, each spelling of it, but not how often it came, and several revisions of one operation: from it each
record is given once.
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from azmdr.condense.export import SUFFIX
from azmdr.condense.identity import spelling_digest
from azmdr.condense.members import rebuild_records

PLAIN_LINES: Final = ".ndjson"
"""How the name of a file of lines ends that somebody has decompressed."""
PARQUET: Final = ".parquet"

_READ_AT_ONCE: Final = 1 << 20
_REPEATED: Final = b'{"repeated_record":'


class NotAnOutputError(ValueError):
    """A file that is not what the condenser wrote, or not all of it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A record, or a piece that could not become one, as it arrived."""

    content: bytes
    readable: bool
    """Whether it is a record: a JSON object in UTF-8. What was quarantined is not."""
    where: str
    """Where in the output it is held."""
    times: int = 1
    """How often it came, as far as the output says."""


class Output:
    """What the condenser wrote into a file or a folder."""

    def __init__(self, path: Path) -> None:
        """Find the files of an output.

        Raises:
            NotAnOutputError: there is none.
        """
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        # What begins with a dot was never finished.
        self._lines = [
            file for file in files if file.name.endswith((SUFFIX, PLAIN_LINES)) and file.name[0] != "."
        ]
        self._tables = [file for file in files if file.suffix == PARQUET and file.name[0] != "."]
        if not self._lines and not self._tables:
            raise NotAnOutputError(str(path), f"neither lines ({SUFFIX}) nor tables of a lake ({PARQUET})")
        if self._lines and self._tables:
            raise NotAnOutputError(str(path), "lines and tables of a lake: two outputs; name one of them")

    @property
    def keeps_repetitions(self) -> bool:
        """Whether it says how often a record came."""
        return bool(self._lines)

    def records(self) -> Iterator[Rebuilt]:
        """Every record, in the order of the output, one that came again with how often it did.

        Holds a digest of each in memory, and what one operation or one file of a lake holds.

        Raises:
            NotAnOutputError: a file is not what the condenser wrote, or not all of it.
            OSError: a file can't be read.
        """
        for file in self._lines:
            yield from _with_repetitions(file)
        seen: set[str] = set()
        for file in self._tables:
            for record in _of_table(file):
                digest = spelling_digest(record.content)
                if digest not in seen:
                    seen.add(digest)
                    yield record


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of an output, whatever kind it is."""

    activity_record: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    quarantined_record: "_Piece | msgspec.UnsetType" = msgspec.UNSET
    repeated_record: str | msgspec.UnsetType = msgspec.UNSET
    operation: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    members: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Piece(msgspec.Struct):
    content: bytes


_decoder = msgspec.json.Decoder(_Line)


def _with_repetitions(file: Path) -> Iterator[Rebuilt]:
    repeated = Counter(
        _decoded(line, f"{file} line {number}").repeated_record
        for number, line in _numbered(file)
        if line.startswith(_REPEATED)
    )
    for number, line in _numbered(file):
        where = f"{file} line {number}"
        for content, readable in _of_line(_decoded(line, where), where):
            again = repeated.pop(spelling_digest(content), 0) if repeated else 0
            yield Rebuilt(content, readable, where, 1 + again)
    if repeated:
        raise NotAnOutputError(str(file), f"record {next(iter(repeated))} came again, but is not there")


def _decoded(line: bytes, where: str) -> _Line:
    try:
        return _decoder.decode(line)
    except msgspec.DecodeError as error:
        raise NotAnOutputError(where, f"not a line the condenser wrote: {error}") from error


def _of_line(line: _Line, where: str) -> Sequence[tuple[bytes, bool]]:
    match line:
        case _Line(activity_record=msgspec.Raw() as record):
            return [(_text(record), True)]
        case _Line(quarantined_record=_Piece(content=content)):
            return [(content, False)]
        case _Line(operation=msgspec.Raw() as operation, members=msgspec.Raw() as members):
            return [(record, True) for record in _rebuilt(_text(operation), _text(members), where)]
        case _Line(repeated_record=str()):
            return []
        case _:
            raise NotAnOutputError(where, "not a line the condenser wrote: neither record nor operation")


def _rebuilt(operation: bytes | str, members: bytes | str, where: str) -> Sequence[bytes]:
    try:
        return rebuild_records(_str(operation), _str(members))
    except (msgspec.DecodeError, KeyError) as error:
        raise NotAnOutputError(where, f"not an operation the condenser wrote: {error}") from error


def _str(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode()


def _text(raw: msgspec.Raw) -> bytes:
    """A JSON object, or the one in a JSON text, which is how one with a line break stands."""
    spelt = bytes(raw)
    return msgspec.json.decode(spelt, type=str).encode() if spelt[:1] == b'"' else spelt


def _numbered(file: Path) -> Iterator[tuple[int, bytes]]:
    begun = b""
    number = 0
    with file.open("rb") as opened:
        parts = iter(lambda: opened.read(_READ_AT_ONCE), b"")
        for part in _decompressed(parts, file) if file.name.endswith(SUFFIX) else parts:
            *whole, begun = (begun + part).split(b"\n")
            for line in whole:
                number += 1
                yield number, line
    if begun:
        raise NotAnOutputError(f"{file} line {number + 1}", "the file is cut off")


def _decompressed(parts: Iterable[bytes], file: Path) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    try:
        for part in parts:
            rest = part
            while rest:
                if frame.eof:
                    frame = decompressor.decompressobj()
                yield frame.decompress(rest)
                rest = frame.unused_data
    except zstandard.ZstdError as error:
        raise NotAnOutputError(str(file), f"not compressed with zstd: {error}") from error
    if not frame.eof:
        raise NotAnOutputError(str(file), "the file is cut off")


def _of_table(file: Path) -> Iterator[Rebuilt]:
    import polars as pl  # Takes longer to load than a small file of lines to read.

    try:
        table = pl.read_parquet(io.BytesIO(file.read_bytes()), hive_partitioning=False)
    except pl.exceptions.PolarsError as error:
        raise NotAnOutputError(str(file), f"not Parquet: {error}") from error
    columns = set(table.columns)
    if {"operation", "members"} <= columns:
        for number, (operation, members) in enumerate(table.select("operation", "members").iter_rows()):
            where = f"{file} row {number}"
            for record in _rebuilt(operation, members, where):
                yield Rebuilt(record, readable=True, where=where)
    elif "record" in columns:
        for number, record in enumerate(table["record"]):
            yield Rebuilt(record.encode(), readable=True, where=f"{file} row {number}")
    elif {"content", "quarantine_id"} <= columns:
        for number, content in enumerate(table["content"]):
            yield Rebuilt(content, readable=False, where=f"{file} row {number}")
    else:
        raise NotAnOutputError(str(file), "not a table of a lake")
