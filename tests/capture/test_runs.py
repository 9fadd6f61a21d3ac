"""What the planning of runs promises: soon for few files, cheaply for many, and never more than a bound."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.capture.names import TIME_FIRST, CaptureName
from azmdr.capture.runs import (
    DayRun,
    FileRun,
    InFlight,
    RangeRun,
    Run,
    RunBounds,
    Waiting,
    plan_emissions,
    plan_runs,
)
from azmdr.store.ledger import CustomerDay, LedgerFile

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
YESTERDAY: Final = "2026-11-23"
TODAY: Final = "2026-11-24"
DAYS: Final = (YESTERDAY, TODAY)
BEFORE_ALL_DAYS: Final = "2026-09-30"
CUSTOMERS: Final = ("zava", "contoso", "fabrikam", "tailwind", "adatum", "litware", "proseware", "wingtip")
"""In the order in which they became partitions, which is not the alphabet's."""
BOUNDS: Final = RunBounds(in_flight=4, files_alone=3, day_runs=5, customers_per_range=3)
NOTHING: Final = InFlight()


def capture_file(
    number: int, customer: str = "contoso", day: str = TODAY, *, requests: int = 0
) -> LedgerFile:
    window = datetime.fromisoformat(f"{day}T12:00:00+00:00") + timedelta(seconds=number)
    name = CaptureName("azure-log-ingest-westeurope-01", customer, "0", window)
    return LedgerFile(
        id=number,
        path=TIME_FIRST.build(name),
        etag=f"0x8DE{number:04}",
        size=1000,
        customer=customer,
        day=day,
        name=name,
        uploaded_at=window,
        attempts=0,
        requests=requests,
        completions=0,
        outputs=(),
    )


def files_of(*partitions: CustomerDay) -> list[LedgerFile]:
    """A file in each partition named, as often as it is named."""
    return [capture_file(number, one.customer, one.day) for number, one in enumerate(partitions)]


def waiting(files: Sequence[LedgerFile]) -> Waiting:
    oldest = sorted(files, key=lambda file: (file.name.window, file.id))
    return Waiting(Counter(file.partition for file in files), oldest)


def plan(files: Sequence[LedgerFile], in_flight: InFlight = NOTHING, bounds: RunBounds = BOUNDS) -> list[Run]:
    return plan_runs(waiting(files), in_flight, bounds, CUSTOMERS, DAYS)


def partitions_of(run: DayRun | RangeRun) -> list[CustomerDay]:
    """What Dagster runs: for a range, every customer between both ends in the order of the partitions."""
    if isinstance(run, DayRun):
        return [run.partition]
    stretch = CUSTOMERS[CUSTOMERS.index(run.first) : CUSTOMERS.index(run.last) + 1]
    return [CustomerDay(customer, run.day) for customer in stretch]


def files_done(runs: Iterable[Run], files: Sequence[LedgerFile]) -> Counter[int]:
    """How many of the runs would do each file."""
    done: Counter[int] = Counter()
    for run in runs:
        if isinstance(run, FileRun):
            done[run.file.id] += 1
        else:
            covered = partitions_of(run)
            done.update(file.id for file in files if file.partition in covered)
    return done


def test_nothing_waits_nothing_is_asked_for() -> None:
    assert plan([]) == []


def test_few_files_get_a_run_each_the_oldest_window_first() -> None:
    files = [capture_file(3), capture_file(1, "fabrikam"), capture_file(2)]
    assert plan(files) == [FileRun(files[1]), FileRun(files[2]), FileRun(files[0])]


def test_a_files_run_key_is_its_path_and_etag() -> None:
    file = capture_file(7)
    assert FileRun(file).run_key == f"{file.path}@0x8DE0007"


def test_a_file_whose_run_came_to_nothing_gets_a_new_run_key() -> None:
    # Dagster never runs a key twice, so the same key again would leave the file waiting for ever.
    keys = [FileRun(capture_file(7, requests=requests)).run_key for requests in range(3)]
    assert keys == [keys[0], f"{keys[0]}#2", f"{keys[0]}#3"]


def test_many_files_get_one_run_a_customer_day_the_longest_waiting_first() -> None:
    first = CustomerDay("zava", TODAY)
    second = CustomerDay("fabrikam", YESTERDAY)
    assert plan(files_of(first, first, second, first)) == [DayRun(first, 3), DayRun(second, 1)]


