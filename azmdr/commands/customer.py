"""``azmdr customer``: the registry of customers."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import yaml
from rich.console import Console
from rich.table import Table

from azmdr.commands.opened import new_owner, opened_store, telling_errors
from azmdr.commands.shown import show_actions
from azmdr.config import Settings
from azmdr.inventory.customers import Customer, CustomerError
from azmdr.reconcile.verdict import Standing
from azmdr.steps.offboarding import Leaving, Stage, begin_leaving, go_on_leaving, why_left
from azmdr.store.customers import add_customer, all_customers, customer_named, replace_customer
from azmdr.store.database import Store
from azmdr.store.scratch import scratch_copy

_POLL_SECONDS: Final = 30.0

_OPTIONS: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option(
        "--entra-workspace",
        "entra_workspace_id",
        metavar="ID",
        help="Resource id of the Log Analytics workspace that takes the tenant's Entra ID logs.",
    ),
    click.option(
        "--rules",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A YAML file with the customer's own rules; see docs/category-policy.md.",
    ),
    click.option("--dry-run/--no-dry-run", default=None, help="Plan only; write nothing to its Azure."),
)


def _customer_options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def customer() -> None:
    """Add, list, change and remove customers."""


@customer.command()
@click.argument("name")
@click.option("--tenant", "tenant_id", required=True, metavar="GUID", help="Its Entra ID tenant.")
@click.option(
    "--home-region", required=True, help="Where the logs go of what is in no region: eastus, West Europe."
)
@_customer_options
@telling_errors
def add(name: str, **fields: Any) -> None:
    """Add a customer."""
    added = Customer.of(name=name, **_given(fields))
    with opened_store(Settings.load()) as store, store.write() as connection:
        add_customer(connection, added, datetime.now(UTC))
    click.echo(f"customer {added.name} added; its event hubs are to be named {added.name}")


@customer.command(name="set")
@click.argument("name")
@click.option("--tenant", "tenant_id", metavar="GUID", help="Its Entra ID tenant.")
@click.option("--home-region", help="Where the logs go of what is in no region.")
@click.option("--no-entra-workspace", is_flag=True, help="It has none any more.")
@_customer_options
@telling_errors
def set_(name: str, *, no_entra_workspace: bool, **fields: Any) -> None:
    """Change a customer; what is not named stays as it is."""
    with opened_store(Settings.load()) as store, store.write() as connection:
        before = customer_named(connection, name)
        after = before.model_dump() | _given(fields)
        if no_entra_workspace:
            after["entra_workspace_id"] = None
        changed = Customer.of(**after)
        replace_customer(connection, changed)
    click.echo(f"customer {changed.name} changed")


@customer.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@telling_errors
def list_(*, as_json: bool) -> None:
    """List the customers."""
    with opened_store(Settings.load()) as store, store.read() as connection:
        known = all_customers(connection)
    if as_json:
        click.echo(json.dumps([json.loads(one.model_dump_json()) for one in known]))
        return
    table = Table("customer", "tenant", "home region", "state", "dry run", "Entra ID workspace")
    for one in known:
        workspace = (one.entra_workspace_id or "").rpartition("/")[2]
        dry = "yes" if one.dry_run else ""
        table.add_row(one.name, one.tenant_id, one.home_region, one.state, dry, workspace)
    Console().print(table)


@customer.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do it. Without, only what would be removed is shown.")
@click.option("--no-wait", is_flag=True, help="Remove, and don't wait until nothing arrives any more.")
@telling_errors
def remove(name: str, *, yes: bool, no_wait: bool) -> None:
    """Let a customer go: remove what is ours, watch until nothing arrives, then say so.

    Can be interrupted at any time; called again, it goes on where it was.
    """
    settings = Settings.load()
    with opened_store(settings) as store:
        if not yes:
            _show_removal(settings, store, name)
            return
        begun = begin_leaving(store, name, datetime.now(UTC))
        leaving = _go_on(settings, store, begun.name)
        while _is_worth_waiting_for(leaving) and not no_wait:
            removing = leaving.stage is Stage.REMOVING
            time.sleep(settings.visible_after if removing else min(_POLL_SECONDS, settings.silence))
            leaving = _go_on(settings, store, begun.name)
    if leaving.stage is Stage.REMOVING:
        raise SystemExit(1)


def _is_worth_waiting_for(leaving: Leaving) -> bool:
    """Whether time alone takes it further; of what is blocked, somebody else has to take care."""
    standings = {target.verdict.standing for target in leaving.left}
    return leaving.stage is not Stage.GONE and not standings & {Standing.BLOCKED}


def _show_removal(settings: Settings, store: Store, name: str) -> None:
    from azmdr.steps.open import open_control_plane

    with store.read() as connection:
        known = customer_named(connection, name)
    with scratch_copy(store, [known.name]) as scratch:
        begin_leaving(scratch, known.name, datetime.now(UTC))
        plane = open_control_plane(settings, scratch, new_owner(), plan_only=True)
        leaving, reports = go_on_leaving(plane, known.name, settings.silence_time)
    show_actions(Console(), known.name, reports)
    if leaving.stage is not Stage.REMOVING:
        click.echo(_told(known.name, leaving))
    click.echo("Nothing has been done; --yes does it.")


def _go_on(settings: Settings, store: Store, name: str) -> Leaving:
    from azmdr.steps.open import open_control_plane

    plane = open_control_plane(settings, store, new_owner())
    try:
        leaving, reports = go_on_leaving(plane, name, settings.silence_time)
    finally:
        plane.arm.close()
    if any(report.actions for each in reports.values() for report in each.customers.values()):
        show_actions(Console(), name, reports)
    click.echo(_told(name, leaving))
    return leaving


def _told(name: str, leaving: Leaving) -> str:
    match leaving.stage:
        case Stage.REMOVING:
            why = ", ".join(f"{number} {reason}" for reason, number in sorted(why_left(leaving).items()))
            return (
                f"customer {name}: of {len(leaving.left)} targets it is not sure yet that nothing of ours is"
                f" left ({why})."
            )
        case Stage.WATCHING:
            since, until = f"{leaving.quiet_since:%Y-%m-%d %H:%M}", f"{leaving.gone_at:%Y-%m-%d %H:%M}"
            return (
                f"customer {name}: nothing of ours is left; quiet since {since} UTC, gone at {until} UTC"
                " if nothing arrives until then."
            )
        case Stage.GONE:
            return f"customer {name}: gone. Nothing arrives any more; the delegation can be given back."


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields somebody named, the rules read from their file."""
    given = {name: value for name, value in fields.items() if value is not None}
    if "rules" in given:
        try:
            given["rules"] = yaml.safe_load(given["rules"].read_text()) or {}
        except yaml.YAMLError as error:
            raise CustomerError(f"rules: {fields['rules']} is no YAML: {error}") from error
    return given
