"""Rebuilding: the records an output was made of, as lines, with a digest, compared with the capture files.

The digest is one anybody can make: of the records, each only once, the BLAKE2b digests of 128 bits in
hexadecimal, sorted, a line each, and of these lines the BLAKE2b digest of 256 bits. So it is the same for
capture files and for every output that holds all of their records, whatever the order.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from azmdr.capture.avro import scan
from azmdr.condense.body import BodyReader
from azmdr.condense.contents import contents_of, read_events
from azmdr.condense.identity import spelling_digest
from azmdr.condense.output import Output, Rebuilt

Times = Mapping[str, int]
"""By the digest of a record's very bytes: how often it came."""

_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Tally:
    """What records there are, and how often each."""

    times: Times

    @property
    def records(self) -> int:
        """How many, repetitions counted."""
        return sum(self.times.values())

    @property
    def distinct(self) -> int:
        """How many that differ in any byte."""
        return len(self.times)

    @property
    def digest(self) -> str:
        """The digest of the distinct records, as 64 hexadecimal digits."""
        lines = b"".join(digest.encode() + b"\n" for digest in sorted(self.times))
        return blake2b(lines, digest_size=_DIGEST_BYTES).hexdigest()


def rebuild(output: Output, into: BinaryIO | None) -> Tally:
    """Give back every record of an output, one a line, each as often as the output says it came.

    A line is the record itself. A record with a line break in it stands as a JSON text, and so does a piece
    that is no record; one that is no text stands in a list, in base64.

    Raises:
        NotAnOutputError: a file is not what the condenser wrote, or not all of it.
        OSError: a file can't be read or written.
    """
    times: Counter[str] = Counter()
    for record in output.records():
        times[spelling_digest(record.content)] += record.times
        if into is not None:
            into.write(line_of(record) * record.times)
    return Tally(times)


def line_of(record: Rebuilt) -> bytes:
    """A record as a line, with its line break."""
    content = record.content
    # Some readers take a carriage return for the end of a line too.
    if record.readable and b"\n" not in content and b"\r" not in content:
        return content + b"\n"
    try:
        return msgspec.json.encode(content.decode()) + b"\n"
    except UnicodeDecodeError:
        return msgspec.json.encode([base64.b64encode(content).decode()]) + b"\n"


def record_in(line: bytes) -> bytes:
    """The inverse of :func:`line_of`: the bytes of the record."""
    match line[:1]:
        case b'"':
            return msgspec.json.decode(line, type=str).encode()
        case b"[":
            return base64.b64decode(msgspec.json.decode(line, type=list[str])[0])
        case _:
            return line.removesuffix(b"\n")


@dataclass(frozen=True, slots=True)
class Comparison:
    """An output beside the capture files it is said to be made of."""

    captured: Tally
    difference: str | None
    """The first record that only one side has, or has more often, and where; None when there is none."""


def compare(output: Output, rebuilt: Tally, captures: Sequence[Path], *, max_body_bytes: int) -> Comparison:
    """Say whether an output holds the records of some capture files, all of them and no others.

    Of an output that keeps no repetitions, each record is expected once, however often it came.

    Raises:
        OSError: a capture file can't be read.
    """
    captured: Counter[str] = Counter()
    first: str | None = None
    for content, where in _captured(captures, max_body_bytes):
        digest = spelling_digest(content)
        captured[digest] += 1
        expected = captured[digest] if output.keeps_repetitions else 1
        if first is None and rebuilt.times.get(digest, 0) < expected:
            held = f"only {rebuilt.times[digest]} times" if digest in rebuilt.times else "not"
            first = f"{where}: a record is {held} in the output: {_shown(content)}"
    return Comparison(Tally(captured), first or _beyond(output, rebuilt, captured))


def _beyond(output: Output, rebuilt: Tally, captured: Times) -> str | None:
    """The first record that an output holds more often than it was captured."""
    for record in output.records() if _holds_more(output, rebuilt.times, captured) else ():
        digest = spelling_digest(record.content)
        came = captured.get(digest, 0)
        if came < (rebuilt.times[digest] if output.keeps_repetitions else 1):
            held = f"was captured only {came} times" if came else "is in no capture file"
            return f"{record.where} holds a record that {held}: {_shown(record.content)}"
    return None


def _holds_more(output: Output, rebuilt: Times, captured: Times) -> bool:
    if not output.keeps_repetitions:
        return not rebuilt.keys() <= captured.keys()
    return any(times > captured.get(digest, 0) for digest, times in rebuilt.items())


def _captured(captures: Iterable[Path], max_body_bytes: int) -> Iterator[tuple[bytes, str]]:
    """Every record of some capture files and every piece that could not become one, and where it stands."""
    reader = BodyReader()
    for path in captures:
        data = path.read_bytes()
        for one in read_events(scan(data, max_body_bytes), reader):
            event = one.event
            where = f"event {event.sequence_number}" if event else "a stretch that is no event"
            for content in contents_of(one, data):
                yield content, f"{path}, {where}"


_SHOWN: Final = 120


def _shown(content: bytes) -> str:
    text = content[:_SHOWN].decode("utf-8", "backslashreplace")
    return text if len(content) <= _SHOWN else f"{text}..."
