"""``azmdr``, the command: thin. It reads what was asked, calls the domain, and shows what came of it."""

import json
import logging
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as ShownTable

from azmdr.commands.customer import customer
from azmdr.commands.onboarding import onboarding
from azmdr.commands.reconcile import apply, coverage, estimate, plan
from azmdr.commands.terraform import terraform
from azmdr.config import ConfigurationError, Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="azmdr")
def main() -> None:
    """The open control plane for managed detection and response on Microsoft Azure."""
    # Without a handler its warnings go to the terminal, beside the line in which we tell the same.
    logging.getLogger("azure").addHandler(logging.NullHandler())


@main.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--out", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="The lake."
)
@click.option(
    "--customer", default="local", show_default=True, help="Owner of files whose path names no event hub."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def condense(files: tuple[Path, ...], out: Path, customer: str, *, as_json: bool) -> None:
    """Condense capture files into a lake, without Dagster.

    All files are taken together: the records of one operation may stand in any of them.
    """
    from azmdr.condense.local import LocalCondensing
    from azmdr.lake.layout import CustomerNameError
    from azmdr.lake.storage import DirectoryLake

    begun = time.monotonic()
    try:
        condensing = LocalCondensing(
            DirectoryLake(out), customer=customer, max_body_bytes=_settings().max_body_bytes
        )
        with _progress() as progress:
            task = progress.add_task("condensing", total=sum(file.stat().st_size for file in files))
            result = condensing.condense(files, partial(progress.advance, task))
    except (OSError, CustomerNameError) as error:
        raise click.ClickException(str(error)) from error
    counts = result.counts
    shown = {
        "files": counts.files,
        "events": counts.events,
        "records": counts.records,
        "operations": result.operations,
        "merged": counts.merged,
        "passed_through": counts.passed_through,
        "duplicates": counts.duplicates,
        "quarantined": counts.quarantined,
        "bytes": counts.bytes,
        "seconds": round(time.monotonic() - begun, 3),
    }
    if as_json:
        click.echo(json.dumps({**shown, "quarantine_reasons": dict(sorted(result.reasons.items()))}))
    else:
        _show(shown, result.reasons, out)


@main.command()
@click.option("--once", is_flag=True, help="Play the scenario to its end, check what came out, and stop.")
@click.option(
    "--folder",
    default=".azmdr",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where it keeps all it writes.",
)
@click.option(
    "--port", default=3000, show_default=True, help="Of the Dagster UI; the next free one when taken."
)
@click.option("--seed", default=7, show_default=True, help="Of the scenario.")
@click.option(
    "--size", default=1.0, show_default=True, help="Of the scenario; 1 is several hundred operations."
)
def demo(*, once: bool, folder: Path, port: int, seed: int, size: float) -> None:
    """Run the whole product against the local Azure of the lab: Azurite, capture files, Dagster."""
    from azmdr.demo.plan import DemoPlan
    from azmdr.demo.processes import DemoError
    from azmdr.demo.run import run_demo

    try:
        verdict = run_demo(DemoPlan(once=once, folder=folder, port=port, seed=seed, size=size), Console())
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    if not verdict:
        raise SystemExit(1)


for _command in (customer, onboarding, plan, apply, coverage, estimate, terraform):
    main.add_command(_command)


def _settings() -> Settings:
    try:
        return Settings.load()
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _show(counts: Mapping[str, int | float], reasons: Mapping[str, int], out: Path) -> None:
    table = ShownTable(show_header=False)
    for name, value in counts.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    console = Console()
    console.print(table)
    console.print(f"The tables are in {out}.", soft_wrap=True, highlight=False)
    for reason, pieces in sorted(reasons.items()):
        what = f"{pieces:,} quarantined as {reason}; see table=quarantined_records"
        console.print(what, soft_wrap=True, highlight=False)
