"""What a customer promises: fields that can be used as they stand, and errors that name the field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.inventory.customers import Customer, CustomerError, CustomerState

TENANT = "b1f0a8c2-0000-4000-8000-0000000000c1"
WORKSPACE = (
    "/subscriptions/6e0b1c2d-0000-4000-8000-00000000000a/resourceGroups/entra-logs/providers"
    "/Microsoft.OperationalInsights/workspaces/contoso-entra-logs"
)


def customer(**fields: Any) -> Customer:
    given: dict[str, Any] = {"name": "contoso", "tenant_id": TENANT, "home_region": "eastus"}
    return Customer.of(**given | fields)


def test_a_customer_is_kept_in_one_spelling() -> None:
    made = customer(name="Contoso", tenant_id=TENANT.upper(), home_region="West Europe")
    assert (made.name, made.tenant_id, made.home_region) == ("contoso", TENANT, "westeurope")


def test_a_new_customer_is_active_and_written_to() -> None:
    made = customer()
    assert made.state is CustomerState.ACTIVE
    assert not made.dry_run
    assert made.entra_workspace_id is None


@pytest.mark.parametrize(
    "name",
    [
        "${x}",
        "%{if true}",
        "con\ntoso",
        "contoso\n",
        "cöntoso",
        "\u0441\u043entoso",
        "../contoso",
        "con/toso",
        "con\\toso",
        "con..toso",
        ".",
        "-contoso",
        "contoso-",
        "",
        " ",
        "con toso",
        'con"toso',
        "con\x00toso",
        "c" * 257,
    ],
)
def test_a_name_that_could_be_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(CustomerError, match="name: customer"):
        customer(name=name)


@given(st.text(max_size=20))
def test_every_name_taken_is_safe_in_a_path_a_url_and_a_configuration(name: str) -> None:
    try:
        made = customer(name=name)
    except CustomerError:
        return
    assert set(made.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert made.name.strip("._-") == made.name != ""
    assert made.name == name.lower()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("tenant_id", "contoso.example", "tenant_id: badly formed hexadecimal UUID string"),
        ("tenant_id", None, "tenant_id: "),
        ("home_region", "easteurope", "home_region: 'easteurope' is no Azure region; did you mean "),
        ("home_region", "global", "home_region: 'global' is no Azure region"),
        (
            "entra_workspace_id",
            "contoso-entra-logs",
            "entra_workspace_id: '/contoso-entra-logs' is not the id",
        ),
        ("entra_workspace_id", f"{WORKSPACE}/tables/t", "entra_workspace_id: is a microsoft.operational"),
        ("entra_workspace_id", f"{WORKSPACE}\n", "entra_workspace_id: "),
        ("entra_workspace_id", WORKSPACE.replace("entra-logs", ".."), "entra_workspace_id: "),
        ("dry_run", "perhaps", "dry_run: "),
        ("rules", {"excluded_kinds": []}, "rules.excluded_kinds: "),
        ("rules", [], "rules: "),
        ("secret", "hunter2", "secret: "),
    ],
)
def test_what_can_not_be_is_told_by_the_name_of_its_field(field: str, value: object, told: str) -> None:
    with pytest.raises(CustomerError) as refused:
        customer(**{field: value})
    assert str(refused.value).startswith(f"customer contoso: {told}")
    assert "hunter2" not in str(refused.value)


def test_every_field_that_can_not_be_is_told_at_once() -> None:
    with pytest.raises(CustomerError, match=r"^customer \.\.: name: .*; tenant_id: .*; home_region: "):
        customer(name="..", tenant_id="", home_region="mars")


def test_a_customer_comes_back_from_json_as_it_was() -> None:
    made = customer(entra_workspace_id=WORKSPACE, dry_run=True, rules={"excluded_types": ["a.b/c"]})
    assert Customer.model_validate_json(made.model_dump_json()) == made
