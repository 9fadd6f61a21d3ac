"""Open operations: sets of records from which condensed operations are made, and what the lake has of them.

A record is added once, whoever brings it and however often; so the state is the same in whatever order
files come. An operation is due when its end has come and nothing more for the linger time, when it has
waited until the deadline, or at once when nothing more is expected.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from azmdr.condense.classify import StageRecord
from azmdr.condense.identity import spelling_digest
from azmdr.store.ledger import LedgerFile
from azmdr.store.tables import OPEN_OPERATION, OPERATION_RECORD, UtcTime
from azmdr.store.upsert import insert


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an operation waits for more of its records before it is emitted."""

    linger: timedelta
    """After the last record, when its end has come."""
    deadline: timedelta
    """After the first record not yet emitted, when its end has not come."""


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation as the store has it."""

    operation_id: str
    contents: tuple[bytes, ...]
    """Its distinct records, in no order; one that came spelt in two ways is here twice."""
    emitted_hours: frozenset[datetime]
    """The hours of the lake in which a row of it may stand."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A revision of an operation that stands in the lake."""

    operation_id: str
    revision: int


def lock_customers(connection: Connection, customers: Iterable[str]) -> None:
    """Keep others from the operations of some customers until the transaction ends.

    On PostgreSQL two transactions that touch the same rows in another order would kill one another; SQLite
    has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        for customer in sorted(set(customers)):
            lock = func.pg_advisory_xact_lock(func.hashtext(f"operations of {customer}"))
            connection.execute(select(lock))


def add_records(
    connection: Connection, file: LedgerFile, records: Sequence[StageRecord], now: datetime
) -> int:
    """Add a file's stage records to their operations; returns how many count as this file's.

    The others are duplicates: another file brought them first. When a file is done again, its records are
    found to be its own, so the answer is the same as the first time.
    """
    distinct = {spelling_digest(record.content): record for record in records}
    rows = [
        {
            "customer": file.customer,
            "operation_id": record.operation_id,
            "digest": record.digest,
            "spelling": spelling,
            "file_id": file.id,
            "content": record.content,
        }
        for spelling, record in distinct.items()
    ]
    if not rows:
        return 0
    added = insert(connection, OPERATION_RECORD).on_conflict_do_nothing()
    new = set(connection.scalars(added.returning(OPERATION_RECORD.c.spelling), rows))
    _open(connection, file, [distinct[spelling] for spelling in new], now)
    own = select(OPERATION_RECORD.c.spelling).where(OPERATION_RECORD.c.file_id == file.id)
    return len(distinct.keys() & set(connection.scalars(own)))


def _open(connection: Connection, file: LedgerFile, new: Sequence[StageRecord], now: datetime) -> None:
    if not new:
        return
    counts = Counter(record.operation_id for record in new)
    ended = {record.operation_id for record in new if record.stage.terminal}
    hasty = {record.operation_id for record in new if record.policy}
    rows = [
        {
            "customer": file.customer,
            "operation_id": operation_id,
            "records": counts[operation_id],
            "terminal": operation_id in ended,
            "patient": operation_id not in hasty,
            "waiting_since": now,
            "last_seen": now,
            "uploaded_at": file.uploaded_at,
        }
        for operation_id in sorted(counts)
    ]
    statement = insert(connection, OPEN_OPERATION)
    old, come = OPEN_OPERATION.c, statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[old.customer, old.operation_id],
        set_={
            "records": old.records + come.records,
            "terminal": or_(old.terminal, come.terminal),
            "waiting_since": func.coalesce(old.waiting_since, come.waiting_since),
            "last_seen": come.last_seen,
            "uploaded_at": _greater(old.uploaded_at, come.uploaded_at),
        },
    )
    connection.execute(statement, rows)


def emit_again(connection: Connection, file: LedgerFile) -> None:
    """Have every operation a file brought records to written again, because the file is done again."""
    its_own = select(OPERATION_RECORD.c.operation_id).where(OPERATION_RECORD.c.file_id == file.id)
    connection.execute(
        update(OPEN_OPERATION)
        .where(OPEN_OPERATION.c.customer == file.customer, OPEN_OPERATION.c.operation_id.in_(its_own))
        .values(waiting_since=func.coalesce(OPEN_OPERATION.c.waiting_since, OPEN_OPERATION.c.last_seen))
    )


def customers_due(connection: Connection, patience: Patience, now: datetime) -> list[str]:
    """The customers with at least one operation to be emitted, the one that waited longest first."""
    operation = OPEN_OPERATION.c
    longest = (func.min(operation.waiting_since), operation.customer)
    query = (
        select(operation.customer).where(_due(patience, now)).group_by(operation.customer).order_by(*longest)
    )
    return list(connection.scalars(query))


def due_operations(
    connection: Connection, customer: str, patience: Patience, now: datetime, limit: int
) -> list[OpenOperation]:
    """Operations of a customer that are to be emitted now, with all their records."""
    query = (
        select(OPEN_OPERATION.c.operation_id, OPEN_OPERATION.c.emitted_hours)
        .where(OPEN_OPERATION.c.customer == customer, _due(patience, now))
        .order_by(OPEN_OPERATION.c.operation_id)
        .limit(limit)
    )
    hours = {row.operation_id: _hours(row.emitted_hours) for row in connection.execute(query)}
    contents: dict[str, list[bytes]] = {operation_id: [] for operation_id in hours}
    records = select(OPERATION_RECORD.c.operation_id, OPERATION_RECORD.c.content).where(
        OPERATION_RECORD.c.customer == customer, OPERATION_RECORD.c.operation_id.in_(hours)
    )
    for row in connection.execute(records):
        contents[row.operation_id].append(row.content)
    return [OpenOperation(name, tuple(contents[name]), emitted) for name, emitted in hours.items()]


def note_hours(
    connection: Connection, customer: str, hours: Iterable[tuple[str, frozenset[datetime]]]
) -> None:
    """Write down, before rows are written, in which hours rows of each operation may stand."""
    rows = [{"id": operation_id, "hours": _hours_text(all_hours)} for operation_id, all_hours in hours]
    if rows:
        one = and_(OPEN_OPERATION.c.customer == customer, OPEN_OPERATION.c.operation_id == bindparam("id"))
        connection.execute(update(OPEN_OPERATION).where(one).values(emitted_hours=bindparam("hours")), rows)


def note_emitted(connection: Connection, customer: str, emitted: Collection[Emitted], now: datetime) -> None:
    """Write down that revisions stand in the lake; one that lacks records come meanwhile still waits."""
    rows = [{"id": told.operation_id, "told": told.revision} for told in emitted]
    if not rows:
        return
    operation = OPEN_OPERATION.c
    told: BindParameter[int] = bindparam("told")
    values = {
        "emitted_revision": told,
        "emitted_at": case(
            (operation.emitted_revision == told, operation.emitted_at), else_=literal(now, UtcTime())
        ),
        "waiting_since": case((operation.records == told, None), else_=operation.waiting_since),
    }
    one = and_(operation.customer == customer, operation.operation_id == bindparam("id"))
    connection.execute(update(OPEN_OPERATION).where(one).values(values), rows)


def latencies(connection: Connection, since: datetime) -> list[timedelta]:
    """How long each operation in the lake took, from the upload of the last file with a record of it.

    Of the operations all of whose files were uploaded after ``since``.
    """
    query = select(OPEN_OPERATION.c.uploaded_at, OPEN_OPERATION.c.emitted_at).where(
        OPEN_OPERATION.c.emitted_at.is_not(None),
        OPEN_OPERATION.c.waiting_since.is_(None),
        OPEN_OPERATION.c.uploaded_at >= since,
    )
    return [row.emitted_at - row.uploaded_at for row in connection.execute(query)]


def emitted_operations(connection: Connection) -> int:
    """How many operations the lake has, some of them perhaps not all of."""
    emitted = select(func.count()).select_from(OPEN_OPERATION).where(OPEN_OPERATION.c.emitted_revision > 0)
    return connection.scalar(emitted) or 0


def waiting_operations(connection: Connection) -> int:
    """How many operations the lake does not have all of."""
    waiting = (
        select(func.count()).select_from(OPEN_OPERATION).where(OPEN_OPERATION.c.waiting_since.is_not(None))
    )
    return connection.scalar(waiting) or 0


def records_of_files(connection: Connection, file_ids: Collection[int]) -> dict[int, int]:
    """How many records of operations each of these files brought first, counted one by one."""
    counted: dict[int, int] = {}
    wanted = sorted(file_ids)
    for start in range(0, len(wanted), 1000):
        query = (
            select(OPERATION_RECORD.c.file_id, func.count().label("records"))
            .where(OPERATION_RECORD.c.file_id.in_(wanted[start : start + 1000]))
            .group_by(OPERATION_RECORD.c.file_id)
        )
        counted.update({row.file_id: row.records for row in connection.execute(query)})
    return counted


def _due(patience: Patience, now: datetime) -> ColumnElement[bool]:
    operation = OPEN_OPERATION.c
    quiet = and_(operation.terminal, operation.last_seen <= now - patience.linger)
    overdue = operation.waiting_since <= now - patience.deadline
    return and_(operation.waiting_since.is_not(None), or_(~operation.patient, quiet, overdue))


def _greater(one: ColumnElement[datetime], other: ColumnElement[datetime]) -> ColumnElement[datetime]:
    return case((one > other, one), else_=other)


def _hours(text: str) -> frozenset[datetime]:
    return frozenset(datetime.fromisoformat(hour) for hour in json.loads(text))


def _hours_text(hours: frozenset[datetime]) -> str:
    return json.dumps(sorted(hour.isoformat() for hour in hours))
