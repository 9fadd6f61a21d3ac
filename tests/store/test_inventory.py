"""What the inventory in the store promises: what a listing showed, kept until it is really gone."""

from azmdr.inventory.presence import Absence, Changes, Known
from azmdr.store.database import Store
from azmdr.store.inventory import (
    SUBSCRIPTIONS,
    Listing,
    ResourceFacts,
    change_resources,
    count_resources,
    known_resources,
    known_subscriptions,
    listings,
    note_listing,
    resource_keyed,
)
from azmdr.store.targets import judged_targets, put_targets
from tests.store.azure_inventory import (
    NOON,
    ONE,
    TWO,
    at,
    facts,
    list_resources,
    list_subscriptions,
    put,
    target,
    vault_id,
)

VAULT, OTHER = vault_id("kv-1"), vault_id("kv-2")


def targets(store: Store, customer: str = "contoso") -> set[str]:
    with store.read() as connection:
        return {each.id for each in judged_targets(connection, customer)}


def test_a_complete_listing_leaves_its_mark(store: Store) -> None:
    with store.write() as connection:
        note_listing(connection, "contoso", SUBSCRIPTIONS, NOON, 4, None)
        assert listings(connection, "contoso") == [Listing(SUBSCRIPTIONS, NOON, NOON, 4, None)]


def test_a_listing_that_broke_off_says_why_and_leaves_the_mark_where_it_was(store: Store) -> None:
    with store.write() as connection:
        note_listing(connection, "contoso", ONE, at(0), 17, None)
        note_listing(connection, "contoso", ONE, at(1), 8, "reset")
        assert listings(connection, "contoso") == [Listing(ONE, at(1), at(0), 8, "reset")]
        note_listing(connection, "contoso", ONE, at(2), 17, None)
        assert listings(connection, "contoso") == [Listing(ONE, at(2), at(2), 17, None)]


def test_a_scope_never_listed_to_its_end_has_no_mark(store: Store) -> None:
    with store.write() as connection:
        note_listing(connection, "contoso", ONE, NOON, 8, "reset")
        note_listing(connection, "fabrikam", ONE, NOON, 8, None)
        (listing,) = listings(connection, "contoso")
        assert listing.complete_at is None


def test_resources_come_back_as_they_were_seen(store: Store) -> None:
    seen = facts(VAULT, kind="StorageV2", location="global", tags={"Env": "test", "ünï": "${x}\n'"})
    with store.write() as connection:
        list_resources(connection, seen, facts(OTHER))
    with store.read() as connection:
        known = known_resources(connection, "contoso", ONE)
        assert known == {VAULT.lower(): Known(seen), OTHER.lower(): Known(facts(OTHER))}
        assert known[VAULT.lower()].facts.id == VAULT
        assert resource_keyed(connection, "contoso", VAULT.lower()) == Known(seen)
        assert resource_keyed(connection, "contoso", "nothing") is None
        assert count_resources(connection, "contoso") == 2


def test_another_spelling_of_an_id_is_no_change(store: Store) -> None:
    with store.write() as connection:
        list_resources(connection, facts(VAULT))
        assert not list_resources(connection, facts(VAULT.lower()), hours=1)
        assert list_resources(connection, facts(VAULT, tags={"env": "test"}), hours=2).changed


def test_what_is_missing_is_kept_with_its_absence_until_it_is_gone(store: Store) -> None:
    with store.write() as connection:
        list_resources(connection, facts(VAULT), facts(OTHER))
        put(connection, VAULT, OTHER)
        list_resources(connection, facts(OTHER), hours=1)
    with store.read() as connection:
        known = known_resources(connection, "contoso", ONE)
        assert known[VAULT.lower()].absence == Absence(at(1), 1)
        assert known[OTHER.lower()].absence == Absence()
    with store.write() as connection:
        list_resources(connection, facts(OTHER), hours=13, complete=False)
        list_resources(connection, facts(OTHER), hours=24)
    with store.read() as connection:
        assert known_resources(connection, "contoso", ONE)[VAULT.lower()].absence == Absence(at(1), 2)
    assert targets(store) == {VAULT, OTHER}
    with store.write() as connection:
        list_resources(connection, facts(OTHER), hours=25)
    assert targets(store) == {OTHER}


