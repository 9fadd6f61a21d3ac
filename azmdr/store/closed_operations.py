"""Closed operations: what is left in the store of an operation whose records only the lake has.

An operation is closed when the lake has all of it and nothing new of it has come for some time. A row of
some 150 bytes says where in the lake it stands and which file brought each of its records; from that and
the lake's row, which is lossless, it is opened again as it was. Who changes a customer's operations holds
its lease (:mod:`azmdr.condense.holding`).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, select

from azmdr.condense.attempts import distinct
from azmdr.condense.classify import StageRecord, classify
from azmdr.store.operations import (
    HeldRecord,
    OperationState,
    at_once,
    held_records,
    hours_of,
    put_states,
)
from azmdr.store.state_size import StateSize, note_change
from azmdr.store.tables import CLOSED_OPERATION, OPEN_OPERATION


@dataclass(frozen=True, slots=True)
class ClosedOperation:
    """An operation whose records only the lake has."""

    operation_id: str
    revision: int
    hour: datetime
    """Where in the lake it stands."""
    hours_before: frozenset[datetime]
    brought_by: tuple[int, ...]
    """The file that brought each record first, in the order of the records' bytes."""
    other_spellings: tuple[HeldRecord, ...]
    """Records that the lake's row leaves out, having them in another spelling."""
    last_seen: datetime
    uploaded_at: datetime
    emitted_at: datetime

    def held(self, rebuilt: Collection[bytes]) -> list[HeldRecord]:
        """Its records as the store had them, from those rebuilt from the lake's row."""
        told = map(HeldRecord, self.brought_by, sorted(rebuilt))
        return [*told, *self.other_spellings]


def close_operations(connection: Connection, customer: str, *, quiet_since: datetime, limit: int) -> int:
    """Close operations the lake has all of and of which nothing new has come since; returns how many."""
    operation = OPEN_OPERATION.c
    query = (
        select(OPEN_OPERATION)
        .where(operation.customer == customer, operation.due_at.is_(None), operation.last_seen <= quiet_since)
        .order_by(operation.last_seen)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    if not rows:
        return 0
    connection.execute(CLOSED_OPERATION.insert(), [_closed(row) for row in rows])
    for some in at_once(row.operation_id for row in rows):
        connection.execute(_LEAVE, {"of": customer, "ids": some})
    change = StateSize(
        operations=-len(rows),
        records=-sum(row.records for row in rows),
        bytes=-sum(len(row.contents) for row in rows),
        closed_operations=len(rows),
    )
    note_change(connection, customer, change)
    return len(rows)


def closed_among(
    connection: Connection, customer: str, operation_ids: Collection[str]
) -> list[ClosedOperation]:
    """Those of some operations that are closed."""
    return [
        _of(row)
        for some in at_once(operation_ids)
        for row in connection.execute(_CLOSED_AMONG, {"of": customer, "ids": some})
    ]


def open_again(
    connection: Connection, customer: str, read_back: Mapping[str, tuple[ClosedOperation, list[HeldRecord]]]
) -> None:
    """Open closed operations again, as they were, with the records read back from the lake.

    One without records, because its row is not in the lake any more, is only forgotten: what comes now begins
    it anew, knowing the hours in which it stood.
    """
    rows = [_opened(customer, closed, held) for closed, held in read_back.values()]
    put_states(connection, rows)
    for some in at_once(read_back):
        connection.execute(_FORGET, {"of": customer, "ids": some})
    change = StateSize(
        operations=len(rows),
        records=sum(row["records"] for row in rows),
        bytes=sum(len(row["contents"]) for row in rows),
        closed_operations=-len(rows),
    )
    note_change(connection, customer, change)


def _closed(row: Row[Any]) -> dict[str, Any]:
    records = held_records(row.contents)
    told = {record.content for record in records}
    if row.respelt:
        classified = (classify(record.content) for record in records)
        ordered, _ = distinct(record for record in classified if isinstance(record, StageRecord))
        told = {record.content for record in ordered}
    others = [record for record in records if record.content not in told]
    kept = sorted((record for record in records if record.content in told), key=lambda one: one.content)
    hours = [row.hour, *sorted(hours_of(row.hours_before))]
    return {
        "customer": row.customer,
        "operation_id": row.operation_id,
        "revision": row.records,
        "hours": json.dumps([hour.isoformat() for hour in hours]),
        "brought_by": json.dumps([record.file_id for record in kept]),
        "other_spellings": msgspec.msgpack.encode(others) if others else None,
        "last_seen": row.last_seen,
        "uploaded_at": row.uploaded_at,
        "emitted_at": row.emitted_at,
    }


def _of(row: Row[Any]) -> ClosedOperation:
    hour, *before = map(datetime.fromisoformat, json.loads(row.hours))
    return ClosedOperation(
        operation_id=row.operation_id,
        revision=row.revision,
        hour=hour,
        hours_before=frozenset(before),
        brought_by=tuple(json.loads(row.brought_by)),
        other_spellings=tuple(held_records(row.other_spellings)) if row.other_spellings else (),
        last_seen=row.last_seen,
        uploaded_at=row.uploaded_at,
        emitted_at=row.emitted_at,
    )


def _opened(customer: str, closed: ClosedOperation, held: Sequence[HeldRecord]) -> dict[str, Any]:
    classified = [classify(record.content) for record in held]
    records = [record for record in classified if isinstance(record, StageRecord)]
    state = OperationState(
        contents=list(held),
        terminal=any(record.stage.terminal for record in records),
        patient=not any(record.policy for record in records),
        waiting_since=None,
        last_seen=closed.last_seen,
        uploaded_at=closed.uploaded_at,
        hour=closed.hour,
        hours_before=closed.hours_before,
        emitted_revision=len(held),
        emitted_at=closed.emitted_at,
        respelt=bool(closed.other_spellings),
    )
    return state.row(customer, closed.operation_id, None)


_open: Final = OPEN_OPERATION.c
_closed_: Final = CLOSED_OPERATION.c
_LEAVE: Final = delete(OPEN_OPERATION).where(
    _open.customer == bindparam("of"), _open.operation_id.in_(bindparam("ids", expanding=True))
)
_CLOSED_AMONG: Final = select(CLOSED_OPERATION).where(
    _closed_.customer == bindparam("of"), _closed_.operation_id.in_(bindparam("ids", expanding=True))
)
_FORGET: Final = delete(CLOSED_OPERATION).where(
    _closed_.customer == bindparam("of"), _closed_.operation_id.in_(bindparam("ids", expanding=True))
)
