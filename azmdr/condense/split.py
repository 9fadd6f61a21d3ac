"""Splitting: the body of one captured event becomes its records, byte for byte, and its broken pieces.

Azure Monitor wraps records as ``{"records": [...]}``. A record that can be read is handed on as the
very bytes that arrived. One that cannot costs itself, not the message: the piece between two readable
records is handed on as broken, whole, with a reason.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

NOT_JSON: Final = "not_json"
"""The body, or this piece of it, is not JSON, and no record could be made out in it."""
NO_RECORDS: Final = "no_records"
"""The body is JSON but holds no list of records."""
NOT_AN_OBJECT: Final = "record_not_an_object"
"""An element of the list of records is a number, a text, a list or null."""
ENVELOPE_FIELDS: Final = "envelope_fields"
"""The envelope says more than its records; the other fields are kept here."""
AMBIGUOUS_ENVELOPE: Final = "ambiguous_envelope"
"""The envelope repeats a key, so that reading it would drop what stands under the first."""

SHORTEST_REPETITION: Final = len('"":0,')
"""An envelope that repeats a key has at least so many bytes more than its fields."""

RECORD_MARKS: Final = frozenset(
    {
        "time",
        "timeStamp",
        "timestamp",
        "TimeGenerated",
        "EventTimeString",
        "eventTimestamp",
        "category",
        "operationName",
    }
)
"""An object with one of these fields is taken for a record when the text around it is broken."""

SALVAGE_EFFORT: Final = 20
"""How many times over a broken body is read in search of records; what is left then is one broken piece."""

_TOO_DEEP: Final = 16_384
"""Characters taken for read when a nesting was too deep to read on."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLANKS: Final = b" \t\r\n"
"""White space as JSON has it; anything else is content, and content is kept."""
_NEXT_OBJECT: Final = re.compile(r"[},][ \t\r\n,]*(?=\{)")
_LIST_OPENING: Final = re.compile(r'\{?[ \t\r\n]*"records"[ \t\r\n]*:[ \t\r\n]*\[')
_SEPARATORS: Final = re.compile(r"[ \t\r\n,]*")
_LIST_CLOSING: Final = re.compile(r"\][ \t\r\n]*\}?[ \t\r\n,]*")

_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_lenient = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """One element of a body: a record's bytes, or a broken stretch with the reason it can't be read."""

    index: int
    """Position in the body, counting readable and broken pieces alike."""
    content: bytes
    broken: str | None = None
    detail: str = ""


def split_body(body: bytes) -> list[Piece]:
    """Cut a body into its pieces: every byte that is not punctuation of the envelope is in one of them.

    A body of nothing but white space has none.
    """
    text = body.removeprefix(_BYTE_ORDER_MARK)
    if not text.strip(_BLANKS):
        return []
    try:
        found = list(_split_json(text))
    except (msgspec.DecodeError, RecursionError):
        found = list(_salvage(text))
    return [Piece(index, content, broken) for index, (content, broken) in enumerate(found)]


def _split_json(text: bytes) -> Iterator[tuple[bytes, str | None]]:
    match text.lstrip(_BLANKS)[:1]:
        case b"{":
            yield from _split_object(text)
        case b"[":
            for element in _elements.decode(text):
                content = bytes(element)
                if content[:1] == b"{":
                    yield from _split_object(content)
                else:
                    yield content, NOT_AN_OBJECT
        case _:
            raise msgspec.DecodeError("neither an object nor a list")


def _split_object(text: bytes) -> Iterator[tuple[bytes, str | None]]:
    fields = _envelope.decode(text)
    records = fields.pop("records", None)
    if records is None:
        if RECORD_MARKS & fields.keys():
            yield text.strip(_BLANKS), None
        else:
            yield text, NO_RECORDS
        return
    if bytes(records)[:1] != b"[":
        yield text, NO_RECORDS
        return
    if _repeats_a_key(text, {"records": records, **fields}):
        yield text, AMBIGUOUS_ENVELOPE
        return
    for element in _elements.decode(records):
        content = bytes(element)
        yield content, None if content[:1] == b"{" else NOT_AN_OBJECT
    if fields:
        yield msgspec.json.encode(fields), ENVELOPE_FIELDS


def _repeats_a_key(text: bytes, fields: Mapping[str, msgspec.Raw]) -> bool:
    """Whether an object says more than the fields read from it, which are the last of each name."""
    said = msgspec.json.encode(fields)
    if len(text) - len(said) < SHORTEST_REPETITION:
        return False
    # What is more may be white space alone.
    return len(msgspec.json.format(text, indent=-1)) != len(msgspec.json.format(said, indent=-1))


def _salvage(body: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Read record after record; where one is broken, go on at the next object that is clearly a record.

    Records may stand in an envelope, in several behind one another, or without one.
    """
    text = body.decode("utf-8", "surrogateescape")
    opening = _LIST_OPENING.search(text)
    if opening is not None and _object_end(text, _after(_SEPARATORS, text, 0))[0] is None:
        if before := _bytes(text[: opening.start()]).strip(_BLANKS):
            yield before, NOT_JSON
        position = unread = _after(_SEPARATORS, text, opening.end())
    else:
        position, unread = _after(_SEPARATORS, text, 0), 0
    effort = SALVAGE_EFFORT * (len(text) + 1000)
    while position < len(text) and effort > 0:
        end, spent = _object_end(text, position)
        if end is None:
            effort -= spent
            if another := _LIST_OPENING.match(text, position):
                if broken := _unread(text[unread:position]):
                    yield broken, NOT_JSON
                position = unread = _after(_SEPARATORS, text, another.end())
                continue
            following = _NEXT_OBJECT.search(text, position)
            position = following.end() if following else len(text)
            continue
        if broken := _unread(text[unread:position]):
            yield broken, NOT_JSON
        content = _bytes(text[position:end])
        yield content, None if _is_json(content) else NOT_JSON
        position = unread = _after(_SEPARATORS, text, end)
    if _unread(text[unread:]):
        yield _bytes(text[unread:]).strip(_BLANKS), NOT_JSON


def _unread(stretch: str) -> bytes:
    """What of a stretch that was passed over is more than punctuation between records."""
    return b"" if _LIST_CLOSING.fullmatch(stretch) else _bytes(stretch).strip(_BLANKS + b",")


def _object_end(text: str, start: int) -> tuple[int | None, int]:
    """Where the object that begins at ``start`` ends, None when nothing like a record begins there.

    And how many characters were read to tell.
    """
    if not text.startswith("{", start):
        return None, 1
    try:
        value, end = _lenient.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return None, error.pos - start + 1
    except RecursionError:
        return None, _TOO_DEEP
    return end if RECORD_MARKS & value.keys() else None, end - start


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position
