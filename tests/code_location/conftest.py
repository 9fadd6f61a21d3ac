"""Deployments the code location's tests run in, and an instance of Dagster that lives in memory."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from lab.azurite import AzuriteServer
from tests.code_location.lab_provider import LabProvider, lab_provider
from tests.code_location.local_deployment import LocalDeployment, local_deployment, move_in, settle_in
from tests.code_location.reconciling_dagster import ReconcilingDagster, reconciling_dagster
from tests.code_location.running_dagster import RunningDagster, running_dagster


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An empty instance."""
    with dg.DagsterInstance.ephemeral() as empty:
        yield empty


@pytest.fixture
def deployment(
    azurite: AzuriteServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalDeployment]:
    """A new deployment, which the product's settings in this process point to."""
    with local_deployment(azurite, f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "lake") as made:
        settle_in(made, monkeypatch)
        yield made


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabProvider]:
    """A provider in a new lab's Azure, whom the product's settings in this process point to."""
    with lab_provider(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "azure") as made:
        move_in(made.environment, monkeypatch)
        yield made


@pytest.fixture(scope="session")
def running(azurite: AzuriteServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDagster]:
    """Dagster as a person starts it, once for all tests that look at it."""
    with running_dagster(azurite, tmp_path_factory.mktemp("running-dagster")) as started:
        yield started


@pytest.fixture(scope="module")
def reconciling(
    azurite: AzuriteServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReconcilingDagster]:
    """Dagster as a person starts it, with customers to keep covered."""
    with reconciling_dagster(azurite, tmp_path_factory.mktemp("reconciling-dagster")) as started:
        yield started