def test_very_many_customer_days_get_range_runs_over_stretches_of_the_partition_order() -> None:
    files = files_of(*(CustomerDay(customer, TODAY) for customer in reversed(CUSTOMERS)))
    assert plan(files) == [
        RangeRun("proseware", "wingtip", TODAY, 2),
        RangeRun("tailwind", "litware", TODAY, 3),
        RangeRun("zava", "fabrikam", TODAY, 3),
    ], "the stretch with the longest waiting first"


def test_a_range_is_of_one_day_and_begins_and_ends_with_a_customer_who_waits() -> None:
    bounds = RunBounds(in_flight=4, files_alone=1, day_runs=1, customers_per_range=4)
    files = files_of(
        CustomerDay("tailwind", YESTERDAY), CustomerDay("contoso", TODAY), CustomerDay("tailwind", TODAY)
    )
    assert plan(files, bounds=bounds) == [
        RangeRun("tailwind", "tailwind", YESTERDAY, 1),
        RangeRun("contoso", "tailwind", TODAY, 2),
    ]


@pytest.mark.parametrize("already", [4, 5, 100])
def test_nothing_is_asked_for_while_the_bound_is_reached(already: int) -> None:
    assert plan([capture_file(1)], InFlight(runs=already)) == []


def test_a_file_in_flight_is_not_asked_for_again() -> None:
    files = [capture_file(1), capture_file(2)]
    assert plan(files, InFlight(runs=1, file_ids=frozenset({1}))) == [FileRun(files[1])]


def test_a_partition_in_flight_is_not_asked_for_again() -> None:
    busy, idle = CustomerDay("contoso", TODAY), CustomerDay("fabrikam", TODAY)
    flying = InFlight(runs=1, partitions=frozenset({busy}))
    assert plan(files_of(busy, idle), flying) == [FileRun(capture_file(1, "fabrikam"))]
    assert plan(files_of(*[busy, idle] * 4), flying) == [DayRun(idle, 4)]


def test_files_in_flight_do_not_make_few_many() -> None:
    files = [capture_file(number) for number in range(5)]
    flying = InFlight(runs=2, file_ids=frozenset({0, 1}))
    assert plan(files, flying) == [FileRun(files[2]), FileRun(files[3])]


@pytest.mark.parametrize("others", [0, 9])
def test_days_and_customers_that_are_no_partitions_are_left_alone(others: int) -> None:
    no_day = [CustomerDay("contoso", BEFORE_ALL_DAYS)] * 2
    no_customer = [CustomerDay("nobody-yet", TODAY)] * 2
    runs = plan(files_of(*no_day, *no_customer, *[CustomerDay("zava", TODAY)] * others))
    assert runs == ([DayRun(CustomerDay("zava", TODAY), 9)] if others else [])


partitions = st.builds(CustomerDay, st.sampled_from(CUSTOMERS), st.sampled_from((*DAYS, BEFORE_ALL_DAYS)))
some_files = st.lists(partitions, max_size=40).map(lambda found: files_of(*found))
some_bounds = st.builds(
    RunBounds,
    in_flight=st.integers(1, 6),
    files_alone=st.integers(1, 20),
    day_runs=st.integers(1, 12),
    customers_per_range=st.integers(1, 9),
)


@st.composite
def flights(draw: st.DrawFn, files: Sequence[LedgerFile]) -> InFlight:
    """Runs as an earlier plan could have left them: of files that wait, and of whole partitions."""
    ids = draw(st.sets(st.sampled_from([file.id for file in files]), max_size=3)) if files else set()
    whole = draw(st.sets(partitions, max_size=2))
    return InFlight(len(ids) + len(whole), frozenset(ids), frozenset(whole))


@given(st.data(), some_files, some_bounds)
def test_never_more_than_the_bound_is_in_flight(
    data: st.DataObject, files: list[LedgerFile], bounds: RunBounds
) -> None:
    flying = data.draw(flights(files))
    assert len(plan(files, flying, bounds)) <= max(0, bounds.in_flight - flying.runs)


