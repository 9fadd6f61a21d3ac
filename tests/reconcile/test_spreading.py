"""What is promised of the spreading: a flat load, and one turn an interval for everybody."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from azmdr.reconcile.spreading import Spread, Stretch, due_stretches

START: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOURLY: Final = Spread(timedelta(minutes=60), customers_per_slice=50)


def named(number: int) -> list[str]:
    return [f"customer-{place:04d}" for place in range(number)]


def covered(stretch: Stretch, customers: Sequence[str]) -> Sequence[str]:
    """Whom the range run of a stretch works on."""
    return customers[customers.index(stretch.first) : customers.index(stretch.last) + 1]


def test_1000_customers_are_20_range_runs_an_hour_and_the_load_is_flat() -> None:
    customers, asked = named(1000), set[str]()
    runs: dict[int, list[Stretch]] = {}
    for minute in range(60):
        runs[minute] = due_stretches(START + timedelta(minutes=minute), customers, HOURLY, asked)
        asked.update(each for stretch in runs[minute] for each in covered(stretch, customers))
    assert [minute for minute, due in runs.items() if due] == list(range(0, 60, 3))
    assert {len(due) for due in runs.values()} == {0, 1}
    asked_for = [stretch for due in runs.values() for stretch in due]
    assert [stretch.customers for stretch in asked_for] == [50] * 20
    assert [each for stretch in asked_for for each in covered(stretch, customers)] == customers


def test_more_slices_than_minutes_share_the_minutes_evenly() -> None:
    customers, asked, load = named(1000), set[str](), Counter[int]()
    spread = Spread(timedelta(minutes=5), customers_per_slice=50)
    for minute in range(5):
        for stretch in due_stretches(START + timedelta(minutes=minute), customers, spread, asked):
            load[minute] += 1
            asked.update(covered(stretch, customers))
    assert load == dict.fromkeys(range(5), 4)


def test_within_a_minute_nobody_is_early() -> None:
    just_before = START + timedelta(minutes=29, seconds=59)
    assert [each.first for each in due_stretches(START, named(100), HOURLY, ())] == ["customer-0000"]
    assert len(due_stretches(just_before, named(100), HOURLY, ())) == 1
    assert len(due_stretches(START + timedelta(minutes=30), named(100), HOURLY, ())) == 2


def test_a_customer_at_work_is_left_out_and_its_neighbours_are_not() -> None:
    found = due_stretches(START, named(50), HOURLY, {"customer-0010"})
    assert found == [
        Stretch("customer-0000", "customer-0009", 10),
        Stretch("customer-0011", "customer-0049", 39),
    ]


def test_without_customers_nothing_is_due() -> None:
    assert due_stretches(START, [], HOURLY, ()) == []


@given(
    number=st.integers(1, 400),
    minutes=st.integers(1, 90),
    size=st.integers(1, 60),
    missed=st.sets(st.integers(0, 88)),
    joining=st.dictionaries(st.integers(0, 89), st.integers(1, 30), max_size=4),
    leaving=st.dictionaries(st.integers(0, 89), st.integers(0, 399), max_size=6),
    second=st.integers(0, 59),
)
def test_everybody_has_one_turn_an_interval_whatever_ticks_are_missed_and_whoever_comes_and_goes(
    number: int,
    minutes: int,
    size: int,
    missed: set[int],
    joining: dict[int, int],
    leaving: dict[int, int],
    second: int,
) -> None:
    spread = Spread(timedelta(minutes=minutes), size)
    begun = spread.begun(START)
    customers, turns = named(number), Counter[str]()
    for minute in range(minutes):
        customers += [f"new-{minute}-{place}" for place in range(joining.get(minute, 0))]
        if customers and (gone := leaving.get(minute)) is not None:
            del customers[gone % len(customers)]
        if minute in missed and minute != minutes - 1:
            continue
        now = begun + timedelta(minutes=minute, seconds=second)
        assert spread.begun(now) == begun
        for stretch in due_stretches(now, customers, spread, turns.keys()):
            whom = covered(stretch, customers)
            assert len(whom) == stretch.customers <= size
            turns.update(whom)
    assert set(turns.values()) <= {1}
    assert set(customers) <= set(turns)
    assert spread.begun(begun + spread.interval) == begun + spread.interval
