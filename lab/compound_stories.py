"""Stories of many operations under one correlation id: deployments, group deletions, policy evaluations."""

from dataclasses import replace
from typing import Final

from lab.activity_log import Request, Stage
from lab.customers import Subscription
from lab.operation_stories import PATTERNS, Pattern, Step, Story, play
from lab.records import resource_group_id
from lab.request_bodies import WRITES, deployment
from lab.story import Outcome, Storyteller

_BY_NAME: Final = {pattern.story: pattern for pattern in PATTERNS}
_PARTS: Final = ("start_success", "start_accept_success", "start_accept_success")
_DEPLOYED: Final = Pattern(
    "deployment",
    (Step(Stage.START, 0), Step(Stage.ACCEPT, 0.7, "Created"), Step(Stage.SUCCESS, 20)),
    Outcome.SUCCESS,
)
_NOT_DEPLOYED: Final = replace(
    _DEPLOYED, steps=(*_DEPLOYED.steps[:2], Step(Stage.FAILURE, 20, "BadRequest")), outcome=Outcome.FAILURE
)


def succeeding_deployment(tell: Storyteller) -> None:
    """A deployment of 5 to 15 resources, each an operation of its own, some of them audited by policy."""
    _deploy(tell, _DEPLOYED, [_BY_NAME[tell.rng.choice(_PARTS)] for _ in range(tell.rng.randint(5, 15))])


def failing_deployment(tell: Storyteller) -> None:
    """A deployment that ends in failure because one of its resources did."""
    parts = [_BY_NAME[tell.rng.choice(_PARTS)] for _ in range(tell.rng.randint(4, 8))]
    _deploy(tell, _NOT_DEPLOYED, [*parts, _BY_NAME["conflict"]])


def group_deletion(tell: Storyteller) -> None:
    """A resource group goes with all in it: its resources write a lone final each, some in another case."""
    subscription = tell.subscription()
    group = resource_group_id(subscription, tell.rng)
    request = tell.request(
        "Microsoft.Resources/subscriptions/resourceGroups/delete", subscription=subscription, resource=group
    )
    steps = (Step(Stage.START, 0), Step(Stage.ACCEPT, 0.6, "Accepted"), Step(Stage.SUCCESS, 14, recased=True))
    play(tell, request, Pattern("group_deletion", steps, Outcome.SUCCESS))
    for number in range(tell.rng.randint(3, 11)):
        write = tell.rng.choice(WRITES)
        child = _sibling(tell, request, write.operation.replace("/write", "/delete"), subscription)
        tell.stage(child, Stage.SUCCESS, 2 + number, "OK")
        tell.telling("deleted_with_group").expect(child, Outcome.SUCCESS, records=1)


def audited_write(tell: Storyteller) -> None:
    """Policy looked at a write and wrote of it: a verdict at once, a check for later that nobody reports."""
    write = tell.rng.choice(WRITES)
    request = tell.request(write.operation, write.body(tell.rng))
    play(tell, request, _BY_NAME["start_success"])
    audit = _evaluation(request, "audit", "audit-tags")
    tell.stage(audit, Stage.SUCCESS, 0.2)
    tell.telling("policy_audit").expect(audit, Outcome.SUCCESS, records=1)
    later = _evaluation(request, "auditIfNotExists", "require-diagnostics")
    tell.stage(later, Stage.START, 0.4)
    tell.telling("policy_check_pending").expect(later, Outcome.STARTED, records=1)


def denied_write(tell: Storyteller) -> None:
    """Policy denied a write: the Forbidden of the request is explained by the policy's own Failure."""
    write = tell.rng.choice(WRITES)
    request = tell.request(write.operation, write.body(tell.rng))
    tell.stage(request, Stage.START, 0)
    tell.stage(request, Stage.FAILURE, 0.5, "PolicyForbidden")
    tell.expect(request, Outcome.FAILURE, records=2)
    denial = _evaluation(request, "deny", "allowed-locations")
    tell.stage(denial, Stage.FAILURE, 0.3, "PolicyForbidden")
    tell.telling("policy_denial").expect(denial, Outcome.FAILURE, records=1)


COMPOUND_STORIES: Final[dict[str, tuple[Story, int]]] = {
    "succeeding_deployment": (succeeding_deployment, 3),
    "failing_deployment": (failing_deployment, 1),
    "group_deletion": (group_deletion, 2),
    "audited_write": (audited_write, 3),
    "denied_write": (denied_write, 2),
}
"""Stories by name, with how often a customer has each in a scenario of size 1."""


def _deploy(tell: Storyteller, deployed: Pattern, parts: list[Pattern]) -> None:
    subscription = tell.subscription()
    request = tell.request(
        "Microsoft.Resources/deployments/write", deployment(tell.rng), subscription=subscription
    )
    play(tell, request, deployed)
    for number, pattern in enumerate(parts):
        write = tell.rng.choice(WRITES)
        part = replace(_sibling(tell, request, write.operation, subscription), body=write.body(tell.rng))
        begins = 1 + tell.rng.uniform(0, 8)
        play(tell.telling("deployed_resource"), part, pattern, begins)
        if number % 3 == 0:
            audit = _evaluation(part, "audit", "audit-tags")
            tell.stage(audit, Stage.SUCCESS, begins + 0.2)
            tell.telling("policy_audit").expect(audit, Outcome.SUCCESS, records=1)


def _sibling(tell: Storyteller, request: Request, operation: str, subscription: Subscription) -> Request:
    """Another operation of the same correlation id and caller."""
    sibling = tell.request(operation, subscription=subscription)
    return replace(sibling, correlation_id=request.correlation_id, caller=request.caller)


def _evaluation(request: Request, effect: str, policy: str) -> Request:
    """Policy's own operation on the requested resource, under the request's correlation id."""
    operation = f"Microsoft.Authorization/policies/{effect}/action".upper()
    return replace(request, operation_name=operation, category="Policy", policy=policy, body=None)
