"""What a lease promises: one owner at a time, and an end even when its owner dies."""

import threading
from datetime import datetime, timedelta

from azmdr.store.database import Store
from azmdr.store.leases import give_back_lease, take_lease
from tests.store.ledger_files import LEASE, NOON

LONG_AFTER = NOON + LEASE + timedelta(seconds=1)


def take(store: Store, owner: str, *, name: str = "emit contoso", now: datetime = NOON) -> bool:
    with store.write() as connection:
        return take_lease(connection, name, owner=owner, now=now, duration=LEASE)


def give_back(store: Store, owner: str) -> None:
    with store.write() as connection:
        give_back_lease(connection, "emit contoso", owner=owner)


def test_a_lease_has_one_owner_at_a_time(store: Store) -> None:
    assert take(store, "one")
    assert not take(store, "other", now=NOON + LEASE)
    assert take(store, "other", name="emit fabrikam")


def test_a_lease_ends_by_itself(store: Store) -> None:
    take(store, "one")
    assert take(store, "other", now=LONG_AFTER)
    assert not take(store, "one", now=LONG_AFTER)


def test_an_owner_prolongs_its_own_lease(store: Store) -> None:
    take(store, "one")
    assert take(store, "one", now=NOON + LEASE)
    assert not take(store, "other", now=LONG_AFTER)


def test_a_lease_given_back_is_free(store: Store) -> None:
    take(store, "one")
    give_back(store, "one")
    assert take(store, "other")


def test_nobody_gives_back_what_another_owns(store: Store) -> None:
    take(store, "one")
    take(store, "other", now=LONG_AFTER)
    give_back(store, "one")
    assert not take(store, "third", now=LONG_AFTER)


def test_of_many_who_ask_at_once_one_gets_it(store: Store) -> None:
    ready = threading.Barrier(6)
    answers: list[bool] = []

    def ask(owner: str) -> None:
        ready.wait()
        answers.append(take(store, owner))

    threads = [threading.Thread(target=ask, args=(f"run-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 5 + [True]
