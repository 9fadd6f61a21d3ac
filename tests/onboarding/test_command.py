"""``azmdr onboarding`` at the command line, against the lab over TLS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from azmdr.cli import main
from lab.azure.scenario import SECRET
from lab.azure.server import AzureServer
from tests.onboarding.estate import GROUP, NAME, REGION, SUBSCRIPTIONS, TENANT, Estate

WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTIONS[0]}/resourceGroups/azmdr-entra-logs"
    "/providers/Microsoft.OperationalInsights/workspaces/azmdr-entra-logs"
)


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    made = Estate()
    made.cloud.visibility_lag *= 0
    principal = made.scene.principal
    monkeypatch.chdir(tmp_path)
    with AzureServer(made.door) as server:
        for key, value in {
            "STORE_URL": "sqlite:///state.db",
            "ARM_ENDPOINT": server.url,
            "ENTRA_AUTHORITY": server.url,
            "AUTHORITY_FILE": str(server.authority_file),
            "PROVIDER_TENANT_ID": made.scene.provider.id,
            "CLIENT_ID": principal.app_id or "",
            "CLIENT_SECRET": SECRET,
            "INGEST_SUBSCRIPTION_ID": made.scene.subscription_id,
            "DELEGATE_TO": json.dumps({principal.object_id: "azmdr"}),
        }.items():
            monkeypatch.setenv(f"AZMDR_{key}", value)
        assert run("customer", "add", NAME, "--tenant", TENANT, "--home-region", REGION).exit_code == 0
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_command_writes_the_package_and_what_it_writes_onboards(estate: Estate, tmp_path: Path) -> None:
    before = run("onboarding", "verify", "--customer", NAME)
    assert before.exit_code == 1
    assert "no subscription is delegated to us" in before.output
    written = run(
        *("onboarding", "--customer", NAME, "--management-group", "fabrikam-root"),
        *("--entra-subscription", SUBSCRIPTIONS[0], "--out", "package"),
    )
    assert written.exit_code == 0, written.output
    command = (
        "az deployment mg create --management-group-id fabrikam-root --name azmdr-onboarding"
        " --location westeurope --template-file main.json --parameters @main.parameters.json"
    )
    assert f"    {command}\n" in written.output
    assert f"--entra-workspace {WORKSPACE}" in written.output
    folder = tmp_path / "package"
    template, parameters = (
        json.loads((folder / each).read_text()) for each in ("main.json", "main.parameters.json")
    )
    assert estate.deploy(template, parameters["parameters"], GROUP).state == "Succeeded"
    estate.wait()
    assert run("customer", "set", NAME, "--entra-workspace", WORKSPACE).exit_code == 0
    green = run("onboarding", "verify", "--customer", NAME, "--json")
    assert green.exit_code == 0, green.output
    assert {each["mark"] for each in json.loads(green.output)} == {"ok", "unknown"}
    assert run("onboarding", "verify", "--customer", NAME, "--strict").exit_code == 1
    body = json.loads((folder / "entra-setting.json").read_text())
    path = "/providers/microsoft.aadiam/diagnosticSettings/azmdr"
    assert estate.ask("PUT", path, "2017-04-01", body).status == 200
    (tmp_path / "shown.json").write_text(json.dumps(estate.ask("GET", path, "2017-04-01").body))
    strict = run("onboarding", "verify", "--customer", NAME, "--strict", "--entra-setting", "shown.json")
    assert strict.exit_code == 0, strict.output
    assert "0 missing, 0 unknown" in strict.output


def test_giving_back_wants_a_customer_that_is_gone_and_a_yes(estate: Estate) -> None:
    assert run("onboarding", "give-back", "--customer", NAME).exit_code == 2
    refused = run("onboarding", "give-back", "--customer", NAME, "--yes")
    assert refused.exit_code == 1
    assert "is not gone" in refused.output
    assert not any(estate.cloud.delegations.values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "either --management-group or --subscription"),
        (("--management-group", "a", "--subscription", "b"), "either --management-group or --subscription"),
        (("--subscription", "x"), "no id of a subscription"),
        (
            ("--subscription", SUBSCRIPTIONS[0], "--automation-resource-group", "a"),
            "goes with --management-group",
        ),
        (("--subscription", SUBSCRIPTIONS[0], "--entra-subscription", SUBSCRIPTIONS[1]), "has to be the one"),
        (("--management-group", "a", "--out", "taken"), "holds what is not of the package: mine.txt"),
    ],
)
@pytest.mark.usefixtures("estate")
def test_what_cant_be_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").touch()
    result = run("onboarding", "--customer", NAME, *arguments)
    assert result.exit_code != 0
    assert told in result.output
    assert [each.name for each in (tmp_path / "taken").iterdir()] == ["mine.txt"]


@pytest.mark.usefixtures("estate")
def test_without_whom_to_delegate_to_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZMDR_DELEGATE_TO")
    result = run("onboarding", "--customer", NAME, "--management-group", "a")
    assert result.exit_code == 1
    assert "delegate_to: not set" in result.output
