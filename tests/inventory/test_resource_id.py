"""What a resource id promises: its segments, one key for all its spellings, and no to everything else."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.inventory.resource_id import ResourceId, ResourceIdError, is_within, region_name

SUBSCRIPTION = "/subscriptions/6e0b1c2d-0000-4000-8000-00000000000A"
GROUP = f"{SUBSCRIPTION}/resourceGroups/RG-One"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-1"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1"

names = st.text(
    st.characters(codec="ascii", min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/"), min_size=1
).filter(lambda name: name not in (".", ".."))
ids = st.builds(
    lambda group, provider, pairs: "/".join(
        (
            SUBSCRIPTION,
            "resourceGroups",
            group,
            "providers",
            provider,
            *(each for pair in pairs for each in pair),
        )
    ),
    names,
    names,
    st.lists(st.tuples(names, names), min_size=1, max_size=3),
)


def test_a_subscription_has_no_group_and_no_names() -> None:
    parsed = ResourceId.parse(SUBSCRIPTION)
    assert parsed.subscription_id == "6e0b1c2d-0000-4000-8000-00000000000a"
    assert (parsed.resource_group, parsed.names) == (None, ())
    assert parsed.type == "microsoft.resources/subscriptions"


def test_a_resource_group_is_no_resource() -> None:
    parsed = ResourceId.parse(GROUP)
    assert (parsed.resource_group, parsed.names) == ("RG-One", ())
    assert parsed.type == "microsoft.resources/resourcegroups"


def test_a_resource_says_its_type_in_lower_case_and_its_name_as_it_is_spelled() -> None:
    parsed = ResourceId.parse(VAULT)
    assert (parsed.type, parsed.name, parsed.provider) == (
        "microsoft.keyvault/vaults",
        "kv-1",
        "microsoft.keyvault",
    )


def test_a_nested_resource_has_the_names_and_types_of_all_it_is_in() -> None:
    parsed = ResourceId.parse(f"{GROUP}/providers/Microsoft.Sql/servers/sql-1/databases/Orders")
    assert parsed.type == "microsoft.sql/servers/databases"
    assert (parsed.names, parsed.name) == (("sql-1", "Orders"), "sql-1/Orders")


def test_a_resource_may_stand_in_a_subscription_without_a_group() -> None:
    parsed = ResourceId.parse(f"{SUBSCRIPTION}/providers/Microsoft.Security/pricings/Default")
    assert (parsed.resource_group, parsed.type) == (None, "microsoft.security/pricings")


def test_slashes_at_the_ends_mean_nothing() -> None:
    assert ResourceId.parse(VAULT.strip("/")) == ResourceId.parse(f"{VAULT}/") == ResourceId.parse(VAULT)


def test_a_child_is_the_id_of_what_is_nested_in_it() -> None:
    child = ResourceId.parse(STORAGE).child("blobServices/default")
    assert child == ResourceId.parse(f"{STORAGE}/blobServices/default")
    assert child.type == "microsoft.storage/storageaccounts/blobservices"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "kv-1",
        "/subscriptions",
        "/subscriptions/",
        "/subscriptions/all",
        "/subscriptions/6e0b1c2d-0000-4000-8000-00000000000a0",
        "/subscriptions/6e0b1c2d000040008000-00000000000a----",
        "/tenants/6e0b1c2d-0000-4000-8000-00000000000a",
        f"{SUBSCRIPTION}//resourceGroups/rg",
        f"{SUBSCRIPTION}/resourceGroups",
        f"{GROUP}/providers",
        f"{GROUP}/providers/Microsoft.KeyVault",
        f"{GROUP}/providers/Microsoft.KeyVault/vaults",
        f"{VAULT}/secrets",
        f"{VAULT}//secrets/s",
        f"https://management.azure.com{VAULT}",
        f"{VAULT}\n",
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv\n1",
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv\x001",
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/..",
        f"{GROUP}/providers/Microsoft.KeyVault/../vaults",
        f"{SUBSCRIPTION}/resourceGroups/./providers/Microsoft.KeyVault/vaults/kv",
        f"{SUBSCRIPTION}/resourceGroups/../providers/Microsoft.KeyVault/vaults/kv",
    ],
)
def test_what_is_no_id_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(ResourceIdError) as refused:
        ResourceId.parse(text)
    assert repr("/" + text.strip("/")) in str(refused.value)


@given(st.text())
def test_any_text_is_an_id_or_is_refused_as_none(text: str) -> None:
    try:
        parsed = ResourceId.parse(text)
    except ResourceIdError:
        return
    assert ResourceId.parse(parsed.text) == parsed


@given(ids, st.randoms(use_true_random=False))
def test_all_spellings_of_an_id_have_one_key(text: str, rng: random.Random) -> None:
    other = "".join(rng.choice((letter.lower(), letter.upper())) for letter in text)
    one, two = ResourceId.parse(text), ResourceId.parse(other)
    assert one.key == two.key
    assert (one.subscription_id, one.type) == (two.subscription_id, two.type)


@given(ids)
def test_an_id_is_put_together_again_from_its_segments(text: str) -> None:
    parsed = ResourceId.parse(text)
    provider, *types = parsed.type.split("/")
    nested = "/".join(f"{kind}/{name}" for kind, name in zip(types, parsed.names, strict=True))
    put_together = f"/subscriptions/{parsed.subscription_id}/resourceGroups/{parsed.resource_group}/providers"
    assert f"{put_together}/{provider}/{nested}".lower() == parsed.key


def test_what_is_within_a_scope_is_it_or_below_it_and_no_neighbour() -> None:
    vault, group = ResourceId.parse(VAULT).key, ResourceId.parse(GROUP).key
    assert is_within(vault, vault)
    assert is_within(vault, group)
    assert is_within(group, ResourceId.parse(SUBSCRIPTION).key)
    assert not is_within(group, vault)
    assert not is_within(f"{group}-two", group)


@pytest.mark.parametrize("text", ["eastus2", "East US 2", "EASTUS2", "east-us_2", " East\tUS 2 "])
def test_a_region_has_one_name_however_it_is_spelled(text: str) -> None:
    assert region_name(text) == "eastus2"