@given(st.data(), some_files, some_bounds)
def test_no_file_is_asked_for_twice(data: st.DataObject, files: list[LedgerFile], bounds: RunBounds) -> None:
    flying = data.draw(flights(files))
    runs = plan(files, flying, bounds)
    assert set(files_done(runs, files).values()) <= {1}
    for run in runs:
        match run:
            case FileRun(file):
                assert file.id not in flying.file_ids
                assert file.partition not in flying.partitions
            case DayRun(partition):
                assert partition not in flying.partitions
            case RangeRun(first, last, day):
                assert not {CustomerDay(first, day), CustomerDay(last, day)} & flying.partitions


@given(st.data(), some_files, some_bounds)
def test_with_room_enough_every_file_is_asked_for_or_in_flight(
    data: st.DataObject, files: list[LedgerFile], bounds: RunBounds
) -> None:
    flying = data.draw(flights(files))
    roomy = bounds.model_copy(update={"in_flight": 1000})
    covered = set(files_done(plan(files, flying, roomy), files)) | flying.file_ids
    left = {file.partition for file in files if file.id not in covered}
    assert {one for one in left if one.day in DAYS} <= flying.partitions


@given(some_files, some_bounds)
def test_with_room_enough_and_nothing_in_flight_every_file_is_asked_for_just_once(
    files: list[LedgerFile], bounds: RunBounds
) -> None:
    runs = plan(files, bounds=bounds.model_copy(update={"in_flight": 1000}))
    assert files_done(runs, files) == {file.id: 1 for file in files if file.day in DAYS}


@given(some_files, some_bounds)
def test_a_run_says_how_many_files_it_was_asked_for(files: list[LedgerFile], bounds: RunBounds) -> None:
    for run in plan(files, bounds=bounds):
        if not isinstance(run, FileRun):
            assert run.files == sum(files_done([run], files).values()) > 0


@given(some_files, some_bounds)
def test_a_range_is_no_longer_than_the_bound(files: list[LedgerFile], bounds: RunBounds) -> None:
    for run in plan(files, bounds=bounds):
        if isinstance(run, RangeRun):
            assert len(partitions_of(run)) <= bounds.customers_per_range


# Emission


def test_each_customer_with_due_operations_gets_a_run_the_longest_waiting_first() -> None:
    assert plan_emissions(["fabrikam", "contoso", "unheard-of"], NOTHING, BOUNDS, CUSTOMERS, TODAY) == [
        DayRun(CustomerDay("fabrikam", TODAY), 0),
        DayRun(CustomerDay("contoso", TODAY), 0),
    ]


def test_a_customer_whom_a_run_is_about_emits_by_that_run() -> None:
    about_contoso = InFlight(1, partitions=frozenset({CustomerDay("contoso", YESTERDAY)}))
    assert plan_emissions(["contoso"], about_contoso, BOUNDS, CUSTOMERS, TODAY) == []


def test_many_customers_with_due_operations_share_runs() -> None:
    runs = plan_emissions(CUSTOMERS, NOTHING, BOUNDS, CUSTOMERS, TODAY)
    assert [type(run) for run in runs] == [RangeRun] * len(runs)
    assert runs[0] == RangeRun(CUSTOMERS[0], CUSTOMERS[BOUNDS.customers_per_range - 1], TODAY, 0)
    assert len(runs) == min(BOUNDS.in_flight, -(-len(CUSTOMERS) // BOUNDS.customers_per_range))


def test_no_more_emissions_are_asked_for_than_the_bound_in_flight() -> None:
    full = InFlight(BOUNDS.in_flight)
    assert plan_emissions(["contoso"], full, BOUNDS, CUSTOMERS, TODAY) == []


# Fairness


@pytest.mark.parametrize("day_runs", [1, 100], ids=["ranges", "days"])
def test_nobody_waits_for_ever_while_files_keep_coming(day_runs: int) -> None:
    bounds = RunBounds(in_flight=1, files_alone=1, day_runs=day_runs, customers_per_range=2)
    waiting: dict[CustomerDay, int] = {CustomerDay(customer, TODAY): 2 for customer in CUSTOMERS}
    served: set[CustomerDay] = set()
    for _ in CUSTOMERS:
        (run,) = plan_runs(Waiting(waiting, []), NOTHING, bounds, CUSTOMERS, {TODAY})
        assert not isinstance(run, FileRun)
        for partition in partitions_of(run):
            served.add(partition)
            # What comes in meanwhile has waited less than all others.
            waiting[partition] = waiting.pop(partition)
    assert served == set(waiting)
