"""``python -m bench.whole_path``: what a capture file costs on its whole way, in batches and alone.

Files are uploaded to Azurite and announced on its queue. From there on it is the product: the capture sensor
reads the queue, writes the ledger and asks for runs; each run is a process of its own, as Dagster's daemon
starts one, with an instance on disk; it condenses into a lake in a folder, with the store on SQLite. What the
sensor and the runs spend is counted, start of the processes included; what Azurite spends is not, since
Azure is not ours. Runs come one after another, so that they don't get into each other's way; from the
CPU a file needs follows what two cores can do at most.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any, Final

import click

from bench.captures import write_captures
from lab.announcement import announcement_of
from lab.azurite import ACCOUNT_KEY, AzuriteServer
from lab.replay import CaptureStorage

GOAL: Final = 4000
"""Files a minute on two cores, in batches."""
_CORES: Final = 2
_NAME: Final = "capture"


@dataclass(frozen=True, slots=True)
class Cost:
    """What some files came to."""

    files: int
    runs: int
    sensor: float
    """CPU seconds of the sensor."""
    condensing: float
    """CPU seconds of the runs, from the start of their processes to the end."""
    seconds: float
    """Time that passed."""

    @property
    def of_a_file(self) -> float:
        """CPU seconds."""
        return (self.sensor + self.condensing) / self.files


@click.group(invoke_without_command=True)
@click.option("--batch", default=200, show_default=True, help="Files that come together.")
@click.option("--batches", default=3, show_default=True)
@click.option("--alone", default=3, show_default=True, help="Files that come one by one.")
@click.option("--megabytes", default=0.066, show_default=True, help="Of bodies in a file.")
@click.pass_context
def main(context: click.Context, batch: int, batches: int, alone: int, megabytes: float) -> None:
    """Measure, and print a table in Markdown."""
    if context.invoked_subcommand:
        return
    with tempfile.TemporaryDirectory() as name, AzuriteServer(None) as azurite:
        folder = Path(name)
        paths = write_captures(folder / "files", megabytes=megabytes, files=batch * batches + alone)
        storage = CaptureStorage.connect(azurite.connection_string, _NAME, _NAME)
        os.environ |= _environment(azurite, folder)
        arrivals = _arrivals(storage, paths)
        together = _measured(arrivals, [batch] * batches)
        one_by_one = _measured(arrivals, [1] * alone)
        size = sum(path.stat().st_size for path in paths) / len(paths) / 1000
    click.echo(f"Files of {size:.0f} KB.\n")
    click.echo("| how | files | runs | sensor ms | run ms | CPU ms a file | files a minute of two cores |")
    click.echo("| --- | --- | --- | --- | --- | --- | --- |")
    for how, cost in ((f"batches of {batch}", together), ("one run a file", one_by_one)):
        spent = [1000 * seconds / cost.files for seconds in (cost.sensor, cost.condensing)]
        told = " | ".join(f"{milliseconds:.1f}" for milliseconds in (*spent, sum(spent)))
        rate = _CORES * 60 / cost.of_a_file
        click.echo(f"| {how} | {cost.files} | {cost.runs} | {told} | {rate:,.0f} |")
    click.echo(f"\nBatches took {together.seconds:.0f} s. The goal is {GOAL:,} files a minute.")


def _environment(azurite: AzuriteServer, folder: Path) -> dict[str, str]:
    home = folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    return {
        "AZMDR_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "AZMDR_LAKE": str(folder / "lake"),
        "AZMDR_CAPTURE_CONTAINER": f"{azurite.blob_endpoint}/{_NAME}",
        "AZMDR_CAPTURE_QUEUE": f"{azurite.queue_endpoint}/{_NAME}",
        "AZMDR_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
        "AZMDR_LINGER": "0",
        "DAGSTER_HOME": str(home),
    }


def _arrivals(storage: CaptureStorage, paths: Sequence[Path]) -> Iterator[None]:
    """Uploads and announces the next file each time it is asked."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number, path in enumerate(paths):
        window = today + timedelta(seconds=number)
        name = f"{window:%Y/%m/%d/%H}/azure-log-ingest-westeurope-01/contoso/0/{window:%M/%S}.avro"
        content = path.read_bytes()
        storage.upload(name, content)
        storage.announce(announcement_of(name, len(content), window))
        yield


def _measured(arrivals: Iterator[None], batches: Sequence[int]) -> Cost:
    import dagster as dg

    from azmdr_dagster.resources import Deployment
    from sensors.capture_files import capture_files_sensor

    sensor = condensing = seconds = 0.0
    runs = 0
    with dg.DagsterInstance.get() as instance:
        for size in batches:
            for _ in range(size):
                next(arrivals)
            begun, before = time.monotonic(), _spent(RUSAGE_SELF)
            with dg.build_sensor_context(instance, resources={"deployment": Deployment()}) as context:
                asked = capture_files_sensor(context)
            sensor += _spent(RUSAGE_SELF) - before
            if not isinstance(asked, dg.SensorResult):
                raise TypeError(f"the sensor asked for no run: {asked}")
            before = _spent(RUSAGE_CHILDREN)
            for request in asked.run_requests or ():
                _run_by_itself(request.partition_key, request.run_config, request.tags)
                runs += 1
            condensing += _spent(RUSAGE_CHILDREN) - before
            seconds += time.monotonic() - begun
    return Cost(sum(batches), runs, sensor, condensing, seconds)


def _spent(whose: int) -> float:
    used = getrusage(whose)
    return used.ru_utime + used.ru_stime


def _run_by_itself(partition: str | None, config: Any, tags: Any) -> None:
    asked = json.dumps({"partition": str(partition), "config": config, "tags": dict(tags)})
    command = [sys.executable, "-m", "bench.whole_path", "run", asked]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@main.command()
@click.argument("asked")
def run(asked: str) -> None:
    """One run, as its process does it."""
    import dagster as dg

    from azmdr_dagster.definitions import definitions

    request = json.loads(asked)
    with dg.DagsterInstance.get() as instance:
        done = definitions.resolve_job_def("condense_capture_files").execute_in_process(
            run_config=request["config"],
            instance=instance,
            partition_key=request["partition"],
            tags=request["tags"],
        )
    if not done.success:
        raise click.ClickException("the run failed")


if __name__ == "__main__":
    main()
