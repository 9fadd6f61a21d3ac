"""Policy at work: which subscriptions comply with an assignment, and what a remediation deploys in them.

Only policies that deploy a Lighthouse delegation are evaluated. A subscription complies when it has
delegated itself, as a whole, to the tenant that the assignment names. Compliance is worked out when somebody
asks; Azure does it once a day and shows what it found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from lab.azure.access import RoleAssignment
from lab.azure.arm_error import ArmError
from lab.azure.cloud import Cloud
from lab.azure.delegations import Authorization
from lab.azure.directory import Tenant
from lab.azure.policies import DEPLOYS, PolicyAssignment, PolicyDefinition, mapping
from lab.azure.policy_scope import PolicyScope, members_of, reaches
from lab.azure.remediations import Deployment, Ending, Remediation
from lab.azure.resources import Subscription
from lab.azure.roles import OWNER


@dataclass(frozen=True, slots=True)
class PolicyState:
    """Whether one subscription complies with one assignment."""

    assignment: PolicyAssignment
    definition: PolicyDefinition
    subscription: Subscription
    is_compliant: bool


def states(cloud: Cloud, scope: PolicyScope) -> Iterator[PolicyState]:
    """The states of a scope's subscriptions, of every assignment that reaches them."""
    for _, assignment in sorted(cloud.policy_assignments.items()):
        definition = cloud.policy_definitions.get(assignment.definition_id.lower())
        if definition is None or not definition.deploys_delegations:
            continue
        if assignment.effect(definition) == DEPLOYS:
            yield from _states_of(cloud, assignment, definition, scope)


def _states_of(
    cloud: Cloud, assignment: PolicyAssignment, definition: PolicyDefinition, scope: PolicyScope
) -> Iterator[PolicyState]:
    for subscription in scope.subscriptions:
        reached = reaches(assignment.scope.lower(), subscription)
        left_out = any(each in (subscription.key, *subscription.ancestors) for each in assignment.not_scopes)
        if reached and not left_out:
            yield PolicyState(
                assignment, definition, subscription, _complies(cloud, assignment, definition, subscription)
            )


def _complies(
    cloud: Cloud, assignment: PolicyAssignment, definition: PolicyDefinition, subscription: Subscription
) -> bool:
    wanted = str(assignment.value(definition, "managedByTenantId")).lower()
    return any(
        each.scope.key == subscription.key and each.definition.provider_tenant_id == wanted
        for each in cloud.delegations.get(subscription.id, {}).values()
    )


def missing(cloud: Cloud, assignment: PolicyAssignment, scope: PolicyScope) -> list[str]:
    """Ids of the subscriptions in a scope that don't comply with an assignment."""
    return [
        state.subscription.id
        for state in states(cloud, scope)
        if state.assignment.id == assignment.id and not state.is_compliant
    ]


def settle(cloud: Cloud) -> None:
    """Do what remediations were to have done by now."""
    now = cloud.clock.now()
    for key, remediation in list(cloud.remediations.items()):
        if any(_is_due(each, now) for each in remediation.deployments):
            cloud.remediations[key] = _settled(cloud, remediation, now)


def _settled(cloud: Cloud, remediation: Remediation, now: datetime) -> Remediation:
    ended = tuple(
        replace(each, ending=_deployed(cloud, remediation, each)) if _is_due(each, now) else each
        for each in remediation.deployments
    )
    return replace(remediation, deployments=ended, changed=now)


def _is_due(deployment: Deployment, now: datetime) -> bool:
    return deployment.ending is None and deployment.ends <= now


def _deployed(cloud: Cloud, remediation: Remediation, deployment: Deployment) -> Ending:
    assignment = cloud.policy_assignments.get(remediation.assignment_id.lower())
    definition = cloud.policy_definitions.get(assignment.definition_id.lower()) if assignment else None
    subscription = cloud.subscriptions.get(deployment.subscription_id)
    if assignment is None or definition is None or subscription is None:
        return Ending.FAILED
    if not _identity_may(cloud, assignment, subscription):
        return Ending.FAILED
    provider = str(assignment.value(definition, "managedByTenantId")).lower()
    offer = str(assignment.value(definition, "managedByName") or assignment.name)
    listed = assignment.value(definition, "managedByAuthorizations")
    try:
        authorizations = [_authorization(each) for each in listed] if isinstance(listed, list) else []
        tenant = cloud.tenants.get(provider, Tenant(provider, provider))
        cloud.delegate(subscription.key, tenant, authorizations, offer)
    except ArmError:
        return Ending.FAILED
    return Ending.SUCCEEDED


def _authorization(listed: object) -> Authorization:
    read = mapping(listed)
    return Authorization(
        str(read.get("principalId")),
        str(read.get("roleDefinitionId")).rpartition("/")[2],
        str(read.get("principalIdDisplayName", "")),
    )


def _identity_may(cloud: Cloud, assignment: PolicyAssignment, subscription: Subscription) -> bool:
    """Delegating takes Owner, which the assignment's identity has only where somebody gave it the role."""

    def is_enough(each: RoleAssignment) -> bool:
        return each.principal_id == assignment.principal_id and each.role_id == OWNER.id

    return any(
        is_enough(each) and subscription in members_of(cloud, each.scope_key)
        for each in cloud.role_assignments
    )
