"""What holding a customer promises of a real daemon on PostgreSQL: runs overlap on purpose, nothing is wrong.

Fifty customers, whose files single-file, customer-day and range runs all want at the same time, while
another process keeps launching backfills. Whoever finds a customer held waits or leaves it.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from sqlalchemy import Engine, create_engine, text

from azmdr.demo.dagster_dev import dagster_dev, free_port, make_instance, wait_until_loaded
from azmdr.demo.processes import Processes
from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.store.ledger import CustomerDay
from azmdr_dagster.partitions import partition_key
from lab.azurite import AzuriteServer
from tests.code_location.local_deployment import CaptureBlob, LocalDeployment, capture_blob, local_deployment
from tests.code_location.running_dagster import ask, wait_for, wait_until_settled
from tests.condense.records import envelope, resource_log_bytes, stage_bytes
from tests.postgres_server import PostgresServer

CUSTOMERS: Final = tuple(f"customer-{number:02}" for number in range(50))
SETTINGS: Final = {
    "AZMDR_LINGER": "1",
    "AZMDR_DEADLINE": "3",
    # Operations leave the store at once, so that every late record has one read back.
    "AZMDR_KEEP_QUIET": "0",
    "AZMDR_SENSOR_SECONDS": "3",
    "AZMDR_INTAKE_SECONDS": "2",
    "AZMDR_LISTING_SCHEDULE": "0 0 1 1 *",
    "AZMDR_COMPACTION_SCHEDULE": "0 0 1 1 *",
    "AZMDR_CUSTOMER_WAIT": "5",
}
LAUNCH: Final = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on PythonError { message } }
}
"""
RUNS: Final = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter, limit: 1000) { ... on Runs { results { runId status tags { key value } } } }
}
"""
RANGE: Final = "dagster/asset_partition_range"
SELECTOR: Final = {
    "repositoryLocationName": "azmdr",
    "repositoryName": "__repository__",
    "pipelineName": "condense_capture_files",
}


@dataclass(frozen=True)
class Overlapping:
    """Dagster at work on a deployment, and what of it is looked at."""

    address: str
    deployment: LocalDeployment
    processes: Processes

    def launch(self, *, tags: dict[str, str], **config: Any) -> None:
        """Have a run started now, whatever else is under way."""
        params = {
            "selector": SELECTOR,
            "runConfigData": json.dumps({"ops": {"condensed_tables": {"config": config}}}),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
            "mode": "default",
        }
        told = ask(self.address, LAUNCH, {"params": params})["launchRun"]
        assert told["__typename"] == "LaunchRunSuccess", told

    def runs(self) -> list[dict[str, Any]]:
        """Every condensing run."""
        wanted = {"pipelineName": "condense_capture_files"}
        found: list[dict[str, Any]] = ask(self.address, RUNS, {"filter": wanted})["runsOrError"]["results"]
        return found


@contextmanager
def many_customers(azurite: AzuriteServer, url: str, folder: Path) -> Iterator[Overlapping]:
    """Dagster on a deployment whose state is in PostgreSQL."""
    home = folder / "dagster"
    settings = SETTINGS | {"DAGSTER_HOME": str(home)}
    with (
        local_deployment(azurite, url, folder / "lake", **settings) as deployment,
        Processes(folder / "logs") as processes,
    ):
        make_instance(home)
        port = free_port(24_500)
        processes.start("dagster", dagster_dev(port), deployment.environment)
        address = f"http://127.0.0.1:{port}"
        wait_until_loaded(address, processes.log("dagster"), processes.check)
        yield Overlapping(address, deployment, processes)


class Watching(threading.Thread):
    """Looks all the time which runs hold which customers, as the store says it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self._engine, self._end = engine, threading.Event()
        self.holders: set[tuple[str, str]] = set()
        self.most_at_once = 0

    def run(self) -> None:
        query = text("SELECT name, owner FROM lease WHERE name LIKE 'condense %'")
        while not self._end.wait(0.01):
            with self._engine.connect() as connection:
                held = {(row.name, row.owner) for row in connection.execute(query)}
            self.holders |= held
            self.most_at_once = max(self.most_at_once, len(held))

    def stop(self) -> None:
        self._end.set()
        self.join()


def stage_of(stage: str, customer: str, number: int) -> bytes:
    """A stage of a customer's operation of a round."""
    seconds = ("start", "accept", "success").index(stage)
    return stage_bytes(stage, 60 * number + seconds, f"{customer}-{number}")


def round_of_files(number: int, partition: int, stage: str) -> list[CaptureBlob]:
    """A file of each customer with one stage of the operations of a round, and a log that passes through."""
    return [
        capture_blob(
            envelope(
                stage_of(stage, customer, number),
                resource_log_bytes(f"{customer}-{number}-{stage}"),
            ),
            customer=customer,
            partition=1 + 100 * number + partition,
        )
        for customer in CUSTOMERS
    ]


