"""What the assets of the event hubs' code promise: places, one commit, a guard that names what it refuses."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from azmdr.inventory.customers import CustomerState
from azmdr.reconcile.verdict import Reason
from azmdr.store.customers import customer_named, replace_customer
from azmdr.store.placements import approve_removal
from azmdr.store.requests import customers_with_requests
from azmdr.store.targets import judged_targets
from lab.azure.scenario import SEND_RULE
from lab.github.front_door import FrontDoor
from lab.github.scenario import Scene, build_scene
from lab.github.server import GitHubServer
from lab.github.world import World
from sensors.provider_schedules import provision_schedule
from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import read
from tests.code_location.lab_provider import LabProvider, lab_provider
from tests.code_location.local_deployment import move_in
from tests.code_location.reconciling_runs import check, run_as_requested, run_job, shown
from tests.code_location.ticks import schedule_tick

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FILE = "infra/event_hub_mapping.tf"
EASTUS = "azure-log-ingest-eastus-01"


@dataclass(frozen=True)
class Infrastructure:
    """A provider without event hubs, and the repository their code is to be committed to."""

    provider: LabProvider
    hosted: Scene

    @property
    def git(self) -> Path:
        return self.hosted.repository.git.folder

    def file(self) -> str:
        return self._git("show", f"main:{FILE}")

    def mapping(self) -> HubMapping:
        return read(self.file()).mapping

    def messages(self) -> list[str]:
        return self._git("log", "--format=%s", "main").splitlines()

    def _git(self, *arguments: str) -> str:
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=self.git, capture_output=True, text=True, check=True).stdout

    def leaves(self, name: str) -> None:
        """As when all of a customer's logs have stopped, and nobody waits for more."""
        with self.provider.store.write() as connection:
            customer = customer_named(connection, name)
            replace_customer(connection, customer.model_copy(update={"state": CustomerState.GONE}))


@pytest.fixture
def infrastructure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Infrastructure]:
    hosted = build_scene(World(folder=tmp_path / "git"))
    store_url = f"sqlite:///{tmp_path / 'store.db'}"
    with (
        lab_provider(store_url, tmp_path / "azure", with_hubs=False) as provider,
        GitHubServer(FrontDoor(hosted.world)) as server,
    ):
        settings = {
            "AZMDR_GITHUB_API": server.url,
            "AZMDR_GITHUB_REPOSITORY": hosted.repository.full_name,
            "AZMDR_GITHUB_PATH": FILE,
            "AZMDR_GITHUB_APP_ID": str(hosted.app.id),
            "AZMDR_GITHUB_APP_PRIVATE_KEY": hosted.app.pem,
            "AZMDR_HOLD_DOWN": "0",
        }
        move_in({**provider.environment, **settings}, monkeypatch)
        provider.register("contoso", "fabrikam")
        yield Infrastructure(provider, hosted)


