"""What reading promises: of all rows about one thing the one that counts, in whatever order they come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.lake.layout import Table
from azmdr.lake.read import digest_of, latest
from azmdr.lake.tables import SCHEMAS

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
_NOTHING: dict[Any, Any] = {
    pl.String(): "",
    pl.Int64(): 0,
    pl.Int32(): 0,
    pl.Boolean(): False,
    pl.Binary(): b"",
}


def rows(table: Table, *cells: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table of which only the cells that matter are told."""
    plain = {name: _NOTHING.get(kind, NINE) for name, kind in SCHEMAS[table].items()}
    return pl.DataFrame([{**plain, **told} for told in cells], schema=SCHEMAS[table], orient="row")


def operations(*cells: dict[str, Any]) -> pl.DataFrame:
    return rows(Table.OPERATIONS, *cells)


def records(*cells: dict[str, Any]) -> pl.DataFrame:
    return rows(Table.ACTIVITY_RECORDS, *cells)


cells: dict[Table, st.SearchStrategy[dict[str, Any]]] = {
    Table.OPERATIONS: st.fixed_dictionaries(
        {
            "operation_id": st.sampled_from("ab"),
            "revision": st.integers(1, 3),
            "moved": st.booleans(),
        }
    ),
    Table.ACTIVITY_RECORDS: st.fixed_dictionaries(
        {
            "record_id": st.sampled_from("ab"),
            "revision": st.integers(0, 2),
            "time": st.integers(0, 2).map(lambda hours: NINE + timedelta(hours=hours)),
            "digest": st.sampled_from("xy"),
            "record": st.sampled_from(['{"a":1,"b":2}', '{"b":2,"a":1}']),
        }
    ),
    Table.QUARANTINED_RECORDS: st.fixed_dictionaries({"quarantine_id": st.sampled_from("abc")}),
}


@given(data=st.data(), table=st.sampled_from(Table))
def test_what_counts_does_not_depend_on_the_order_of_the_rows(data: st.DataObject, table: Table) -> None:
    told = data.draw(st.lists(cells[table], max_size=12))
    shuffled = data.draw(st.permutations(told))
    assert latest(table, rows(table, *told)).equals(latest(table, rows(table, *shuffled)))


@given(data=st.data(), table=st.sampled_from(Table))
def test_reading_what_counts_again_changes_nothing(data: st.DataObject, table: Table) -> None:
    once = latest(table, rows(table, *data.draw(st.lists(cells[table], max_size=12))))
    assert latest(table, once).equals(once)


def test_an_operation_counts_in_its_highest_revision() -> None:
    told = operations(
        {"operation_id": "a", "revision": 2, "outcome": "success"},
        {"operation_id": "a", "revision": 3, "outcome": "failure"},
        {"operation_id": "a", "revision": 1, "outcome": "started"},
        {"operation_id": "b", "revision": 1, "outcome": "started"},
    )
    assert latest(Table.OPERATIONS, told)["outcome"].to_list() == ["failure", "started"]


def test_an_operation_that_moved_is_told_where_it_stands_now() -> None:
    earlier, later = NINE - timedelta(hours=1), NINE
    told = operations(
        {"operation_id": "a", "revision": 1, "time": later},
        {"operation_id": "a", "revision": 2, "time": earlier},
        {"operation_id": "a", "revision": 2, "time": earlier, "moved": True},
    )
    kept = latest(Table.OPERATIONS, told)
    assert kept.select("revision", "time", "moved").rows() == [(2, earlier, False)]


def test_who_reads_only_the_hour_an_operation_left_does_not_see_it() -> None:
    told = operations(
        {"operation_id": "a", "revision": 1},
        {"operation_id": "a", "revision": 2, "moved": True},
    )
    assert latest(Table.OPERATIONS, told).is_empty()


def test_an_operation_that_came_back_counts_where_it_came_back_to() -> None:
    told = operations(
        {"operation_id": "a", "revision": 2, "moved": True},
        {"operation_id": "a", "revision": 3, "outcome": "success"},
    )
    assert latest(Table.OPERATIONS, told)["outcome"].to_list() == ["success"]


def test_a_record_delivered_twice_counts_once_at_its_earliest_time() -> None:
    told = records(
        {"record_id": "a", "time": NINE + timedelta(hours=1)},
        {"record_id": "a", "time": NINE},
    )
    assert latest(Table.ACTIVITY_RECORDS, told)["time"].to_list() == [NINE]


def test_of_a_record_spelt_in_two_ways_the_same_spelling_counts_whichever_came_first() -> None:
    spellings = [{"record_id": "a", "record": text} for text in ('{"a":1,"b":2}', '{"b":2,"a":1}')]
    one, other = records(*spellings), records(*reversed(spellings))
    assert latest(Table.ACTIVITY_RECORDS, one).equals(latest(Table.ACTIVITY_RECORDS, other))


def test_an_entra_event_sent_again_with_more_in_it_counts_as_it_was_sent_last() -> None:
    told = records(
        {"record_id": "a", "revision": 1_700_000_001, "digest": "x", "record": "completed"},
        {"record_id": "a", "revision": 1_700_000_000, "digest": "a", "record": "first"},
    )
    assert latest(Table.ACTIVITY_RECORDS, told)["record"].to_list() == ["completed"]


@pytest.mark.parametrize("table", Table)
def test_a_digest_changes_with_any_cell(table: Table) -> None:
    plain = rows(table, {})
    changed = {"": digest_of(plain)}
    for name, kind in SCHEMAS[table].items():
        others: dict[Any, Any] = {
            pl.String(): "x",
            pl.Int64(): 1,
            pl.Int32(): 1,
            pl.Boolean(): True,
            pl.Binary(): b"\xff",
        }
        changed[name] = digest_of(rows(table, {name: others.get(kind, NINE + timedelta(microseconds=1))}))
        changed[f"{name} unknown"] = digest_of(rows(table, {name: None}))
    assert len(set(changed.values())) == len(changed)


def test_a_digest_tells_rows_in_another_number_or_order_apart() -> None:
    one, other = {"operation_id": "a"}, {"operation_id": "b"}
    tables = [[], [one], [one, one], [one, other], [other, one]]
    assert len({digest_of(operations(*told)) for told in tables}) == len(tables)


def test_equal_tables_have_equal_digests() -> None:
    assert digest_of(operations({"operation_id": "ü\n"})) == digest_of(operations({"operation_id": "ü\n"}))


def test_a_backfill_by_a_newer_condenser_replaces_what_an_older_one_made() -> None:
    told = operations(
        {"operation_id": "a", "revision": 2, "condenser": 1, "outcome": "success"},
        {"operation_id": "a", "revision": 2, "condenser": 2, "outcome": "failure"},
        {"operation_id": "a", "revision": 1, "condenser": 3, "outcome": "started"},
    )
    assert latest(Table.OPERATIONS, told)["outcome"].to_list() == ["failure"]
