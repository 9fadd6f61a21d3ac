"""The judgement on a customer's onboarding: what is there, what is not, and what to do about it. Pure.

Every check has a finding, and every finding that is not good says what a person can do.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from azmdr.azure.delegations import Delegation
from azmdr.inventory.customers import Customer
from azmdr.inventory.resource_id import ResourceId, is_within
from azmdr.onboarding import entra
from azmdr.onboarding.observed import Observed, SubscriptionSeen, Unreadable, WorkspaceSeen
from azmdr.onboarding.offer import Offer
from azmdr.onboarding.roles import LOG_ANALYTICS_CONTRIBUTOR, Role

EVERYWHERE: Final = ("Microsoft.ManagedServices", "Microsoft.Insights")
"""Resource providers that every subscription needs."""
FOR_WORKSPACE: Final = "Microsoft.OperationalInsights"
POLICY: Final = "azmdr-delegate"
"""The name of the policy assignment in ``bicep/modules/delegation-policy.bicep``."""
_DEPLOY: Final = "have the customer deploy the package again (`azmdr onboarding --customer {name}`)"

_REMEDIATE: Final = (
    "`az policy remediation create --name azmdr-again"
    f" --policy-assignment {POLICY} --management-group <name>`"
)
_AGAIN: Final = "run this again; if it stays, look at the roles above"


class Check(StrEnum):
    """What is looked at."""

    DELEGATION = "delegation"
    PROVIDERS = "resource providers"
    POLICY = "policy"
    WORKSPACE = "Entra ID workspace"
    ENTRA_SETTING = "Entra ID setting"
    HUB = "event hub"


class Mark(StrEnum):
    """How a check ended."""

    GOOD = "ok"
    BAD = "missing"
    UNKNOWN = "unknown"
    """It could not be read, or can't be from here."""
    NOT_ASKED = "not asked"
    """The customer chose to do without."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``remedy`` says what to do; empty when it is good."""

    check: Check
    mark: Mark
    where: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the customer was asked for, beside the offer."""

    with_policy: bool = True
    entra_shown: str | None = None
    """What the customer's administrator showed of the Entra ID setting."""


def verify(customer: Customer, offer: Offer, observed: Observed, asked: Asked) -> list[Finding]:
    """Every finding about a customer, in the order in which one rests on the other."""
    return [
        *_delegations(customer, offer, observed),
        *_providers(customer, observed),
        *_policies(customer, observed, asked),
        *_workspace(customer, offer, observed),
        *_entra(customer, asked),
        *_hubs(customer, observed),
    ]


def is_green(findings: Sequence[Finding], *, strictly: bool = False) -> bool:
    """Whether nothing is bad; strictly, whether nothing is unknown either."""
    bad = {Mark.BAD, Mark.UNKNOWN} if strictly else {Mark.BAD}
    return not any(finding.mark in bad for finding in findings)


def _delegations(customer: Customer, offer: Offer, observed: Observed) -> Iterator[Finding]:
    seen = {each.id for each in observed.subscriptions}
    deploy = _DEPLOY.format(name=customer.name)
    if observed.listing_problem is not None:
        yield Finding(
            *(Check.DELEGATION, Mark.UNKNOWN, f"tenant {customer.tenant_id}", observed.listing_problem),
            "run this again; what was seen so far is below",
        )
    elif not seen and not observed.expected:
        yield Finding(
            *(
                Check.DELEGATION,
                Mark.BAD,
                f"tenant {customer.tenant_id}",
                "no subscription is delegated to us",
            ),
            deploy,
        )
    for subscription in observed.subscriptions:
        yield _delegated(offer, subscription, deploy)
    for missing in sorted(observed.expected - seen):
        yield Finding(
            Check.DELEGATION,
            Mark.UNKNOWN if observed.listing_problem else Mark.BAD,
            f"subscription {missing}",
            "it is not among those delegated to us",
            f"{deploy}; by policy it takes a remediation for a subscription that stood before: {_REMEDIATE}",
        )


