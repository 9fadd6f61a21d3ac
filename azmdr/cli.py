"""``azmdr``, the command: thin. It reads what was asked, calls the domain, and shows what came of it."""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from azmdr.commands.settings import max_body_bytes

_ELSEWHERE: Final = {
    "customer": "azmdr.commands.customer",
    "onboarding": "azmdr.commands.onboarding",
    "plan": "azmdr.commands.reconcile",
    "apply": "azmdr.commands.reconcile",
    "coverage": "azmdr.commands.reconcile",
    "estimate": "azmdr.commands.reconcile",
    "rebuild": "azmdr.commands.rebuild",
    "terraform": "azmdr.commands.terraform",
}
"""Where the other subcommands are. Loading them takes longer than condensing a file does."""


class _Commands(click.Group):
    """Loads a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            command = getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
            return command if isinstance(command, click.Command) else None
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "ndjson"]),
    default="parquet",
    show_default=True,
    help="Tables of a lake, or lines of JSON in one zstd file for each customer.",
)
@click.option("--each", is_flag=True, help="With ndjson: every file by itself, with an output of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def condense(
    files: tuple[Path, ...], out: Path, customer: str, form: str, *, each: bool, as_json: bool
) -> None:
    """Condense capture files into a lake, without Dagster.

    All files are taken together: the records of one operation may stand in any of them.
    """
    from azmdr.lake.layout import CustomerNameError

    if each and form != "ndjson":
        raise click.UsageError("--each needs --format ndjson: in a lake, files come together anyway")
    begun = time.monotonic()
    try:
        with _progress(sum(file.stat().st_size for file in files)) as progress:
            if form == "ndjson":
                from azmdr.condense.export import export

                bound = max_body_bytes()
                result = export(files, out, progress, customer=customer, max_body_bytes=bound, each=each)
            else:
                from azmdr.condense.local import LocalCondensing
                from azmdr.lake.storage import DirectoryLake

                lake = DirectoryLake(out)
                condensing = LocalCondensing(lake, customer=customer, max_body_bytes=max_body_bytes())
                result = condensing.condense(files, progress)
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
    from rich.console import Console

    from azmdr.demo.plan import DemoPlan
    from azmdr.demo.processes import DemoError
    from azmdr.demo.run import run_demo

    try:
        verdict = run_demo(DemoPlan(once=once, folder=folder, port=port, seed=seed, size=size), Console())
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    if not verdict:
        raise SystemExit(1)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield partial(progress.advance, progress.add_task("condensing", total=total))


def _show(counts: Mapping[str, int | float], reasons: Mapping[str, int], out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False)
    for name, value in counts.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    console = Console()
    console.print(table)
    console.print(f"The result is in {out}.", soft_wrap=True, highlight=False)
    for reason, pieces in sorted(reasons.items()):
        what = f"{pieces:,} quarantined as {reason}; see table=quarantined_records"
        console.print(what, soft_wrap=True, highlight=False)
