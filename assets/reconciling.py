"""What the reconciling assets share: whom a run works on, and how its report becomes metadata and checks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.reconcile.verdict import Standing
from azmdr.steps.control_plane import CustomerReport, Ending, StepReport
from azmdr.store.customers import all_customers
from azmdr.store.inventory import SUBSCRIPTIONS, Listing, listings
from azmdr.store.problems import note_problems, problems
from azmdr_dagster.resources import Deployment

ROWS_SHOWN: Final = 50
"""Rows of a table in metadata."""
RECONCILED: Final = "customers_reconciled"
COMPLETE: Final = "inventory_complete"

TEAM: Final = ["team:cloud-operations"]
ONE_RUN: Final = dg.BackfillPolicy.single_run()
"""A run takes any range of customers in one call of the step."""


def reconciled_spec(asset: str) -> dg.AssetCheckSpec:
    """The check that tells for whom a step failed."""
    return dg.AssetCheckSpec(
        RECONCILED,
        asset=asset,
        description=(
            "Names every customer for whom this step failed the last time, with the reason. The others were"
            " served all the same: one customer's trouble never fails a run."
        ),
    )


def complete_spec(asset: str) -> dg.AssetCheckSpec:
    """The check that tells which listings broke off."""
    return dg.AssetCheckSpec(
        COMPLETE,
        asset=asset,
        description=(
            "Every listing came to its end, and lately. One that broke off adds what it saw and removes"
            " nothing, so what is missing from it may still be shown."
        ),
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom a run works on."""

    customers: Sequence[Customer]
    left_out: Mapping[str, str]
    """Partitions nothing is done for, and why."""

    @property
    def looked_at(self) -> list[str]:
        """The names of all of them."""
        return [*(one.name for one in self.customers), *self.left_out]


def chosen_customers(context: dg.AssetExecutionContext, deployment: Deployment) -> Chosen:
    """The customers of the run's partitions, without those that are gone, or none of ours."""
    with deployment.store.read() as connection:
        known = {one.name: one for one in all_customers(connection)}
    keys = context.partition_keys
    at_work = [known[key] for key in keys if key in known and known[key].state is not CustomerState.GONE]
    working = {one.name for one in at_work}
    left_out = {key: "is gone" if key in known else "is no customer" for key in keys if key not in working}
    return Chosen(at_work, left_out)


def conclude(
    context: dg.AssetExecutionContext,
    deployment: Deployment,
    chosen: Chosen,
    report: StepReport,
    *more: dg.AssetCheckResult,
) -> dg.MaterializeResult[None]:
    """Tell in metadata what became of each customer, and in the check for whom it failed."""
    run = _of_the_run(report)
    for one in chosen.customers:
        told = report.customers.get(one.name, CustomerReport())
        if told.ending in (Ending.FAILED, Ending.LEASED):
            context.log.warning("%s: %s", one.name, told.problem or told.ending)
        context.add_asset_metadata(_of_a_customer(one, told) | run, partition_key=one.name)
    for name, why in chosen.left_out.items():
        context.add_asset_metadata({"ending": f"nothing done: {why}"}, partition_key=name)
    leased = [name for name, told in report.customers.items() if told.ending is Ending.LEASED]
    looked_at = [name for name in chosen.looked_at if name not in leased]
    check = standing_check(
        deployment,
        check_key(context, RECONCILED),
        looked_at,
        report.failed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"skipped: leased": ", ".join(leased) or "none"},
    )
    return dg.MaterializeResult(check_results=[check, *more])


def check_key(context: dg.AssetExecutionContext, name: str) -> dg.AssetCheckKey:
    """The key of a check on the asset at work."""
    return dg.AssetCheckKey(context.asset_key, name)


