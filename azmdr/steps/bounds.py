"""How far a reconciling step goes, and where the provider's own event hubs stand."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ProviderPlace:
    """Where the provider's event hubs stand."""

    subscription_id: str
    resource_group: str
    rule: str
    """The authorization rule on each namespace that settings send with."""


@dataclass(frozen=True, slots=True)
class StepBounds:
    """How far a step goes."""

    budget: timedelta = timedelta(minutes=8)
    """How long it begins new work."""
    lease: timedelta = timedelta(minutes=10)
    """How long it holds a customer without a sign of life."""
    hold_down: timedelta = timedelta(hours=24)
    """How long a thing has to be missing from complete listings before it is gone."""
    catalogue_age: timedelta = timedelta(days=7)
    """After which the log categories of a type are asked for again."""
    visible_after: timedelta = timedelta(minutes=10)
    """How long Azure may take to show in a listing what was written."""
