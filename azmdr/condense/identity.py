"""Identity: when two deliveries are the same record, and which operation a record belongs to.

Azure delivers at least once, so the same record comes again, in the same bytes or with its fields in
another order. The digest of a record is therefore taken over a canonical form. Numbers and texts keep
their exact spelling in it: two records that differ in any value are two records.
"""

from hashlib import blake2b
from typing import Final

import msgspec

DIGEST_BYTES: Final = 16
DEEPEST: Final = 256
"""Levels of objects and lists in a record. A bound of our own, so that it isn't the stack of whoever asks."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def record_digest(content: bytes) -> str:
    """The identity of a record's content, as 32 hexadecimal digits.

    Raises:
        RecursionError: the record is nested deeper than :data:`DEEPEST`.
    """
    return _hexadecimal(_canonical(content))


def spelling_digest(content: bytes) -> str:
    """The identity of a record's very bytes, as 32 hexadecimal digits."""
    return _hexadecimal(content)


def key_digest(*parts: str) -> str:
    """The identity of a tuple of texts, as 32 hexadecimal digits."""
    return _hexadecimal(msgspec.json.encode(parts))


def digest_of_spelt(*parts: bytes) -> str:
    """:func:`key_digest` of the texts that ``parts`` are as JSON, spelt as they are encoded."""
    return _hexadecimal(b"[%b]" % b",".join(parts))


def _canonical(content: bytes) -> bytes:
    if (quickly := _canonical_of_plain(content)) is not None:
        return quickly
    compact = msgspec.json.format(content, indent=-1)
    ordered = _ordered(compact, DEEPEST)
    # Ordering the fields can't change the length, unless a key stood twice and one of its values was lost.
    return ordered if len(ordered) == len(compact) else compact


def _canonical_of_plain(content: bytes) -> bytes | None:
    """The same for most records: those that lose nothing when they are read as a value and encoded."""
    if content.count(b"{") + content.count(b"[") >= DEEPEST:
        return None
    try:
        value = msgspec.json.decode(content)
    except msgspec.DecodeError:  # A number no float holds.
        return None
    return msgspec.json.encode(value, order="sorted") if msgspec.json.encode(value) == content else None


def _ordered(compact: bytes, levels: int) -> bytes:
    if not levels:
        raise RecursionError(f"nested deeper than {DEEPEST} levels")
    match compact[:1]:
        case b"{":
            fields = _object.decode(compact)
            members = (
                msgspec.json.encode(name) + b":" + _ordered(bytes(fields[name]), levels - 1)
                for name in sorted(fields)
            )
            return b"{" + b",".join(members) + b"}"
        case b"[":
            elements = (_ordered(bytes(element), levels - 1) for element in _list.decode(compact))
            return b"[" + b",".join(elements) + b"]"
        case _:
            return compact


def _hexadecimal(content: bytes) -> str:
    return blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