def test_what_is_back_has_no_absence_any_more(store: Store) -> None:
    with store.write() as connection:
        list_resources(connection, facts(VAULT))
        list_resources(connection, hours=1)
        list_resources(connection, facts(VAULT), hours=2)
        assert known_resources(connection, "contoso", ONE)[VAULT.lower()].absence == Absence()


def test_what_is_gone_takes_all_that_is_nested_in_it_along(store: Store) -> None:
    nested = f"{VAULT}/secrets/default"
    with store.write() as connection:
        list_resources(connection, facts(VAULT), facts(OTHER))
        put(connection, VAULT, OTHER)
        put_targets(connection, "contoso", [target(nested, VAULT)], NOON)
        list_resources(connection, facts(OTHER), hours=1)
        list_resources(connection, facts(OTHER), hours=25)
        assert list(known_resources(connection, "contoso", ONE)) == [OTHER.lower()]
    assert targets(store) == {OTHER}


def test_what_is_gone_of_one_customer_is_not_gone_of_another(store: Store) -> None:
    """Two rows may bear one id, when a subscription moves to another customer's tenant."""
    with store.write() as connection:
        for customer in ("contoso", "fabrikam"):
            list_resources(connection, facts(VAULT), customer=customer)
            put(connection, VAULT, customer=customer)
        list_resources(connection, hours=1)
        list_resources(connection, hours=25)
        assert count_resources(connection, "contoso") == 0
        assert count_resources(connection, "fabrikam") == 1
    assert (targets(store), targets(store, "fabrikam")) == (set(), {VAULT})


def test_thousands_of_resources_can_be_gone_at_once(store: Store) -> None:
    many = [facts(vault_id(f"kv-{number}")) for number in range(1201)]
    with store.write() as connection:
        list_resources(connection, *many)
        put(connection, *(each.id for each in many))
        change_resources(connection, "contoso", Changes(gone=[each.id.lower() for each in many[1:]]), NOON)
        assert list(known_resources(connection, "contoso", ONE)) == [many[0].id.lower()]
    assert targets(store) == {many[0].id}


def test_subscriptions_come_back_with_their_state(store: Store) -> None:
    with store.write() as connection:
        list_subscriptions(connection, TWO, ONE)
        list_subscriptions(connection, TWO, ONE, state="Disabled", hours=1)
        known = known_subscriptions(connection, "contoso")
        assert list(known) == [ONE, TWO]
        assert {each.facts.state for each in known.values()} == {"Disabled"}
        assert known_subscriptions(connection, "fabrikam") == {}


def test_a_subscription_that_is_gone_goes_with_all_that_was_in_it(store: Store) -> None:
    there = vault_id("kv-1", TWO)
    with store.write() as connection:
        list_subscriptions(connection, ONE, TWO)
        for each, subscription_id in ((VAULT, ONE), (there, TWO)):
            list_resources(connection, facts(each), subscription_id=subscription_id)
            put(connection, each)
            note_listing(connection, "contoso", subscription_id, NOON, 1, None)
        note_listing(connection, "contoso", SUBSCRIPTIONS, NOON, 2, None)
        list_subscriptions(connection, TWO, hours=1)
        assert known_subscriptions(connection, "contoso")[ONE].absence == Absence(at(1), 1)
        assert count_resources(connection, "contoso") == 2
        list_subscriptions(connection, TWO, hours=25)
        assert list(known_subscriptions(connection, "contoso")) == [TWO]
        assert count_resources(connection, "contoso") == 1
        assert [each.scope for each in listings(connection, "contoso")] == [TWO, SUBSCRIPTIONS]
    assert targets(store) == {there}


def test_when_a_thing_was_first_seen_does_not_change(store: Store) -> None:
    def first_seen() -> object:
        with store.read() as connection:
            return connection.exec_driver_sql("SELECT first_seen FROM resource").scalar()

    with store.write() as connection:
        list_resources(connection, facts(VAULT))
    before = first_seen()
    with store.write() as connection:
        changed: ResourceFacts = facts(VAULT, tags={})
        assert list_resources(connection, changed, hours=1).changed
    assert first_seen() == before
