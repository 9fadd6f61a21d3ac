"""The ledger: a row for each capture file, from the first word of it until its rows are in the lake.

A file is *waiting* until a run claims it, for the time of a lease; a claim whose lease ran out (its run
died) waits again. ``done`` ends the way of most; ``gone``, ``superseded`` and ``failed`` say in
``reason`` why a file could not be read.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Row, and_, false, func, or_, select, update

from azmdr.capture.names import CaptureName
from azmdr.condense.counts import Counts
from azmdr.store.tables import CAPTURE_FILE
from azmdr.store.upsert import insert


class FileState(StrEnum):
    """Where a capture file stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    DONE = "done"
    GONE = "gone"
    """The blob was not there when it was to be read."""
    SUPERSEDED = "superseded"
    """The blob was written anew before it was read; the new content is a file of its own."""
    FAILED = "failed"
    """Tried as often as the settings allow, without success."""


@dataclass(frozen=True, slots=True, order=True)
class CustomerDay:
    """A partition of the capture assets: one customer's files of one day (UTC), ``YYYY-MM-DD``."""

    customer: str
    day: str


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A capture file we have heard of, by message or by listing."""

    path: str
    etag: str
    size: int
    customer: str
    name: CaptureName
    uploaded_at: datetime
    found_by: str


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """A capture file as the ledger has it."""

    id: int
    path: str
    etag: str
    size: int
    customer: str
    day: str
    name: CaptureName
    uploaded_at: datetime
    attempts: int
    requests: int
    completions: int
    """How often it has been done."""
    outputs: tuple[str, ...]

    @property
    def partition(self) -> CustomerDay:
        """The partition it belongs to."""
        return CustomerDay(self.customer, self.day)

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """From a row of the ledger."""
        return cls(
            id=row.id,
            path=row.path,
            etag=row.etag,
            size=row.size,
            customer=row.customer,
            day=row.day,
            name=CaptureName(row.namespace, row.event_hub, row.partition_id, row.window),
            uploaded_at=row.uploaded_at,
            attempts=row.attempts,
            requests=row.requests,
            completions=row.completions,
            outputs=tuple(json.loads(row.outputs)),
        )


def record_files(connection: Connection, files: Iterable[FoundFile], now: datetime) -> int:
    """Write down files; one already known, by path and etag, stays as it is. Returns how many were new."""
    rows = [
        {
            "path": file.path,
            "etag": file.etag,
            "size": file.size,
            "customer": file.customer,
            "day": f"{file.name.window:%Y-%m-%d}",
            "namespace": file.name.namespace,
            "event_hub": file.name.event_hub,
            "partition_id": file.name.partition_id,
            "window": file.name.window,
            "uploaded_at": file.uploaded_at,
            "found_by": file.found_by,
            "recorded_at": now,
            "state": FileState.WAITING,
        }
        # In one order always, or two writers could wait for each other.
        for file in sorted(files, key=lambda file: (file.path, file.etag))
    ]
    if not rows:
        return 0
    statement = insert(connection, CAPTURE_FILE).on_conflict_do_nothing().returning(CAPTURE_FILE.c.id)
    return len(connection.execute(statement, rows).all())


def waiting_files(
    connection: Connection, now: datetime, limit: int, partitions: Sequence[CustomerDay] | None = None
) -> list[LedgerFile]:
    """Files that wait for a run, of some partitions or of all, the oldest window first."""
    query = (
        select(CAPTURE_FILE)
        .where(_waits(now), *([] if partitions is None else [_in(partitions)]))
        .order_by(CAPTURE_FILE.c.window, CAPTURE_FILE.c.id)
        .limit(limit)
    )
    return [LedgerFile.of(row) for row in connection.execute(query)]


def waiting_by_day(connection: Connection, now: datetime) -> dict[CustomerDay, int]:
    """How many files wait, by partition; the one whose file has waited longest comes first."""
    query = (
        select(CAPTURE_FILE.c.customer, CAPTURE_FILE.c.day, func.count().label("files"))
        .where(_waits(now))
        .group_by(CAPTURE_FILE.c.customer, CAPTURE_FILE.c.day)
        .order_by(func.min(CAPTURE_FILE.c.id))
    )
    return {CustomerDay(row.customer, row.day): row.files for row in connection.execute(query)}


def note_requests(connection: Connection, file_ids: Collection[int]) -> None:
    """Write down that a run of its own was asked for each of these files."""
    asked = update(CAPTURE_FILE).where(CAPTURE_FILE.c.id.in_(file_ids))
    connection.execute(asked.values(requests=CAPTURE_FILE.c.requests + 1))


def claim_waiting(
    connection: Connection,
    partitions: Sequence[CustomerDay],
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    file_ids: Collection[int] = (),
    except_ids: Collection[int] = (),
) -> list[LedgerFile]:
    """Claim up to ``limit`` waiting files of some partitions, or only those named, the oldest window first.

    Files that were tried before come last and one by one: a run may have died of one of them, and those
    claimed with it must not be given up for it.
    Files that another process is claiming at this moment are left to it, and so are ``except_ids``.
    """
    chosen = [_waits(now), _in(partitions)]
    if except_ids:
        chosen.append(CAPTURE_FILE.c.id.not_in(except_ids))
    if file_ids:
        chosen.append(CAPTURE_FILE.c.id.in_(file_ids))
    tried = CAPTURE_FILE.c.attempts > 0
    oldest = (
        select(CAPTURE_FILE.c.id, tried.label("tried"))
        .where(*chosen)
        .order_by(tried, CAPTURE_FILE.c.window, CAPTURE_FILE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(oldest).all()
    ids = [row.id for row in rows if not row.tried] or [row.id for row in rows[:1]]
    return _claim(connection, CAPTURE_FILE.c.id.in_(ids), owner, now, lease, {}) if ids else []


def claim_everything(
    connection: Connection,
    partitions: Sequence[CustomerDay],
    *,
    owner: str,
    redo: str,
    now: datetime,
    lease: timedelta,
    hours: Collection[int] = (),
) -> list[LedgerFile]:
    """Claim every file of some partitions to be done again, whatever its state: a backfill.

    ``redo`` names the backfill: when its run is retried, the files it has redone are not redone once more,
    and those the dead run held are taken over. A file that any other run holds is left to it: it is being
    done right now. ``hours`` limits it to the files whose window ends in these hours of the day (UTC).
    """
    ledger = CAPTURE_FILE.c
    by_this = func.coalesce(ledger.redone_by, "") == redo
    taken = and_(ledger.state == FileState.CLAIMED, ledger.lease_until >= now, ~by_this)
    unfinished = ledger.state.in_([FileState.WAITING, FileState.CLAIMED])
    ready = and_(_in(partitions), ~taken, or_(~by_this, unfinished))
    files = connection.execute(
        select(CAPTURE_FILE.c.id, CAPTURE_FILE.c.window).where(ready).with_for_update(skip_locked=True)
    )
    ids = [row.id for row in files if not hours or row.window.hour in hours]
    again = {"redone_by": redo, "attempts": 1}
    claimed: list[LedgerFile] = []
    for start in range(0, len(ids), 1000):
        chosen = CAPTURE_FILE.c.id.in_(ids[start : start + 1000])
        claimed += _claim(connection, chosen, owner, now, lease, again)
    return sorted(claimed, key=lambda file: (file.name.window, file.id))


def prolong(connection: Connection, *, owner: str, now: datetime, lease: timedelta) -> None:
    """Prolong the lease of everything a run still holds."""
    held = update(CAPTURE_FILE).where(
        CAPTURE_FILE.c.claimed_by == owner, CAPTURE_FILE.c.state == FileState.CLAIMED
    )
    connection.execute(held.values(lease_until=now + lease))


def give_back(connection: Connection, *, owner: str, untried: bool) -> None:
    """Let everything a run still holds wait again; ``untried``: that it held it counts as no attempt."""
    held = (CAPTURE_FILE.c.claimed_by == owner, CAPTURE_FILE.c.state == FileState.CLAIMED)
    waiting = {
        "state": FileState.WAITING,
        "claimed_by": None,
        "lease_until": None,
        "attempts": CAPTURE_FILE.c.attempts - int(untried),
    }
    connection.execute(update(CAPTURE_FILE).where(*held).values(waiting))


def still_held(connection: Connection, file_ids: Collection[int], *, owner: str) -> set[int]:
    """Which of these files a run still holds, locked against others until the transaction ends."""
    query = (
        select(CAPTURE_FILE.c.id)
        .where(
            CAPTURE_FILE.c.id.in_(file_ids),
            CAPTURE_FILE.c.claimed_by == owner,
            CAPTURE_FILE.c.state == FileState.CLAIMED,
        )
        .with_for_update()
    )
    return set(connection.scalars(query))


def complete(
    connection: Connection,
    file_id: int,
    counts: Counts,
    outputs: Sequence[str],
    *,
    run_id: str,
    now: datetime,
) -> None:
    """Write down that a file's rows are in the lake."""
    connection.execute(
        update(CAPTURE_FILE)
        .where(CAPTURE_FILE.c.id == file_id)
        .values(
            state=FileState.DONE,
            claimed_by=None,
            lease_until=None,
            completions=CAPTURE_FILE.c.completions + 1,
            completed_at=now,
            run_id=run_id,
            reason=None,
            events=counts.events,
            records=counts.records,
            passed_through=counts.passed_through,
            merged=counts.merged,
            duplicates=counts.duplicates,
            quarantined=counts.quarantined,
            outputs=json.dumps(list(outputs)),
        )
    )


