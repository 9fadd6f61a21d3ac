"""What a scratch copy promises: all a plan needs of the customers asked for, and nothing of anybody else."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from azmdr.azure.pacing import Kind, Lane
from azmdr.inventory.presence import Changes
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.store.customers import add_customer
from azmdr.store.database import Store
from azmdr.store.event_hubs import HubFacts, change_hubs
from azmdr.store.inventory import EVENT_HUBS, note_listing
from azmdr.store.log_catalogues import note_catalogue
from azmdr.store.pauses import note_pauses, pauses
from azmdr.store.requests import note_changes
from azmdr.store.scratch import scratch_copy
from azmdr.store.tables import METADATA
from azmdr.store.targets import TargetKind, note_judgements
from tests.store.azure_inventory import (
    NOON,
    ONE,
    TENANTS,
    at,
    customer,
    facts,
    judged,
    list_resources,
    list_subscriptions,
    put,
    vault_id,
)
from tests.store.ledger_files import found, record

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def three_customers(store: Store) -> None:
    """Each with something in every table."""
    for name in TENANTS:
        vault = vault_id(f"kv-of-{name}")
        record(store, [found(customer=name)])
        with store.write() as connection:
            add_customer(connection, customer(name), NOON)
            list_subscriptions(connection, ONE, customer=name)
            list_resources(connection, facts(vault), customer=name)
            put(connection, vault, customer=name)
            note_judgements(
                connection, name, TargetKind.RESOURCE, judged([vault], 1, read_at=at(1), ours=True)
            )
            note_listing(connection, name, ONE, NOON, 1, "reset")
            note_catalogue(connection, name, ("a.b/c", None), LogCatalogue({}), NOON, vault)
            change = Change(ChangeKind.SETTING, ResourceId.parse(vault), at(2), "operation")
            note_changes(connection, name, [change], NOON)
    with store.write() as connection:
        hub = HubFacts("/n", "eastus", "Standard", "/rule")
        change_hubs(connection, Changes(new={("/n", name): hub for name in TENANTS}), NOON)
        note_listing(connection, "", EVENT_HUBS, NOON, 3, None)
        note_pauses(connection, {Lane(ONE, Kind.READS): at(3)}, NOON)


def rows(store: Store) -> Rows:
    with store.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


def of_customers(dump: Rows, names: set[str]) -> Rows:
    """The rows that bear the name of one of them, in the tables a plan needs."""
    needed = {
        "customer",
        "subscription",
        "resource",
        "target",
        "listing",
        "log_catalogue",
        "reconcile_request",
    }
    return {table: [row for row in dump[table] if row[0] in names] for table in needed}


@pytest.mark.parametrize("names", [["contoso"], ["fabrikam", "tailwind"], sorted(TENANTS)])
def test_a_copy_has_all_a_plan_needs_of_its_customers(store: Store, names: list[str]) -> None:
    wanted = of_customers(rows(store), set(names))
    assert all(len(found) == len(names) for found in wanted.values()), "each has a row in every table"
    with scratch_copy(store, names) as scratch:
        copied = rows(scratch)
    assert {table: copied[table] for table in wanted} == wanted


def test_a_copy_has_nothing_of_anybody_else(store: Store) -> None:
    with scratch_copy(store, ["contoso"]) as scratch:
        copied = rows(scratch)
    hubs = copied.pop("event_hub")
    assert len(hubs) == 3, "which hubs there are is the provider's own knowledge"
    told = repr(copied)
    assert "contoso" in told
    assert "fabrikam" not in told
    assert "tailwind" not in told
    assert copied["capture_file"] == []


def test_a_plan_keeps_away_from_closed_lanes_too(store: Store) -> None:
    with scratch_copy(store, ["contoso"]) as scratch, scratch.read() as connection:
        assert pauses(connection, at(1)) == {Lane(ONE, Kind.READS): at(3)}


def test_what_is_done_in_a_copy_is_done_nowhere_else_and_gone_at_the_end(store: Store) -> None:
    before = rows(store)
    with scratch_copy(store, ["contoso"]) as scratch:
        with scratch.write() as connection:
            list_resources(connection, hours=1)
            list_resources(connection, hours=25)
        path = Path(str(scratch._engine.url.database))  # noqa: SLF001 - where it is, is nobody's business
        assert path.exists()
        assert rows(scratch)["resource"] == []
    assert rows(store) == before
    assert not path.exists()


def test_a_customer_named_twice_is_copied_once(store: Store) -> None:
    with scratch_copy(store, ["contoso", "contoso"]) as scratch:
        assert len(rows(scratch)["customer"]) == 1


def test_thousands_of_rows_are_copied(store: Store) -> None:
    many = [facts(vault_id(f"kv-{number}")) for number in range(2500)]
    with store.write() as connection:
        list_resources(connection, *many, hours=1)
    with scratch_copy(store, ["contoso"]) as scratch:
        assert len(rows(scratch)["resource"]) == 2501
