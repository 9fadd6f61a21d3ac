"""``coverage``: where everything of a customer stands, and whether the counts add up."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from assets.reconciling import (
    ONE_RUN,
    TEAM,
    check_key,
    chosen_customers,
    standing_check,
    table,
)
from azmdr.clock import SystemClock
from azmdr.inventory.customers import Customer, CustomerState
from azmdr.reconcile.coverage import Coverage
from azmdr.reconcile.verdict import Standing
from azmdr.steps.coverage import cover
from azmdr.steps.offboarding import note_leaving
from azmdr_dagster.partitions import customers
from azmdr_dagster.resources import Deployment

ADDS_UP = "coverage_adds_up"
NOTHING_BLOCKED = "nothing_blocked"


@dg.asset(
    name="coverage",
    deps=[
        "event_hubs",
        "customers",
        "subscriptions",
        "monitored_resources",
        "subscription_diagnostic_settings",
        "resource_diagnostic_settings",
        "entra_data_exports",
    ],
    group_name="collection",
    kinds={"azure"},
    description=(
        "For every customer: how many subscriptions, resources and workspaces are covered, excluded,"
        " unsupported, blocked, pending or unknown, each with the reason, and the worst of them by name. Put"
        " together from the last verdicts; Azure is not asked."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            ADDS_UP,
            asset="coverage",
            description="Every subscription and every resource of the inventory has exactly one verdict.",
        ),
        dg.AssetCheckSpec(
            NOTHING_BLOCKED,
            asset="coverage",
            description=(
                "Nothing waits for a person: no limit, no missing permission, no foreign setting in the way."
            ),
        ),
    ],
    owners=TEAM,
    partitions_def=customers,
    backfill_policy=ONE_RUN,
)
def coverage(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """Put the verdicts together, and see how far those have come that leave."""
    chosen = chosen_customers(context, deployment)
    uncounted: dict[str, str] = {}
    blocked: dict[str, str] = {}
    for customer in chosen.customers:
        try:
            metadata, found = _looked_at(deployment, customer)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one customer's trouble is told, and is not the others'
            context.log.warning("%s: %r", customer.name, error)
            uncounted[customer.name] = repr(error)
            continue
        context.add_asset_metadata(metadata, partition_key=customer.name)
        if found.uncounted:
            uncounted[customer.name] = "; ".join(found.uncounted)
        if told := _blocked(found):
            blocked[customer.name] = told
    severities = dg.AssetCheckSeverity
    checks = [
        standing_check(deployment, check_key(context, name), chosen.looked_at, found_wrong, severity=severity)
        for name, found_wrong, severity in (
            (ADDS_UP, uncounted, severities.ERROR),
            (NOTHING_BLOCKED, blocked, severities.WARN),
        )
    ]
    yield dg.MaterializeResult(check_results=checks)


def _looked_at(deployment: Deployment, customer: Customer) -> tuple[dict[str, Any], Coverage]:
    clock, settings = SystemClock(), deployment.settings
    found = cover(deployment.store, customer.name, clock, settings.stale_time)
    metadata = _metadata(found)
    if customer.state is CustomerState.LEAVING:
        leaving = note_leaving(deployment.store, customer.name, clock.now(), settings.silence_time)
        metadata["leaving"] = f"{leaving.stage}, {len(leaving.left)} targets not known to be free of ours"
    return metadata, found


def _metadata(found: Coverage) -> dict[str, Any]:
    worst = [
        (
            *(one.id, one.verdict.standing, one.verdict.reason, one.verdict.detail),
            "never" if one.read_at is None else f"{one.read_at:%Y-%m-%d %H:%M:%S} UTC",
        )
        for one in found.trouble
    ]
    listings = [(one.scope, one.problem) for one in found.unsound_listings]
    return {
        **({} if found.share is None else {"covered, % of what can be": round(found.share * 100, 2)}),
        "targets": sum(found.by_standing.values()),
        **{str(standing): found.by_standing[standing] for standing in Standing},
        **{f"verdict: {reason}": number for reason, number in sorted(found.by_reason.items())},
        "inventory: subscriptions": found.inventory.subscriptions,
        "inventory: resources": found.inventory.resources,
        "worst": table(("target", "standing", "reason", "detail", "read"), worst),
        "listings that broke off": table(("listing", "problem"), listings),
        "counts that do not add up": "; ".join(found.uncounted) or "none",
    }


def _blocked(found: Coverage) -> str:
    reasons = {
        reason: number
        for reason, number in sorted(found.by_reason.items())
        if reason.standing is Standing.BLOCKED
    }
    return ", ".join(f"{number} {reason}" for reason, number in reasons.items())
