"""What the store promises about event hubs: a customer's place in a region does not move while it stands."""

from azmdr.inventory.presence import Absence, Changes, Known, compare
from azmdr.store.database import Store
from azmdr.store.event_hubs import EventHub, HubFacts, HubKey, change_hubs, hubs_of, known_hubs
from tests.store.azure_inventory import HOLD_DOWN, at


def key(number: int = 1, hub: str = "contoso", region: str = "eastus") -> HubKey:
    return f"/namespaces/azure-log-ingest-{region}-{number:02}", hub


def facts(number: int = 1, region: str = "eastus", *, rule: bool = True) -> HubFacts:
    namespace = f"/Namespaces/azure-log-ingest-{region}-{number:02}"
    return HubFacts(namespace, region, "Standard", f"{namespace}/rules/diagnostics" if rule else None)


def listing(
    store: Store, seen: dict[HubKey, HubFacts], hours: float = 0, *, complete: bool = True
) -> Changes[HubKey, HubFacts]:
    with store.write() as connection:
        changes = compare(known_hubs(connection), seen, complete=complete, at=at(hours), hold_down=HOLD_DOWN)
        change_hubs(connection, changes, at(hours))
    return changes


def hubs(store: Store, customer: str = "contoso") -> dict[str, EventHub]:
    with store.read() as connection:
        return hubs_of(connection, customer)


def test_a_customers_hubs_are_known_by_region_and_nobody_elses_are_among_them(store: Store) -> None:
    seen = {key(): facts(), key(region="uksouth"): facts(region="uksouth"), key(hub="fabrikam"): facts()}
    listing(store, seen)
    assert hubs(store) == {
        "eastus": EventHub("contoso", facts(), is_missing=False),
        "uksouth": EventHub("contoso", facts(region="uksouth"), is_missing=False),
    }
    assert hubs(store)["eastus"].facts.rule_id == facts().rule_id
    assert list(hubs(store, "fabrikam")) == ["eastus"]
    assert hubs(store, "tailwind") == {}


def test_of_several_hubs_in_a_region_the_one_seen_first_is_the_customers(store: Store) -> None:
    listing(store, {key(2): facts(2)})
    listing(store, {key(1): facts(1), key(2): facts(2)}, hours=1)
    assert hubs(store)["eastus"].facts.namespace_id == facts(2).namespace_id


def test_of_several_seen_at_once_it_is_always_the_same(store: Store) -> None:
    listing(store, {key(number): facts(number) for number in (3, 1, 2)})
    assert hubs(store)["eastus"].facts.namespace_id == facts(1).namespace_id


def test_a_hub_that_is_missing_keeps_its_place_until_it_is_gone(store: Store) -> None:
    listing(store, {key(1): facts(1)})
    other = {key(2): facts(2)}
    listing(store, other, hours=1)
    assert hubs(store)["eastus"] == EventHub("contoso", facts(1), is_missing=True)
    listing(store, {}, hours=13, complete=False)
    assert hubs(store)["eastus"].facts.namespace_id == facts(1).namespace_id
    listing(store, other, hours=25)
    assert hubs(store)["eastus"] == EventHub("contoso", facts(2), is_missing=False)
    assert hubs(store)["eastus"].facts.namespace_id == facts(2).namespace_id


def test_a_hub_that_is_back_is_not_missing(store: Store) -> None:
    listing(store, {key(): facts()})
    listing(store, {}, hours=1)
    with store.read() as connection:
        assert known_hubs(connection) == {key(): Known(facts(), Absence(at(1), 1))}
    listing(store, {key(): facts()}, hours=2)
    assert not hubs(store)["eastus"].is_missing
    with store.read() as connection:
        assert known_hubs(connection) == {key(): Known(facts())}


def test_a_change_of_a_hub_moves_no_placement(store: Store) -> None:
    listing(store, {key(2): facts(2)})
    listing(store, {key(1): facts(1), key(2): facts(2)}, hours=1)
    changes = listing(store, {key(1): facts(1), key(2): facts(2, rule=False)}, hours=2)
    assert list(changes.changed) == [key(2)]
    assert hubs(store)["eastus"].facts.namespace_id == facts(2).namespace_id
    assert hubs(store)["eastus"].facts.rule_id is None


def test_another_spelling_is_no_change_and_another_rule_is_none_either(store: Store) -> None:
    listing(store, {key(): facts()})
    respelled = HubFacts(facts().namespace_id.upper(), "eastus", "Standard", (facts().rule_id or "").upper())
    assert not listing(store, {key(): respelled}, hours=1)
    assert listing(store, {key(): facts(rule=False)}, hours=2).changed
