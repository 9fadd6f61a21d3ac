"""What any delivery of the same records comes to: the same tables, and every record in one place."""

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azmdr.lake.layout import Table
from tests.condense.capture_files import (
    TODAY,
    CaptureFile,
    Event,
    capture_file,
    file_of_bodies,
)
from tests.condense.deliveries import Delivery, days, deliveries
from tests.condense.records import NOON, envelope, resource_log_bytes
from tests.condense.workbench import Workbench
from tests.postgres_server import PostgresServer


def one_batch(files: Sequence[CaptureFile], folder: Path) -> Workbench:
    bench = Workbench(f"sqlite:///{folder}/store.db", folder / "lake")
    bench.arrive(*files)
    bench.finish()
    return bench


@st.composite
def batchings(draw: st.DrawFn, files: Sequence[CaptureFile]) -> list[tuple[Any, ...]]:
    """Which files arrive together, how many go into a transaction, how much time passes, what restarts.

    And how long the operations of the lake stay in the store, not at all or for some time, and when the day
    is compacted.
    """
    rest = list(files)
    plan = []
    while rest:
        count = draw(st.integers(1, len(rest)))
        together, rest = rest[:count], rest[count:]
        passes = draw(st.sampled_from([0, 100, 200, 1000, 90_000]))
        kept = timedelta(seconds=draw(st.sampled_from([0, 0, 300, 43_200])))
        restarts, compacts = draw(st.booleans()), draw(st.booleans())
        plan.append((together, draw(st.integers(1, 4)), timedelta(seconds=passes), restarts, kept, compacts))
    return plan


def run_through(bench: Workbench, plan: list[tuple[Any, ...]]) -> None:
    for together, files_per_commit, passes, restarts, kept, compacts in plan:
        bench.arrive(*together)
        bench.condense(files_per_commit=files_per_commit, keep_quiet=kept)
        bench.now += passes
        if restarts:
            bench.restart()
        if compacts:
            bench.compact()
    bench.finish()


def check_delivery(bench: Workbench, records: list[bytes], delivery: Delivery, data: st.DataObject) -> None:
    run_through(bench, data.draw(batchings(delivery.files)))
    bench.assert_conserved()
    assert frozenset(bench.kept_records()) == delivery.records
    assert {row.completions for row in bench.ledger_rows()} == {1}
    with tempfile.TemporaryDirectory() as folder:
        plain = one_batch([file_of_bodies(*map(envelope, records))], Path(folder))
        assert bench.tables() == plain.tables()


@given(st.data())
def test_any_delivery_of_the_same_records_gives_the_same_tables(data: st.DataObject) -> None:
    records = data.draw(days())
    delivery = data.draw(deliveries(records))
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(f"sqlite:///{folder}/store.db", Path(folder) / "lake")
        check_delivery(bench, records, delivery, data)
        bench.store.close()


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_delivery_gives_the_same_tables_on_postgresql(
    postgres: PostgresServer, data: st.DataObject
) -> None:
    records = data.draw(days())
    delivery = data.draw(deliveries(records))
    with tempfile.TemporaryDirectory() as folder, postgres.fresh_database() as url:
        bench = Workbench(url, Path(folder) / "lake")
        check_delivery(bench, records, delivery, data)
        bench.store.close()


@given(st.data())
@settings(max_examples=15)
def test_doing_any_delivery_again_changes_nothing(data: st.DataObject) -> None:
    delivery = data.draw(deliveries(data.draw(days())))
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(f"sqlite:///{folder}/store.db", Path(folder) / "lake")
        run_through(bench, data.draw(batchings(delivery.files)))
        before = bench.tables(), [(row.outputs, row.merged, row.duplicates) for row in bench.ledger_rows()]
        bench.step(files_per_commit=data.draw(st.integers(1, 3))).condense_again([TODAY], redo="backfill")
        assert bench.tables() == before[0]
        assert [(row.outputs, row.merged, row.duplicates) for row in bench.ledger_rows()] == before[1]
        bench.assert_conserved()
        bench.store.close()


def test_a_record_without_a_time_has_the_time_of_its_earliest_event_in_any_order(tmp_path: Path) -> None:
    timeless = envelope(resource_log_bytes("pod", None))
    early = capture_file([Event(0, timeless, NOON)], 0)
    late = capture_file([Event(0, timeless, NOON + timedelta(hours=2))], 1)
    one, other = one_batch([early, late], tmp_path / "one"), one_batch([late, early], tmp_path / "other")
    assert one.tables() == other.tables()
    assert one.rows(Table.ACTIVITY_RECORDS)["time"].to_list() == [NOON]