def put_aside(
    connection: Connection, file_id: int, state: FileState, reason: str, *, owner: str, now: datetime
) -> None:
    """Write down why a file was not done; with the state ``waiting`` it will be tried again."""
    connection.execute(
        update(CAPTURE_FILE)
        .where(CAPTURE_FILE.c.id == file_id, CAPTURE_FILE.c.claimed_by == owner)
        .values(state=state, claimed_by=None, lease_until=None, reason=reason, run_id=owner, completed_at=now)
    )


def counts_of_run(connection: Connection, run_id: str) -> dict[CustomerDay, Counts]:
    """What the files a run has done held, by partition."""
    return _counts(connection, and_(CAPTURE_FILE.c.run_id == run_id, CAPTURE_FILE.c.state == FileState.DONE))


def counts_of_days(connection: Connection, partitions: Sequence[CustomerDay]) -> dict[CustomerDay, Counts]:
    """What the files that are done held, by partition."""
    return _counts(connection, and_(_in(partitions), CAPTURE_FILE.c.state == FileState.DONE))


def counts_of_all(connection: Connection) -> Counts:
    """What all files that are done held."""
    return sum(_counts(connection, CAPTURE_FILE.c.state == FileState.DONE).values(), start=Counts())


def last_arrival(connection: Connection, customer: str) -> datetime | None:
    """When a capture file of a customer with anything in it was last uploaded, as far as is known by now."""
    query = select(func.max(CAPTURE_FILE.c.uploaded_at)).where(
        CAPTURE_FILE.c.customer == customer,
        or_(CAPTURE_FILE.c.state != FileState.DONE, CAPTURE_FILE.c.events > 0),
    )
    last: datetime | None = connection.scalar(query)
    return last


