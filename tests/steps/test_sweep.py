"""What a sweep promises: a read a target, a write where something is wrong, one's trouble no other's."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from azmdr.inventory.customers import Customer
from azmdr.reconcile.verdict import Reason, Standing
from azmdr.steps.bounds import StepBounds
from azmdr.steps.control_plane import ControlPlane, Ending, StepReport
from azmdr.steps.data_exports import reconcile_exports
from azmdr.steps.event_hubs import observe_event_hubs
from azmdr.steps.monitored_resources import find_resources
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.subscription_settings import reconcile_subscriptions
from azmdr.steps.subscriptions import find_subscriptions
from azmdr.store.leases import take_lease
from azmdr.store.tables import RESOURCE
from lab.azure.diagnostic_settings import LIMIT, DiagnosticSetting, Switch
from lab.azure.faults import Fault, FaultKind, PlannedFaults
from lab.azure.roles import EVENT_HUBS_DATA_OWNER
from lab.azure.scenario import workspace_id
from tests.steps.small_lab import (
    CONTOSO,
    FABRIKAM,
    OURS,
    Meanwhile,
    SmallLab,
    lab_customer,
    reads,
    resource,
    scene_vault,
    vault,
    writes,
)

VAULT = scene_vault().lower()
VAULT_NAME = "vaults/" + VAULT.rpartition("/")[2]
SUBSCRIPTION_ID = CONTOSO.subscriptions[0].id
RESOURCES_THAT_LOG = 9
"""Vault, database, security group, front door, workspace, and the four services of the storage account."""


@pytest.fixture
def lab(tmp_path: Path) -> SmallLab:
    """Nothing has been set yet; hubs, subscriptions and resources are known."""
    lab = SmallLab(tmp_path)
    for step in (observe_hubs, find_subscriptions, find_resources):
        lab.run(step)
    return lab


def observe_hubs(plane: ControlPlane, _customers: Sequence[Customer]) -> StepReport:
    return observe_event_hubs(plane)


@pytest.fixture
def covered(tmp_path: Path) -> SmallLab:
    """Everything is in place."""
    lab = SmallLab(tmp_path)
    lab.reconcile()
    return lab


def test_a_target_costs_one_read_and_one_write_and_then_one_read(lab: SmallLab) -> None:
    report, log = lab.run(reconcile_resources)
    assert set(reads(log).values()) == set(writes(log).values()) == {1}
    assert reads(log).keys() == writes(log).keys()
    assert len(writes(log)) == RESOURCES_THAT_LOG
    assert report.customers["contoso"].actions == {"create": RESOURCES_THAT_LOG}
    _, again = lab.run(reconcile_resources)
    assert reads(again) == reads(log)
    assert writes(again) == {}
    assert len(again) == RESOURCES_THAT_LOG


def test_what_azure_offers_of_a_type_is_asked_once_and_again_after_a_week(lab: SmallLab) -> None:
    for number in range(5):
        lab.cloud.add_resource(vault(f"kv-{number}"), "eastus")
    lab.run(find_resources)

    def asked(hours: float) -> Counter[str]:
        _, log = lab.run(reconcile_resources, hours=hours)
        return Counter(
            each.path.lower().split("/providers/")[1].split("/")[0]
            for each in log
            if each.path.lower().endswith("diagnosticsettingscategories")
        )

    once = {
        "microsoft.keyvault": 1,
        "microsoft.sql": 1,
        "microsoft.network": 2,
        "microsoft.operationalinsights": 1,
        "microsoft.storage": 4,
    }
    assert asked(1) == once
    assert asked(24 * 6) == {}
    assert asked(25) == once


def test_drift_is_repaired_and_what_others_made_is_left_alone(covered: SmallLab) -> None:
    theirs = DiagnosticSetting("their-siem", (Switch("AuditEvent", None, True),), workspace_id="/w")
    covered.cloud.put_setting(VAULT, theirs)
    ours = covered.settings(VAULT)[OURS]
    for drifted in (
        replace(ours, event_hub_name="fabrikam"),
        replace(ours, logs=()),
        replace(ours, metrics=(Switch("AllMetrics", None, True),)),
        replace(ours, workspace_id="/their/workspace"),
        None,
    ):
        if drifted is None:
            covered.cloud.settings[VAULT].remove(OURS, covered.clock.now())
        else:
            covered.cloud.put_setting(VAULT, drifted)
        report, log = covered.run(reconcile_resources)
        assert writes(log) == {VAULT: 1}
        assert covered.settings(VAULT) == {OURS: ours, "their-siem": theirs}
        assert report.customers["contoso"].actions.total() == 1


def test_what_is_left_out_is_read_twice_and_then_never(lab: SmallLab) -> None:
    lab.change(rules={"excluded_types": ["microsoft.keyvault/vaults"]})
    for expected in (1, 1, 0, 0):
        _, log = lab.run(reconcile_resources)
        assert reads(log)[VAULT] == expected
        assert lab.reason(VAULT_NAME) is Reason.EXCLUDED_TYPE
    assert VAULT not in lab.ours()


def test_new_rules_have_everything_judged_anew_and_what_is_not_wanted_any_more_is_removed(
    covered: SmallLab,
) -> None:
    covered.change(rules={"excluded_types": ["microsoft.keyvault/vaults"]})
    report, log = covered.run(reconcile_resources)
    assert writes(log) == {VAULT: 1}
    assert report.customers["contoso"].actions == {"remove": 1}
    assert covered.settings(VAULT) == {}
    covered.change(rules={})
    _, log = covered.run(reconcile_resources)
    assert writes(log) == {VAULT: 1}
    assert covered.reason(VAULT_NAME) is Reason.CREATED


def test_new_rules_have_what_was_settled_looked_at_anew(covered: SmallLab) -> None:
    covered.change(rules={"excluded_types": ["microsoft.keyvault/vaults"]})
    for _ in range(2):
        covered.run(reconcile_resources)
    _, quiet = covered.run(reconcile_resources)
    covered.change(rules={"excluded_types": ["microsoft.keyvault/vaults", "microsoft.sql"]})
    _, log = covered.run(reconcile_resources)
    covered.run(reconcile_resources)
    _, quiet_again = covered.run(reconcile_resources)
    assert [reads(each)[VAULT] for each in (quiet, log, quiet_again)] == [0, 1, 0]
    assert len(writes(log)) == 1


def test_what_the_policy_says_has_no_logs_loses_what_we_had_set(covered: SmallLab) -> None:
    policy = covered.plane().policy
    of_vaults = type(policy.types["microsoft.keyvault/vaults"])(no_logs="so it is said")
    types = {**policy.types, "microsoft.keyvault/vaults": of_vaults}
    other = replace(policy, types=types, content="another")
    covered.run(reconcile_resources, plane=covered.plane(policy=other))
    assert covered.settings(VAULT) == {}
    assert covered.reason(VAULT_NAME) is Reason.TYPE_WITHOUT_LOGS
    _, log = covered.run(reconcile_resources, plane=covered.plane(policy=other))
    assert reads(log)[VAULT] == 0


def test_in_a_disabled_subscription_nothing_is_written_and_what_stands_is_read(covered: SmallLab) -> None:
    covered.cloud.settings[VAULT].remove(OURS, covered.clock.now())
    covered.cloud.subscriptions[SUBSCRIPTION_ID].state = "Disabled"
    covered.run(find_subscriptions)
    _, log = covered.run(reconcile_resources)
    assert writes(log) == {}
    assert covered.reason(VAULT_NAME) is Reason.SUBSCRIPTION_DISABLED
    assert covered.reason("databases/orders") is Reason.IN_PLACE
    covered.cloud.subscriptions[SUBSCRIPTION_ID].state = "Enabled"
    covered.run(find_subscriptions)
    covered.run(reconcile_resources)
    assert covered.reason(VAULT_NAME) is Reason.CREATED


def test_nothing_new_names_a_hub_that_is_missing_and_nothing_old_is_removed(covered: SmallLab) -> None:
    covered.cloud.settings[VAULT].remove(OURS, covered.clock.now())
    namespace = covered.scene.namespace_id("eastus").lower()
    hub = covered.cloud.hubs[namespace].pop("contoso")
    before = covered.ours()
    for step in (observe_hubs, reconcile_resources, reconcile_subscriptions, reconcile_exports):
        _, log = covered.run(step)
        assert writes(log) == {}
    assert covered.reason(VAULT_NAME) is Reason.PENDING_HUB
    assert covered.ours() == before
    covered.cloud.hubs[namespace]["contoso"] = hub
    covered.run(observe_hubs)
    covered.run(reconcile_resources)
    assert covered.reason(VAULT_NAME) is Reason.CREATED


def test_before_any_hub_stands_everything_waits_and_nothing_is_asked(tmp_path: Path) -> None:
    lab = SmallLab(tmp_path)
    lab.cloud.hubs.clear()
    for step in (observe_hubs, find_subscriptions, find_resources):
        lab.run(step)
    _, log = lab.run(reconcile_resources)
    assert writes(log) == reads(log) == {}
    assert lab.reasons()[Reason.PENDING_HUB] == RESOURCES_THAT_LOG


def test_a_name_beyond_ascii_is_a_verdict_and_no_call(lab: SmallLab) -> None:
    lab.cloud.add_resource(vault("kv-zürich"), "eastus")
    lab.run(find_resources)
    _, log = lab.run(reconcile_resources)
    assert lab.reason("vaults/kv-zürich") is Reason.NAME_NOT_ASCII
    assert not [each for each in log if "zürich" in each.path]


def sink_taken(lab: SmallLab) -> None:
    logs = (Switch(None, "allLogs", True),)
    rule = lab.scene.rule_id("eastus")
    lab.cloud.put_setting(VAULT, DiagnosticSetting("theirs", logs, event_hub_rule_id=rule))


def full(lab: SmallLab) -> None:
    for number in range(LIMIT):
        lab.cloud.put_setting(VAULT, DiagnosticSetting(f"their-{number}", workspace_id="/w"))


def rule_refuses(lab: SmallLab) -> None:
    """What only Azure knows: the verdict comes from its answer to the write."""
    lab.cloud.role_assignments = [
        each for each in lab.cloud.role_assignments if each.role_id != EVENT_HUBS_DATA_OWNER.id
    ]


@pytest.mark.parametrize(
    ("happened", "reason"), [(sink_taken, Reason.SINK_IN_USE), (full, Reason.SETTING_LIMIT)]
)
def test_a_limit_blocks_its_target_and_no_other(
    lab: SmallLab, happened: Callable[[SmallLab], None], reason: Reason
) -> None:
    happened(lab)
    before = lab.theirs()
    report, log = lab.run(reconcile_resources)
    assert lab.reason(VAULT_NAME) is reason
    assert writes(log)[VAULT] == 0
    assert lab.reasons()[Reason.CREATED] == RESOURCES_THAT_LOG - 1
    assert report.customers["contoso"].ending is Ending.DONE
    assert lab.theirs() == before


def test_a_write_azure_refuses_is_a_verdict_told_with_what_azure_said(lab: SmallLab) -> None:
    rule_refuses(lab)
    report, log = lab.run(reconcile_resources)
    assert lab.reasons()[Reason.NO_PERMISSION_ON_HUB] == RESOURCES_THAT_LOG
    assert set(writes(log).values()) == {1}, "asked once, not again and again"
    told = report.customers["contoso"].told
    assert len(told) == RESOURCES_THAT_LOG
    assert all("listkeys" in each.verdict.detail for each in told)
    assert report.customers["contoso"].actions == {}


def test_a_target_that_can_not_be_read_is_unknown_and_stays_due(covered: SmallLab) -> None:
    covered.door.faults = PlannedFaults(
        {
            ("GET", f"{VAULT}/providers/microsoft.insights/diagnosticsettings", n): Fault(
                FaultKind.FAIL_BEFORE, 500
            )
            for n in range(1, 5)
        }
    )
    covered.run(reconcile_resources)
    target = covered.targets()[VAULT_NAME]
    assert target.verdict.reason is Reason.READ_FAILED
    assert target.ours, "what was there at the last read is remembered"
    _, log = covered.run(reconcile_resources)
    assert reads(log)[VAULT] == 1
    assert covered.reason(VAULT_NAME) is Reason.IN_PLACE


def test_a_write_of_which_nobody_heard_is_found_in_place_the_next_time(lab: SmallLab) -> None:
    lab.door.faults = PlannedFaults({("PUT", VAULT, n): Fault(FaultKind.RESET_AFTER) for n in range(4)})
    lab.run(reconcile_resources)
    assert lab.reason(VAULT_NAME) is Reason.WRITE_FAILED
    _, log = lab.run(reconcile_resources)
    assert writes(log) == {}
    assert lab.reason(VAULT_NAME) is Reason.IN_PLACE


def test_a_resource_that_is_not_there_waits_for_the_listings_to_say_so(covered: SmallLab) -> None:
    covered.cloud.remove_resource(VAULT)
    covered.run(reconcile_resources)
    assert covered.reason(VAULT_NAME) is Reason.NOT_FOUND
    covered.run(find_resources)
    covered.run(find_resources, hours=23)
    assert VAULT_NAME in covered.targets()
    covered.run(find_resources)
    assert VAULT_NAME not in covered.targets()


def test_a_dry_run_and_a_plan_tell_everything_and_change_nothing(lab: SmallLab) -> None:
    for plane, dry in ((lab.plane(plan_only=True), False), (lab.plane(), True)):
        lab.change(dry_run=dry)
        report, log = lab.run(reconcile_resources, plane=plane)
        assert writes(log) == {}
        assert report.customers["contoso"].actions == {"create": RESOURCES_THAT_LOG}
        assert lab.reasons()[Reason.PLANNED] == RESOURCES_THAT_LOG
        assert {each.verdict.detail for each in lab.targets().values()} >= {"create"}
    lab.change(dry_run=False)
    lab.run(reconcile_resources)
    assert lab.reasons()[Reason.CREATED] == RESOURCES_THAT_LOG


def test_a_customer_somebody_else_works_on_is_left_to_them(lab: SmallLab) -> None:
    now = lab.clock.now()
    with lab.store.write() as connection:
        take_lease(connection, "reconcile contoso", owner="other", now=now, duration=timedelta(hours=2))
    report, log = lab.run(reconcile_resources)
    assert report.customers["contoso"].ending is Ending.LEASED
    assert log == []
    assert report.failed == {}


def test_a_run_that_was_silent_for_too_long_writes_nothing_down(lab: SmallLab) -> None:
    def taken_over() -> None:
        now = lab.clock.now() + timedelta(hours=1)
        with lab.store.write() as connection:
            assert take_lease(
                connection, "reconcile contoso", owner="other", now=now, duration=timedelta(hours=1)
            )

    lab.door.faults = Meanwhile(taken_over, after=15)
    before = lab.targets()
    report, _ = lab.run(reconcile_resources)
    assert "another run has taken over" in report.failed["contoso"]
    assert lab.targets() == before


def test_when_the_time_is_up_the_rest_stands_first_the_next_time(lab: SmallLab) -> None:
    lab.run(reconcile_resources)
    lab.door.faults = PlannedFaults(seconds=60)
    plane = lab.plane(bounds=StepBounds(budget=timedelta(minutes=4)))
    report, first = lab.run(reconcile_resources, plane=plane)
    assert report.customers["contoso"].ending is Ending.UNFINISHED
    plane = lab.plane(bounds=StepBounds(budget=timedelta(minutes=7)))
    _, second = lab.run(reconcile_resources, plane=plane)
    done = [*reads(first), *reads(second)]
    assert len(first) >= 3
    assert len(done) >= RESOURCES_THAT_LOG
    assert len(set(done[:RESOURCES_THAT_LOG])) == RESOURCES_THAT_LOG, "all others before one a second time"


def test_one_customers_trouble_is_not_anothers(tmp_path: Path) -> None:
    lab = SmallLab(tmp_path, CONTOSO, FABRIKAM)
    for step in (observe_hubs, find_subscriptions, find_resources):
        lab.run(step)
    with lab.store.write() as connection:
        connection.execute(update(RESOURCE).where(RESOURCE.c.customer == "contoso").values(tags="{broken"))
    report, log = lab.run(reconcile_resources)
    assert list(report.failed) == ["contoso"]
    assert report.customers["fabrikam"].ending is Ending.DONE
    assert lab.reasons("fabrikam")[Reason.CREATED] == RESOURCES_THAT_LOG
    assert not any(SUBSCRIPTION_ID in each.path for each in log if each.method == "PUT")


def test_no_request_about_one_customer_names_another(tmp_path: Path) -> None:
    lab = SmallLab(tmp_path, CONTOSO, FABRIKAM)
    lab.reconcile()
    for mine, other in ((CONTOSO, FABRIKAM), (FABRIKAM, CONTOSO)):
        for key in lab.ours():
            if mine.subscriptions[0].id in key:
                told = repr(lab.settings(key)) + repr(lab.cloud.exports.get(key.removesuffix(" rule"), ""))
                assert other.name not in told
                assert mine.name in told
        ids = json.dumps(sorted(each.id for each in lab.targets(mine.name).values()))
        assert other.subscriptions[0].id not in ids


def test_every_target_has_a_verdict_from_the_first_round_on(tmp_path: Path) -> None:
    lab = SmallLab(tmp_path)
    lab.reconcile()
    assert {reason.standing for reason in lab.reasons()} == {Standing.COVERED, Standing.UNSUPPORTED}
    assert len(lab.targets()) == RESOURCES_THAT_LOG + 4, "and subscription, export, disk, storage account"


def test_a_new_workspace_takes_over_and_the_old_one_loses_our_rule(covered: SmallLab) -> None:
    new = resource("Microsoft.OperationalInsights/workspaces", "new-entra-logs").replace(
        "contoso-eastus", "entra-logs"
    )
    old = workspace_id(CONTOSO).lower()
    covered.cloud.add_resource(new, "eastus")
    covered.cloud.add_tables(new, ["AuditLogs"])
    covered.change(entra_workspace_id=new)
    _, log = covered.run(reconcile_exports)
    assert writes(log) == {old: 1, new.lower(): 1}
    assert covered.reason("workspaces/new-entra-logs!") is Reason.CREATED
    assert covered.reason("workspaces/contoso-entra-logs!") is Reason.EXCLUDED_SCOPE
    assert covered.cloud.exports[old] == {}
    covered.run(reconcile_exports)
    _, again = covered.run(reconcile_exports)
    assert reads(again) == {new.lower(): 1}


def test_a_workspace_of_another_customer_is_left_alone(tmp_path: Path) -> None:
    neighbour = lab_customer("fabrikam", "eastus")
    lab = SmallLab(tmp_path, CONTOSO, neighbour)
    lab.reconcile()
    lab.change(entra_workspace_id=workspace_id(neighbour))
    _, log = lab.run(reconcile_exports)
    assert writes(log) == {workspace_id(CONTOSO).lower(): 1}, "the one it had before"
    assert lab.reason("workspaces/fabrikam-entra-logs!") is Reason.WORKSPACE_MISSING
    rule = lab.cloud.exports[workspace_id(neighbour).lower()][OURS]
    assert rule.event_hub_name == "fabrikam"


def test_a_workspace_that_is_gone_is_told_and_one_no_longer_ours_that_is_gone_is_done_with(
    covered: SmallLab,
) -> None:
    covered.cloud.remove_resource(workspace_id(CONTOSO))
    covered.run(reconcile_exports)
    assert covered.reason("workspaces/contoso-entra-logs!") is Reason.WORKSPACE_MISSING
    covered.change(entra_workspace_id=None)
    for _ in range(2):
        covered.run(reconcile_exports)
    target = covered.targets()["workspaces/contoso-entra-logs!"]
    assert (target.verdict.reason, target.settled, target.ours) == (Reason.EXCLUDED_SCOPE, True, False)
