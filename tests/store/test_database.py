"""What the database behind the store promises: its tables, its transactions, and silence about secrets."""

import multiprocessing
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, inspect, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError

from azmdr.store.database import Store, StoreAddressError, migrations
from azmdr.store.tables import CAPTURE_FILE, LISTING_MARK, METADATA, UtcTime
from tests.store.ledger_files import found, record

OPENERS = 4

utc_times = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


def files_in(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(CAPTURE_FILE)) or 0


def open_when_all_are_ready(url: str, ready: Barrier) -> None:
    ready.wait()
    Store.open(url).close()


@pytest.mark.usefixtures("store")
def test_the_migrations_make_exactly_the_tables_the_code_has(store_url: str) -> None:
    with create_engine(store_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


@pytest.mark.usefixtures("store")
def test_the_migrations_can_be_taken_back(store_url: str) -> None:
    command.downgrade(migrations(store_url), "base")
    assert inspect(create_engine(store_url)).get_table_names() == ["alembic_version"]


def test_opening_again_keeps_what_is_there(store: Store, store_url: str) -> None:
    record(store, [found()])
    again = Store.open(store_url)
    assert files_in(again) == 1
    again.close()


def test_many_processes_open_an_empty_database_at_once(store_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(OPENERS)
    openers = [spawn.Process(target=open_when_all_are_ready, args=(store_url, ready)) for _ in range(OPENERS)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(60)
    assert [opener.exitcode for opener in openers] == [0] * OPENERS


def test_many_threads_open_an_empty_database_at_once(store_url: str) -> None:
    ready = threading.Barrier(8)
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            ready.wait()
            Store.open(store_url).close()
        except Exception as error:  # noqa: BLE001 (shown by the assertion, whatever it is)
            failures.append(error)

    threads = [threading.Thread(target=open_it, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_transaction_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def write_and_fail() -> None:
        with store.write() as connection:
            connection.execute(LISTING_MARK.insert().values(container="c", complete_until=datetime.now(UTC)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.read() as connection:
        assert connection.execute(select(LISTING_MARK)).all() == []


def test_a_reader_sees_one_state_whatever_is_committed_meanwhile(store: Store) -> None:
    record(store, [found(0)])
    with store.read() as connection:
        count = select(func.count()).select_from(CAPTURE_FILE)
        before = connection.scalar(count)
        record(store, [found(1)])
        assert (before, connection.scalar(count)) == (1, 1)
    assert files_in(store) == 2


def test_what_a_reader_writes_is_not_kept(store: Store) -> None:
    try:
        with store.read() as connection:
            connection.execute(LISTING_MARK.insert().values(container="c", complete_until=datetime.now(UTC)))
    except Exception:  # noqa: BLE001, S110 (refusing to write is as good as forgetting it)
        pass
    with store.read() as connection:
        assert connection.execute(select(LISTING_MARK)).all() == []


def test_a_writer_waits_for_another_writer_instead_of_failing(store: Store, store_url: str) -> None:
    other = Store.open(store_url)

    def write_too() -> None:
        record(other, [found(1)])

    with store.write() as connection:
        connection.execute(select(CAPTURE_FILE)).all()
        waiting = threading.Thread(target=write_too)
        waiting.start()
        waiting.join(0.2)
        connection.execute(LISTING_MARK.insert().values(container="c", complete_until=datetime.now(UTC)))
    waiting.join(10)
    assert files_in(store) == 1
    other.close()


@pytest.mark.parametrize(
    "address",
    [
        "hunter2",
        "",
        "postgresql://azmdr:hunter2@host:port/store",
        "postgresql://azmdr:x@host:hunter2/store",
        "mysql://azmdr:hunter2@host/store",
        "Server=host;Password=hunter2",
    ],
)
def test_a_wrong_address_is_refused_without_showing_its_secret(address: str) -> None:
    with pytest.raises(StoreAddressError) as refused:
        Store.open(address)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))
    assert "hunter2" not in repr(refused.value)


def test_an_address_of_another_database_is_told_which_ones_there_are() -> None:
    with pytest.raises(StoreAddressError, match="mysql is not supported, only sqlite and postgresql are"):
        Store.open("mysql://host/store")


def test_a_server_that_is_not_there_is_reported_without_the_password() -> None:
    password = "hunter" + "2"  # the traceback quotes this file
    with pytest.raises(OperationalError) as failed:
        Store.open(f"postgresql://azmdr:{password}@127.0.0.1:1/store")
    assert password not in "".join(traceback.format_exception(failed.value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(moments=st.lists(utc_times, min_size=1, max_size=20, unique=True))
def test_times_come_back_as_they_went_and_keep_their_order(store: Store, moments: list[datetime]) -> None:
    rows: list[dict[str, Any]] = [
        {"container": f"{at}", "complete_until": moment} for at, moment in enumerate(moments)
    ]
    with store.write() as connection:
        connection.execute(LISTING_MARK.delete())
        connection.execute(LISTING_MARK.insert(), rows)
        in_order = select(LISTING_MARK.c.complete_until).order_by(LISTING_MARK.c.complete_until)
        assert list(connection.scalars(in_order)) == sorted(moments)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        UtcTime().process_bind_param(datetime(2026, 11, 24), sqlite.dialect())  # noqa: DTZ001


def test_a_time_of_another_zone_is_kept_as_the_same_moment() -> None:
    there = datetime(2026, 11, 24, 3, tzinfo=timezone(timedelta(hours=-9)))
    kept = UtcTime().process_bind_param(there, sqlite.dialect())
    assert UtcTime().process_result_value(kept, sqlite.dialect()) == datetime(2026, 11, 24, 12, tzinfo=UTC)
