"""What the step promises of its statements: none looks at all operations, however many the store has."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event, text

from azmdr.store.database import Store
from azmdr.store.operations import HeldRecord, customers_due
from azmdr.store.tables import CLOSED_OPERATION, OPEN_OPERATION
from tests.condense.capture_files import CUSTOMER, TODAY, file_of_bodies
from tests.condense.records import NOON, envelope, stage_bytes
from tests.condense.workbench import DEADLINE, Workbench

MANY: Final = 20_000
"""Enough that no database would rather read them all."""
LARGE: Final = ("open_operation", "closed_operation")
Issued = list[tuple[str, Any]]


@contextmanager
def listening() -> Iterator[Issued]:
    """Every statement that any store of this process sends, with its parameters."""
    issued: Issued = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        issued.append((statement, parameters[0] if many else parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield issued
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def fill(store: Store) -> None:
    """Many operations: some wait, some are told, as many are closed."""
    held = HeldRecord(1, b"{}")
    rows = [
        {
            "customer": ("adatum", CUSTOMER, "fabrikam")[number % 3],
            "operation_id": f"{number:032x}",
            "records": 1,
            "contents": bytes([0x91, 0x92, held.file_id, 0xC4, 2]) + held.content,
            "terminal": False,
            "patient": True,
            "waiting_since": NOON if number % 2 else None,
            "due_at": NOON + timedelta(days=9) if number % 2 else None,
            "last_seen": NOON + timedelta(days=9),
            "uploaded_at": NOON,
            "hour": NOON,
        }
        for number in range(MANY)
    ]
    kept = ("customer", "operation_id", "last_seen", "uploaded_at")
    closed = [
        {
            **{name: row[name] for name in kept},
            "operation_id": f"c{number:031x}",
            "revision": 1,
            "hours": "[]",
            "brought_by": "[]",
            "emitted_at": NOON,
        }
        for number, row in enumerate(rows)
    ]
    with store.write() as connection:
        connection.execute(OPEN_OPERATION.insert(), rows)
        connection.execute(CLOSED_OPERATION.insert(), closed)
        connection.execute(text("ANALYZE"))


def plans_of(store: Store, issued: Issued) -> dict[str, list[str]]:
    """By statement the lines of its plan, of those that are about the large tables."""
    explain = "EXPLAIN" if store.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    told = {}
    with store.write() as connection:
        for statement, parameters in issued:
            if statement.split()[0] in ("COPY", "ALTER", "CREATE", "PRAGMA", "EXPLAIN", "ANALYZE"):
                continue
            if any(table in statement for table in LARGE):
                rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
                told[statement] = [str(row[-1]) for row in rows]
    return told


def whole_readings(plans: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Lines that say a large table, or an index of it, is read from end to end."""
    scan = re.compile(r"^SCAN (open|closed)_operation\b|Seq Scan on (open|closed)_operation\b")
    return [(statement, line) for statement, lines in plans.items() for line in lines if scan.search(line)]


def test_no_statement_of_a_step_reads_all_operations(bench: Workbench) -> None:
    fill(bench.store)
    start, accept, success = (stage_bytes(stage, n) for n, stage in enumerate(["start", "accept", "success"]))
    with listening() as issued:
        bench.arrive(file_of_bodies(envelope(start)))
        bench.condense()
        bench.now += DEADLINE
        bench.condense(keep_quiet=timedelta(0))
        bench.arrive(file_of_bodies(envelope(accept), partition=1))
        assert bench.condense().reopened[CUSTOMER] == 1
        bench.arrive(file_of_bodies(envelope(success), partition=2))
        bench.condense()
        bench.now += DEADLINE
        bench.condense()
        bench.step().condense_again([TODAY], redo="backfill")
        with bench.store.read() as connection:
            customers_due(connection, bench.now)
    plans = plans_of(bench.store, issued)
    kinds = {statement.split()[0] for statement in plans}
    assert kinds >= {"SELECT", "UPDATE", "DELETE", "WITH"}
    assert whole_readings(plans) == []


def test_a_statement_without_an_index_would_be_noticed(bench: Workbench) -> None:
    fill(bench.store)
    with listening() as issued, bench.store.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM open_operation WHERE hour = 1")
    with pytest.raises(AssertionError):
        assert whole_readings(plans_of(bench.store, issued)) == []
