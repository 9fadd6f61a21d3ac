"""The judgement, case by case; the rest of it is held by the whole way."""

import json
from dataclasses import replace

import pytest

from azmdr.onboarding import entra
from azmdr.onboarding.observed import Observed, PolicySeen, SubscriptionSeen, Unreadable, WorkspaceSeen
from azmdr.onboarding.offer import Offer
from azmdr.onboarding.roles import RoleSet
from azmdr.onboarding.verify import Asked, Check, Finding, Mark, is_green, verify
from tests.onboarding.estate import REGION, SUBSCRIPTIONS, TENANT
from tests.onboarding.plane import customer_of

WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTIONS[0]}/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
)
OFFER = Offer.of(TENANT, "MDR", "d", {SUBSCRIPTIONS[1]: "azmdr"}, RoleSet.LEAST_PRIVILEGE)
SEEN = SubscriptionSeen(SUBSCRIPTIONS[0], "production", (), {}, PolicySeen(True, True))
NOTHING = Observed((), hub_regions=frozenset({REGION}))


def found(
    observed: Observed, check: Check, asked: Asked | None = None, workspace: str | None = None
) -> list[Finding]:
    findings = verify(customer_of(workspace), OFFER, observed, asked or Asked())
    return [each for each in findings if each.check is check]


def test_a_listing_that_broke_off_makes_nothing_missing() -> None:
    observed = replace(NOTHING, expected=frozenset({SUBSCRIPTIONS[0]}), listing_problem="503")
    assert {each.mark for each in found(observed, Check.DELEGATION)} == {Mark.UNKNOWN}
    assert {each.mark for each in found(replace(observed, listing_problem=None), Check.DELEGATION)} == {
        Mark.BAD
    }


@pytest.mark.parametrize(
    ("policy", "mark"),
    [
        (PolicySeen(True, True), Mark.GOOD),
        (PolicySeen(True, False), Mark.BAD),
        (PolicySeen(True), Mark.UNKNOWN),
        (PolicySeen(False), Mark.BAD),
        (Unreadable("403"), Mark.UNKNOWN),
    ],
)
def test_a_policy_is_judged_by_what_azure_says_of_it(policy: PolicySeen | Unreadable, mark: Mark) -> None:
    observed = replace(NOTHING, subscriptions=(replace(SEEN, policy=policy),))
    (finding,) = found(observed, Check.POLICY)
    assert (finding.mark, bool(finding.remedy)) == (mark, mark is not Mark.GOOD)


def test_a_workspace_without_its_tables_or_its_role_says_which() -> None:
    seen = WorkspaceSeen("northeurope", frozenset(entra.CATEGORIES) - {"SigninLogs"}, ())
    observed = replace(NOTHING, workspace=seen)
    told = " ".join(each.what for each in found(observed, Check.WORKSPACE, workspace=WORKSPACE))
    assert "SigninLogs" in told
    assert "Log Analytics Contributor" in told
    hubs = found(observed, Check.HUB, workspace=WORKSPACE)
    assert [(each.where, each.mark) for each in hubs] == [(REGION, Mark.GOOD), ("northeurope", Mark.BAD)]


def test_unknown_is_green_unless_somebody_is_strict() -> None:
    findings = [Finding(Check.HUB, Mark.UNKNOWN, "x", "y", "z"), Finding(Check.HUB, Mark.GOOD, "x", "y")]
    assert is_green(findings)
    assert not is_green(findings, strictly=True)


def shown(**changed: object) -> str:
    body = entra.setting_body(WORKSPACE)
    return json.dumps({"properties": {**body["properties"], **changed}})


def test_the_entra_setting_is_judged_by_what_the_customer_shows() -> None:
    assert entra.shortcomings(shown(), WORKSPACE.upper()) == ()
    assert entra.shortcomings(json.dumps({"value": [json.loads(shown())]}), WORKSPACE) == ()
    assert entra.shortcomings(shown(workspaceId=WORKSPACE + "x"), WORKSPACE) == (
        f"no setting sends to {WORKSPACE}",
    )
    off = [{"category": "SignInLogs", "enabled": False}, {"category": "AuditLogs", "enabled": True}]
    wrong = entra.shortcomings(shown(logs=off), WORKSPACE)
    assert "SignInLogs is not sent" in wrong
    assert "AuditLogs is not sent" not in wrong


@pytest.mark.parametrize(
    "text", ["", "no", "3", "null", '"x"', "[1]", '{"value": 3}', '{"properties": {"logs": [1]}}']
)
def test_whatever_is_shown_is_judged_and_nothing_breaks(text: str) -> None:
    assert entra.shortcomings(text, WORKSPACE)
