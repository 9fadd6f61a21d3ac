"""What holding a customer promises: one run at a time condenses it, and nobody waits for another customer."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from azmdr.condense.holding import CustomerHeldError
from azmdr.lake.layout import Table
from azmdr.store import ledger
from azmdr.store.leases import give_back_lease, prolong_lease, take_lease
from azmdr.store.ledger import CustomerDay
from tests.condense.capture_files import CUSTOMER, TODAY, CaptureFile, file_of_bodies
from tests.condense.records import envelope, stage_bytes
from tests.condense.workbench import LEASE, Workbench

FABRIKAM = replace(TODAY, customer="fabrikam")
FILE = file_of_bodies(envelope(stage_bytes("start"), stage_bytes("success", 2)))


def hold(bench: Workbench, customer: str = CUSTOMER, owner: str = "the other") -> None:
    with bench.store.write() as connection:
        assert take_lease(connection, f"condense {customer}", owner=owner, now=bench.now, duration=LEASE)


def let_go(bench: Workbench, customer: str = CUSTOMER) -> None:
    with bench.store.write() as connection:
        give_back_lease(connection, f"condense {customer}", owner="the other")


def arrive(bench: Workbench, file: CaptureFile, customer: str) -> None:
    own = replace(file, name=replace(file.name, event_hub=customer))
    bench.container.add(own)
    with bench.store.write() as connection:
        ledger.record_files(connection, [replace(own.found, customer=customer)], bench.now)


def condense(bench: Workbench, *days: CustomerDay) -> tuple[set[str], list[str]]:
    result = bench.step().condense_waiting(days)
    return {done.file.customer for done in result.done}, result.leased


def test_a_customer_another_run_holds_is_left_to_it_and_the_others_are_done(bench: Workbench) -> None:
    bench.arrive(FILE)
    arrive(bench, FILE, "fabrikam")
    hold(bench)
    assert condense(bench, TODAY, FABRIKAM) == ({"fabrikam"}, [CUSTOMER])
    assert bench.states() == {"done": 1, "waiting": 1}
    let_go(bench)
    assert condense(bench, TODAY, FABRIKAM) == ({CUSTOMER}, [])


def test_a_customer_is_given_back_at_the_end_and_when_the_step_fails(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.arrive(FILE)
    with monkeypatch.context() as failing:
        failing.setattr(ledger, "complete", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.condense()
    bench.condense()
    assert bench.states() == {"done": 1}
    hold(bench)


def test_a_run_that_may_wait_takes_a_customer_as_soon_as_it_is_free(bench: Workbench) -> None:
    bench.arrive(FILE)
    hold(bench)
    waited = Workbench(bench.url, bench.folder, container=bench.container)
    free = threading.Timer(0.5, let_go, [bench])
    free.start()
    assert len(waited.condense(customer_wait=timedelta(seconds=30)).done) == 1
    free.join()


def test_a_backfill_that_never_gets_a_customer_fails_and_goes_on_when_it_is_run_again(
    bench: Workbench,
) -> None:
    bench.arrive(FILE)
    arrive(bench, FILE, "fabrikam")
    bench.step().condense_waiting([TODAY, FABRIKAM])
    hold(bench)
    with pytest.raises(CustomerHeldError, match="contoso"):
        bench.step(budget=timedelta(0)).condense_again([TODAY, FABRIKAM], redo="backfill")
    assert [row.completions for row in bench.ledger_rows()] == [1, 2]
    let_go(bench)
    bench.step().condense_again([TODAY, FABRIKAM], redo="backfill")
    assert [row.completions for row in bench.ledger_rows()] == [2, 2]


def test_a_dead_run_holds_a_customer_no_longer_than_its_lease(bench: Workbench) -> None:
    bench.arrive(FILE)
    hold(bench, owner="dead")
    bench.now += LEASE
    assert condense(bench, TODAY) == (set(), [CUSTOMER])
    bench.now += timedelta(seconds=1)
    assert condense(bench, TODAY) == ({CUSTOMER}, [])


def test_a_lease_another_had_for_a_moment_is_lost_even_if_it_is_free_again(bench: Workbench) -> None:
    hold(bench, owner="slow")
    bench.now += LEASE + timedelta(seconds=1)
    with bench.store.write() as connection:
        assert prolong_lease(connection, f"condense {CUSTOMER}", owner="slow", until=bench.now)
    bench.now += timedelta(seconds=1)
    hold(bench)
    with bench.store.write() as connection:
        assert not prolong_lease(connection, f"condense {CUSTOMER}", owner="slow", until=bench.now)
    let_go(bench)
    with bench.store.write() as connection:
        assert not prolong_lease(connection, f"condense {CUSTOMER}", owner="slow", until=bench.now)


def test_the_customer_whose_file_has_waited_longest_comes_first(bench: Workbench) -> None:
    arrive(bench, FILE, "fabrikam")
    bench.arrive(FILE)
    result = bench.step().condense_waiting([TODAY, FABRIKAM])
    assert [done.file.customer for done in result.done] == ["fabrikam", CUSTOMER]
    assert bench.rows(Table.OPERATIONS).height == 0
