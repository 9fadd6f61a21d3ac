"""The lab's Terraform Cloud: what is committed comes to stand in the lab's Azure."""

from pathlib import Path

import pytest

from azmdr.lake.layout import customer_name
from lab.azure.cloud import Cloud
from lab.azure.scenario import build_scene
from lab.terraform.engine import Terraform
from lab.terraform_cloud import TerraformCloud
from terraform_gen.mapping import HubMapping
from terraform_gen.mapping_file import FILE_NAME, written
from terraform_gen.repository_files import starter_files
from tests.terraform_gen.mappings import INGEST, hubs


@pytest.fixture
def workspace(terraform: Terraform) -> TerraformCloud:
    cloud = Cloud()
    scene = build_scene(cloud, [])
    return TerraformCloud(terraform, cloud, scene.subscription_id)


def committed(folder: Path, mapping: HubMapping) -> Path:
    for path, text in (starter_files() | {FILE_NAME: written(mapping, INGEST)}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "terraform.tfvars").write_text('location = "eastus"\nstorage_account_name = "azmdrcapture"\n')
    return folder


def standing(workspace: TerraformCloud) -> set[tuple[str, str]]:
    return {
        (key.rpartition("/")[2], customer_name(hub.name))
        for key, each in workspace.cloud.hubs.items()
        for hub in each.values()
    }


def test_a_commit_becomes_hubs_the_next_one_adds_and_removes(
    workspace: TerraformCloud, tmp_path: Path
) -> None:
    first = workspace.run(committed(tmp_path, hubs(("eastus", 1, "contoso"), ("uksouth", 1, "contoso"))))
    assert first.problem is None
    assert standing(workspace) == {
        ("azure-log-ingest-eastus-01", "contoso"),
        ("azure-log-ingest-uksouth-01", "contoso"),
    }
    (hub,) = workspace.cloud.hubs[next(key for key in workspace.cloud.hubs if "uksouth" in key)].values()
    assert (hub.partitions, hub.retention_days) == (4, 7)
    assert hub.capture is not None
    assert hub.capture["skipEmptyArchives"] is True
    rules = workspace.cloud.rules[next(key for key in workspace.cloud.rules if "uksouth" in key)]
    assert rules["diagnostics"].rights == ("Send",)
    second = workspace.run(committed(tmp_path, hubs(("eastus", 1, "contoso"), ("eastus", 1, "new"))))
    assert second.problem is None
    assert standing(workspace) == {
        ("azure-log-ingest-eastus-01", "contoso"),
        ("azure-log-ingest-eastus-01", "new"),
    }
    assert [made.rpartition("/")[2] for made in second.made] == ["new"]


def test_what_is_no_terraform_is_told_and_changes_nothing(workspace: TerraformCloud, tmp_path: Path) -> None:
    folder = committed(tmp_path, hubs(("eastus", 1, "contoso")))
    (folder / "broken.tf").write_text('resource "azurerm_eventhub" "x" { nonsense = 1 }\n')
    run = workspace.run(folder)
    assert run.problem is not None
    assert "nonsense" in run.problem
    assert standing(workspace) == set()