def _delegated(offer: Offer, subscription: SubscriptionSeen, deploy: str) -> Finding:
    where = _named(subscription)
    if isinstance(subscription.delegations, Unreadable):
        return _unreadable(Check.DELEGATION, where, subscription.delegations)
    place = f"/subscriptions/{subscription.id}"
    missing = _missing(offer, subscription.delegations, place, offer.roles.roles)
    if not missing:
        named = ", ".join(role.name for role in offer.roles.roles)
        return Finding(Check.DELEGATION, Mark.GOOD, where, f"delegated with {named}")
    return Finding(Check.DELEGATION, Mark.BAD, where, _without(missing), deploy)


def _missing(
    offer: Offer, delegations: Sequence[Delegation], place: str, roles: Sequence[Role]
) -> list[tuple[Role, str]]:
    """The roles some principal of ours has not got at a place, with the principal's name."""
    granted = {
        grant
        for each in delegations
        if each.provider_tenant_id == offer.provider_tenant_id and is_within(place.lower(), each.scope)
        for grant in each.grants
    }
    return [
        (role, delegate.name)
        for role in roles
        for delegate in offer.delegates
        if (delegate.id, role.id) not in granted
    ]


def _without(missing: Sequence[tuple[Role, str]]) -> str:
    told = (f"{who} has no {role.name}, which {role.use}" for role, who in missing)
    return "; ".join(told)


def _providers(customer: Customer, observed: Observed) -> Iterator[Finding]:
    for subscription in observed.subscriptions:
        where = _named(subscription)
        unread = [each for each in subscription.registered.values() if isinstance(each, Unreadable)]
        off = [name for name in _needed(customer, subscription) if subscription.registered.get(name) is False]
        if off:
            commands = (
                f"`az provider register --namespace {each} --subscription {subscription.id}`" for each in off
            )
            yield Finding(
                *(Check.PROVIDERS, Mark.BAD, where, f"not registered: {', '.join(off)}"),
                f"we never register one unasked; the customer runs {', '.join(commands)}",
            )
        elif unread:
            yield _unreadable(Check.PROVIDERS, where, unread[0])
        else:
            yield Finding(Check.PROVIDERS, Mark.GOOD, where, "all registered")


def providers_of(customer: Customer, subscription_id: str) -> tuple[str, ...]:
    """The resource providers a subscription needs for what we do in it."""
    workspace = customer.entra_workspace_id
    has_workspace = workspace is not None and ResourceId.parse(workspace).subscription_id == subscription_id
    return (*EVERYWHERE, FOR_WORKSPACE) if has_workspace else EVERYWHERE


def _needed(customer: Customer, subscription: SubscriptionSeen) -> tuple[str, ...]:
    return providers_of(customer, subscription.id)


def _policies(customer: Customer, observed: Observed, asked: Asked) -> Iterator[Finding]:
    for subscription in observed.subscriptions:
        where, policy = _named(subscription), subscription.policy
        if not asked.with_policy:
            yield Finding(
                *(
                    Check.POLICY,
                    Mark.NOT_ASKED,
                    where,
                    "without policy; later subscriptions are not delegated",
                )
            )
        elif isinstance(policy, Unreadable):
            yield _unreadable(Check.POLICY, where, policy)
        elif not policy.is_assigned:
            yield Finding(
                *(Check.POLICY, Mark.BAD, where, f"the policy {POLICY} is not assigned above it"),
                f"{_DEPLOY.format(name=customer.name)}, or say --without-policy if that is how it is meant",
            )
        elif policy.is_compliant is None:
            yield Finding(
                *(
                    Check.POLICY,
                    Mark.UNKNOWN,
                    where,
                    "assigned; Azure has not looked at the subscription yet",
                ),
                "wait half an hour, or the customer runs "
                f"`az policy state trigger-scan --subscription {subscription.id}`",
            )
        elif not policy.is_compliant:
            yield Finding(
                *(Check.POLICY, Mark.BAD, where, "assigned, and the delegation is not what it asks for"),
                f"the customer runs {_REMEDIATE}",
            )
        else:
            yield Finding(Check.POLICY, Mark.GOOD, where, "assigned and compliant")


