"""The settings for GitHub: what is refused, by its key and never with its value."""

import os
import traceback
from pathlib import Path

import pytest

from azmdr.config import ConfigurationError, Settings
from terraform_gen.github_credentials import AppCredentials, TokenCredentials
from terraform_gen.github_settings import github_credentials, github_repository
from terraform_gen.repository import Outcome
from tests.terraform_gen.committing.workbench import PROPOSAL, Workbench


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.upper().startswith("AZMDR_")]:
        monkeypatch.delenv(variable)


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"AZMDR_GITHUB_{name.upper()}", value)


def refusal() -> str:
    with pytest.raises(ConfigurationError) as refused:
        github_repository(Settings.load())
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))
    return str(refused.value)


def test_the_settings_name_a_repository_that_commits(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = bench.scene.app.pem.replace("\n", "\\n")
    app = {"app_id": str(bench.scene.app.id), "app_private_key": pem}
    given(monkeypatch, api=bench.url, repository="contoso-soc/event-hubs", mode="pull_request", **app)
    result = github_repository(Settings.load(), bench.time).commit(PROPOSAL)
    assert result.outcome is Outcome.OPENED


def test_who_we_are_is_a_token_or_an_app_and_not_both(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, repository="contoso/event-hubs")
    assert "github_token: not set, and no github_app_id either" in refusal()
    given(monkeypatch, token="hunter2")
    assert isinstance(github_credentials(Settings.load()), TokenCredentials)
    given(monkeypatch, app_id="7")
    assert "github_token: set beside github_app_*" in refusal()
    monkeypatch.delenv("AZMDR_GITHUB_TOKEN")
    assert "github_app_private_key: not set" in refusal()
    given(monkeypatch, app_private_key="hunter2 hunter2")
    assert "github_app_private_key: neither a PEM file nor one in base64" in refusal()
    given(monkeypatch, app_private_key=bench.scene.app.pem, installation_id="9")
    credentials = github_credentials(Settings.load())
    assert isinstance(credentials, AppCredentials)
    assert (credentials.app_id, credentials.installation_id) == ("7", 9)
    assert bench.scene.app.pem.splitlines()[1] not in repr(Settings.load())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("api", "http://github.example.com/api/v3", "github_api: .*must begin with https"),
        ("api", "https://mona:hunter2@github.example.com", "github_api: .*must not hold a user"),
        ("api", "ftp://localhost", "github_api"),
        ("repository", "event-hubs", "github_repository: .*an owner and a name"),
        ("repository", "contoso/..", "github_repository"),
        ("repository", "contoso/a/b", "github_repository"),
        ("path", "../x.tf", "github_path: .*the path of a file"),
        ("path", ".git/config", "github_path"),
        ("path", "/etc/x", "github_path"),
        ("mode", "force", "github_mode"),
        ("installation_id", "hunter2", "github_installation_id"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_by_its_key(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    given(monkeypatch, **{name: value})
    with pytest.raises(ConfigurationError, match=told) as refused:
        Settings.load()
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))
