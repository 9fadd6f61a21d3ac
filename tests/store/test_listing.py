"""What the listing mark promises: a mark for each container, and never a step back."""

from datetime import timedelta

from azmdr.store.database import Store
from azmdr.store.listing import complete_until, note_complete_until
from tests.store.ledger_files import NOON


def test_a_container_has_no_mark_before_its_first_complete_listing(store: Store) -> None:
    with store.read() as connection:
        assert complete_until(connection, "https://account/capture") is None


def test_the_mark_moves_forward_and_never_back(store: Store) -> None:
    with store.write() as connection:
        for minutes, expected in ((0, 0), (5, 5), (3, 5), (6, 6)):
            note_complete_until(connection, "capture", NOON + timedelta(minutes=minutes))
            assert complete_until(connection, "capture") == NOON + timedelta(minutes=expected)


def test_each_container_has_a_mark_of_its_own(store: Store) -> None:
    with store.write() as connection:
        note_complete_until(connection, "one", NOON)
        note_complete_until(connection, "other", NOON - timedelta(days=1))
        assert complete_until(connection, "one") == NOON
        assert complete_until(connection, "other") == NOON - timedelta(days=1)
