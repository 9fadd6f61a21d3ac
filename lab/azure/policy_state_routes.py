"""Policy states over HTTP: queries for them, and their summary.

Source: learn.microsoft.com/rest/api/policyinsights/policy-states, version 2019-10-01.
"""

import re
from collections.abc import Callable
from typing import Final

from lab.azure.arm_error import bad_request
from lab.azure.call import Call, Route
from lab.azure.paging import page
from lab.azure.policy_compliance import PolicyState, states
from lab.azure.policy_scope import GROUP_PATH, policy_scope
from lab.azure.wire import Answer

_COMPARISON: Final = re.compile(r"\s*(\w+)\s+eq\s+(?:'([^']*)'|(true|false))\s*", re.IGNORECASE)
_QUERY: Final = "Microsoft.PolicyInsights/policyStates/queryResults/read"
_SUMMARIZE: Final = "Microsoft.PolicyInsights/policyStates/summarize/read"


def _query_results(call: Call) -> Answer:
    scope = policy_scope(call, _QUERY)
    keeps = _kept_by(call.request.query.get("$filter"))
    found = [row for row in (_row(call, each) for each in states(call.cloud, scope)) if keeps(row)]
    kept = found[: _top(call.request.query.get("$top"))]
    rows = {f"{row['policyAssignmentId']} {row['resourceId']}": row for row in kept}
    shown = page(call.request, rows, call.cloud.page_size, lambda row: row)
    return Answer(
        200,
        {
            "@odata.context": f"{call.request.origin}{scope.text}/$metadata#latest",
            "@odata.count": len(rows),
            "@odata.nextLink": shown.get("nextLink"),
            "value": shown["value"],
        },
    )


def _row(call: Call, state: PolicyState) -> dict[str, object]:
    return {
        "timestamp": call.cloud.clock.now().isoformat(),
        "resourceId": state.subscription.key,
        "resourceType": "Microsoft.Resources/subscriptions",
        "resourceLocation": "",
        "resourceGroup": "",
        "resourceTags": "",
        "subscriptionId": state.subscription.id,
        "policyAssignmentId": state.assignment.id.lower(),
        "policyAssignmentName": state.assignment.name,
        "policyAssignmentScope": state.assignment.scope,
        "policyDefinitionId": state.definition.id.lower(),
        "policyDefinitionName": state.definition.name,
        "policyDefinitionAction": state.assignment.effect(state.definition),
        "isCompliant": state.is_compliant,
        "complianceState": "Compliant" if state.is_compliant else "NonCompliant",
    }


def _kept_by(text: str | None) -> Callable[[dict[str, object]], bool]:
    if not text:
        return lambda _: True
    wanted = []
    for part in re.split(r"\band\b", text, flags=re.IGNORECASE):
        found = _COMPARISON.fullmatch(part)
        if found is None:
            raise bad_request(f"The filter '{text}' is not understood.", "InvalidFilter")
        wanted.append((found[1].lower(), (found[2] or found[3]).lower()))

    def keeps(row: dict[str, object]) -> bool:
        known = {name.lower(): str(value).lower() for name, value in row.items()}
        return all(known.get(name) == value for name, value in wanted)

    return keeps


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_request(f"Invalid $top '{text}'.", "InvalidTop")
    return int(text)


def _summarize(call: Call) -> Answer:
    scope = policy_scope(call, _SUMMARIZE)
    by_assignment: dict[str, list[PolicyState]] = {}
    for state in states(call.cloud, scope):
        by_assignment.setdefault(state.assignment.id, []).append(state)
    everything = [state for found in by_assignment.values() for state in found]
    context = f"{call.request.origin}{scope.text}/$metadata#summary"
    summary = {
        "@odata.id": None,
        "@odata.context": f"{context}/$entity",
        "results": _results(everything),
        "policyAssignments": [_of_assignment(found) for found in by_assignment.values()],
    }
    return Answer(200, {"@odata.context": context, "@odata.count": 1, "value": [summary]})


def _of_assignment(found: list[PolicyState]) -> dict[str, object]:
    definition = found[0].definition
    by_definition = {
        "policyDefinitionId": definition.id.lower(),
        "effect": found[0].assignment.effect(definition),
        "results": _results(found),
    }
    return {
        "policyAssignmentId": found[0].assignment.id.lower(),
        "policySetDefinitionId": "",
        "results": _results(found),
        "policyDefinitions": [by_definition],
    }


def _results(found: list[PolicyState]) -> dict[str, object]:
    failing = [state for state in found if not state.is_compliant]
    return {
        "queryResultsUri": None,
        "nonCompliantResources": len({state.subscription.id for state in failing}),
        "nonCompliantPolicies": len({state.definition.id for state in failing}),
    }


_VERSIONS: Final = frozenset({"2019-10-01", "2024-10-01"})
_OF: Final = "/providers/Microsoft.PolicyInsights/policyStates/{which}"
_AT_SCOPE: Final = "{scope}" + _OF
_AT_GROUP: Final = GROUP_PATH + _OF

ROUTES: Final = (
    Route("POST", _AT_SCOPE + "/queryResults", _VERSIONS, _query_results, _QUERY),
    Route("POST", _AT_SCOPE + "/summarize", _VERSIONS, _summarize, _SUMMARIZE),
    Route("POST", _AT_GROUP + "/queryResults", _VERSIONS, _query_results),
    Route("POST", _AT_GROUP + "/summarize", _VERSIONS, _summarize),
)
