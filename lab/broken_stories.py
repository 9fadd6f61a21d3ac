"""Stories of damage: bodies and records as they were seen broken in the wild, one kind each.

Every body here states its pieces: what of it is a record, and what nobody can read.
"""

from datetime import datetime
from typing import Final

from lab.operation_stories import Story
from lab.records import Record, encode
from lab.resource_log import gateway_access, network_flow, storage_read
from lab.story import Kind, Piece, Storyteller

NESTED_LEVELS: Final = 100


def text_instead_of_json(tell: Storyteller) -> None:
    """A body that is a line of text."""
    body = f"Connection refused by peer after {tell.rng.randint(1, 99)} attempts".encode()
    tell.sends(body, (Piece(body, Kind.QUARANTINED),), 0)


def broken_among_good(tell: Storyteller) -> None:
    """Properties that were never serialized break one record; the three around it are well."""
    good = [_passing(storage_read(tell.customer, *_home(tell), tell.rng)) for _ in range(3)]
    category = b'{"category":"PostgreSQLLogs","resourceId":"%b",' % tell.subscription().id.upper().encode()
    broken = Piece(
        category + b'"properties":[ %d B blob data ]}' % tell.rng.randint(100, 999), Kind.QUARANTINED
    )
    pieces = (good[0], broken, good[1], good[2])
    tell.sends(b'{"records":[' + b",".join(piece.content for piece in pieces) + b"]}", pieces, 0)


def deeply_nested(tell: Storyteller) -> None:
    """A record whose properties are a hundred levels deep: unusual, and well."""
    nested: Record = {"rule": "innermost"}
    for _ in range(NESTED_LEVELS - 1):
        nested = {"rules": nested}
    record = network_flow(tell.customer, *_home(tell), tell.rng) | {"properties": nested}
    _send_alone(tell, record)


def empty_event(tell: Storyteller) -> None:
    """An event without a body."""
    tell.sends(None, (), 0)


def unreadable_time(tell: Storyteller) -> None:
    """A record that stands for itself, with a time that is none."""
    _send_alone(tell, gateway_access(tell.customer, *_home(tell), tell.rng) | {"timeStamp": "not available"})


BROKEN_STORIES: Final[dict[str, tuple[Story, int]]] = {
    "text_instead_of_json": (text_instead_of_json, 1),
    "broken_among_good": (broken_among_good, 2),
    "deeply_nested": (deeply_nested, 1),
    "empty_event": (empty_event, 1),
    "unreadable_time": (unreadable_time, 1),
}
"""Stories by name, with how often a customer has each in a scenario of size 1."""


def _home(tell: Storyteller) -> tuple[str, datetime]:
    return tell.customer.home_region, tell.moment(0)


def _passing(record: Record) -> Piece:
    return Piece(encode(record), Kind.PASSED_THROUGH)


def _send_alone(tell: Storyteller, record: Record) -> None:
    piece = _passing(record)
    tell.sends(b'{"records":[' + piece.content + b"]}", (piece,), 0)
