"""A whole Dagster on this machine: webserver, daemon and code server, with what it finds there to do."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from azmdr.demo.dagster_dev import dagster_dev, free_port, make_instance, wait_until_loaded
from azmdr.demo.processes import Processes
from azmdr.demo.verdict import Expected
from azmdr.store import ledger
from azmdr.store.ledger import FileState
from azmdr.store.operations import waiting_operations
from lab.azurite import AzuriteServer
from lab.episode import Episode, EpisodePlan, Settings, plan_episode
from lab.replay import take_step
from tests.code_location.local_deployment import CaptureBlob, LocalDeployment, capture_blob, local_deployment
from tests.condense.records import envelope, resource_log_bytes

PATIENCE: Final = 180.0
"""Seconds; many times what anything here takes on an idle machine."""
SETTINGS: Final = {
    "AZMDR_LINGER": "1",
    "AZMDR_DEADLINE": "5",
    "AZMDR_SENSOR_SECONDS": "2",
    "AZMDR_INTAKE_SECONDS": "3",
    # Listing has tests of its own; here it would only take turns with what is looked at.
    "AZMDR_LISTING_SCHEDULE": "0 0 1 1 *",
}
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class RunningDagster:
    """Dagster with its UI at ``address``, and a deployment in which it has condensed everything."""

    address: str
    deployment: LocalDeployment
    expected: Sequence[Expected]
    single: CaptureBlob
    """The file that came alone, when all others were done."""
    processes: Processes

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data a GraphQL query gives, asked as the UI asks it."""
        return ask(self.address, query, variables)

    def wait_for(self, what: str, look: Callable[[], _Found | None]) -> _Found:
        """Look until there is something; fails when it does not come, or when a process has ended."""
        return wait_for(what, look, self.processes)

    def wait_until_settled(self) -> None:
        """Wait until no file and no operation waits any more."""
        wait_until_settled(self.deployment, self.processes)


def ask(address: str, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """As :meth:`RunningDagster.ask`."""
    request = urllib.request.Request(  # noqa: S310 (our own address)
        f"{address}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        told = json.load(answer)
    assert "errors" not in told, told["errors"]
    data: dict[str, Any] = told["data"]
    return data


def wait_for(what: str, look: Callable[[], _Found | None], processes: Processes) -> _Found:
    """As :meth:`RunningDagster.wait_for`."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        processes.check()
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")


def wait_until_settled(deployment: LocalDeployment, processes: Processes) -> None:
    """As :meth:`RunningDagster.wait_until_settled`."""

    def settled() -> bool:
        with deployment.store.read() as connection:
            states = ledger.states(connection)
            operations = waiting_operations(connection)
        at_work = states.keys() & {FileState.WAITING, FileState.CLAIMED}
        return bool(states) and not at_work and operations == 0 and deployment.messages_left() == 0

    wait_for("everything condensed", settled, processes)


@contextmanager
def running_dagster(azurite: AzuriteServer, folder: Path) -> Iterator[RunningDagster]:
    """Start Dagster on two days of three customers, and end all of it whatever happens."""
    store, home = f"sqlite:///{folder / 'store.db'}", folder / "dagster"
    with (
        local_deployment(azurite, store, folder / "lake", DAGSTER_HOME=str(home), **SETTINGS) as deployment,
        Processes(folder / "logs") as processes,
    ):
        expected = play_two_days(deployment)
        make_instance(home)
        port = free_port(23_000)
        address = f"http://127.0.0.1:{port}"
        processes.start("dagster", dagster_dev(port), deployment.environment)
        wait_until_loaded(address, processes.log("dagster"), processes.check)
        wait_until_settled(deployment, processes)
        single = capture_blob(envelope(resource_log_bytes("alone")), partition=31)
        deployment.arrive(single)
        wait_for(
            "the single file done",
            lambda: [row for row in deployment.ledger() if row.path == single.path and row.state == "done"],
            processes,
        )
        yield RunningDagster(address, deployment, expected, single, processes)


def play_two_days(deployment: LocalDeployment) -> list[Expected]:
    """Upload and announce an episode of yesterday and one of today; returns what must come out of both."""
    settings = Settings(size=0.0, window_seconds=30)
    now = datetime.now(UTC).replace(microsecond=0)
    noon = now.replace(hour=12, minute=0, second=0) - timedelta(days=1)
    yesterday = plan_episode(Episode(0, noon, settings), {})
    today = plan_episode(Episode(1, now - timedelta(minutes=3), settings), yesterday.positions)
    return [*_play(yesterday, deployment), *_play(today, deployment)]


def _play(plan: EpisodePlan, deployment: LocalDeployment) -> list[Expected]:
    for step in plan.steps:
        take_step(step, deployment.storage)
    return [msgspec.convert(msgspec.to_builtins(one), Expected) for one in plan.expected]
