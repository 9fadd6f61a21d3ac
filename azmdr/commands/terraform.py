"""``azmdr terraform``: the generated Terraform, and the removals of event hubs the destroy guard refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from azmdr.commands.opened import opened_store, telling_errors
from azmdr.config import Settings
from azmdr.store.placements import RefusedRemoval, approve_removal, refused_removals

_SHOWN = timedelta(days=30)


@click.group()
def terraform() -> None:
    """Show the event hubs as Terraform, and approve removals the guard refused."""


@terraform.command()
@telling_errors
def show() -> None:
    """Print the file that azmdr commits, as it would be now; nothing is written down."""
    from terraform_gen.event_hub_mapping import MappingSettings, planned_text

    settings = Settings.load()
    with opened_store(settings) as store:
        click.echo(planned_text(store, MappingSettings.of(settings), datetime.now(UTC)), nl=False)


@terraform.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@telling_errors
def starter(folder: Path) -> None:
    """Write into FOLDER what an infrastructure repository begins with; files that are there stay."""
    from terraform_gen.event_hub_mapping import MappingSettings
    from terraform_gen.repository_files import lay_out

    new = lay_out(folder, MappingSettings.of(Settings.load()).ingest)
    click.echo(f"{folder}: {len(new)} files written")


@terraform.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@telling_errors
def refused(*, as_json: bool) -> None:
    """List the removals that were refused and not made since."""
    with opened_store(Settings.load()) as store, store.read() as connection:
        found = refused_removals(connection, datetime.now(UTC) - _SHOWN)
    if as_json:
        click.echo(json.dumps([_told(each) for each in found]))
        return
    if not found:
        click.echo("No removal of an event hub was refused.")
    for each in found:
        table = Table("event hub", "why it was not removed", title=_title(each), title_justify="left")
        for hub, reasons in each.hubs.items():
            table.add_row(hub, "; ".join(reasons))
        Console().print(table)


@terraform.command()
@click.argument("digest")
@telling_errors
def approve(digest: str) -> None:
    """Let one refused removal through, once: the one with this DIGEST."""
    settings = Settings.load()
    now = datetime.now(UTC)
    with opened_store(settings) as store, store.write() as connection:
        approved = approve_removal(connection, digest, now)
    until = now + timedelta(seconds=settings.approval_seconds)
    click.echo(
        f"{approved.digest}: approved until {until:%Y-%m-%d %H:%M} UTC; the next commit removes"
        f" {len(approved.hubs)} event hubs and all that is in them:"
    )
    for hub in approved.hubs:
        click.echo(f"  {hub}")


def _title(removal: RefusedRemoval) -> str:
    approved = f", approved {removal.approved_at:%Y-%m-%d %H:%M}" if removal.approved_at else ""
    return f"{removal.digest}, refused {removal.refused_at:%Y-%m-%d %H:%M} UTC{approved}"


def _told(removal: RefusedRemoval) -> dict[str, object]:
    return {
        "digest": removal.digest,
        "hubs": dict(removal.hubs),
        "refused_at": removal.refused_at.isoformat(),
        "approved_at": removal.approved_at.isoformat() if removal.approved_at else None,
    }
