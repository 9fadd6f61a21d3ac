"""Running the demo: the lab, then Dagster, then watching what comes out."""

import json
import shutil
import signal
import socket
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table as ShownTable

from azmdr.demo.processes import DemoError, Processes, command
from azmdr.demo.verdict import Verdict, counts_of, judge, read_expected
from azmdr.lake.layout import Table
from azmdr.lake.open import open_lake
from azmdr.lake.read import read_latest
from azmdr.store import ledger, operations
from azmdr.store.database import Store
from azmdr.store.ledger import Counts, FileState

ROOT: Final = Path(__file__).parents[2]
CONTAINER: Final = "capture"
QUEUE: Final = "capture-events"
LINGER: Final = 5
DEADLINE: Final = 30
"""Seconds; a deployment waits longer, see :class:`azmdr.config.Settings`, but here somebody is watching."""
UI_TIMEOUT: Final = 120.0
SETTLING_TIMEOUT: Final = 300.0
"""Seconds after the last upload within which everything must have come out."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What was asked for on the command line."""

    once: bool
    folder: Path
    port: int
    seed: int
    size: float

    @property
    def home(self) -> Path:
        """Where this kind of demo keeps all it writes."""
        return (self.folder / ("demo-once" if self.once else "demo")).absolute()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come."""

    files: Mapping[FileState, int]
    counts: Counts
    latencies: list[timedelta]
    waiting_operations: int

    @property
    def settled(self) -> bool:
        """Whether nothing waits any more."""
        open_files = self.files.get(FileState.WAITING, 0) + self.files.get(FileState.CLAIMED, 0)
        return open_files == 0 and self.waiting_operations == 0

    def __str__(self) -> str:
        """In one line."""
        seen = ", ".join(f"{number} {state}" for state, number in sorted(self.files.items())) or "none yet"
        return (
            f"capture files: {seen} · records: {self.counts.records:,} · operations in the lake:"
            f" {len(self.latencies):,} · upload to lake: {_percentiles(self.latencies)}"
        )


def run_demo(plan: DemoPlan, console: Console) -> bool:
    """Run the demo; whether all came out as expected, or whether it was merely ended by Ctrl-C.

    Raises:
        DemoError: a part of it could not be started or has failed.
    """
    if not (ROOT / "workspace.yaml").exists():
        raise DemoError(
            f"the demo runs from a checkout of the project, and there is no workspace.yaml in {ROOT}"
        )
    if plan.once:
        shutil.rmtree(plan.home, ignore_errors=True)
    _instance(plan.home)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _as_interrupt)
    try:
        with Processes(plan.home / "logs") as processes:
            return _play(plan, processes, console)
    except KeyboardInterrupt:
        console.print("ended")
        return True


def _play(plan: DemoPlan, processes: Processes, console: Console) -> bool:
    begun = time.monotonic()
    with console.status("starting Azurite, the capture writer and Dagster"):
        storage = _start_azurite(plan, processes)
        environment = _environment(plan, storage)
        # Opened here first, so that daemon, webserver and runs find its tables made.
        store = Store.open(environment["AZMDR_STORE_URL"])
        _start_replay(plan, processes, storage)
        port = _free_port(plan.port)
        address = f"http://127.0.0.1:{port}"
        processes.start("dagster", _dagster(port), environment)
        _wait_for_ui(address, processes)
    console.print(
        f"The Dagster UI is at [bold]{address}[/bold] (up after {time.monotonic() - begun:.0f} s)",
        highlight=False,
    )
    if plan.once:
        return _until_settled(plan, processes, store, console)
    console.print("Ctrl-C ends everything.")
    _watch(processes, store, console)
    return True


def _start_azurite(plan: DemoPlan, processes: Processes) -> Mapping[str, str]:
    folder = plan.home / "azurite"
    processes.start("azurite", command("lab", "azurite", "--folder", str(folder)), {})
    return processes.answer("azurite", timeout=60)


def _start_replay(plan: DemoPlan, processes: Processes, storage: Mapping[str, str]) -> None:
    arguments = [
        *("--connection-string", storage["connection_string"], "--container", CONTAINER, "--queue", QUEUE),
        *("--state", str(plan.home / "replay.json"), "--expected", str(_expected(plan))),
        *("--seed", str(plan.seed), "--size", str(plan.size)),
    ]
    mode = ["--speed", "2"] if plan.once else ["--forever"]
    processes.start("replay", command("lab", "replay", *arguments, *mode), {})


def _environment(plan: DemoPlan, storage: Mapping[str, str]) -> dict[str, str]:
    key = next(
        part.partition("=")[2]
        for part in storage["connection_string"].split(";")
        if part.startswith("AccountKey=")
    )
    return {
        "DAGSTER_HOME": str(plan.home / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "AZMDR_STORE_URL": f"sqlite:///{plan.home / 'state.db'}",
        "AZMDR_LAKE": str(_lake(plan)),
        "AZMDR_CAPTURE_CONTAINER": f"{storage['blob_endpoint']}/{CONTAINER}",
        "AZMDR_CAPTURE_QUEUE": f"{storage['queue_endpoint']}/{QUEUE}",
        "AZMDR_STORAGE_ACCOUNT_KEY": key,
        "AZMDR_LINGER": str(LINGER),
        "AZMDR_DEADLINE": str(DEADLINE),
        "AZMDR_SENSOR_SECONDS": "5",
        "AZMDR_INTAKE_SECONDS": "3",
        "AZMDR_LISTING_SCHEDULE": "* * * * *",
    }


def _dagster(port: int) -> list[str]:
    workspace = str(ROOT / "workspace.yaml")
    return command("dagster", "dev", "--workspace", workspace, "--host", "127.0.0.1", "--port", str(port))


def _instance(home: Path) -> None:
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "deploy" / "local" / "dagster.yaml", folder / "dagster.yaml")


def _wait_for_ui(address: str, processes: Processes) -> None:
    end = time.monotonic() + UI_TIMEOUT
    answer = "no answer"
    while time.monotonic() < end:
        processes.check()
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            answer = _location_state(address)
        if answer == "RepositoryLocation":
            return
        time.sleep(0.3)
    raise DemoError(
        f"Dagster was not up within {UI_TIMEOUT:.0f} s ({answer}); see {processes.log('dagster')}"
    )


def _location_state(address: str) -> str:
    """What the webserver says of the code location. While the code server starts it says PythonError."""
    entries = "locationEntries { locationOrLoadError { __typename ... on PythonError { message } } }"
    query = f"{{ workspaceOrError {{ ... on Workspace {{ {entries} }} }} }}"
    request = urllib.request.Request(  # noqa: S310 (our own address)
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        found = json.load(answer)["data"]["workspaceOrError"].get("locationEntries", [])
    state = (found[0]["locationOrLoadError"] if found else None) or {"__typename": "still loading"}
    return str(state.get("message") or state["__typename"])


def _watch(processes: Processes, store: Store, console: Console) -> None:
    shown = ""
    with console.status("waiting for the first capture file") as status:
        while True:
            processes.check()
            line = str(_progress(store))
            status.update(line)
            if not console.is_terminal and line != shown:
                console.print(line, highlight=False)
                shown = line
            time.sleep(2 if console.is_terminal else 10)


def _until_settled(plan: DemoPlan, processes: Processes, store: Store, console: Console) -> bool:
    deadline: float | None = None
    with console.status("playing the scenario") as status:
        while deadline is None or time.monotonic() < deadline:
            processes.check()
            progress = _progress(store)
            status.update(str(progress))
            if processes.ended("replay"):
                deadline = deadline or time.monotonic() + SETTLING_TIMEOUT
                if progress.settled and _verdict(plan).good:
                    break
            time.sleep(2)
    return _report(plan, processes, store, console)


def _progress(store: Store) -> Progress:
    with store.read() as connection:
        return Progress(
            files=ledger.states(connection),
            counts=ledger.counts_of_all(connection),
            latencies=operations.latencies(connection),
            waiting_operations=operations.waiting_operations(connection),
        )


def _verdict(plan: DemoPlan) -> Verdict:
    expected = read_expected(_expected(plan))
    lake = open_lake(str(_lake(plan)))
    return judge(
        expected,
        {one: read_latest(lake, one, Table.OPERATIONS) for one in {line.customer for line in expected}},
    )


def _report(plan: DemoPlan, processes: Processes, store: Store, console: Console) -> bool:
    verdict = _verdict(plan)
    progress = _progress(store)
    console.print(_stories(verdict))
    for miss in [miss for story in verdict.stories for miss in story.misses][:20]:
        console.print(f"[red]{miss.expected}[/red]\n  seen: {miss.seen}", highlight=False)
    totals = processes.answer("replay", timeout=1)
    shortfalls = _shortfalls(plan, totals["customers"])
    for shortfall in shortfalls:
        console.print(f"[red]{shortfall}[/red]", highlight=False)
    counts = progress.counts
    console.print(
        f"{verdict.planted} operations planted, {verdict.unexpected} seen that were not."
        f" {counts.records:,} records in {counts.files} capture files = {counts.passed_through:,} passed"
        f" through + {counts.merged:,} merged + {counts.duplicates:,} duplicates"
        f" + {counts.quarantined:,} quarantined"
        f" ({'conserved' if counts.conserved else 'NOT CONSERVED'}).\n"
        f"From upload to operation in the lake: {_percentiles(progress.latencies)},"
        f" {LINGER} s of linger included.",
        highlight=False,
    )
    return verdict.good and counts.conserved and not shortfalls


def _shortfalls(plan: DemoPlan, planted: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Where a customer's tables do not hold just what the lab put into the bodies."""
    lake = open_lake(str(_lake(plan)))
    found = []
    for customer, totals in sorted(planted.items()):
        seen = counts_of({table: read_latest(lake, customer, table) for table in Table})
        found += [
            f"{customer}: {totals[what]} {what} were planted, the lake holds {number}"
            for what, number in seen.items()
            if totals[what] != number
        ]
    return found


def _stories(verdict: Verdict) -> ShownTable:
    table = ShownTable("story", "expected", "planted", "seen as expected", title="Planted operations")
    for story in verdict.stories:
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in story.outcomes.items())
        seen = f"{story.as_expected}" if not story.misses else f"[red]{story.as_expected}[/red]"
        table.add_row(story.name, outcomes, str(story.planted), seen)
    return table


def _percentiles(latencies: list[timedelta]) -> str:
    if len(latencies) < 2:
        return "not known yet"
    seconds = [latency.total_seconds() for latency in latencies]
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"p50 {cuts[9]:.1f} s, p95 {cuts[18]:.1f} s"


def _expected(plan: DemoPlan) -> Path:
    return plan.home / "expected.jsonl"


def _lake(plan: DemoPlan) -> Path:
    return plan.home / "lake"


def _free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoError(f"no free port between {wanted} and {wanted + 49}")


def _as_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
