"""A workspace of the lab's Terraform Cloud that follows a branch: its checkout, its state, its variables.

It begins anew each time, as the lab's Azure does: what the branch holds is made to stand once more.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lab.terraform.engine import Terraform
from lab.terraform_cloud import TerraformCloud, event_hubs_client


@dataclass
class Workspace:
    """A branch of a repository, applied whenever it has moved."""

    folder: Path
    repository: Path
    branch: str
    applied: str | None = None
    """The commit that was applied last, as far as it could be."""

    @classmethod
    def begin(cls, folder: Path, repository: Path, branch: str, variables: Sequence[str]) -> Self:
        """Check the branch out.

        Args:
            folder: the workspace's own; emptied first.
            repository: a bare git repository.
            branch: of it.
            variables: ``NAME=VALUE``, given to the root module as texts.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        made = cls(folder, repository, branch)
        made._git(folder, "clone", "--quiet", "--branch", branch, str(repository), str(made.checkout))
        pairs = (each.partition("=")[::2] for each in variables)
        lines = [f'{name} = "{value}"\n' for name, value in pairs]
        (made.checkout / "terraform.tfvars").write_text("".join(lines))
        return made

    @property
    def checkout(self) -> Path:
        """Where Terraform runs."""
        return self.folder / "checkout"

    def cloud(self, told: Mapping[str, Any]) -> TerraformCloud:
        """What runs here, in the Azure that says so of itself."""
        terraform = Terraform.install(self.folder / "terraform")
        return TerraformCloud(terraform, event_hubs_client(told), told["ingest_resource_group"])

    def run_if_moved(self, cloud: TerraformCloud) -> dict[str, object] | None:
        """Apply the branch when it has moved, or when the last run did not come to its end."""
        self._git(self.checkout, "fetch", "--quiet", "origin", self.branch)
        commit = self._git(self.checkout, "rev-parse", "FETCH_HEAD")
        if commit == self.applied:
            return None
        self._git(self.checkout, "reset", "--quiet", "--hard", commit)
        run = cloud.run(self.checkout)
        self.applied = commit if run.problem is None else None
        return {"commit": commit, "made": run.made, "removed": run.removed, "problem": run.problem}

    def _git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - git comes from the PATH, as on every machine that has it
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "1",
                # The repository may be another user's, where the project is in a container.
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()
