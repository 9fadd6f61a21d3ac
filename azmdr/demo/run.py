"""Running the demo: the lab, then Dagster, then watching what comes out."""

import shutil
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console

from azmdr.config import Settings
from azmdr.demo.convergence import Convergence, read_convergence, register_customers
from azmdr.demo.dagster_dev import check_checkout, dagster_dev, free_port, make_instance, wait_until_loaded
from azmdr.demo.plan import DemoPlan
from azmdr.demo.processes import Processes, command
from azmdr.demo.progress import Progress, read_progress
from azmdr.demo.report import print_convergence, print_report, print_ring, shortfalls, verdict_of
from azmdr.demo.ring import STAGES, Newcomer, stages_reached
from azmdr.store.database import Store
from terraform_gen.event_hub_mapping import MappingSettings
from terraform_gen.repository_files import lay_out

SETTLING_TIMEOUT: Final = 300.0
"""Seconds after the last upload within which everything must have come out."""


def run_demo(plan: DemoPlan, console: Console) -> bool:
    """Run the demo; whether all came out as expected, or whether it was merely ended by Ctrl-C.

    Raises:
        DemoError: a part of it could not be started or has failed.
    """
    check_checkout()
    if plan.once:
        shutil.rmtree(plan.home, ignore_errors=True)
    make_instance(plan.dagster_home)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _as_interrupt)
    try:
        with Processes(plan.home / "logs") as processes:
            return _play(plan, processes, console)
    except KeyboardInterrupt:
        console.print("ended")
        return not plan.once


def _play(plan: DemoPlan, processes: Processes, console: Console) -> bool:
    begun = datetime.now(UTC)
    with console.status("starting the lab's Azure, Azurite, the capture writer and Dagster"):
        processes.start("azurite", command("lab", "azurite", "--folder", str(plan.home / "azurite")), {})
        processes.start("azure", command("lab", "azure", *plan.azure_arguments()), {})
        lay_out(plan.infrastructure, MappingSettings.of(Settings.load()).ingest)
        processes.start("github", command("lab", "github", *plan.github_arguments()), {})
        storage, azure, github = (processes.answer(each, 60) for each in ("azurite", "azure", "github"))
        if plan.has_terraform:
            arguments = plan.terraform_arguments(processes.answers("azure"), github)
            processes.start("terraform-cloud", command("lab", "terraform-cloud", *arguments), {})
        else:
            console.print("Terraform's engine can't be had on this machine: the event hubs stand already.")
        # Opened here first, so that daemon, webserver and runs find its tables made.
        store = Store.open(plan.store_url)
        register_customers(store, azure["customers"])
        secret = {"LAB_CONNECTION_STRING": storage["connection_string"]}
        processes.start("replay", command("lab", "replay", *plan.replay_arguments()), secret)
        processes.start("stream", command("lab", "stream", *plan.stream_arguments()), secret)
        port = free_port(plan.port)
        address = f"http://127.0.0.1:{port}"
        processes.start("dagster", dagster_dev(port), plan.environment(storage, azure, github))
        wait_until_loaded(address, processes.log("dagster"), processes.check)
    up = datetime.now(UTC)
    console.print(
        f"The Dagster UI is at {address} (up after {(up - begun).total_seconds():.0f} s).",
        highlight=False,
        soft_wrap=True,
    )
    # The one that is opened while the demo runs is not among them.
    subscriptions = 1 + sum(len(one["subscription_ids"]) for one in azure["customers"])
    watched = _Watched(store, str(plan.lake), begun, up, subscriptions, Newcomer.of(azure["newcomer"]))
    if plan.once:
        return _until_settled(plan, processes, watched, console)
    console.print("Ctrl-C ends everything; the next start goes on from here.", soft_wrap=True)
    return _watch(processes, watched, console)


@dataclass(slots=True)
class _Watched:
    """How far both halves have come, and when the control plane had converged."""

    store: Store
    lake: str
    begun: datetime
    up: datetime
    """When Dagster was."""
    subscriptions: int
    newcomer: Newcomer
    converged_after: float | None = None
    """Seconds."""
    stages: list[float] = field(default_factory=list)
    """After how many seconds the newcomer reached each of its stages."""

    @property
    def is_told(self) -> bool:
        """Whether the newcomer has reached the last of them."""
        return len(self.stages) == len(STAGES)

    def look(self) -> tuple[Progress, Convergence]:
        """Look again."""
        convergence = read_convergence(self.store, self.subscriptions)
        passed = (datetime.now(UTC) - self.up).total_seconds()
        if convergence.complete and self.converged_after is None:
            self.converged_after = passed
        if not self.is_told:
            reached = stages_reached(self.store, self.lake, self.newcomer)
            self.stages += [passed] * (reached - len(self.stages))
        return read_progress(self.store, self.begun), convergence


def _watch(processes: Processes, watched: _Watched, console: Console) -> bool:
    shown = ""
    with console.status("waiting for the first capture file") as status:
        while True:
            processes.check()
            line = _line(*watched.look())
            status.update(line)
            if not console.is_terminal and line != shown:
                console.print(line, highlight=False, soft_wrap=True)
                shown = line
            time.sleep(2 if console.is_terminal else 10)


def _line(progress: Progress, convergence: Convergence) -> str:
    return f"{convergence} · {progress}"


def _until_settled(plan: DemoPlan, processes: Processes, watched: _Watched, console: Console) -> bool:
    """Wait until all that was planted has come out, and the control plane has converged.

    A file whose message was lost comes with the next listing.
    """
    with console.status("playing the scenario") as status:
        while not processes.ended("replay"):
            processes.check()
            status.update(_line(*watched.look()))
            time.sleep(2)
        planted = processes.answer("replay", timeout=1)["customers"]
        deadline = time.monotonic() + SETTLING_TIMEOUT
        while True:
            processes.check()
            progress, convergence = watched.look()
            status.update(_line(progress, convergence))
            verdict, wrong = verdict_of(plan), shortfalls(plan.lake, planted)
            condensed = progress.settled and progress.counts.conserved and verdict.good and not wrong
            good = condensed and convergence.complete and watched.is_told
            if good or time.monotonic() > deadline:
                break
            time.sleep(2)
    print_report(console, verdict, progress, wrong)
    print_convergence(console, convergence, watched.converged_after)
    print_ring(console, watched.newcomer, watched.stages)
    return good


def _as_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
