"""``azmdr plan``, ``apply``, ``coverage`` and ``estimate``: the reconciling steps without Dagster."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from rich.console import Console

from azmdr.clock import SystemClock
from azmdr.commands.opened import chosen_customers, new_owner, opened_store, telling_errors
from azmdr.commands.shown import console, show_actions, show_coverage, show_estimate
from azmdr.config import Settings
from azmdr.inventory.customers import Customer, CustomerError
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.coverage import Coverage
from azmdr.reconcile.estimate import estimate as estimated
from azmdr.reconcile.estimate import unread
from azmdr.reconcile.verdict import Reason
from azmdr.steps.control_plane import StepReport
from azmdr.steps.coverage import cover
from azmdr.store.customers import customer_named
from azmdr.store.database import Store
from azmdr.store.log_catalogues import catalogues_of
from azmdr.store.scratch import scratch_copy
from azmdr.store.targets import JudgedTarget, judged_targets, resource_targets

_chosen = click.option(
    "--customer", "names", multiple=True, metavar="NAME", help="Only this one; may be given several times."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@_chosen
@_as_json
@telling_errors
def plan(names: tuple[str, ...], *, as_json: bool) -> None:
    """Show every action that would be taken and every verdict, changing nothing."""
    settings = Settings.load()
    with opened_store(settings) as store:
        customers = chosen_customers(store, names)
        with scratch_copy(store, [one.name for one in customers]) as scratch:
            reports = _reconcile(settings, scratch, customers, plan_only=True)
            _show(scratch, customers, reports, as_json=as_json)
    _exit_by(reports)


@click.command()
@_chosen
@_as_json
@telling_errors
def apply(names: tuple[str, ...], *, as_json: bool) -> None:
    """Bring customers' settings to what they should be."""
    settings = Settings.load()
    with opened_store(settings) as store:
        customers = chosen_customers(store, names)
        reports = _reconcile(settings, store, customers, plan_only=False)
        _show(store, customers, reports, as_json=as_json)
    _exit_by(reports)


@click.command()
@_chosen
@_as_json
@telling_errors
def coverage(names: tuple[str, ...], *, as_json: bool) -> None:
    """Show where every target of the customers stands, by the last verdicts."""
    settings = Settings.load()
    with opened_store(settings) as store:
        covered = [
            cover(store, one.name, SystemClock(), settings.stale_time)
            for one in chosen_customers(store, names)
        ]
    if as_json:
        click.echo(json.dumps({one.customer: _coverage_told(one) for one in covered}))
    else:
        show_coverage(console(), covered)


@click.command()
@click.option("--customer", "name", required=True, metavar="NAME", help="Whose resources.")
@_as_json
@telling_errors
def estimate(name: str, *, as_json: bool) -> None:
    """Show which log categories Azure would charge for exporting, before they are switched on."""
    settings = Settings.load()
    policy = CategoryPolicy.load(settings.category_policy)
    since = SystemClock().now() - timedelta(days=settings.catalogue_days)
    with opened_store(settings) as store, store.read() as connection:
        customer = customer_named(connection, name)
        counted = Counter(
            (facts.type, facts.variant)
            for facts in resource_targets(connection, customer.name)
            if customer.rules.exclusion(ResourceId.parse(facts.id), facts.tags) is None
        )
        catalogues = catalogues_of(connection, customer.name, since)
    rows = estimated(policy, customer.rules, counted, catalogues)
    silent = unread(policy, customer.rules, counted, catalogues)
    if not rows and not silent:
        raise CustomerError(
            f"customer {customer.name}: no resources are known yet; `azmdr plan` shows what is there,"
            " `azmdr apply` or a scheduled run writes it down"
        )
    if as_json:
        told = [{"type": kind, "kind": variant, "resources": n} for (kind, variant), n in silent.items()]
        click.echo(json.dumps({"categories": [asdict(row) for row in rows], "not_read_yet": told}))
    else:
        show_estimate(console(), customer.name, rows, silent)


def _reconcile(
    settings: Settings, store: Store, customers: Sequence[Customer], *, plan_only: bool
) -> dict[str, StepReport]:
    # The clients of Azure take a moment to load, which `azmdr --help` need not wait for.
    from azmdr.steps.open import open_control_plane
    from azmdr.steps.rounds import reconcile_all

    plane = open_control_plane(settings, store, new_owner(), plan_only=plan_only)
    with Console(stderr=True).status(f"asking Azure about {len(customers)} customers"):
        return reconcile_all(plane, customers)


def _show(
    store: Store, customers: Sequence[Customer], reports: Mapping[str, StepReport], *, as_json: bool
) -> None:
    if not as_json:
        for one in customers:
            show_actions(console(), one.name, reports)
        return
    told = {}
    for one in customers:
        with store.read() as connection:
            targets = [_target_told(target) for target in judged_targets(connection, one.name)]
        steps = {
            step: report.customers[one.name]
            for step, report in reports.items()
            if one.name in report.customers
        }
        told[one.name] = {
            "steps": {
                step: {"ending": report.ending, "problem": report.problem, "actions": dict(report.actions)}
                for step, report in steps.items()
            },
            "done": [
                {"target": each.target, "action": each.action, "reason": each.verdict.reason}
                for report in steps.values()
                for each in report.told
            ],
            "targets": targets,
        }
    click.echo(json.dumps(told))


def _target_told(target: JudgedTarget) -> dict[str, Any]:
    planned = target.verdict.detail if target.verdict.reason is Reason.PLANNED else None
    return {
        "kind": target.kind,
        "id": target.id,
        "standing": target.verdict.standing,
        "reason": target.verdict.reason,
        "detail": target.verdict.detail,
        "action": planned,
        "read_at": target.read_at.isoformat() if target.read_at else None,
    }


def _coverage_told(one: Coverage) -> dict[str, Any]:
    return {
        "share": one.share,
        "standings": dict(one.by_standing),
        "reasons": dict(one.by_reason),
        "inventory": {"subscriptions": one.inventory.subscriptions, "resources": one.inventory.resources},
        "uncounted": one.uncounted,
        "unsound_listings": {each.scope: each.problem for each in one.unsound_listings},
        "trouble": [_target_told(each) for each in one.trouble],
    }


def _exit_by(reports: Mapping[str, StepReport]) -> None:
    failed = {name for report in reports.values() for name in report.failed}
    if failed:
        raise SystemExit(1)
