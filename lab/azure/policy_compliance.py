"""Policy at work: which subscriptions comply with an assignment, and what is deployed in them.

Only policies that deploy where something is missing are evaluated, and only about subscriptions. Compliance
is worked out when somebody asks; Azure does it once a day and shows what it found. What stood below an
assignment when it was made is deployed to by remediations; a subscription that comes later, by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from lab.azure.arm_error import ArmError
from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.policies import DEPLOYS, PolicyAssignment, PolicyDefinition, mapping
from lab.azure.policy_conditions import ASSIGNMENTS, DEFINITIONS, RESOURCE_GROUPS, holds
from lab.azure.policy_scope import PolicyScope, members_of, reaches
from lab.azure.remediations import Deployment, Ending, Remediation
from lab.azure.resources import Subscription
from lab.azure.template_expressions import evaluate
from lab.azure.wire import Answer, Request

Act: TypeAlias = Callable[[Principal, Request], Answer]
"""Answers a request of a policy's identity."""
_KNOWN: Final = (DEFINITIONS, ASSIGNMENTS, RESOURCE_GROUPS)
_VERSION: Final = "2025-04-01"


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
        if definition is None or definition.deployed_type not in _KNOWN:
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
    details, reads = definition.details, _reads(assignment, definition)
    named = details.get("name")
    condition = details.get("existenceCondition", {"allOf": []})
    return any(
        (named is None or str(reads(named)).lower() == str(each["name"]).lower())
        and holds(condition, each, reads)
        for each in _existing(cloud, definition.deployed_type, subscription)
    )


def _reads(assignment: PolicyAssignment, definition: PolicyDefinition) -> Callable[[object], object]:
    functions = {"parameters": lambda name: assignment.value(definition, name)}
    return lambda value: evaluate(value, functions)


def _existing(cloud: Cloud, kind: str, subscription: Subscription) -> Iterator[Mapping[str, object]]:
    match kind:
        case "microsoft.managedservices/registrationdefinitions":
            for each in cloud.definitions.get(subscription.id, {}).values():
                listed = [
                    {"principalId": one.principal_id, "roleDefinitionId": one.role_id}
                    for one in each.authorizations
                ]
                told = {"managedByTenantId": each.provider_tenant_id, "authorizations": listed}
                yield {"type": kind, "name": each.name, "properties": told}
        case "microsoft.managedservices/registrationassignments":
            for assigned in cloud.delegations.get(subscription.id, {}).values():
                if assigned.scope.key == subscription.key:
                    referred = {"registrationDefinitionId": assigned.definition.id}
                    yield {"type": kind, "name": assigned.name, "properties": referred}
        case _:
            kept = cloud.resources[subscription.id].all_latest()
            names = {(each.id.group or "").lower() for _, each in kept} | cloud.groups[subscription.id].keys()
            yield from ({"type": kind, "name": name, "properties": {}} for name in sorted(names))


def missing(cloud: Cloud, assignment: PolicyAssignment, scope: PolicyScope) -> list[str]:
    """Ids of the subscriptions in a scope that don't comply with an assignment."""
    return [
        state.subscription.id
        for state in states(cloud, scope)
        if state.assignment.id == assignment.id and not state.is_compliant
    ]


def settle(cloud: Cloud, act: Act) -> None:
    """Do what remediations, and policies that see a new subscription, were to have done by now."""
    now = cloud.clock.now()
    for key, remediation in list(cloud.remediations.items()):
        if any(_is_due(each, now) for each in remediation.deployments):
            cloud.remediations[key] = _settled(cloud, remediation, now, act)
    if cloud.policy_assignments:
        _look_at_new_subscriptions(cloud, now, act)


def note_members(cloud: Cloud, assignment: PolicyAssignment) -> None:
    """Remember who stands below an assignment when it is made: for those there are remediations."""
    for subscription in members_of(cloud, assignment.scope.lower()):
        cloud.evaluations.setdefault((assignment.id.lower(), subscription.id), None)


def _look_at_new_subscriptions(cloud: Cloud, now: datetime, act: Act) -> None:
    for key, assignment in cloud.policy_assignments.items():
        for subscription in members_of(cloud, assignment.scope.lower()):
            due = cloud.evaluations.setdefault((key, subscription.id), now + cloud.evaluation_time)
            if due is not None and due <= now:
                cloud.evaluations[key, subscription.id] = None
                if subscription.id in missing(cloud, assignment, _only(subscription)):
                    _deployed(cloud, assignment, subscription, act)


def _only(subscription: Subscription) -> PolicyScope:
    return PolicyScope(
        subscription.key, frozenset({subscription.key, *subscription.ancestors}), (subscription,)
    )


def _is_due(deployment: Deployment, now: datetime) -> bool:
    return deployment.ending is None and deployment.ends <= now


def _settled(cloud: Cloud, remediation: Remediation, now: datetime, act: Act) -> Remediation:
    assignment = cloud.policy_assignments.get(remediation.assignment_id.lower())

    def ending(deployment: Deployment) -> Ending:
        subscription = cloud.subscriptions.get(deployment.subscription_id)
        if assignment is None or subscription is None:
            return Ending.FAILED
        return _deployed(cloud, assignment, subscription, act)

    ended = tuple(
        replace(each, ending=ending(each)) if _is_due(each, now) else each for each in remediation.deployments
    )
    return replace(remediation, deployments=ended, changed=now)


def _deployed(cloud: Cloud, assignment: PolicyAssignment, subscription: Subscription, act: Act) -> Ending:
    definition = cloud.policy_definitions.get(assignment.definition_id.lower())
    if definition is None or assignment.principal_id is None:
        return Ending.FAILED
    identity = Principal(
        subscription.tenant_id, assignment.principal_id, assignment.name, app_id=assignment.principal_id
    )
    deployment = mapping(definition.details.get("deployment"))
    wanted, reads = mapping(deployment.get("properties")), _reads(assignment, definition)
    name = f"PolicyDeployment_{assignment.name}"[:64]
    path = f"{subscription.key}/providers/Microsoft.Resources/deployments/{name}"
    try:
        properties = {**wanted, "parameters": reads(wanted.get("parameters", {}))}
    except ArmError:
        return Ending.FAILED
    body = {"location": deployment.get("location"), "properties": properties}
    nobody = Request("PUT", path, "https://localhost")
    answer = act(identity, nobody.entailed("PUT", path, _VERSION, body))
    state = mapping(mapping(answer.body).get("properties")).get("provisioningState")
    return Ending.SUCCEEDED if answer.status < 400 and state == "Succeeded" else Ending.FAILED
