"""The whole way: the package is deployed into the lab, and the product works with just what it grants."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from azmdr.inventory.customers import CustomerError, CustomerState
from azmdr.onboarding.package import ManagementGroupScope, SubscriptionScope
from azmdr.onboarding.reading import give_back
from azmdr.onboarding.roles import RoleSet
from azmdr.onboarding.verify import Check, Mark, is_green
from azmdr.reconcile.verdict import Reason, Standing
from azmdr.steps.rounds import reconcile_all
from azmdr.store.targets import TargetKind, judged_targets
from lab.azure import roles
from lab.azure.scenario import DELEGATED
from tests.onboarding.conftest import Onboarded
from tests.onboarding.estate import GROUP, NAME, NEW_SUBSCRIPTION, SUBSCRIPTIONS

EVERY_ROLE = {role.id for role in DELEGATED}
WORKSPACE_GROUP = f"/subscriptions/{SUBSCRIPTIONS[0]}/resourceGroups/azmdr-entra-logs"


def granted(made: Onboarded, subscription_id: str) -> set[str]:
    return made.estate.roles_of(f"/subscriptions/{subscription_id}")


def reasons(made: Onboarded) -> dict[TargetKind, Counter[Reason]]:
    found: dict[TargetKind, Counter[Reason]] = {}
    with made.plane.store.read() as connection:
        for each in judged_targets(connection, NAME):
            found.setdefault(each.kind, Counter())[each.verdict.reason] += 1
    return found


def standings(made: Onboarded) -> Counter[Standing]:
    return Counter(reason.standing for counted in reasons(made).values() for reason in counted.elements())


def test_nothing_is_there_before_and_verify_says_so(untouched: Onboarded) -> None:
    findings = untouched.verify()
    assert not is_green(findings)
    assert {each.check for each in findings if each.mark is Mark.BAD} >= {Check.DELEGATION, Check.WORKSPACE}
    assert all(each.remedy for each in findings if each.mark is not Mark.GOOD)


def test_the_package_delegates_every_subscription_with_every_role_and_verify_is_green(
    onboarded: Onboarded,
) -> None:
    assert [granted(onboarded, each) for each in SUBSCRIPTIONS] == [EVERY_ROLE] * 3
    assert onboarded.estate.roles_of(WORKSPACE_GROUP) == {roles.LOG_ANALYTICS_CONTRIBUTOR.id}
    findings = onboarded.verify(*SUBSCRIPTIONS)
    assert [each for each in findings if each.mark is not Mark.GOOD] == []
    assert {each.check for each in findings} == set(Check)


def test_deploying_it_again_changes_nothing(onboarded: Onboarded) -> None:
    before = {key: dict(kept) for key, kept in onboarded.estate.cloud.delegations.items()}
    reply = onboarded.deploy()
    assert (reply.status, reply.state) == (200, "Succeeded")
    onboarded.estate.wait()
    assert {key: dict(kept) for key, kept in onboarded.estate.cloud.delegations.items()} == before
    assert onboarded.wrong() == []


def test_a_subscription_that_comes_later_is_delegated_by_policy(onboarded: Onboarded) -> None:
    estate = onboarded.estate
    estate.add_subscription(NEW_SUBSCRIPTION)
    estate.cloud.join_management_group(NEW_SUBSCRIPTION, "fabrikam-root")
    assert {each.where for each in onboarded.wrong(NEW_SUBSCRIPTION)} == {f"subscription {NEW_SUBSCRIPTION}"}
    estate.wait()
    assert granted(onboarded, NEW_SUBSCRIPTION) == EVERY_ROLE
    assert onboarded.wrong(NEW_SUBSCRIPTION) == []


def test_an_outdated_list_of_roles_is_corrected(untouched: Onboarded) -> None:
    untouched.roles = RoleSet.ARTICLE
    untouched.onboard()
    assert granted(untouched, SUBSCRIPTIONS[0]) == {roles.LOG_ANALYTICS_CONTRIBUTOR.id, roles.READER.id}
    assert untouched.wrong() == []
    untouched.roles = RoleSet.LEAST_PRIVILEGE
    assert Counter(each.check for each in untouched.wrong()) == {Check.DELEGATION: 3}
    untouched.deploy()
    untouched.estate.wait()
    assert [granted(untouched, each) for each in SUBSCRIPTIONS] == [EVERY_ROLE] * 3
    assert untouched.wrong() == []


def test_azures_own_sample_would_not_notice_an_outdated_list_of_roles(onboarded: Onboarded) -> None:
    cloud = onboarded.estate.cloud
    definition = next(each for each in cloud.policy_definitions.values() if "delegate" in each.name)
    tenant_only = {
        "field": "Microsoft.ManagedServices/registrationDefinitions/managedByTenantId",
        "equals": onboarded.offer.provider_tenant_id,
    }
    kept = cloud.definitions[SUBSCRIPTIONS[0]]
    for name, each in kept.items():
        kept[name] = replace(each, authorizations=each.authorizations[:1])
    assert [each.check for each in onboarded.wrong()] == [Check.POLICY]
    definition.details["existenceCondition"] = tenant_only  # type: ignore[index] # a policy as others write it
    assert onboarded.wrong() == []


def test_the_steps_converge_with_just_these_roles(onboarded: Onboarded) -> None:
    reconcile_all(onboarded.plane, [onboarded.customer])
    onboarded.estate.cloud.clock.advance(3600)
    reconcile_all(onboarded.plane, [onboarded.customer])
    assert reasons(onboarded)[TargetKind.SUBSCRIPTION] == {Reason.IN_PLACE: 3}
    assert reasons(onboarded)[TargetKind.DATA_EXPORT] == {Reason.IN_PLACE: 1}
    assert set(standings(onboarded)) <= {Standing.COVERED, Standing.EXCLUDED, Standing.UNSUPPORTED}
    writes = len(onboarded.estate.door.writes())
    onboarded.estate.cloud.clock.advance(3600)
    reconcile_all(onboarded.plane, [onboarded.customer])
    assert len(onboarded.estate.door.writes()) == writes


@pytest.mark.parametrize(
    ("role", "blocked"),
    [
        (roles.MONITORING_CONTRIBUTOR, {TargetKind.SUBSCRIPTION: 3, TargetKind.RESOURCE: 3}),
        (roles.LOG_ANALYTICS_CONTRIBUTOR, {TargetKind.DATA_EXPORT: 1}),
        (roles.READER, {}),
        (roles.ASSIGNMENT_DELETE_ROLE, {}),
    ],
    ids=lambda value: value.name if isinstance(value, roles.Role) else "",
)
def test_each_role_taken_away_is_named_and_the_steps_say_what_it_costs(
    onboarded: Onboarded, role: roles.Role, blocked: dict[TargetKind, int]
) -> None:
    onboarded.take_away(role)
    wrong = [each for each in onboarded.verify() if each.mark is Mark.BAD]
    assert wrong
    assert all(role.name.lower() in each.what.lower() and each.remedy for each in wrong)
    reports = reconcile_all(onboarded.plane, [onboarded.customer])
    assert all(not report.failed for report in reports.values())
    refused = {kind: found[Reason.NO_PERMISSION] for kind, found in reasons(onboarded).items()}
    assert {kind: number for kind, number in refused.items() if number} == blocked


def test_without_reader_and_monitoring_contributor_nothing_is_seen_any_more(onboarded: Onboarded) -> None:
    reconcile_all(onboarded.plane, [onboarded.customer])
    for role in (roles.READER, roles.MONITORING_CONTRIBUTOR):
        onboarded.take_away(role)
    onboarded.estate.cloud.clock.advance(3600)
    reconcile_all(onboarded.plane, [onboarded.customer])
    assert reasons(onboarded)[TargetKind.SUBSCRIPTION][Reason.NO_PERMISSION] == 3
    assert not is_green(onboarded.verify())


def test_a_provider_that_is_not_registered_is_named_with_the_command_and_never_registered(
    onboarded: Onboarded,
) -> None:
    registered = onboarded.estate.cloud.subscriptions[SUBSCRIPTIONS[1]].registered
    registered.discard("microsoft.insights")
    (wrong,) = onboarded.wrong()
    assert (wrong.check, wrong.mark) == (Check.PROVIDERS, Mark.BAD)
    assert (
        f"az provider register --namespace Microsoft.Insights --subscription {SUBSCRIPTIONS[1]}"
        in wrong.remedy
    )
    reconcile_all(onboarded.plane, [onboarded.customer])
    assert "microsoft.insights" not in registered
    assert reasons(onboarded)[TargetKind.SUBSCRIPTION][Reason.PROVIDER_NOT_REGISTERED] == 1


def test_a_region_without_a_hub_is_named(onboarded: Onboarded) -> None:
    for hubs in onboarded.estate.cloud.hubs.values():
        hubs.clear()
    (wrong,) = onboarded.wrong()
    assert (wrong.check, wrong.mark, wrong.where) == (Check.HUB, Mark.BAD, "westeurope")


def test_what_cant_be_read_is_unknown_and_no_verdict(onboarded: Onboarded) -> None:
    onboarded.estate.cloud.subscriptions[SUBSCRIPTIONS[2]].registered.discard("microsoft.policyinsights")
    (wrong,) = onboarded.wrong()
    assert (wrong.check, wrong.mark) == (Check.POLICY, Mark.UNKNOWN)
    assert "MissingSubscriptionRegistration" in wrong.what


def test_a_policy_that_was_removed_is_missed(onboarded: Onboarded) -> None:
    path = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/azmdr-delegate"
    assert onboarded.estate.ask("DELETE", path, "2025-01-01").status == 200
    assert Counter((each.check, each.mark) for each in onboarded.wrong()) == {(Check.POLICY, Mark.BAD): 3}


def test_the_second_policy_gives_every_subscription_its_resource_group(tmp_path: Path) -> None:
    made = Onboarded(tmp_path, ManagementGroupScope("fabrikam-root", automation_resource_group="automation"))
    made.onboard()
    groups = made.estate.cloud.groups
    assert [list(groups[each]) for each in SUBSCRIPTIONS] == [["automation"]] * 3
    made.estate.add_subscription(NEW_SUBSCRIPTION)
    made.estate.cloud.join_management_group(NEW_SUBSCRIPTION, "fabrikam-root")
    made.estate.wait()
    made.estate.wait()
    assert list(groups[NEW_SUBSCRIPTION]) == ["automation"]


def test_a_single_subscription_is_delegated_without_any_policy(tmp_path: Path) -> None:
    made = Onboarded(tmp_path, SubscriptionScope(SUBSCRIPTIONS[1], with_entra=True))
    made.onboard()
    assert [bool(granted(made, each)) for each in SUBSCRIPTIONS] == [False, True, False]
    assert made.estate.cloud.policy_assignments == {}
    marks = Counter(each.mark for each in made.verify(with_policy=False))
    assert set(marks) == {Mark.GOOD, Mark.NOT_ASKED}
    assert marks[Mark.NOT_ASKED] == 1
    reconcile_all(made.plane, [made.customer])
    assert set(standings(made)) <= {Standing.COVERED, Standing.EXCLUDED, Standing.UNSUPPORTED}


def test_the_article_s_two_roles_do_the_work_too_but_not_the_leaving(tmp_path: Path) -> None:
    made = Onboarded(tmp_path, roles=RoleSet.ARTICLE)
    made.onboard()
    reconcile_all(made.plane, [made.customer])
    assert set(standings(made)) <= {Standing.COVERED, Standing.EXCLUDED, Standing.UNSUPPORTED}
    gone = made.customer.model_copy(update={"state": CustomerState.GONE})
    given = give_back(made.plane, gone, made.offer.provider_tenant_id)
    assert {problem.partition(": ")[2][:24] for _, problem in given if problem} == {
        "403 AuthorizationFailed:"
    }


def test_the_provider_leaves_by_itself_and_policy_does_not_bring_it_back(onboarded: Onboarded) -> None:
    tenant_id = onboarded.offer.provider_tenant_id
    with pytest.raises(CustomerError, match="is not gone"):
        give_back(onboarded.plane, onboarded.customer, tenant_id)
    gone = onboarded.customer.model_copy(update={"state": CustomerState.GONE})
    given = give_back(onboarded.plane, gone, tenant_id)
    assert Counter(problem is None for _, problem in given) == {True: 4}
    assert not any(onboarded.estate.cloud.delegations.values())
    onboarded.estate.wait(60)
    assert not any(onboarded.estate.cloud.delegations.values())
    assert not is_green(onboarded.verify())


def test_without_the_delete_role_leaving_is_the_customer_s_to_do(onboarded: Onboarded) -> None:
    onboarded.take_away(roles.ASSIGNMENT_DELETE_ROLE)
    gone = onboarded.customer.model_copy(update={"state": CustomerState.GONE})
    given = give_back(onboarded.plane, gone, onboarded.offer.provider_tenant_id)
    failed = [each.scope for each, problem in given if problem]
    assert set(failed) >= {f"/subscriptions/{each}" for each in SUBSCRIPTIONS}


def test_only_an_owner_can_onboard(untouched: Onboarded) -> None:
    cloud = untouched.estate.cloud
    cloud.role_assignments[:] = [
        each for each in cloud.role_assignments if each.principal_id != untouched.estate.admin.object_id
    ]
    cloud.assign(untouched.estate.admin, roles.CONTRIBUTOR, GROUP)
    reply = untouched.deploy()
    assert "AuthorizationFailed" in reply.state
    untouched.estate.wait()
    assert not any(cloud.delegations.values())
