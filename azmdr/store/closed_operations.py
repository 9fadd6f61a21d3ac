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
from functools import cache, lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Delete, Row, Select, bindparam, delete, select

from azmdr.condense.attempts import distinct
from azmdr.condense.classify import StageRecord, classify
from azmdr.store.many import add_rows, among, at_once
from azmdr.store.operations import (
    HeldRecord,
    OperationState,
    held_records,
    hours_of,
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
    add_rows(connection, CLOSED_OPERATION, [_closed(row) for row in rows])
    for some in at_once(row.operation_id for row in rows):
        connection.execute(_leave(connection.dialect.name), {"of": customer, "ids": some})
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
        for row in connection.execute(_closed_among(connection.dialect.name), {"of": customer, "ids": some})
    ]


def open_again(
    connection: Connection, customer: str, read_back: Mapping[str, tuple[ClosedOperation, list[HeldRecord]]]
) -> None:
    """Open closed operations again, as they were, with the records read back from the lake.

    One without records, because its row is not in the lake any more, is only forgotten: what comes now begins
    it anew, knowing the hours in which it stood.
    """
    rows = [_opened(customer, closed, held) for closed, held in read_back.values()]
    add_rows(connection, OPEN_OPERATION, rows)
    for some in at_once(read_back):
        connection.execute(_forget(connection.dialect.name), {"of": customer, "ids": some})
    change = StateSize(
        operations=len(rows),
        records=sum(row["records"] for row in rows),
        bytes=sum(len(row["contents"]) for row in rows),
        closed_operations=-len(rows),
    )
    note_change(connection, customer, change)


def _closed(row: Row[Any]) -> dict[str, Any]:
    told = held_records(row.contents)
    others: list[HeldRecord] = []
    if row.respelt:
        rebuilt = _rebuilt(told)
        others = [record for record in told if record.content not in rebuilt]
        told = [record for record in told if record.content in rebuilt]
    if len(told) > 1:
        told.sort(key=lambda record: record.content)
    return {
        "customer": row.customer,
        "operation_id": row.operation_id,
        "revision": row.records,
        "hours": _hours_text(row.hour, row.hours_before),
        "brought_by": msgspec.json.encode([record.file_id for record in told]).decode(),
        "other_spellings": msgspec.msgpack.encode(others) if others else None,
        "last_seen": row.last_seen,
        "uploaded_at": row.uploaded_at,
        "emitted_at": row.emitted_at,
    }


def _rebuilt(records: Sequence[HeldRecord]) -> set[bytes]:
    """Those that the lake's row rebuilds: of several spellings of one record the one that counts."""
    classified = (classify(record.content) for record in records)
    ordered, _ = distinct(record for record in classified if isinstance(record, StageRecord))
    return {record.content for record in ordered}


@lru_cache(maxsize=1 << 10)
def _hours_text(hour: datetime, before: str) -> str:
    return json.dumps([one.isoformat() for one in (hour, *sorted(hours_of(before)))])


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


@cache
def _leave(dialect: str) -> Delete:
    operation = OPEN_OPERATION.c
    return delete(OPEN_OPERATION).where(
        operation.customer == bindparam("of"), among(dialect, operation.operation_id)
    )


@cache
def _closed_among(dialect: str) -> Select[Any]:
    closed = CLOSED_OPERATION.c
    return select(CLOSED_OPERATION).where(
        closed.customer == bindparam("of"), among(dialect, closed.operation_id)
    )


@cache
def _forget(dialect: str) -> Delete:
    closed = CLOSED_OPERATION.c
    return delete(CLOSED_OPERATION).where(
        closed.customer == bindparam("of"), among(dialect, closed.operation_id)
    )
