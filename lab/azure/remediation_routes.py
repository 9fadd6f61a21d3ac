"""Remediations over HTTP.

Source: Microsoft.PolicyInsights 2021-10-01 in Microsoft's REST API specifications.
"""

from typing import Final

from pydantic import Field

from lab.azure.arm_error import bad_request, conflict, not_found
from lab.azure.call import Body, Call, Route
from lab.azure.paging import page
from lab.azure.policy_compliance import missing
from lab.azure.policy_scope import GROUP_PATH, PolicyScope, policy_scope
from lab.azure.remediations import Ending, Remediation, planned
from lab.azure.resource_id import respelled, within
from lab.azure.wire import Answer

_OF: Final = "Microsoft.PolicyInsights/remediations/"
_DISCOVERY: Final = ("ExistingNonCompliant", "ReEvaluateCompliance")
_MOST_AT_ONCE: Final = 30


class _Threshold(Body):
    percentage: float = Field(default=1.0, ge=0, le=1)


class _Properties(Body):
    policy_assignment_id: str
    policy_definition_reference_id: str | None = None
    resource_discovery_mode: str = _DISCOVERY[0]
    resource_count: int = Field(default=500, ge=1, le=50_000)
    parallel_deployments: int = Field(default=10, ge=1, le=_MOST_AT_ONCE)
    failure_threshold: _Threshold | None = None


class _Body(Body):
    properties: _Properties


def _list(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "read")
    listed = {key: each for key, each in call.cloud.remediations.items() if within(key, scope.key)}
    size = call.cloud.page_size
    return Answer(200, page(call.request, listed, size, lambda each: _shown(call, each)))


def _get(call: Call) -> Answer:
    return Answer(200, _shown(call, _existing(call, "read")[1]))


def _put(call: Call) -> Answer:
    scope, asked = policy_scope(call, _OF + "write"), call.body(_Body).properties
    key, now = _id(scope, call).lower(), call.cloud.clock.now()
    before = call.cloud.remediations.get(key)
    if before is not None and not before.is_over:
        raise conflict(
            f"The remediation '{before.name}' is still at work.", "InvalidUpdateRemediationRequest"
        )
    if asked.resource_discovery_mode not in _DISCOVERY:
        raise bad_request(
            f"'{asked.resource_discovery_mode}' is no way to discover resources.", "InvalidRequestContent"
        )
    found = _targets(call, scope, asked)
    remediation = Remediation(
        id=_id(scope, call),
        name=call.parts["name"],
        assignment_id=asked.policy_assignment_id,
        created=now,
        changed=now,
        deployments=planned(found, now, call.cloud.deployment_time, asked.parallel_deployments),
        discovery=asked.resource_discovery_mode,
        asked=_asked(asked),
    )
    call.cloud.remediations[key] = remediation
    return Answer(200 if before else 201, _shown(call, remediation))


def _targets(call: Call, scope: PolicyScope, asked: _Properties) -> list[str]:
    assignment = call.cloud.policy_assignments.get(asked.policy_assignment_id.lower())
    if assignment is None:
        raise bad_request(
            f"The policy assignment '{asked.policy_assignment_id}' was not found.",
            "InvalidCreateRemediationRequest",
        )
    return missing(call.cloud, assignment, scope)[: asked.resource_count]


def _asked(asked: _Properties) -> dict[str, object]:
    shown: dict[str, object] = {
        "resourceCount": asked.resource_count,
        "parallelDeployments": asked.parallel_deployments,
    }
    if asked.failure_threshold is not None:
        shown["failureThreshold"] = {"percentage": asked.failure_threshold.percentage}
    if asked.policy_definition_reference_id is not None:
        shown["policyDefinitionReferenceId"] = asked.policy_definition_reference_id
    return shown


def _cancel(call: Call) -> Answer:
    key, remediation = _existing(call, "cancel/action")
    call.cloud.remediations[key] = remediation.canceled(call.cloud.clock.now())
    return Answer(200, _shown(call, call.cloud.remediations[key]))


