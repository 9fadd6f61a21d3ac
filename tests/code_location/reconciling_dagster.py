"""A whole Dagster that keeps the lab's customers covered, with the captures that tell it of changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from azmdr.demo.dagster_dev import dagster_dev, free_port, make_instance, wait_until_loaded
from azmdr.demo.processes import Processes
from lab.azurite import AzuriteServer
from tests.code_location.lab_provider import LabProvider, lab_provider
from tests.code_location.local_deployment import LocalDeployment, local_deployment
from tests.code_location.running_dagster import ask, wait_for

SETTINGS: Final = {
    "AZMDR_LINGER": "1",
    "AZMDR_SENSOR_SECONDS": "2",
    "AZMDR_INTAKE_SECONDS": "3",
    "AZMDR_LISTING_SCHEDULE": "0 0 1 1 *",
    "AZMDR_EVENT_HUBS_SCHEDULE": "* * * * *",
    "AZMDR_CUSTOMERS_SCHEDULE": "* * * * *",
    # One turn, and then nobody puts anything right unless asked.
    "AZMDR_RECONCILE_MINUTES": "1440",
}
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class ReconcilingDagster:
    """Dagster with its UI at ``address``; its customers have just been registered."""

    address: str
    provider: LabProvider
    deployment: LocalDeployment
    processes: Processes

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data a GraphQL query gives, asked as the UI asks it."""
        return ask(self.address, query, variables)

    def wait_for(self, what: str, look: Callable[[], _Found | None]) -> _Found:
        """Look until there is something; fails when it does not come, or when a process has ended."""
        return wait_for(what, look, self.processes)


@contextmanager
def reconciling_dagster(azurite: AzuriteServer, folder: Path) -> Iterator[ReconcilingDagster]:
    """Start Dagster for the lab's customers, and end all of it whatever happens."""
    store, home = f"sqlite:///{folder / 'store.db'}", folder / "dagster"
    with (
        lab_provider(store, folder / "azure") as provider,
        local_deployment(azurite, store, folder / "lake", DAGSTER_HOME=str(home), **SETTINGS) as deployment,
        Processes(folder / "logs") as processes,
    ):
        provider.register()
        make_instance(home)
        port = free_port(23_500)
        address = f"http://127.0.0.1:{port}"
        environment = {**deployment.environment, **provider.environment}
        processes.start("dagster", dagster_dev(port), environment)
        wait_until_loaded(address, processes.log("dagster"), processes.check)
        yield ReconcilingDagster(address, provider, deployment, processes)
