"""What the registry of customers promises: one name and one tenant each, and a way back."""

import pytest

from azmdr.inventory.customers import CustomerError, CustomerState
from azmdr.store.customers import (
    NEVER,
    UnknownCustomerError,
    add_customer,
    all_customers,
    customer_named,
    judged_by,
    note_judged_by,
    replace_customer,
)
from azmdr.store.database import Store
from tests.store.azure_inventory import NOON, TENANTS, customer, vault_id

WORKSPACE = vault_id("w").replace("Microsoft.KeyVault/vaults", "Microsoft.OperationalInsights/workspaces")


def test_a_customer_comes_back_as_it_went(store: Store) -> None:
    added = customer(
        entra_workspace_id=WORKSPACE,
        dry_run=True,
        rules={"excluded_types": ["a.b/c"], "excluded_tags": {"env": None}, "categories": {"a.b/d": "audit"}},
        leaving_since=NOON,
        cleared_at=NOON,
        state=CustomerState.LEAVING,
    )
    with store.write() as connection:
        add_customer(connection, added, NOON)
    with store.read() as connection:
        assert customer_named(connection, "contoso") == added
        assert customer_named(connection, "CONTOSO") == added


def test_customers_are_listed_by_name(store: Store) -> None:
    with store.write() as connection:
        for name in ("tailwind", "contoso", "fabrikam"):
            add_customer(connection, customer(name), NOON)
        assert [each.name for each in all_customers(connection)] == ["contoso", "fabrikam", "tailwind"]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (customer(tenant_id=TENANTS["fabrikam"]), "customer contoso: there is one already; "),
        (customer("fabrikam", tenant_id=TENANTS["contoso"]), "tenant_id: is already the tenant of contoso"),
    ],
)
def test_a_name_and_a_tenant_are_one_customers(store: Store, added: object, told: str) -> None:
    with store.write() as connection:
        add_customer(connection, customer(), NOON)
    with pytest.raises(CustomerError, match=told), store.write() as connection:
        add_customer(connection, added, NOON)  # type: ignore[arg-type]
    with store.read() as connection:
        assert all_customers(connection) == [customer()]


def test_a_change_that_would_take_anothers_tenant_is_refused_and_leaves_all_as_it_was(store: Store) -> None:
    with store.write() as connection:
        add_customer(connection, customer(), NOON)
        add_customer(connection, customer("fabrikam"), NOON)
    with (
        pytest.raises(CustomerError, match=f"customer fabrikam: tenant_id: {TENANTS['contoso']} is another"),
        store.write() as connection,
    ):
        replace_customer(connection, customer("fabrikam", tenant_id=TENANTS["contoso"], dry_run=True))
    with store.read() as connection:
        assert all_customers(connection) == [customer(), customer("fabrikam")]


def test_a_change_is_written_down(store: Store) -> None:
    changed = customer(home_region="uksouth", dry_run=True)
    with store.write() as connection:
        add_customer(connection, customer(), NOON)
        replace_customer(connection, changed)
        assert all_customers(connection) == [changed]


def test_who_is_not_known_is_told_by_name(store: Store) -> None:
    with store.write() as connection:
        with pytest.raises(UnknownCustomerError, match="customer nobody: there is none of that name"):
            customer_named(connection, "nobody")
        with pytest.raises(UnknownCustomerError, match="customer contoso: there is none"):
            replace_customer(connection, customer())


def test_who_was_gone_can_come_back_as_if_new(store: Store) -> None:
    gone = customer(state=CustomerState.GONE, leaving_since=NOON, cleared_at=NOON)
    with store.write() as connection:
        add_customer(connection, gone, NOON)
        note_judged_by(connection, "contoso", "digest")
        add_customer(connection, customer(), NOON)
        assert customer_named(connection, "contoso") == customer()
        assert judged_by(connection, "contoso") == NEVER


def test_who_was_gone_can_come_back_with_another_tenant(store: Store) -> None:
    moved = customer(tenant_id=TENANTS["tailwind"])
    with store.write() as connection:
        add_customer(connection, customer(state=CustomerState.GONE), NOON)
        add_customer(connection, moved, NOON)
        assert all_customers(connection) == [moved]


def test_the_policy_a_customer_was_judged_by_is_remembered_for_it_alone(store: Store) -> None:
    with store.write() as connection:
        add_customer(connection, customer(), NOON)
        add_customer(connection, customer("fabrikam"), NOON)
        assert judged_by(connection, "contoso") == NEVER
        note_judged_by(connection, "contoso", "digest")
        assert (judged_by(connection, "contoso"), judged_by(connection, "fabrikam")) == ("digest", NEVER)
