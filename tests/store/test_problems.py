"""What is promised of problems: one stands until somebody looks at that customer again."""

from datetime import UTC, datetime, timedelta
from typing import Final

from azmdr.store.database import Store
from azmdr.store.problems import Problem, note_problems, problems

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER: Final = NOON + timedelta(hours=1)


def noted(store: Store, looked_at: list[str], at: datetime = NOON, check: str = "a", **found: str) -> None:
    with store.write() as connection:
        note_problems(connection, check, looked_at, found, at)


def standing(store: Store, check: str = "a") -> list[Problem]:
    with store.read() as connection:
        return problems(connection, check)


def test_a_problem_stands_while_others_are_looked_at(store: Store) -> None:
    noted(store, ["contoso"], contoso="no delegation")
    noted(store, ["fabrikam"], LATER)
    assert standing(store) == [Problem("contoso", "no delegation", NOON)]


def test_a_problem_is_over_when_it_is_not_found_again(store: Store) -> None:
    noted(store, ["contoso", "fabrikam"], contoso="no delegation", fabrikam="lease lost")
    noted(store, ["contoso"], LATER)
    assert standing(store) == [Problem("fabrikam", "lease lost", NOON)]


def test_a_problem_found_again_keeps_its_age_and_tells_what_is_wrong_now(store: Store) -> None:
    noted(store, ["contoso"], contoso="no delegation")
    noted(store, ["contoso"], LATER, contoso="no permission")
    assert standing(store) == [Problem("contoso", "no permission", NOON)]


def test_checks_are_kept_apart(store: Store) -> None:
    noted(store, ["contoso"], contoso="no delegation")
    noted(store, ["contoso"], LATER, check="b")
    assert [one.customer for one in standing(store)] == ["contoso"]
    assert standing(store, "b") == []