def standing_check(
    deployment: Deployment,
    key: dg.AssetCheckKey,
    looked_at: Iterable[str],
    found: Mapping[str, str],
    *,
    severity: dg.AssetCheckSeverity,
    metadata: Mapping[str, Any] | None = None,
) -> dg.AssetCheckResult:
    """A check of all customers, of whom a run looks at some: what was found of the others stands.

    Args:
        deployment: has the store that remembers.
        key: of the check.
        looked_at: the customers this run looked at.
        found: what is wrong with some of them.
        severity: when something is wrong with anybody.
        metadata: more to be shown.
    """
    name = f"{key.asset_key.to_user_string()}: {key.name}"
    with deployment.store.write() as connection:
        note_problems(connection, name, looked_at, found, datetime.now(UTC))
        standing = problems(connection, name)
    rows = [(one.customer, one.what, f"{one.since:%Y-%m-%d %H:%M} UTC") for one in standing]
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not standing,
        severity=severity,
        description="; ".join(f"{one.customer}: {one.what}" for one in standing[:3]) or None,
        metadata={
            "customers in trouble": len(standing),
            "trouble": table(("customer", "what", "since"), rows),
            **(metadata or {}),
        },
    )


def listings_check(
    context: dg.AssetExecutionContext, deployment: Deployment, chosen: Chosen
) -> dg.AssetCheckResult:
    """Whether the asset's listings of the run's customers came to their end, and lately."""
    oldest = datetime.now(UTC) - deployment.settings.stale_time
    unsound = {
        one.name: "; ".join(_unsound(_listings_behind(context, deployment, one.name), oldest)[:10])
        for one in chosen.customers
    }
    return standing_check(
        deployment,
        check_key(context, COMPLETE),
        chosen.looked_at,
        {name: told for name, told in unsound.items() if told},
        severity=dg.AssetCheckSeverity.WARN,
    )


def _listings_behind(
    context: dg.AssetExecutionContext, deployment: Deployment, customer: str
) -> list[Listing]:
    is_of_subscriptions = context.asset_key.to_user_string() == SUBSCRIPTIONS
    with deployment.store.read() as connection:
        known = listings(connection, customer)
    return [one for one in known if (one.scope == SUBSCRIPTIONS) == is_of_subscriptions]


def _unsound(known: Iterable[Listing], oldest: datetime) -> list[str]:
    broken = {one.scope: f"{one.scope} broke off: {one.problem}" for one in known if one.problem}
    stale = {
        one.scope: f"{one.scope} was last complete {one.complete_at:%Y-%m-%d %H:%M} UTC"
        for one in known
        if one.complete_at and one.complete_at < oldest
    }
    return list((stale | broken).values())


def _of_a_customer(customer: Customer, told: CustomerReport) -> dict[str, Any]:
    standings: Counter[Standing] = Counter()
    for reason, number in told.verdicts.items():
        standings[reason.standing] += number
    actions = [(one.target, one.action, one.verdict.reason, one.verdict.detail) for one in told.told]
    return {
        "ending": told.ending.value,
        "dry run": customer.dry_run,
        **({"problem": told.problem} if told.problem else {}),
        **dict(told.counts),
        **{f"standing: {standing}": number for standing, number in sorted(standings.items())},
        **{f"verdict: {reason}": number for reason, number in sorted(told.verdicts.items())},
        **{f"action: {verb}": number for verb, number in sorted(told.actions.items())},
        "plan" if customer.dry_run else "actions": table(("target", "action", "reason", "detail"), actions),
    }


def _of_the_run(report: StepReport) -> dict[str, Any]:
    """Calls are made for all customers of a run together; they are told of each."""
    tally = report.tally
    return {
        **{f"calls of the run: {kind}": number for kind, number in sorted(tally.calls.items())},
        "calls of the run: throttled": tally.throttled,
        "calls of the run: repeated": tally.repeated,
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.TableMetadataValue:
    """A table of text, as many rows of it as are shown."""
    shown = [tuple(str(value) for value in row) for row in rows][:ROWS_SHOWN]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(zip(columns, row, strict=True))) for row in shown],
        schema=dg.TableSchema([dg.TableColumn(column, "string") for column in columns]),
    )
