"""Running the demo: the lab, then Dagster, then watching what comes out."""

import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from rich.console import Console

from azmdr.demo.dagster_dev import check_checkout, dagster_dev, free_port, make_instance, wait_until_loaded
from azmdr.demo.plan import DemoPlan
from azmdr.demo.processes import Processes, command
from azmdr.demo.progress import Progress, read_progress
from azmdr.demo.report import print_report, shortfalls, verdict_of
from azmdr.store.database import Store

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
    with console.status("starting Azurite, the capture writer and Dagster"):
        azurite = command("lab", "azurite", "--folder", str(plan.home / "azurite"))
        processes.start("azurite", azurite, {})
        storage = processes.answer("azurite", timeout=60)
        # Opened here first, so that daemon, webserver and runs find its tables made.
        store = Store.open(plan.store_url)
        secret = {"LAB_CONNECTION_STRING": storage["connection_string"]}
        processes.start("replay", command("lab", "replay", *plan.replay_arguments()), secret)
        port = free_port(plan.port)
        address = f"http://127.0.0.1:{port}"
        processes.start("dagster", dagster_dev(port), plan.environment(storage))
        wait_until_loaded(address, processes.log("dagster"), processes.check)
    seconds = (datetime.now(UTC) - begun).total_seconds()
    console.print(
        f"The Dagster UI is at {address} (up after {seconds:.0f} s).", highlight=False, soft_wrap=True
    )
    if plan.once:
        return _until_settled(plan, processes, partial(read_progress, store, begun), console)
    console.print("Ctrl-C ends everything; the next start goes on from here.", soft_wrap=True)
    return _watch(processes, partial(read_progress, store, begun), console)


def _watch(processes: Processes, read: Callable[[], Progress], console: Console) -> bool:
    shown = ""
    with console.status("waiting for the first capture file") as status:
        while True:
            processes.check()
            line = str(read())
            status.update(line)
            if not console.is_terminal and line != shown:
                console.print(line, highlight=False, soft_wrap=True)
                shown = line
            time.sleep(2 if console.is_terminal else 10)


def _until_settled(
    plan: DemoPlan, processes: Processes, read: Callable[[], Progress], console: Console
) -> bool:
    """Wait until all that was planted has come out: files whose message was lost, by the next listing."""
    with console.status("playing the scenario") as status:
        while not processes.ended("replay"):
            processes.check()
            status.update(str(read()))
            time.sleep(2)
        planted = processes.answer("replay", timeout=1)["customers"]
        deadline = time.monotonic() + SETTLING_TIMEOUT
        while True:
            processes.check()
            progress = read()
            status.update(str(progress))
            verdict, wrong = verdict_of(plan), shortfalls(plan.lake, planted)
            good = progress.settled and progress.counts.conserved and verdict.good and not wrong
            if good or time.monotonic() > deadline:
                break
            time.sleep(2)
    print_report(console, verdict, progress, wrong)
    return good


def _as_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
