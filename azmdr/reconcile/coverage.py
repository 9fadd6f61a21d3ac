"""Coverage: where every target of a customer stands, and whether the counts add up to the inventory. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from azmdr.reconcile.verdict import Reason, Standing, Verdict
from azmdr.store.inventory import Listing
from azmdr.store.targets import JudgedTarget, TargetKind

_TROUBLE: Final = (Standing.BLOCKED, Standing.UNKNOWN, Standing.PENDING)
"""Standings somebody should look at, the worst first."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """How much there is, by the listings."""

    subscriptions: int
    resources: int


@dataclass(slots=True)
class Coverage:
    """Where a customer's targets stand."""

    customer: str
    at: datetime
    inventory: Inventory
    by_standing: Counter[Standing] = field(default_factory=Counter)
    by_reason: Counter[Reason] = field(default_factory=Counter)
    targets: Counter[TargetKind] = field(default_factory=Counter)
    trouble: list[JudgedTarget] = field(default_factory=list)
    """Targets that are blocked, unknown or pending, in this order, as many as were asked for."""
    unsound_listings: list[Listing] = field(default_factory=list)
    """Listings that broke off the last time."""
    uncounted: list[str] = field(default_factory=list)
    """Where the counts do not add up, in words; empty when they do."""

    @property
    def share(self) -> float | None:
        """Covered, of all that could be covered; None when there is nothing that could."""
        could = sum(self.by_standing[each] for each in (Standing.COVERED, *_TROUBLE))
        return self.by_standing[Standing.COVERED] / could if could else None


def coverage_of(
    customer: str,
    targets: Iterable[JudgedTarget],
    listings: Sequence[Listing],
    inventory: Inventory,
    *,
    now: datetime,
    stale_after: timedelta,
    shown: int = 20,
) -> Coverage:
    """Put together where a customer's targets stand.

    Args:
        customer: the name.
        targets: all of them, with their last verdicts.
        listings: how far the listings came.
        inventory: how much they showed.
        now: the time.
        stale_after: after which a verdict that has not been looked at again is worth nothing.
        shown: how many targets in trouble are told one by one.
    """
    coverage = Coverage(customer, now, inventory)
    own: Counter[TargetKind] = Counter()
    trouble: Mapping[Standing, list[JudgedTarget]] = {standing: [] for standing in _TROUBLE}
    for judged in targets:
        target = _aged(judged, now - stale_after)
        coverage.by_standing[target.verdict.standing] += 1
        coverage.by_reason[target.verdict.reason] += 1
        coverage.targets[target.kind] += 1
        own[target.kind] += not target.is_nested
        told = trouble.get(target.verdict.standing)
        if told is not None and len(told) < shown:
            told.append(target)
    coverage.trouble = [each for standing in _TROUBLE for each in trouble[standing]][:shown]
    coverage.unsound_listings = [listing for listing in listings if listing.problem is not None]
    expected = {
        TargetKind.SUBSCRIPTION: inventory.subscriptions,
        TargetKind.RESOURCE: inventory.resources,
    }
    coverage.uncounted = [
        f"{inventoried} {kind}s in the inventory, {own[kind]} with a verdict"
        for kind, inventoried in expected.items()
        if own[kind] != inventoried
    ]
    return coverage


def _aged(target: JudgedTarget, oldest: datetime) -> JudgedTarget:
    """A target that was covered when it was last read, which is too long ago, is not known to be."""
    if target.verdict.standing is not Standing.COVERED:
        return target
    if target.read_at is not None and target.read_at >= oldest:
        return target
    read = "never" if target.read_at is None else f"{target.read_at:%Y-%m-%d %H:%M} UTC"
    detail = f"{target.verdict.reason} when last read: {read}"
    return replace(target, verdict=Verdict(Reason.NOT_READ_LATELY, detail))
