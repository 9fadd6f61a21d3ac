"""What requests promise: a change asks once, a known one never, and only what was met is forgotten."""

from itertools import permutations
from typing import Any

import pytest

from azmdr.inventory.customers import CustomerState
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.store.customers import add_customer, replace_customer
from azmdr.store.database import Store
from azmdr.store.inventory import note_listing
from azmdr.store.requests import (
    Request,
    customers_with_requests,
    forget_requests,
    note_changes,
    requests_of,
)
from azmdr.store.targets import TargetKind, note_judgements, put_targets
from tests.store.azure_inventory import NOON, ONE, at, customer, judged, put, target, vault_id

VAULT = vault_id("kv-1")


@pytest.fixture(autouse=True)
def contoso(store: Store) -> None:
    with store.write() as connection:
        add_customer(connection, customer(), NOON)


def change(hours: float = 0, resource_id: str = VAULT, kind: ChangeKind = ChangeKind.SETTING) -> Change:
    return Change(kind, ResourceId.parse(resource_id), at(hours), f"operation {hours}")


def note(store: Store, *changes: Change, now: float = 0, customer: str = "contoso") -> int:
    with store.write() as connection:
        return note_changes(connection, customer, changes, at(now))


def requests(store: Store, customer: str = "contoso") -> list[Request]:
    with store.read() as connection:
        return list(requests_of(connection, customer))


def read(store: Store, hours: float, resource_id: str = VAULT, kind: Any = TargetKind.RESOURCE) -> None:
    """Its settings have been read, as of a time."""
    with store.write() as connection:
        put_targets(connection, "contoso", [target(resource_id, kind=kind)], NOON)
        judgements = judged([resource_id], hours, read_at=at(hours), ours=True)
        note_judgements(connection, "contoso", kind, judgements)


def listed(store: Store, hours: float, problem: str | None = None) -> None:
    with store.write() as connection:
        note_listing(connection, "contoso", ONE, at(hours), 1, problem)


def test_a_change_asks_for_its_target(store: Store) -> None:
    assert note(store, change()) == 1
    assert requests(store) == [Request("contoso", VAULT.lower(), VAULT, ChangeKind.SETTING, at(0))]


def test_many_changes_of_one_target_ask_once_for_the_newest(store: Store) -> None:
    for order in permutations([change(0), change(2), change(1, VAULT.upper())]):
        note(store, *order)
        assert [each.changed_at for each in requests(store)] == [at(2)]


def test_an_older_change_that_comes_later_changes_nothing(store: Store) -> None:
    note(store, change(2))
    assert note(store, change(1)) == 0
    assert note(store, change(2)) == 0
    assert note(store, change(3)) == 1
    assert [each.changed_at for each in requests(store)] == [at(3)]


def test_a_resource_written_stays_asked_for_when_its_setting_changes_too(store: Store) -> None:
    """Its tags may have changed, which a change of a setting would not have looked up."""
    resource, setting = change(0, kind=ChangeKind.RESOURCE), change(1)
    for first, second in ((resource, setting), (setting, resource)):
        note(store, first)
        note(store, second)
        (asked,) = requests(store)
        assert (asked.change, asked.changed_at) == (ChangeKind.RESOURCE, at(1))
        with store.write() as connection:
            forget_requests(connection, [asked])
        note(store, first, second)
        (asked,) = requests(store)
        assert (asked.change, asked.changed_at) == (ChangeKind.RESOURCE, at(1))
        with store.write() as connection:
            forget_requests(connection, [asked])


def test_the_oldest_request_comes_first_also_when_its_target_changed_again(store: Store) -> None:
    others = [vault_id(f"kv-{number}") for number in (2, 3)]
    note(store, change(), now=0)
    for number, each in enumerate(others, 1):
        note(store, change(0, each), now=number)
    note(store, change(9), now=9)
    assert [each.resource_id for each in requests(store)] == [VAULT, *others]


def test_only_active_customers_are_asked_for(store: Store) -> None:
    assert note(store, change(), customer="nobody") == 0
    for state in (CustomerState.LEAVING, CustomerState.GONE):
        with store.write() as connection:
            replace_customer(connection, customer(state=state))
        assert note(store, change()) == 0
    assert requests(store) == []


def test_a_setting_read_since_it_changed_asks_for_nothing(store: Store) -> None:
    read(store, 1)
    assert note(store, change(1)) == 0
    assert note(store, change(1.001)) == 1


def test_a_resource_written_since_asks_until_it_was_both_read_and_listed(store: Store) -> None:
    written = change(1, kind=ChangeKind.RESOURCE)
    read(store, 2)
    assert note(store, written) == 1
    listed(store, 2, "reset")
    forget(store)
    assert note(store, written) == 1
    listed(store, 2)
    forget(store)
    assert note(store, written) == 0


def test_what_was_read_of_something_else_is_not_known(store: Store) -> None:
    """A workspace has diagnostic settings and data export rules, each read for itself."""
    read(store, 2, kind=TargetKind.DATA_EXPORT)
    assert note(store, change(1)) == 1
    forget(store)
    read(store, 0)
    assert note(store, change(1)) == 1
    forget(store)
    read(store, 2)
    assert note(store, change(1)) == 0


def test_what_is_nested_in_a_resource_is_known_when_it_was_read_itself(store: Store) -> None:
    nested = f"{VAULT}/secrets/default"
    read(store, 2)
    assert note(store, change(1, nested)) == 1
    forget(store)
    read(store, 2, nested)
    assert note(store, change(1, nested)) == 0


def test_a_target_never_read_is_not_known(store: Store) -> None:
    with store.write() as connection:
        put(connection, VAULT)
    assert note(store, change(-1000)) == 1


def forget(store: Store) -> None:
    with store.write() as connection:
        forget_requests(connection, list(requests_of(connection, "contoso")))


def test_a_request_that_was_met_is_forgotten_and_no_other(store: Store) -> None:
    note(store, change(), change(0, vault_id("kv-2")))
    with store.write() as connection:
        add_customer(connection, customer("fabrikam"), NOON)
    note(store, change(), customer="fabrikam")
    met = next(each for each in requests(store) if each.resource_id == VAULT)
    with store.write() as connection:
        forget_requests(connection, [met])
    assert [each.resource_id for each in requests(store)] == [vault_id("kv-2")]
    assert [each.resource_id for each in requests(store, "fabrikam")] == [VAULT]


def test_what_changed_again_meanwhile_stays_asked_for(store: Store) -> None:
    note(store, change(0))
    (met,) = requests(store)
    note(store, change(1))
    with store.write() as connection:
        forget_requests(connection, [met])
    assert [each.changed_at for each in requests(store)] == [at(1)]


def test_the_customer_who_has_waited_longest_comes_first(store: Store) -> None:
    with store.write() as connection:
        for name in ("tailwind", "fabrikam"):
            add_customer(connection, customer(name), NOON)
    for now, name in enumerate(("tailwind", "contoso", "fabrikam", "tailwind")):
        note(store, change(0, vault_id(f"kv-{now}")), now=now, customer=name)
    with store.read() as connection:
        assert list(customers_with_requests(connection)) == ["tailwind", "contoso", "fabrikam"]