def _workspace(customer: Customer, offer: Offer, observed: Observed) -> Iterator[Finding]:
    if customer.entra_workspace_id is None:
        yield Finding(
            *(Check.WORKSPACE, Mark.NOT_ASKED, f"customer {customer.name}", "no Entra ID workspace is set"),
            f"`azmdr customer set {shlex.quote(customer.name)} --entra-workspace ID` where there is one",
        )
        return
    workspace, where = observed.workspace, customer.entra_workspace_id
    if not isinstance(workspace, WorkspaceSeen):
        yield Finding(
            *(Check.WORKSPACE, Mark.BAD, where, workspace.why if workspace else "not found"),
            f"{_DEPLOY.format(name=customer.name)} with --entra-subscription, or correct the id: "
            f"`azmdr customer set {shlex.quote(customer.name)} --entra-workspace ID`",
        )
        return
    yield _exporting(customer, offer, workspace, where)
    present = {each.lower() for each in workspace.tables}
    absent = [each for each in entra.CATEGORIES if each.lower() not in present]
    if absent:
        yield Finding(
            *(Check.WORKSPACE, Mark.BAD, where, f"tables are missing: {', '.join(absent)}"),
            f"{_DEPLOY.format(name=customer.name)}; Azure also makes each when its first row arrives",
        )
    else:
        yield Finding(Check.WORKSPACE, Mark.GOOD, where, f"found in {workspace.region}, with every table")


def _exporting(customer: Customer, offer: Offer, workspace: WorkspaceSeen, where: str) -> Finding:
    if isinstance(workspace.delegations, Unreadable):
        return _unreadable(Check.WORKSPACE, where, workspace.delegations)
    parsed = ResourceId.parse(where)
    place = f"/subscriptions/{parsed.subscription_id}/resourceGroups/{parsed.resource_group}"
    missing = _missing(offer, workspace.delegations, place, (LOG_ANALYTICS_CONTRIBUTOR,))
    if missing:
        return Finding(
            *(Check.WORKSPACE, Mark.BAD, where, _without(missing)),
            f"{_DEPLOY.format(name=customer.name)} with --entra-subscription",
        )
    return Finding(Check.WORKSPACE, Mark.GOOD, where, f"delegated with {LOG_ANALYTICS_CONTRIBUTOR.name}")


def _entra(customer: Customer, asked: Asked) -> Iterator[Finding]:
    if customer.entra_workspace_id is None:
        return
    where, shown = f"tenant {customer.tenant_id}", f"az rest --method get --url '{entra.URL}'"
    make = (
        f"a Security Administrator runs `az rest --method put --url '{entra.URL}' --body @entra-setting.json`"
    )
    if asked.entra_shown is None:
        yield Finding(
            *(Check.ENTRA_SETTING, Mark.UNKNOWN, where, "no provider can read it"),
            f"{make}, then `{shown} > shown.json`, and you say --entra-setting shown.json",
        )
    elif wrong := entra.shortcomings(asked.entra_shown, customer.entra_workspace_id):
        yield Finding(Check.ENTRA_SETTING, Mark.BAD, where, "; ".join(wrong), make)
    else:
        yield Finding(Check.ENTRA_SETTING, Mark.GOOD, where, "sends every wanted category to the workspace")


def _hubs(customer: Customer, observed: Observed) -> Iterator[Finding]:
    if isinstance(observed.hub_regions, Unreadable):
        yield _unreadable(Check.HUB, f"customer {customer.name}", observed.hub_regions)
        return
    needed = {customer.home_region: "its home region"}
    if isinstance(observed.workspace, WorkspaceSeen):
        needed.setdefault(observed.workspace.region, "the region of its Entra ID workspace")
    for region, why in needed.items():
        if region in observed.hub_regions:
            yield Finding(Check.HUB, Mark.GOOD, region, f"a hub named {customer.name} stands in {why}")
        else:
            yield Finding(
                *(Check.HUB, Mark.BAD, region, f"no hub named {customer.name} stands in {why}"),
                "let the assets event_hub_mapping and event_hub_terraform run, and Terraform apply it",
            )


def _unreadable(check: Check, where: str, unreadable: Unreadable) -> Finding:
    return Finding(check, Mark.UNKNOWN, where, unreadable.why, _AGAIN)


def _named(subscription: SubscriptionSeen) -> str:
    return (
        f"subscription {subscription.id} ({subscription.name})"
        if subscription.name
        else f"subscription {subscription.id}"
    )