def provision(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return run_job(instance, "provision_event_hubs")


def reconcile(instance: dg.DagsterInstance) -> None:
    steps = ("subscriptions", "monitored_resources", "subscription_diagnostic_settings")
    assert run_job(instance, "reconcile_customers", "contoso", "fabrikam", steps=steps).success


def test_what_the_inventory_needs_becomes_one_commit_that_the_page_shows(
    infrastructure: Infrastructure, instance: dg.DagsterInstance
) -> None:
    reconcile(instance)
    result = provision(instance)
    assert result.success
    regions = {each.need for each in infrastructure.mapping().placements}
    assert regions == {
        *(("contoso", region) for region in ("eastus", "westeurope", "uksouth")),
        *(("fabrikam", region) for region in ("westeurope", "northeurope")),
    }
    assert infrastructure.messages()[0] == "Add 5 event hubs in 4 regions"
    placed, committed = shown(result)["event_hub_mapping", ""], shown(result)["event_hub_terraform", ""]
    assert (placed["dagster/row_count"], placed["new"], placed["namespaces"]) == (5, 5, 4)
    assert (committed["outcome"], committed["added"], committed["removed"]) == ("committed", 5, 0)
    assert f"| added | `eastus` | `{EASTUS}` | `contoso` |" in committed["changes"]
    assert committed["commit id"] in committed["commit"]
    assert check(result, "event_hub_mapping", "every_need_has_a_hub").passed
    assert check(result, "event_hub_terraform", "destroy_guard").passed


def test_a_second_run_commits_nothing(infrastructure: Infrastructure, instance: dg.DagsterInstance) -> None:
    provision(instance)
    before = infrastructure.messages()
    committed = shown(provision(instance))["event_hub_terraform", ""]
    assert (committed["outcome"], committed["diff"]) == ("unchanged", "nothing differs")
    assert infrastructure.messages() == before


def test_a_removal_beyond_the_threshold_is_a_failed_check_that_names_the_hub_and_is_not_committed(
    infrastructure: Infrastructure, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_REMOVALS_PER_COMMIT", "0")
    provision(instance)
    infrastructure.leaves("fabrikam")
    before = infrastructure.file()
    result = provision(instance)
    assert result.success
    found = check(result, "event_hub_terraform", "destroy_guard")
    assert not found.passed
    assert "fabrikam in westeurope, shard 01" in str(found.description)
    assert infrastructure.file() == before

    digest = str(found.metadata["to approve"].value).rpartition(" ")[2]
    with infrastructure.provider.store.write() as connection:
        approve_removal(connection, digest, datetime.now(UTC))
    approved = provision(instance)
    assert check(approved, "event_hub_terraform", "destroy_guard").passed
    assert infrastructure.messages()[0] == "Remove 1 event hub in 1 region"
    assert "fabrikam" not in infrastructure.file()


def test_a_file_somebody_changed_by_hand_fails_the_run_and_is_left_as_it_is(
    infrastructure: Infrastructure, instance: dg.DagsterInstance
) -> None:
    provision(instance)
    changed = infrastructure.file().replace('"Standard"', '"Premium"')
    hosted = infrastructure.hosted
    hosted.world.push(hosted.repository, {FILE: changed + "# mine\n"}, "By hand", hosted.person)
    result = provision(instance)
    assert not result.success
    assert infrastructure.messages()[0] == "By hand"


def test_a_setting_that_waited_for_its_hub_is_asked_for_when_the_hub_is_seen(
    infrastructure: Infrastructure, instance: dg.DagsterInstance
) -> None:
    provider = infrastructure.provider
    reconcile(instance)
    assert run_job(instance, "observe_event_hubs").success
    assert not asked_for(provider)
    namespace = provider.scene.namespace_id("eastus")
    cloud = provider.scene.cloud
    cloud.add_event_hub_namespace(namespace, "eastus")
    cloud.add_event_hub(namespace, "contoso")
    run_job(instance, "observe_event_hubs")
    assert not asked_for(provider), "a hub nothing can be sent to helps nobody"
    provider.allow_sending(namespace, SEND_RULE)
    told = shown(run_job(instance, "observe_event_hubs"))["event_hubs", ""]
    with provider.store.read() as connection:
        waiting = [
            each
            for each in judged_targets(connection, "contoso")
            if each.verdict.reason is Reason.PENDING_HUB
        ]
    assert told["settings that waited for them"] == len(waiting) > 0
    assert asked_for(provider) == {"contoso"}
    assert (
        shown(run_job(instance, "observe_event_hubs"))["event_hubs", ""]["settings that waited for them"] == 0
    )


def asked_for(provider: LabProvider) -> set[str]:
    with provider.store.read() as connection:
        return set(customers_with_requests(connection))


@pytest.mark.usefixtures("infrastructure")
def test_where_there_is_no_repository_only_places_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.instance_for_test() as instance:
        assert asked_of_schedule(instance).asset_selection is None
        monkeypatch.delenv("AZMDR_GITHUB_REPOSITORY")
        asked = asked_of_schedule(instance)
        assert asked.asset_selection == [dg.AssetKey("event_hub_mapping")]
        result = run_as_requested(instance, "provision_event_hubs", asked)
    assert shown(result)["event_hub_mapping", ""]["new"] == 2
    assert ("event_hub_terraform", "") not in shown(result)


def asked_of_schedule(instance: dg.DagsterInstance) -> dg.RunRequest:
    asked = schedule_tick(provision_schedule, instance, NOON)
    assert isinstance(asked, list)
    return asked[0]
