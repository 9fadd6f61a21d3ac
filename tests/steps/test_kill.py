"""A process killed for real, in the middle of a request, over TLS: whoever comes next makes everything right.

The lab's Azure runs here; the product runs in a process of its own with its real clients and azure-identity,
and gets SIGKILL just before a request is answered, or just after.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import pytest
import yaml

from azmdr.store.database import Store
from lab.azure.front_door import FrontDoor
from lab.azure.server import AzureServer
from lab.azure.wire import Answer, Request
from tests.postgres_server import PostgresServer
from tests.steps.campaign import Campaign
from tests.steps.killed_process import run_all_steps
from tests.steps.schedule import Case
from tests.steps.world import (
    POLICY_FILE,
    CustomerSpec,
    Foreign,
    Mess,
    Own,
    ResourceSpec,
    SubscriptionSpec,
    WorkspaceSpec,
    WorldSpec,
)

LEASE: Final = 1
"""Seconds; the next process waits so long for what the dead one held."""
WITHIN: Final = 60
DEATHS: Final = 12
DEATHS_ON_POSTGRES: Final = 3

WORLD: Final = WorldSpec(
    (
        CustomerSpec(
            "contoso",
            home=0,
            subscriptions=(
                SubscriptionSpec(
                    0,
                    (
                        ResourceSpec("vault", "kv", 0, mess=Mess(Own.FEWER, (Foreign.WORKSPACE,))),
                        ResourceSpec("storage", "st", 1, child=Mess(Own.OTHER_HUB)),
                        ResourceSpec("site", "web", 0, mess=Mess(Own.RIGHT)),
                    ),
                    mess=Mess(Own.MORE),
                ),
                SubscriptionSpec(
                    1, (ResourceSpec("nsg", "nsg", 1, mess=Mess(Own.ABSENT, (Foreign.SAME_SINK,))),)
                ),
            ),
            workspaces=(WorkspaceSpec(0, region=0, own=Own.FEWER, others=1),),
        ),
        CustomerSpec(
            "fabrikam", home=1, subscriptions=(SubscriptionSpec(0, (ResourceSpec("sql", "sql", 1),)),)
        ),
    ),
    page_size=2,
)


@dataclass(slots=True)
class DeadlyDoor(FrontDoor):
    """Kills who asks for the n-th time: on odd numbers before anything is done, on even ones after all is."""

    asked: int = 0
    deadly: int | None = None
    victim: int | None = None
    is_ready: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> Answer:
        self.is_ready.wait(WITHIN)
        self.asked += 1
        if self.asked == self.deadly and self.deadly % 2:
            self.kill()
        # Two arguments, since a dataclass with slots is made anew and has lost its own name for itself.
        answer = FrontDoor.answer(self, request)
        if self.asked == self.deadly:
            self.kill()
        return answer

    def kill(self) -> None:
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)


class Scenario:
    """A world with everything wrong, behind TLS, and a store."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.store = Store.open(url)
        self.campaign = Campaign(Case(0, WORLD, ()), self.store)
        self.door = DeadlyDoor(self.campaign.world.cloud)
        self.campaign.door = self.door
        self.policy = folder / "policy.yaml"
        self.policy.write_text(yaml.safe_dump(POLICY_FILE.model_dump(mode="json", exclude_defaults=True)))

    def environment(self, server: AzureServer) -> dict[str, str]:
        scene = self.campaign.world.scene
        return {
            "AZMDR_STORE_URL": self.url,
            "AZMDR_ARM_ENDPOINT": server.url,
            "AZMDR_ENTRA_AUTHORITY": server.url,
            "AZMDR_AUTHORITY_FILE": str(server.authority_file),
            "AZMDR_PROVIDER_TENANT_ID": scene.provider.id,
            "AZMDR_CLIENT_ID": scene.principal.app_id or "",
            "AZMDR_CLIENT_SECRET": scene.principal.secret or "",
            "AZMDR_INGEST_SUBSCRIPTION_ID": scene.subscription_id,
            "AZMDR_CATEGORY_POLICY": str(self.policy),
            "AZMDR_CUSTOMER_LEASE": str(LEASE),
            "AZMDR_ARM_WORKERS": "2",
        }

    def run(self, server: AzureServer, deadly: int | None = None) -> int:
        """A process; returns how it ended."""
        self.door.is_ready.clear()
        self.door.asked, self.door.deadly = 0, deadly
        context = multiprocessing.get_context("forkserver")
        process: BaseProcess = context.Process(target=run_all_steps, args=(self.environment(server),))
        process.start()
        self.door.victim = process.pid
        self.door.is_ready.set()
        process.join(WITHIN)
        assert process.exitcode is not None, "it does not end"
        return process.exitcode

    def assert_made_right(self, server: AzureServer) -> None:
        """The next process repairs everything, and the one after it finds nothing to do."""
        threading.Event().wait(LEASE + 0.2)
        assert self.run(server) == 0
        self.campaign.check_on_the_way()
        before = len(self.door.writes())
        assert self.run(server) == 0
        assert len(self.door.writes()) == before
        self.campaign.check_on_the_way()
        self.campaign.check_end()


@pytest.fixture(scope="module", autouse=True)
def _preloaded() -> None:
    """Processes are forked from one that has imported the product: they start at once."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.steps.killed_process"])


@pytest.fixture(scope="module")
def requests_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many requests a run makes that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    scenario = Scenario(f"sqlite:///{folder / 'store.db'}", folder)
    with AzureServer(scenario.door) as server:
        assert scenario.run(server) == 0
        asked = scenario.door.asked
        scenario.assert_made_right(server)
    assert asked > 2 * DEATHS
    return asked


def die_and_make_right(url: str, folder: Path, deadly: int) -> None:
    scenario = Scenario(url, folder)
    with AzureServer(scenario.door) as server:
        assert scenario.run(server, deadly) == -signal.SIGKILL
        scenario.assert_made_right(server)
    scenario.store.close()


def spread(requests: int, deaths: int) -> Iterator[int]:
    """Moments over a whole run, odd and even in turn."""
    for each in range(deaths):
        moment = 1 + each * (requests - 2) // (deaths - 1)
        yield moment + (moment + each) % 2


def test_whoever_comes_after_a_killed_process_makes_everything_right(
    requests_of_a_run: int, tmp_path: Path
) -> None:
    for deadly in spread(requests_of_a_run, DEATHS):
        die_and_make_right(f"sqlite:///{tmp_path / f'{deadly}.db'}", tmp_path, deadly)


def test_on_postgresql_too(requests_of_a_run: int, postgres: PostgresServer, tmp_path: Path) -> None:
    for deadly in spread(requests_of_a_run, DEATHS_ON_POSTGRES):
        with postgres.fresh_database() as url:
            die_and_make_right(url, tmp_path, deadly)
