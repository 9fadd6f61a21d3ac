"""Event layout: how the events of a capture file lie in it, from the schema the file was written with.

Any record will do that has the three fields azmdr reads, with whatever else between them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from azmdr.capture.avro_encoding import Skip, field_types, shown, skip_of

_MAX_SCHEMA_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class EventLayout:
    """How to step over each field of an event, and which fields are read."""

    skips: tuple[Skip, ...]
    sequence_number: int
    enqueued: int
    body: int
    body_branches: tuple[str, ...]


@lru_cache(maxsize=16)  # The files of one event hub have the same.
def event_layout(schema_text: bytes) -> EventLayout:
    """The layout a schema gives events. ValueError: what about it does not fit."""
    if len(schema_text) > _MAX_SCHEMA_BYTES:
        raise ValueError(f"it has {len(schema_text)} bytes, more than {_MAX_SCHEMA_BYTES}")
    try:
        schema = json.loads(schema_text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({error})") from None
    types = field_types(schema)
    for name, fits in _FITS.items():
        if name not in types:
            raise ValueError(f"the field {name} is missing")
        if not fits(types[name]):
            raise ValueError(f"the field {name} has the type {shown(json.dumps(types[name]).encode())}")
    names = list(types)
    return EventLayout(
        skips=tuple(skip_of(avro_type) for avro_type in types.values()),
        sequence_number=names.index("SequenceNumber"),
        enqueued=names.index("EnqueuedTimeUtc"),
        body=names.index("Body"),
        body_branches=tuple(_body_branches(types["Body"])),
    )


def _body_branches(avro_type: Any) -> list[Any]:
    return avro_type if isinstance(avro_type, list) else []


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "SequenceNumber": lambda avro_type: avro_type in ("long", "int"),
    "EnqueuedTimeUtc": lambda avro_type: avro_type == "string",
    "Body": lambda avro_type: (
        avro_type == "bytes"
        or ("bytes" in _body_branches(avro_type) and set(map(str, avro_type)) <= {"null", "bytes", "string"})
    ),
}
