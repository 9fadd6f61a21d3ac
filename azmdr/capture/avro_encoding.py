"""Avro's binary encoding: reading numbers and texts, and stepping over a value of any type.

All of it raises IndexError where the bytes end too early and ValueError where they are wrong.
Source: avro.apache.org/docs/1.12.0/specification, binary encoding.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

Bytes: TypeAlias = bytes | memoryview
Skip: TypeAlias = Callable[[Bytes, int], int]
"""From where a value begins to where it ends."""

_MAX_SCHEMA_DEPTH: Final = 16


def read_long(held: Bytes, at: int) -> tuple[int, int]:
    """A number in zigzag, seven bits a byte, low bits first; and where it ends."""
    byte = held[at]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    value = byte & 0x7F
    shift = 7
    while byte & 0x80:
        at += 1
        byte = held[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        if value >> 64:
            raise ValueError("a number has more than 64 bits")
    return (value >> 1) ^ -(value & 1), at + 1


def read_count(held: Bytes, at: int) -> tuple[int, int]:
    """How many items follow in a map or array; a negative count has their size in bytes behind it."""
    count, at = read_long(held, at)
    return (count, at) if count >= 0 else (-count, _skip_long(held, at))


def read_prefixed(held: Bytes, at: int) -> tuple[Bytes, int]:
    """Bytes or a text with their length in front; and where they end."""
    length, start = read_long(held, at)
    end = end_of(held, start, length)
    return held[start:end], end


def end_of(held: Bytes, start: int, length: int) -> int:
    """Where a value of so many bytes ends."""
    if length < 0:
        raise ValueError(f"a value has the length {length}")
    if start + length > len(held):
        raise IndexError
    return start + length


def _skip_long(held: Bytes, at: int) -> int:
    return read_long(held, at)[1]


def _skip_prefixed(held: Bytes, at: int) -> int:
    length = held[at]
    if length < 0x80 and not length & 1:
        at += 1 + (length >> 1)
        if at > len(held):
            raise IndexError
        return at
    length, start = read_long(held, at)
    return end_of(held, start, length)


def _skip_fixed(size: int, held: Bytes, at: int) -> int:
    return end_of(held, at, size)


def _skip_all(skips: tuple[Skip, ...], held: Bytes, at: int) -> int:
    for skip in skips:
        at = skip(held, at)
    return at


def _skip_union(branches: tuple[Skip, ...], held: Bytes, at: int) -> int:
    branch, at = read_long(held, at)
    if not 0 <= branch < len(branches):
        raise ValueError(f"a value has the type {branch} of {len(branches)}")
    return branches[branch](held, at)


def _skip_map(skip_value: Skip, held: Bytes, at: int) -> int:
    while True:
        count, at = read_count(held, at)
        if count == 0:
            return at
        for _ in range(count):
            at = skip_value(held, _skip_prefixed(held, at))


def _skip_items(skip: Skip, held: Bytes, at: int) -> int:
    while True:
        count, at = read_count(held, at)
        if count == 0:
            return at
        for _ in range(count):
            start, at = at, skip(held, at)
            if at == start:
                break  # Items of this type have no bytes, so their number costs nothing.


_PRIMITIVES: Final[dict[str, Skip]] = {
    "null": partial(_skip_fixed, 0),
    "boolean": partial(_skip_fixed, 1),
    "int": _skip_long,
    "long": _skip_long,
    "float": partial(_skip_fixed, 4),
    "double": partial(_skip_fixed, 8),
    "bytes": _skip_prefixed,
    "string": _skip_prefixed,
}


def skip_of(avro_type: Any, depth: int = 0) -> Skip:
    """How to step over a value of a type, given as parsed JSON. ValueError: no type the scan knows."""
    if depth > _MAX_SCHEMA_DEPTH:
        raise ValueError(f"its types are nested deeper than {_MAX_SCHEMA_DEPTH}")
    avro_type = _plain(avro_type)
    if isinstance(avro_type, str) and avro_type in _PRIMITIVES:
        return _PRIMITIVES[avro_type]
    if isinstance(avro_type, list):
        return partial(_skip_union, tuple(skip_of(branch, depth + 1) for branch in avro_type))
    match avro_type:
        case {"type": "map", "values": values}:
            return partial(_skip_map, skip_of(values, depth + 1))
        case {"type": "array", "items": items}:
            return partial(_skip_items, skip_of(items, depth + 1))
        case {"type": "record", "fields": [*_]}:
            fields = field_types(avro_type).values()
            return partial(_skip_all, tuple(skip_of(field, depth + 1) for field in fields))
        case {"type": "fixed", "size": int(size)} if size >= 0:
            return partial(_skip_fixed, size)
        case {"type": "enum"}:
            return _skip_long
    raise ValueError(f"the type {shown(json.dumps(avro_type).encode())} is not one the scan knows")


def field_types(schema: Any) -> dict[str, Any]:
    """The fields of a record schema, in order, with their types. ValueError: it is none."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise ValueError("it is no record")
    fields = schema.get("fields")
    if not isinstance(fields, list) or not all(
        isinstance(field, dict) and isinstance(field.get("name"), str) for field in fields
    ):
        raise ValueError("its fields are no list of named fields")
    types = {field["name"]: _plain(field.get("type")) for field in fields}
    if len(types) != len(fields):
        raise ValueError("two of its fields have the same name")
    return types


def _plain(avro_type: Any) -> Any:
    """``{"type": "long"}``, with or without a logical type, is encoded as ``"long"``."""
    if isinstance(avro_type, dict) and isinstance(avro_type.get("type"), str):
        return avro_type["type"] if avro_type["type"] in _PRIMITIVES else avro_type
    return [_plain(branch) for branch in avro_type] if isinstance(avro_type, list) else avro_type


def shown(text: bytes) -> str:
    """A name out of the file, short and harmless enough for a message."""
    return repr(text[:60].decode("utf-8", "replace"))
