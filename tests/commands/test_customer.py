"""What ``azmdr customer`` promises: a registry that takes what can be, and tells in a line what can't."""

import json
from pathlib import Path

import pytest

from azmdr.store.database import Store
from azmdr.store.inventory import SUBSCRIPTIONS, note_listing
from lab.azure.scenario import workspace_id
from tests.commands.command_line import CommandLine
from tests.steps.small_lab import CONTOSO, FABRIKAM
from tests.store.azure_inventory import NOON

PLACE = ("--tenant", CONTOSO.tenant_id, "--home-region", "East US")


def known(azmdr: CommandLine) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in azmdr.json("customer", "list")}


def test_a_customer_added_is_listed(azmdr: CommandLine) -> None:
    told = azmdr.told("customer", "add", "Contoso", *PLACE)
    assert told == "customer contoso added; its event hubs are to be named contoso\n"
    (contoso,) = known(azmdr).values()
    assert (contoso["tenant_id"], contoso["home_region"]) == (CONTOSO.tenant_id, "eastus")
    assert (contoso["state"], contoso["dry_run"]) == ("active", False)
    assert "contoso" in azmdr.told("customer", "list")


def test_nobody_is_listed_before_somebody_is_added(azmdr: CommandLine) -> None:
    assert known(azmdr) == {}


def test_a_change_leaves_what_it_does_not_name(azmdr: CommandLine, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("excluded_types: [Microsoft.Sql/servers]\n")
    azmdr.add(CONTOSO)
    azmdr.told("customer", "set", "contoso", "--rules", str(rules))
    azmdr.told("customer", "set", "CONTOSO", "--dry-run")
    azmdr.told("customer", "set", "contoso", "--home-region", "UK South")
    contoso = known(azmdr)["contoso"]
    assert (contoso["dry_run"], contoso["home_region"]) == (True, "uksouth")
    assert contoso["entra_workspace_id"] == workspace_id(CONTOSO)
    assert "microsoft.sql/servers" in json.dumps(contoso["rules"]).lower()
    azmdr.told("customer", "set", "contoso", "--no-entra-workspace", "--no-dry-run")
    assert known(azmdr)["contoso"]["entra_workspace_id"] is None
    assert known(azmdr)["contoso"]["dry_run"] is False


@pytest.mark.parametrize("name", ["${x}", "con toso", "../contoso", "cöntoso", "con\ntoso", "contoso\n", ""])
def test_a_name_that_could_be_more_than_a_name_is_refused_in_a_line(azmdr: CommandLine, name: str) -> None:
    assert "name: customer " in azmdr.refused("customer", "add", name, *PLACE)
    assert known(azmdr) == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--tenant", "contoso.example", "--home-region", "eastus"), "customer new: tenant_id: "),
        (("--tenant", CONTOSO.tenant_id, "--home-region", "mars"), "customer new: home_region: 'mars' is no"),
        ((*PLACE, "--entra-workspace", "/subscriptions/x"), "customer new: entra_workspace_id: "),
        (
            (*PLACE, "--entra-workspace", f"/subscriptions/{NOON:%Y}[/red]"),
            "customer new: entra_workspace_id: ",
        ),
    ],
)
def test_a_field_that_can_not_be_is_named(azmdr: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    assert azmdr.refused("customer", "add", "new", *arguments).startswith(told)


def test_a_name_or_a_tenant_that_is_taken_is_told(azmdr: CommandLine) -> None:
    azmdr.add(CONTOSO)
    azmdr.add(FABRIKAM)
    assert "contoso: there is one already" in azmdr.refused("customer", "add", "contoso", *PLACE)
    assert "is already the tenant of contoso" in azmdr.refused("customer", "add", "other", *PLACE)
    before = azmdr.dump()
    told = azmdr.refused("customer", "set", "fabrikam", "--tenant", CONTOSO.tenant_id)
    assert told.startswith("customer fabrikam: tenant_id: ")
    assert azmdr.dump() == before


@pytest.mark.parametrize(
    "content",
    [
        b"excluded_kinds: []",
        b"just a text",
        b"[a, list]",
        b"excluded_types: {a: [",
        b"excluded_types: !!python/object/apply:os.system ['true']",
        b"\xff\xfe\x00",
        b"&a [*a]",
        b"excluded_scopes: [/subscriptions/nowhere]",
    ],
)
def test_rules_that_can_not_be_are_refused_in_a_line(
    azmdr: CommandLine, tmp_path: Path, content: bytes
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_bytes(content)
    assert "rules" in azmdr.refused("customer", "add", "contoso", *PLACE, "--rules", str(rules))
    assert known(azmdr) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("customer", "set", "nobody", "--dry-run"),
        ("customer", "remove", "nobody", "--yes"),
        ("customer", "remove", "nobody"),
        ("plan", "--customer", "nobody"),
        ("apply", "--customer", "nobody"),
        ("coverage", "--customer", "nobody"),
        ("estimate", "--customer", "nobody"),
    ],
)
def test_who_is_not_known_is_told_in_a_line(azmdr: CommandLine, arguments: tuple[str, ...]) -> None:
    assert azmdr.refused(*arguments).startswith("customer nobody: there is none of that name")


@pytest.mark.parametrize("command", ["plan", "apply", "coverage"])
def test_without_any_customer_a_person_is_told_how_to_add_one(azmdr: CommandLine, command: str) -> None:
    assert "`azmdr customer add` adds one" in azmdr.refused(command)


def test_a_command_that_is_used_wrongly_ends_with_2(azmdr: CommandLine) -> None:
    assert azmdr.run("customer", "add", "contoso").exit_code == 2
    assert azmdr.run("customer", "frobnicate").exit_code == 2


def test_a_setting_that_is_missing_is_named_in_a_line(azmdr: CommandLine) -> None:
    azmdr.add(CONTOSO)
    assert azmdr.refused("plan").startswith("settings: ingest_subscription_id: not set")


@pytest.mark.parametrize(
    "url", ["mysql://azmdr:hunter2@host/store", "postgresql://azmdr:hunter2@127.0.0.1:1/store", "hunter2"]
)
def test_a_store_that_can_not_be_opened_is_told_in_a_line_without_its_secret(
    azmdr: CommandLine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_STORE_URL", url)
    told = azmdr.refused("customer", "list")
    assert told.startswith("store")
    assert "hunter2" not in told


def test_coverage_shows_a_text_of_azures_as_it_is(azmdr: CommandLine) -> None:
    """Azure's words go to a terminal that takes square brackets for colours."""
    azmdr.add(CONTOSO)
    problem = "409: the value '[/red]' of [bold] is no good"
    store = Store.open(azmdr.store_url)
    with store.write() as connection:
        note_listing(connection, "contoso", SUBSCRIPTIONS, NOON, 0, problem)
    store.close()
    assert problem in azmdr.told("coverage")
