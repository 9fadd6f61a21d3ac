"""What is promised of runs for changes: at once, once, and nobody kept waiting by another's trouble."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from azmdr.reconcile.change_runs import plan_change_runs

NOW: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)
AGAIN: Final = timedelta(minutes=10)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def planned(
    waiting: Mapping[str, datetime],
    asked: Mapping[str, datetime] | None = None,
    flying: Collection[str] = (),
    bound: int = 4,
) -> list[str]:
    return plan_change_runs(waiting, asked or {}, flying, now=NOW, again_after=AGAIN, bound=bound)


def test_a_change_is_asked_for_at_once() -> None:
    assert planned({"contoso": ago(1)}) == ["contoso"]


def test_a_customer_whose_run_is_under_way_is_not_asked_for_again() -> None:
    assert planned({"contoso": ago(1)}, flying=["contoso"]) == []


def test_a_change_a_run_could_not_meet_is_asked_for_again_only_after_a_while() -> None:
    assert planned({"contoso": ago(700)}, {"contoso": ago(599)}) == []
    assert planned({"contoso": ago(700)}, {"contoso": ago(600)}) == ["contoso"]


def test_a_newer_change_is_asked_for_at_once_again() -> None:
    assert planned({"contoso": ago(5)}, {"contoso": ago(60)}) == ["contoso"]


def test_no_more_are_asked_for_than_the_bound_and_who_waits_longest_is_first() -> None:
    waiting = {"contoso": ago(1), "fabrikam": ago(9), "tailwind": ago(3)}
    assert planned(waiting, bound=2) == ["contoso", "fabrikam"]
    assert planned(waiting, flying=["woodgrove"], bound=2) == ["contoso"]
    assert planned(waiting, flying=["woodgrove", "adatum", "lamna"], bound=2) == []


def test_customers_whose_changes_cannot_be_met_keep_nobody_waiting() -> None:
    stuck = {f"stuck-{number}": ago(500) for number in range(4)}
    asked = dict.fromkeys(stuck, ago(300))
    assert planned({**stuck, "contoso": ago(1)}, asked, bound=4) == ["contoso"]
