"""What is promised of a demo's plan: one folder, and settings that the product takes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from azmdr.config import Settings
from azmdr.demo.plan import DEADLINE, LINGER, DemoPlan
from lab.__main__ import main as lab
from lab.azurite import ACCOUNT_KEY

STORAGE = {
    "connection_string": f"AccountName=devstoreaccount1;AccountKey={ACCOUNT_KEY};BlobEndpoint=http://b;",
    "blob_endpoint": "http://127.0.0.1:1/devstoreaccount1",
    "queue_endpoint": "http://127.0.0.1:2/devstoreaccount1",
}

AZURE = {
    "url": "https://localhost:8443",
    "authority_file": "/somewhere/authority.pem",
    "provider_tenant_id": "5a3f0f6c-0000-4000-8000-000000000001",
    "client_id": "5a3f0f6c-0000-4000-8000-000000000002",
    "client_secret": "only-good-in-the-lab",
    "ingest_subscription_id": "5a3f0f6c-0000-4000-8000-000000000003",
    "ingest_resource_group": "azure-log-ingest",
    "authorization_rule": "diagnostics",
}

GITHUB = {
    "api": "http://localhost:8080",
    "repository": "contoso-soc/event-hubs",
    "app_id": "1007",
    "app_private_key": "a key",
    "git": "/somewhere/event-hubs.git",
}


def plan(folder: Path, *, once: bool = False) -> DemoPlan:
    return DemoPlan(once=once, folder=folder, port=3000, seed=7, size=1.0)


def test_the_product_takes_the_settings_and_knows_every_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = plan(tmp_path).environment(STORAGE, AZURE, GITHUB)
    monkeypatch.chdir(tmp_path)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    settings = Settings.load()
    known = {f"AZMDR_{name.upper()}" for name in Settings.model_fields}
    assert {key for key in environment if key.startswith("AZMDR_")} <= known
    assert settings.capture_container == "http://127.0.0.1:1/devstoreaccount1/capture"
    assert settings.capture_queue == "http://127.0.0.1:2/devstoreaccount1/capture-events"
    assert settings.storage_account_key is not None
    assert settings.storage_account_key.get_secret_value() == ACCOUNT_KEY
    assert (settings.linger, settings.deadline) == (LINGER, DEADLINE)
    assert settings.lake.startswith(str(tmp_path))
    assert settings.address.endpoint == AZURE["url"]
    assert settings.principal is not None
    assert settings.principal.client_id == AZURE["client_id"]
    assert settings.ingest_subscription_id == AZURE["ingest_subscription_id"]


def test_everything_is_kept_in_one_folder(tmp_path: Path) -> None:
    made = plan(tmp_path)
    for place in (
        made.expected,
        made.lake,
        made.dagster_home,
        Path(made.store_url.removeprefix("sqlite:///")),
    ):
        assert place.is_relative_to(tmp_path / "demo")


def test_a_demo_that_is_played_once_leaves_the_other_ones_folder_alone(tmp_path: Path) -> None:
    assert plan(tmp_path, once=True).home != plan(tmp_path).home
    assert plan(Path("here")).home.is_absolute()


@pytest.mark.parametrize("once", [True, False])
def test_the_lab_takes_the_arguments(tmp_path: Path, *, once: bool) -> None:
    arguments = plan(tmp_path, once=once).replay_arguments()
    # With a size no lab takes, so that it reads all arguments and then does nothing.
    secret = {"LAB_CONNECTION_STRING": STORAGE["connection_string"]}
    result = CliRunner().invoke(lab, ["replay", *arguments, "--size", "-1"], env=secret)
    assert "Invalid value for '--size'" in result.output
    assert ("--forever" in arguments) != once
    assert not any("AccountKey" in argument for argument in arguments)


@pytest.mark.parametrize("once", [True, False])
def test_things_happen_in_the_labs_azure_unless_the_end_has_to_be_known(
    tmp_path: Path, *, once: bool
) -> None:
    arguments = plan(tmp_path, once=once).azure_arguments()
    # With a port no lab takes, so that it reads all arguments and then does nothing.
    result = CliRunner().invoke(lab, ["azure", *arguments, "--port", "none"])
    assert "Invalid value for '--port'" in result.output
    assert ("--happenings" in arguments) != once


def test_what_happens_in_the_labs_azure_is_read_from_where_it_is_written(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert str(made.activity) in made.azure_arguments()
    secret = {"LAB_CONNECTION_STRING": STORAGE["connection_string"]}
    result = CliRunner().invoke(lab, ["stream", *made.stream_arguments(), "--window", "-1"], env=secret)
    assert "Invalid value for '--window'" in result.output
    assert str(made.activity) in made.stream_arguments()