def _delete(call: Call) -> Answer:
    scope = policy_scope(call, _OF + "delete")
    key = _id(scope, call).lower()
    remediation = call.cloud.remediations.get(key)
    if remediation is None:
        return Answer(204)
    if not remediation.is_over:
        message = f"The remediation '{remediation.name}' is still at work; cancel it first."
        raise conflict(message, "InvalidDeleteRemediationRequest")
    del call.cloud.remediations[key]
    return Answer(200, _shown(call, remediation))


def _list_deployments(call: Call) -> Answer:
    remediation = _existing(call, "listDeployments/action")[1]
    shown = [
        {
            "remediatedResourceId": f"/subscriptions/{each.subscription_id}",
            "status": each.ending or "Accepted",
            "resourceLocation": "",
            "createdOn": remediation.created.isoformat(),
            "lastUpdatedOn": remediation.changed.isoformat(),
        }
        for each in remediation.deployments
    ]
    return Answer(200, {"value": shown})


def _existing(call: Call, verb: str) -> tuple[str, Remediation]:
    key = _id(policy_scope(call, _OF + verb), call).lower()
    remediation = call.cloud.remediations.get(key)
    if remediation is None:
        raise not_found(f"The remediation '{call.parts['name']}' was not found.", "RemediationNotFound")
    return key, remediation


def _id(scope: PolicyScope, call: Call) -> str:
    return f"{scope.text}/providers/Microsoft.PolicyInsights/remediations/{call.parts['name']}"


def _shown(call: Call, remediation: Remediation) -> dict[str, object]:
    return {
        "id": respelled(remediation.id, call.turn),
        "name": remediation.name,
        "type": "Microsoft.PolicyInsights/remediations",
        "properties": {
            **remediation.asked,
            "policyAssignmentId": remediation.assignment_id,
            "resourceDiscoveryMode": remediation.discovery,
            "provisioningState": remediation.state,
            "createdOn": remediation.created.isoformat(),
            "lastUpdatedOn": remediation.changed.isoformat(),
            "deploymentStatus": {
                "totalDeployments": len(remediation.deployments),
                "successfulDeployments": remediation.count(Ending.SUCCEEDED),
                "failedDeployments": remediation.count(Ending.FAILED),
            },
        },
    }


_VERSIONS: Final = frozenset({"2019-07-01", "2021-10-01", "2024-10-01"})
_AT_SCOPE: Final = "{scope}/providers/Microsoft.PolicyInsights/remediations"
_AT_GROUP: Final = GROUP_PATH + "/providers/Microsoft.PolicyInsights/remediations"

ROUTES: Final = (
    Route("GET", _AT_SCOPE, _VERSIONS, _list, _OF + "read"),
    Route("GET", _AT_SCOPE + "/{name}", _VERSIONS, _get, _OF + "read"),
    Route("PUT", _AT_SCOPE + "/{name}", _VERSIONS, _put, _OF + "write"),
    Route("DELETE", _AT_SCOPE + "/{name}", _VERSIONS, _delete, _OF + "delete"),
    Route("POST", _AT_SCOPE + "/{name}/cancel", _VERSIONS, _cancel, _OF + "cancel/action"),
    Route(
        *("POST", _AT_SCOPE + "/{name}/listDeployments", _VERSIONS, _list_deployments),
        _OF + "listDeployments/action",
    ),
    Route("GET", _AT_GROUP, _VERSIONS, _list),
    Route("GET", _AT_GROUP + "/{name}", _VERSIONS, _get),
    Route("PUT", _AT_GROUP + "/{name}", _VERSIONS, _put),
    Route("DELETE", _AT_GROUP + "/{name}", _VERSIONS, _delete),
    Route("POST", _AT_GROUP + "/{name}/cancel", _VERSIONS, _cancel),
    Route("POST", _AT_GROUP + "/{name}/listDeployments", _VERSIONS, _list_deployments),
)
