"""What was observed of a customer's onboarding: facts, with what could not be read said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from azmdr.azure.delegations import Delegation


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class PolicySeen:
    """The delegating policy as a subscription sees it."""

    is_assigned: bool
    is_compliant: bool | None = None
    """None while Azure has not looked."""


@dataclass(frozen=True, slots=True)
class SubscriptionSeen:
    """A subscription we see."""

    id: str
    name: str
    delegations: tuple[Delegation, ...] | Unreadable
    registered: Mapping[str, bool | Unreadable]
    """By the namespace of the resource provider."""
    policy: PolicySeen | Unreadable


@dataclass(frozen=True, slots=True)
class WorkspaceSeen:
    """The Entra ID workspace."""

    region: str
    tables: frozenset[str]
    delegations: tuple[Delegation, ...] | Unreadable


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was observed."""

    subscriptions: tuple[SubscriptionSeen, ...]
    expected: frozenset[str] = frozenset()
    """Ids of subscriptions that somebody or an earlier run says are there."""
    listing_problem: str | None = None
    workspace: WorkspaceSeen | Unreadable | None = None
    """None where no workspace is set."""
    hub_regions: frozenset[str] | Unreadable = field(default_factory=frozenset)
    """The regions in which a hub stands for the customer."""
