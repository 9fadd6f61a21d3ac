"""The estimate: which of a customer's log categories would be sent, and billed, once they are switched on.

It counts resources, not records: how much a resource logs is unknown before it does, so no price is named.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from azmdr.reconcile.category_policy import CategoryPolicy, Decision
from azmdr.reconcile.customer_rules import CustomerRules
from azmdr.reconcile.log_catalogue import LogCatalogue

TypeAndKind = tuple[str, str | None]
"""A resource type and the kind Azure says, on which its log categories may depend."""

_BY_DECISION: Final = tuple(Decision)
_BY_BILLING: Final = (True, None, False)
"""What is surely billed first, then what may be."""


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """What becomes of one category of one type."""

    type: str
    """In lower case."""
    category: str
    """As Azure spells it."""
    resources: int
    """How many offer it."""
    billed: bool | None
    """Whether Azure charges for its export; None is unknown."""
    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True)
class EstimateSummary:
    """The estimate in numbers: pairs of type and category."""

    wanted_billed: int
    wanted_billing_unknown: int
    wanted_free: int
    refused_for_cost: int
    not_wanted: int
    excluded: int


def estimate(
    policy: CategoryPolicy,
    rules: CustomerRules,
    counted: Mapping[TypeAndKind, int],
    catalogues: Mapping[TypeAndKind, LogCatalogue],
) -> list[EstimateRow]:
    """One row for each category of each type, what is wanted and billed first, most resources first.

    ``counted`` holds how many resources there are, those left out that the customer excludes by scope or tag.
    A category decided otherwise for another kind of its type has a row for each decision. Types without a
    catalogue have no rows: :func:`unread`.
    """
    resources: Counter[tuple[str, str, Decision, str]] = Counter()
    for (resource_type, kind), count in counted.items():
        catalogue = catalogues.get((resource_type, kind))
        if catalogue is None:
            continue
        for category, each in policy.decisions(resource_type, rules, catalogue).items():
            resources[resource_type.lower(), category, each.decision, each.reason] += count
    rows = [
        EstimateRow(resource_type, category, count, policy.billed(resource_type, category), decision, reason)
        for (resource_type, category, decision, reason), count in resources.items()
    ]
    return sorted(rows, key=_order)


def unread(
    policy: CategoryPolicy,
    rules: CustomerRules,
    counted: Mapping[TypeAndKind, int],
    catalogues: Mapping[TypeAndKind, LogCatalogue],
) -> dict[TypeAndKind, int]:
    """The resources an estimate is silent about, since what Azure offers for them has not been read.

    Those are not among them of which nothing would be sent whatever it is.
    """
    return {
        (resource_type, kind): count
        for (resource_type, kind), count in counted.items()
        if (resource_type, kind) not in catalogues and policy.settled_by_type(resource_type, rules) is None
    }


def summary(rows: Iterable[EstimateRow]) -> EstimateSummary:
    """An estimate in numbers."""
    rows = list(rows)
    decided = Counter(row.decision for row in rows)
    wanted = Counter(row.billed for row in rows if row.decision is Decision.WANTED)
    return EstimateSummary(
        wanted_billed=wanted[True],
        wanted_billing_unknown=wanted[None],
        wanted_free=wanted[False],
        refused_for_cost=decided[Decision.REFUSED_FOR_COST],
        not_wanted=decided[Decision.NOT_WANTED],
        excluded=decided[Decision.EXCLUDED],
    )


def _order(row: EstimateRow) -> tuple[int, int, int, str, str]:
    return (
        _BY_DECISION.index(row.decision),
        _BY_BILLING.index(row.billed),
        -row.resources,
        row.type,
        row.category,
    )
