"""Open operations: sets of records from which condensed operations are made, and what the lake has of them.

A record is added once, whoever brings it and however often; so the state is the same in whatever order
files come. An operation is due when its end has come and nothing more for the linger time, when it has
waited until the deadline, or at once when nothing more is expected.

Only who holds the customer's lease (:mod:`azmdr.condense.holding`) may change its operations, so what was
read in a transaction is still so when it is written.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import BindParameter, Connection, Row, Select, Update, bindparam, case, func, select, update

from azmdr.condense.classify import StageRecord
from azmdr.store.ledger import LedgerFile
from azmdr.store.many import add_rows, among, at_once
from azmdr.store.state_size import StateSize, note_change
from azmdr.store.tables import OPEN_OPERATION, UtcTime
from azmdr.times import NANOSECONDS, hour_of

_HOUR: Final = 3600 * NANOSECONDS


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an operation waits for more of its records before it is emitted."""

    linger: timedelta
    """After the last record, when its end has come."""
    deadline: timedelta
    """After the first record not yet emitted, when its end has not come."""


class HeldRecord(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A distinct record of an operation, and the file of the ledger that brought it first."""

    file_id: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Brought:
    """The stage records that a capture file holds, repetitions among them."""

    file: LedgerFile
    records: Sequence[StageRecord]


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation as the store has it."""

    operation_id: str
    contents: tuple[bytes, ...]
    """Its distinct records, in no order; one that came spelt in two ways is here twice."""
    hours_before: frozenset[datetime]
    """The hours of the lake, beside the one it belongs to, in which a row of it may stand."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A revision of an operation that stands in the lake."""

    operation_id: str
    revision: int
    respelt: bool
    """Whether its row rebuilds fewer records than it was made of, some being one spelt in two ways."""


@dataclass(slots=True)
class OperationState:
    """A row of the table, while records are added to it."""

    contents: list[HeldRecord]
    terminal: bool
    patient: bool
    waiting_since: datetime | None
    last_seen: datetime
    uploaded_at: datetime
    hour: datetime
    hours_before: frozenset[datetime]
    emitted_revision: int = 0
    emitted_at: datetime | None = None
    respelt: bool = False

    @classmethod
    def of(cls, row: Row[Any]) -> "OperationState":
        """From its row."""
        return cls(
            contents=held_records(row.contents),
            terminal=row.terminal,
            patient=row.patient,
            waiting_since=row.waiting_since,
            last_seen=row.last_seen,
            uploaded_at=row.uploaded_at,
            hour=row.hour,
            hours_before=hours_of(row.hours_before),
            emitted_revision=row.emitted_revision,
            emitted_at=row.emitted_at,
            respelt=row.respelt,
        )

    def due_at(self, patience: Patience) -> datetime | None:
        """When it is to be emitted; None when the lake has all of it."""
        if self.waiting_since is None:
            return None
        if not self.patient:
            return self.waiting_since
        overdue = self.waiting_since + patience.deadline
        return min(self.last_seen + patience.linger, overdue) if self.terminal else overdue

    def row(self, customer: str, operation_id: str, due_at: datetime | None) -> dict[str, Any]:
        """To its row."""
        return {
            "customer": customer,
            "operation_id": operation_id,
            "records": len(self.contents),
            "contents": msgspec.msgpack.encode(self.contents),
            "terminal": self.terminal,
            "patient": self.patient,
            "waiting_since": self.waiting_since,
            "due_at": due_at,
            "last_seen": self.last_seen,
            "uploaded_at": self.uploaded_at,
            "hour": self.hour,
            "hours_before": hours_text(self.hours_before),
            "emitted_revision": self.emitted_revision,
            "emitted_at": self.emitted_at,
            "respelt": self.respelt,
        }


def add_records(
    connection: Connection, customer: str, brought: Sequence[Brought], patience: Patience, now: datetime
) -> dict[int, int]:
    """Add the stage records of a customer's files to their operations.

    A file done again, one with ``completions``, has every operation it brought records to emitted again.

    Returns:
        By file of the ledger how many records count as its own. The others are duplicates: another file
        brought them first. When a file is done again, its records are found to be its own, so the answer is
        the same as the first time.
    """
    come: defaultdict[str, list[tuple[LedgerFile, StageRecord]]] = defaultdict(list)
    for one in brought:
        for record in one.records:
            come[record.operation_id].append((one.file, record))
    held = {row.operation_id: row for row in _rows_of(connection, customer, list(come))}
    own = Counter({one.file.id: 0 for one in brought})
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    records = size = 0
    for operation_id, arrivals in sorted(come.items()):
        row = held.get(operation_id)
        state = _new_state(arrivals[0], now) if row is None else OperationState.of(row)
        before = len(state.contents)
        if not _add(state, arrivals, own, now, stood=row is not None):
            continue
        written = state.row(customer, operation_id, state.due_at(patience))
        (new if row is None else changed).append(written)
        records += len(state.contents) - before
        size += len(written["contents"]) - (0 if row is None else len(row.contents))
    add_rows(connection, OPEN_OPERATION, new)
    _replace_states(connection, changed)
    note_change(connection, customer, StateSize(len(new), records, size))
    return dict(own)


def _new_state(first: tuple[LedgerFile, StageRecord], now: datetime) -> OperationState:
    file, record = first
    return OperationState(
        contents=[],
        terminal=False,
        patient=not record.policy,
        waiting_since=None,
        last_seen=now,
        uploaded_at=file.uploaded_at,
        hour=_hour(record.time),
        hours_before=frozenset(),
    )


def _add(
    state: OperationState,
    arrivals: Sequence[tuple[LedgerFile, StageRecord]],
    own: Counter[int],
    now: datetime,
    *,
    stood: bool,
) -> bool:
    """Add what is new to an operation, count what is whose; returns whether anything of it changed.

    ``stood`` says that it was there before, so that a row of it may stand in the hour it belonged to.
    """
    brought_by = {record.content: record.file_id for record in state.contents}
    known = len(brought_by)
    fresh = again = False
    earliest = _hour(min([record.time for _, record in arrivals]))
    hour = min(state.hour, earliest) if known else earliest
    counted: set[bytes] = set()
    for file, record in arrivals:
        content = record.content
        first_by = brought_by.get(content)
        if first_by is None:
            first_by = brought_by[content] = file.id
            state.contents.append(HeldRecord(file.id, content))
            state.terminal = state.terminal or record.stage.terminal
            state.uploaded_at = max(state.uploaded_at, file.uploaded_at)
            fresh = fresh or not file.completions
        if first_by == file.id and content not in counted:
            counted.add(content)
            own[file.id] += 1
        again = again or (file.completions > 0 and first_by == file.id)
    if stood:
        # Whether a row was written there, perhaps by a run that died over it, is not known.
        state.hours_before |= {state.hour}
    state.hour = hour
    state.hours_before -= {hour}
    if fresh:
        state.last_seen = now
        state.waiting_since = state.waiting_since or now
    elif again:
        # What a file done again brings was waited for when it came.
        state.waiting_since = state.waiting_since or state.last_seen
    return fresh or again


def _replace_states(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        of, operation_id = rows[0]["customer"], [{**row, "id": row["operation_id"]} for row in rows]
        one = (_operation.customer == of) & (_operation.operation_id == bindparam("id"))
        connection.execute(update(OPEN_OPERATION).where(one), operation_id)


def customers_due(connection: Connection, now: datetime) -> list[str]:
    """The customers with at least one operation to be emitted, the one that waited longest first."""
    operation = OPEN_OPERATION.c
    # From one customer with something to the next, so that not all that waits is looked at.
    waiting = operation.due_at.is_not(None)
    names = select(func.min(operation.customer).label("customer")).where(waiting).cte("names", recursive=True)
    after = (
        select(func.min(operation.customer))
        .where(operation.customer > names.c.customer, waiting)
        .scalar_subquery()
    )
    names = names.union_all(select(after).where(names.c.customer.is_not(None)))
    first_due = (
        select(func.min(operation.due_at))
        .where(operation.customer == names.c.customer, waiting)
        .scalar_subquery()
    )
    due = select(names.c.customer, first_due.label("due_at")).subquery()
    query = select(due.c.customer).where(due.c.due_at <= now).order_by(due.c.due_at, due.c.customer)
    return list(connection.scalars(query))


def due_operations(connection: Connection, customer: str, now: datetime, limit: int) -> list[OpenOperation]:
    """Operations of a customer that are to be emitted now, with all their records, the longest due first."""
    operation = OPEN_OPERATION.c
    query = (
        select(operation.operation_id, operation.contents, operation.hours_before)
        .where(operation.customer == customer, operation.due_at.is_not(None), operation.due_at <= now)
        .order_by(operation.due_at, operation.operation_id)
        .limit(limit)
    )
    return [
        OpenOperation(
            row.operation_id,
            tuple(record.content for record in held_records(row.contents)),
            hours_of(row.hours_before),
        )
        for row in connection.execute(query)
    ]


def note_emitted(connection: Connection, customer: str, emitted: Collection[Emitted], now: datetime) -> None:
    """Write down that revisions stand in the lake; one that lacks records come meanwhile still waits."""
    alike: defaultdict[tuple[int, bool], list[str]] = defaultdict(list)
    for one in emitted:
        alike[one.revision, one.respelt].append(one.operation_id)
    for (revision, respelt), operation_ids in sorted(alike.items()):
        for some in at_once(operation_ids):
            values = {"of": customer, "ids": some, "told": revision, "fewer": respelt, "at": now}
            connection.execute(_emitted(connection.dialect.name), values)


_operation: Final = OPEN_OPERATION.c


@cache
def _emitted(dialect: str) -> Update:
    told: BindParameter[int] = bindparam("told", type_=_operation.records.type)
    at: BindParameter[datetime] = bindparam("at", type_=UtcTime())
    return (
        update(OPEN_OPERATION)
        .where(_operation.customer == bindparam("of"), among(dialect, _operation.operation_id))
        .values(
            emitted_revision=told,
            respelt=bindparam("fewer"),
            emitted_at=case((_operation.emitted_revision == told, _operation.emitted_at), else_=at),
            waiting_since=case((_operation.records == told, None), else_=_operation.waiting_since),
            due_at=case((_operation.records == told, None), else_=_operation.due_at),
        )
    )


def latencies(connection: Connection, since: datetime) -> list[timedelta]:
    """How long each operation in the lake took, from the upload of the last file with a record of it.

    Of the operations whose records are here, all of whose files were uploaded after ``since``.
    """
    query = select(OPEN_OPERATION.c.uploaded_at, OPEN_OPERATION.c.emitted_at).where(
        OPEN_OPERATION.c.emitted_at.is_not(None),
        OPEN_OPERATION.c.waiting_since.is_(None),
        OPEN_OPERATION.c.uploaded_at >= since,
    )
    return [row.emitted_at - row.uploaded_at for row in connection.execute(query)]


def emitted_operations(connection: Connection) -> int:
    """How many operations the lake has that are not closed, some of them perhaps not all of."""
    emitted = select(func.count()).select_from(OPEN_OPERATION).where(OPEN_OPERATION.c.emitted_revision > 0)
    return connection.scalar(emitted) or 0


def waiting_operations(connection: Connection) -> int:
    """How many operations the lake does not have all of."""
    waiting = select(func.count()).select_from(OPEN_OPERATION).where(OPEN_OPERATION.c.due_at.is_not(None))
    return connection.scalar(waiting) or 0


def records_of_files(connection: Connection, customer: str, operation_ids: Collection[str]) -> Counter[int]:
    """How many records of some operations each file brought first, counted one by one."""
    rows = _rows_of(connection, customer, list(operation_ids))
    return Counter(record.file_id for row in rows for record in held_records(row.contents))


def _rows_of(connection: Connection, customer: str, operation_ids: Sequence[str]) -> Iterator[Row[Any]]:
    for some in at_once(operation_ids):
        yield from connection.execute(_held(connection.dialect.name), {"of": customer, "ids": some})


@cache
def _held(dialect: str) -> Select[Any]:
    return select(OPEN_OPERATION).where(
        _operation.customer == bindparam("of"), among(dialect, _operation.operation_id)
    )


_held_records: Final = msgspec.msgpack.Decoder(list[HeldRecord])


@lru_cache(maxsize=1 << 12)
def _hour_number(number: int) -> datetime:
    return hour_of(number * _HOUR)


def _hour(nanoseconds: int) -> datetime:
    return _hour_number(nanoseconds // _HOUR)


def held_records(contents: bytes) -> list[HeldRecord]:
    """The records of an operation, from the column ``contents``."""
    return _held_records.decode(contents)


def hours_of(text: str) -> frozenset[datetime]:
    """Hours from a JSON list."""
    return frozenset(datetime.fromisoformat(hour) for hour in json.loads(text)) if text != "[]" else _NONE


def hours_text(hours: Iterable[datetime]) -> str:
    """Hours as a JSON list, in order."""
    return json.dumps(sorted(hour.isoformat() for hour in hours)) if hours else "[]"


_NONE: Final[frozenset[datetime]] = frozenset()
