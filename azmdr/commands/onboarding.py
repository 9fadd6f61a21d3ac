"""``azmdr onboarding``: the package for a customer's administrator, and whether it has done its work."""

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from azmdr.commands.opened import new_owner, opened_store, telling_errors
from azmdr.config import Settings
from azmdr.inventory.customers import Customer, CustomerError
from azmdr.onboarding.files import README, templates, write
from azmdr.onboarding.offer import Offer
from azmdr.onboarding.package import (
    ManagementGroupScope,
    Package,
    Scope,
    SubscriptionScope,
    package_of,
    workspace_id,
)
from azmdr.onboarding.verify import Asked, Finding, Mark, is_green
from azmdr.onboarding.verify import verify as verified
from azmdr.store.customers import customer_named
from azmdr.store.database import Store

_STYLES: Final = {Mark.GOOD: "green", Mark.BAD: "red", Mark.UNKNOWN: "yellow", Mark.NOT_ASKED: "dim"}
_named = click.option("--customer", "name", required=True, metavar="NAME", help="Whom.")


@click.group(invoke_without_command=True)
@click.option("--customer", "name", metavar="NAME", help="Whom to write the package for.")
@click.option("--management-group", metavar="NAME", help="Delegate all below it, kept true by policy.")
@click.option("--subscription", metavar="ID", help="Delegate only this one, without policy.")
@click.option(
    "--entra-subscription", metavar="ID", help="Where the workspace for Entra ID's logs is to stand."
)
@click.option(
    "--automation-resource-group",
    metavar="NAME",
    help="Add the policy that makes this group in each subscription.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to; by default onboarding-NAME.",
)
@click.pass_context
@telling_errors
def onboarding(context: click.Context, /, name: str | None, out: Path | None, **fields: str | None) -> None:
    """Write the package a customer's administrator deploys, and print the one command for it."""
    if context.invoked_subcommand is not None:
        if name is not None or out is not None or any(fields.values()):
            raise click.UsageError("options go behind the subcommand")
        return
    if name is None:
        raise click.UsageError("Missing option '--customer'.")
    settings, scope = Settings.load(), _scope(fields)
    with opened_store(settings) as store:
        customer = _customer(store, name)
    package = _package(customer, Offer.from_settings(settings), scope)
    folder = out or Path(f"onboarding-{customer.name}")
    write(package, folder)
    click.echo(
        f"The package is in {folder}; README.md in it is for the customer's administrator, who uploads the"
    )
    click.echo("folder to Azure Cloud Shell (Bash), changes into it, and pastes:\n")
    click.echo(f"    {package.command}\n")
    click.echo(f"Afterwards: azmdr onboarding verify --customer {customer.name}")
    workspace = workspace_id(scope)
    if workspace is not None and customer.entra_workspace_id != workspace:
        click.echo(
            f"and before it: azmdr customer set {customer.name} --entra-workspace {shlex.quote(workspace)}"
        )


def _scope(fields: dict[str, str | None]) -> Scope:
    group, subscription = fields["management_group"], fields["subscription"]
    entra, automation = fields["entra_subscription"], fields["automation_resource_group"]
    if (group is None) == (subscription is None):
        raise click.UsageError("Say either --management-group or --subscription.")
    if group is not None:
        return ManagementGroupScope(group, entra, automation)
    if automation is not None:
        raise click.UsageError("--automation-resource-group is a policy's, and goes with --management-group.")
    if entra is not None and entra != subscription:
        raise click.UsageError("--entra-subscription has to be the one that is delegated.")
    return SubscriptionScope(str(subscription), entra is not None)


def _package(customer: Customer, offer: Offer, scope: Scope) -> Package:
    files = templates()
    readme = files.pop(README)
    return package_of(customer, offer, scope, files, readme)


def _customer(store: Store, name: str) -> Customer:
    with store.read() as connection:
        return customer_named(connection, name)


@onboarding.command()
@_named
@click.option(
    "--subscription", "expected", multiple=True, metavar="ID", help="One that has to be there; repeatable."
)
@click.option("--without-policy", is_flag=True, help="The customer chose single subscriptions.")
@click.option(
    "--entra-setting",
    type=click.File(encoding="utf-8-sig"),
    help="What the customer's administrator showed of the Entra ID setting.",
)
@click.option("--strict", is_flag=True, help="Fail on what is unknown, too.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@telling_errors
def verify(
    name: str,
    expected: tuple[str, ...],
    *,
    without_policy: bool,
    entra_setting: Any,
    strict: bool,
    as_json: bool,
) -> None:
    """Verify that all that onboarding sets up is there; say what to do about what is not."""
    from azmdr.onboarding.reading import observe
    from azmdr.steps.open import open_control_plane

    settings = Settings.load()
    offer = Offer.from_settings(settings)
    asked = Asked(not without_policy, entra_setting.read() if entra_setting else None)
    with opened_store(settings) as store:
        customer = _customer(store, name)
        plane = open_control_plane(settings, store, new_owner(), plan_only=True)
        findings = verified(customer, offer, observe(plane, customer, expected), asked)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings]))
    else:
        _show(customer.name, findings)
    if not is_green(findings, strictly=strict):
        raise SystemExit(1)


@onboarding.command(name="give-back")
@_named
@click.option("--yes", is_flag=True, required=True, help="Do it: our access to this customer ends.")
@telling_errors
def give_back_(name: str, *, yes: bool) -> None:
    """Give back the delegations of a customer that is gone, with the role that lets us."""
    from azmdr.onboarding.reading import give_back
    from azmdr.steps.open import open_control_plane

    del yes
    settings = Settings.load()
    with opened_store(settings) as store:
        customer = _customer(store, name)
        plane = open_control_plane(settings, store, new_owner())
        given = give_back(plane, customer, Offer.from_settings(settings).provider_tenant_id)
    for delegation, problem in given:
        click.echo(f"{delegation.scope}: {problem or 'given back'}")
    if not given:
        raise CustomerError(f"customer {customer.name}: no delegation of it is seen")
    if any(problem for _, problem in given):
        raise SystemExit(1)


def _show(customer: str, findings: Sequence[Finding]) -> None:
    console = Console()
    for each in findings:
        console.print(f"{each.mark:<9}", style=_STYLES[each.mark], end=" ", highlight=False)
        told = f"{each.check}: {each.where}: {each.what}"
        console.print(told, highlight=False, soft_wrap=True, markup=False)
        if each.remedy:
            console.print(f"          -> {each.remedy}", highlight=False, soft_wrap=True, markup=False)
    counted = Counter(each.mark for each in findings)
    console.print(f"{customer}: " + ", ".join(f"{counted[mark]} {mark}" for mark in Mark), highlight=False)