def customers(connection: Connection) -> list[str]:
    """Every customer the ledger has a file of."""
    return list(
        connection.scalars(select(CAPTURE_FILE.c.customer).distinct().order_by(CAPTURE_FILE.c.customer))
    )


def states(connection: Connection) -> dict[FileState, int]:
    """How many files stand in each state."""
    query = select(CAPTURE_FILE.c.state, func.count()).group_by(CAPTURE_FILE.c.state)
    return {FileState(state): files for state, files in connection.execute(query)}


def _counts(connection: Connection, chosen: ColumnElement[bool]) -> dict[CustomerDay, Counts]:
    ledger = CAPTURE_FILE.c
    sums = (
        ledger.events,
        ledger.records,
        ledger.passed_through,
        ledger.merged,
        ledger.duplicates,
        ledger.quarantined,
    )
    query = (
        select(
            ledger.customer,
            ledger.day,
            func.count(),
            *(func.sum(column) for column in sums),
            func.sum(ledger.size),
        )
        .where(chosen)
        .group_by(ledger.customer, ledger.day)
    )
    return {
        CustomerDay(customer, day): Counts(*(int(value) for value in values))
        for customer, day, *values in connection.execute(query)
    }


def _waits(now: datetime) -> ColumnElement[bool]:
    abandoned = and_(CAPTURE_FILE.c.state == FileState.CLAIMED, CAPTURE_FILE.c.lease_until < now)
    return or_(CAPTURE_FILE.c.state == FileState.WAITING, abandoned)


def _in(partitions: Sequence[CustomerDay]) -> ColumnElement[bool]:
    """Partitions by the days that have the same customers: a range is one condition, however large."""
    customers_of: dict[str, set[str]] = {}
    for partition in partitions:
        customers_of.setdefault(partition.day, set()).add(partition.customer)
    days_of: dict[frozenset[str], list[str]] = {}
    for day, names in customers_of.items():
        days_of.setdefault(frozenset(names), []).append(day)
    ledger = CAPTURE_FILE.c
    alike = (and_(ledger.day.in_(days), ledger.customer.in_(names)) for names, days in days_of.items())
    return or_(false(), *alike)


def _claim(
    connection: Connection,
    chosen: ColumnElement[bool],
    owner: str,
    now: datetime,
    lease: timedelta,
    more: dict[str, Any],
) -> list[LedgerFile]:
    values = {
        "state": FileState.CLAIMED,
        "claimed_by": owner,
        "lease_until": now + lease,
        "attempts": CAPTURE_FILE.c.attempts + 1,
    }
    statement = update(CAPTURE_FILE).where(chosen).values({**values, **more}).returning(CAPTURE_FILE)
    rows = connection.execute(statement).all()
    return sorted((LedgerFile.of(row) for row in rows), key=lambda file: (file.name.window, file.id))
