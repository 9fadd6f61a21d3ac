"""Observing a customer's onboarding, through the gateway like everything asked of Azure."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from azmdr.azure.data_exports import WorkspaceExports
from azmdr.azure.delegations import Delegation, Delegations
from azmdr.azure.dispatch import Call, Source
from azmdr.azure.errors import AzureError
from azmdr.azure.event_hubs import FoundNamespace, ProviderHubs
from azmdr.azure.inventory import FoundSubscription, list_subscriptions
from azmdr.inventory.customers import Customer, CustomerError, CustomerState
from azmdr.inventory.resource_id import ResourceId
from azmdr.onboarding.observed import Observed, PolicySeen, SubscriptionSeen, Unreadable, WorkspaceSeen
from azmdr.onboarding.verify import POLICY, providers_of
from azmdr.steps.control_plane import ControlPlane
from azmdr.store.inventory import known_subscriptions

Answer = TypeVar("Answer")
_Steps = Generator[Call[Any], Any, None]
_LATE = Unreadable("the time was up before it was read")


def observe(plane: ControlPlane, customer: Customer, expected: Iterable[str] = ()) -> Observed:
    """Read all that a judgement rests on.

    Args:
        plane: the control plane.
        customer: whose.
        expected: ids of subscriptions that are there, as somebody says.

    Raises:
        SignInError: there is no token to be had.
    """
    reading = _Reading(plane, customer)
    plane.work_off(
        [Source(customer.name, iter([reading.listing(), reading.hubs(), reading.workspace()]))], plane.until
    )
    ours = [each for each in reading.found if each.tenant_id == customer.tenant_id]
    plane.work_off([Source(customer.name, (reading.subscription(each) for each in ours))], plane.until)
    with plane.store.read() as connection:
        known = known_subscriptions(connection, customer.name)
    return Observed(
        subscriptions=tuple(reading.seen.get(each.subscription_id, _unread(each)) for each in ours),
        expected=frozenset(each.lower() for each in expected) | known.keys(),
        listing_problem=reading.listing_problem,
        workspace=reading.workspace_seen,
        hub_regions=reading.hub_regions,
    )


def give_back(plane: ControlPlane, customer: Customer, tenant_id: str) -> list[tuple[Delegation, str | None]]:
    """Give back every delegation of a customer that is gone; each with why it could not be, if so.

    Args:
        plane: the control plane.
        customer: who is gone.
        tenant_id: our own tenant.

    Raises:
        CustomerError: it is not gone, so what we set may still send.
        SignInError: there is no token to be had.
    """
    if customer.state is not CustomerState.GONE:
        raise CustomerError(
            f"customer {customer.name}: is not gone; what we set goes on sending once nobody can remove it. "
            f"`azmdr customer remove {customer.name} --yes` comes first"
        )
    reading = _Reading(plane, customer)
    plane.work_off([Source(customer.name, iter([reading.listing()]))], plane.until)
    ours = [each for each in reading.found if each.tenant_id == customer.tenant_id]
    given: list[tuple[Delegation, str | None]] = []
    jobs = (_giving_back(plane, each.subscription_id, tenant_id, given) for each in ours)
    plane.work_off([Source(customer.name, jobs)], plane.until)
    return given


def _giving_back(
    plane: ControlPlane, subscription_id: str, tenant_id: str, given: list[tuple[Delegation, str | None]]
) -> _Steps:
    means = Delegations(plane.arm)
    found = yield from _asked(means.of_scope(f"/subscriptions/{subscription_id}"))
    if isinstance(found, Unreadable):
        return
    mine = [each for each in found if each.provider_tenant_id == tenant_id]
    # Those of resource groups first: that of the subscription is what lets us see them.
    for delegation in sorted(mine, key=lambda each: -len(each.scope)):
        ended = yield from _asked(means.give_back(delegation))
        given.append((delegation, ended.why if isinstance(ended, Unreadable) else None))


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    plane: ControlPlane
    customer: Customer
    found: list[FoundSubscription] = field(default_factory=list)
    listing_problem: str | None = _LATE.why
    seen: dict[str, SubscriptionSeen] = field(default_factory=dict)
    hub_regions: frozenset[str] | Unreadable = _LATE
    workspace_seen: WorkspaceSeen | Unreadable | None = None

    def listing(self) -> _Steps:
        """The subscriptions delegated to us."""
        try:
            yield from list_subscriptions(self.plane.arm, self.found)
            self.listing_problem = None
        except AzureError as error:
            self.listing_problem = str(error)

    def hubs(self) -> _Steps:
        """The regions with a hub of the customer's name."""
        place = self.plane.place
        hubs = ProviderHubs(self.plane.arm, place.subscription_id, place.resource_group)
        namespaces: list[FoundNamespace] = []
        regions = set[str]()
        try:
            yield from hubs.namespaces(namespaces)
            for namespace in namespaces:
                names: list[str] = []
                yield from hubs.hubs(namespace.id, names)
                if self.customer.name in {each.lower() for each in names}:
                    regions.add(namespace.region)
            self.hub_regions = frozenset(regions)
        except AzureError as error:
            self.hub_regions = Unreadable(str(error))

    def workspace(self) -> _Steps:
        """The Entra ID workspace."""
        if self.customer.entra_workspace_id is None:
            return
        target, means = ResourceId.parse(self.customer.entra_workspace_id), WorkspaceExports(self.plane.arm)
        self.workspace_seen = _LATE
        found = yield from _asked(means.workspace(target))
        tables = yield from _asked(means.tables(target))
        for problem in (found, tables):
            if isinstance(problem, Unreadable):
                self.workspace_seen = problem
                return
        group = f"/subscriptions/{target.subscription_id}/resourceGroups/{target.resource_group}"
        delegations = yield from _both(Delegations(self.plane.arm), group, target.subscription_id)
        self.workspace_seen = WorkspaceSeen(found.region, tables, delegations)

    def subscription(self, found: FoundSubscription) -> _Steps:
        """A subscription."""
        means, own = Delegations(self.plane.arm), found.subscription_id
        delegations = yield from _asked(means.of_scope(f"/subscriptions/{own}"))
        registered: dict[str, bool | Unreadable] = {}
        for provider in providers_of(self.customer, own):
            registered[provider] = yield from _asked(means.is_registered(own, provider))
        self.seen[own] = SubscriptionSeen(
            id=own,
            name=found.name,
            delegations=delegations if isinstance(delegations, Unreadable) else tuple(delegations),
            registered=registered,
            policy=(yield from self._policy(means, own)),
        )

    def _policy(self, means: Delegations, own: str) -> Generator[Call[Any], Any, PolicySeen | Unreadable]:
        assigned = yield from _asked(means.policy_assignments(own))
        if isinstance(assigned, Unreadable):
            return assigned
        if POLICY not in assigned:
            return PolicySeen(is_assigned=False)
        compliant = yield from _asked(means.complies(own, assigned[POLICY]))
        return compliant if isinstance(compliant, Unreadable) else PolicySeen(True, compliant)


def _both(
    means: Delegations, group: str, subscription_id: str
) -> Generator[Call[Any], Any, tuple[Delegation, ...] | Unreadable]:
    """The delegations of a resource group, and that of its subscription, whose roles hold in it too."""
    own = yield from _asked(means.of_scope(group))
    whole = yield from _asked(means.of_scope(f"/subscriptions/{subscription_id}"))
    if isinstance(own, Unreadable) and isinstance(whole, Unreadable):
        return own
    lists = (each for each in (own, whole) if not isinstance(each, Unreadable))
    return tuple({each.id.lower(): each for listed in lists for each in listed}.values())


def _asked(call: Call[Answer]) -> Generator[Call[Any], Any, Any]:
    try:
        return (yield call)
    except AzureError as error:
        return Unreadable(str(error))


def _unread(found: FoundSubscription) -> SubscriptionSeen:
    return SubscriptionSeen(found.subscription_id, found.name, _LATE, {}, _LATE)
