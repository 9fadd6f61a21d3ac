"""What is promised of early turns: one for each arrival, the earliest first, and none beside another run."""

from datetime import UTC, datetime, timedelta
from typing import Final

from azmdr.reconcile.early_turns import early_turn, plan_early_turns

TEN: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)
ARRIVALS: Final = {"fabrikam": TEN, "contoso": TEN + timedelta(seconds=5)}


def test_whose_hub_came_first_is_asked_for_first() -> None:
    assert plan_early_turns(ARRIVALS, (), (), room=4) == ["fabrikam", "contoso"]
    assert plan_early_turns(ARRIVALS, (), (), room=1) == ["fabrikam"]


def test_an_arrival_is_worth_one_run_and_the_next_arrival_another() -> None:
    asked = {early_turn("contoso", ARRIVALS["contoso"])}
    assert plan_early_turns(ARRIVALS, asked, (), room=4) == ["fabrikam"]
    later = {"contoso": TEN + timedelta(seconds=6)}
    assert plan_early_turns(later, asked, (), room=4) == ["contoso"]


def test_who_is_at_work_waits_and_takes_no_room() -> None:
    assert plan_early_turns(ARRIVALS, (), ["fabrikam"], room=1) == ["contoso"]


def test_without_room_nobody_is_asked_for() -> None:
    assert plan_early_turns(ARRIVALS, (), (), room=0) == []
    assert plan_early_turns(ARRIVALS, (), (), room=-2) == []