def overlap(running: Overlapping, rounds: int) -> set[CustomerDay]:
    """Files come in three deliveries a round; runs of every kind are launched on top of the sensor's."""
    days: set[CustomerDay] = set()
    for number in range(rounds):
        for partition, stage in enumerate(("success", "start", "accept")):
            blobs = round_of_files(number, partition, stage)
            # Some come twice under another name, so that there are duplicates to count.
            again = [
                capture_blob(
                    envelope(stage_of(stage, blob.customer, number)),
                    customer=blob.customer,
                    partition=50 + 100 * number + partition,
                )
                for blob in blobs[:5]
            ]
            running.deployment.arrive(*blobs, *again)
            days |= {blob.partition for blob in (*blobs, *again)}
        wait_for("the files known", lambda: len(running.deployment.ledger()) > 10, running.processes)
        launch_all_kinds(running, max(days).day)
    return days


def launch_all_kinds(running: Overlapping, day: str) -> None:
    """A range, a part of it again, one customer's day, one file, and a backfill: all of the same files."""

    def ends(first: int, last: int) -> dict[str, str]:
        keys = [partition_key(CustomerDay(CUSTOMERS[place], day)) for place in (first, last)]
        return {f"{RANGE}_start": keys[0], f"{RANGE}_end": keys[1]}

    file = running.deployment.ledger()[0]
    one = partition_key(CustomerDay(file.customer, file.day))
    running.launch(tags=ends(0, 49), waiting_only=True)
    running.launch(tags=ends(10, 30), waiting_only=True)
    running.launch(tags={"dagster/partition": one}, waiting_only=True)
    running.launch(tags={"dagster/partition": one}, waiting_only=True, file_ids=[file.id])
    running.launch(tags=ends(0, 9))


def check(running: Overlapping, rounds: int, watching: Watching) -> None:
    """Every invariant that the data plane has."""
    deployment = running.deployment
    rows = deployment.ledger()
    files = len(CUSTOMERS) + rounds * 3 * (len(CUSTOMERS) + 5)
    assert Counter(row.state for row in rows) == {"done": files}
    for row in rows:
        assert row.records == row.passed_through + row.merged + row.duplicates + row.quarantined, row.path
    of_customer = {customer: [row for row in rows if row.customer == customer] for customer in CUSTOMERS}
    for customer, own in of_customer.items():
        operations = read_latest(deployment.lake, customer, Table.OPERATIONS)
        records = read_latest(deployment.lake, customer, Table.ACTIVITY_RECORDS)
        assert operations["correlation_id"].sort().to_list() == sorted(
            f"{customer}-{number}" for number in range(rounds)
        )
        assert operations["outcome"].unique().to_list() == ["success"]
        assert operations["revision"].unique().to_list() == [3], customer
        assert records.height == 3 * rounds
        assert records.filter(~pl.col("record").str.contains(customer)).height == 0
        assert sum(row.merged for row in own) == 3 * rounds
        assert sum(row.passed_through for row in own) == 3 * rounds
    told = running.runs()
    assert {run["status"] for run in told} == {"SUCCESS"}, Counter(run["status"] for run in told)
    assert len({customer for customer, _ in watching.holders}) == len(CUSTOMERS)
    assert watching.most_at_once > 1, "no two runs ever held customers at the same time"


def play(azurite: AzuriteServer, postgres: PostgresServer, folder: Path, rounds: int) -> None:
    with postgres.fresh_database() as url, many_customers(azurite, url, folder) as running:
        engine = create_engine(url)
        watching = Watching(engine)
        # The customers are partitions before anything is launched.
        running.deployment.arrive(
            *(
                capture_blob(envelope(stage_of("success", customer, 0)), customer=customer)
                for customer in CUSTOMERS
            )
        )
        wait_for(
            "every customer known",
            lambda: len({row.customer for row in running.deployment.ledger()}) == len(CUSTOMERS),
            running.processes,
        )
        watching.start()
        overlap(running, rounds)
        wait_until_settled(running.deployment, running.processes)

        def at_rest() -> bool:
            told = running.runs()
            return all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in told)

        wait_for("a moment without a run", at_rest, running.processes)
        wait_until_settled(running.deployment, running.processes)
        watching.stop()
        engine.dispose()
        check(running, rounds, watching)


def test_runs_of_every_kind_over_fifty_customers_at_once_leave_every_invariant_true(
    azurite: AzuriteServer, postgres: PostgresServer, tmp_path: Path
) -> None:
    play(azurite, postgres, tmp_path, rounds=1)


@pytest.mark.soak
def test_the_same_for_longer(azurite: AzuriteServer, postgres: PostgresServer, tmp_path: Path) -> None:
    play(azurite, postgres, tmp_path, rounds=6)
