"""What the spans promise: an event is known by its partition and number, and never held against its file."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from azmdr.condense.contents import Span
from azmdr.store.database import Store
from azmdr.store.ledger import LedgerFile
from azmdr.store.spans import replace_spans, spans_of_others
from azmdr.store.tables import CAPTURE_FILE
from tests.store.ledger_files import NOON, claim, found, record

runs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=6, unique_by=lambda run: run[0])


def span(first: int, last: int, minute: int = 0) -> Span:
    return Span(first, last, NOON + timedelta(minutes=minute), NOON + timedelta(minutes=minute + 1))


def files(store: Store, *told: Any) -> list[LedgerFile]:
    record(store, told)
    return claim(store)


def write(store: Store, file: LedgerFile, *spans: Span) -> None:
    with store.write() as connection:
        replace_spans(connection, file, spans)


def others(store: Store, file: LedgerFile, first: int, last: int) -> list[Span]:
    with store.read() as connection:
        return sorted(spans_of_others(connection, file, first, last), key=lambda one: one.first)


def test_events_another_file_brought_are_known(store: Store) -> None:
    one, other = files(store, found(0), found(5))
    write(store, one, span(10, 20))
    assert others(store, other, 15, 30) == [span(10, 20)]


def test_a_file_is_not_held_against_its_own_events(store: Store) -> None:
    (one,) = files(store, found(0))
    write(store, one, span(10, 20))
    assert others(store, one, 10, 20) == []


def test_another_partition_counts_its_own_events(store: Store) -> None:
    one, other = files(store, found(0), found(5, partition_id="1"))
    write(store, one, span(10, 20))
    assert others(store, other, 10, 20) == []


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [(0, 9, False), (0, 10, True), (12, 13, True), (0, 99, True), (20, 25, True), (21, 25, False)],
)
def test_a_run_is_known_where_it_touches_the_numbers_asked_for(
    store: Store, first: int, last: int, overlaps: bool
) -> None:
    one, other = files(store, found(0), found(5))
    write(store, one, span(10, 20))
    assert others(store, other, first, last) == ([span(10, 20)] if overlaps else [])


def test_what_a_file_brought_is_replaced_when_it_is_done_again(store: Store) -> None:
    one, other = files(store, found(0), found(5))
    write(store, one, span(10, 20), span(30, 40))
    write(store, one, span(12, 14))
    assert others(store, other, 0, 99) == [span(12, 14)]
    write(store, one)
    assert others(store, other, 0, 99) == []


def test_events_without_a_time_are_kept_without_one(store: Store) -> None:
    one, other = files(store, found(0), found(5))
    write(store, one, Span(1, 2, None, None))
    assert others(store, other, 0, 9) == [Span(1, 2, None, None)]


def test_a_file_of_a_hub_that_was_made_anew_keeps_both_counts_from_zero(store: Store) -> None:
    one, other = files(store, found(0), found(5))
    write(store, one, span(0, 7), span(0, 3, minute=3))
    assert set(others(store, other, 0, 9)) == {span(0, 7), span(0, 3, minute=3)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(lengths=runs, first=st.integers(0, 35), length=st.integers(0, 8))
def test_the_overlap_query_finds_what_a_comparison_one_by_one_finds(
    store: Store, lengths: list[tuple[int, int]], first: int, length: int
) -> None:
    record(store, [found(0), found(5)])
    with store.read() as connection:
        one, other = (LedgerFile.of(row) for row in connection.execute(select(CAPTURE_FILE)))
    written = [span(start, start + more) for start, more in lengths]
    write(store, one, *written)
    wanted = [run for run in written if run.first <= first + length and first <= run.last]
    assert others(store, other, first, first + length) == sorted(wanted, key=lambda run: run.first)
