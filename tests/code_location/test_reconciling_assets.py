"""What the control plane's assets promise: each customer served whatever befalls another, and told."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from azmdr.inventory.customers import CustomerState
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.verdict import Standing, Verdict
from azmdr.reconcile.wanted import CustomerView, wanted_on_resource
from azmdr.store.customers import customer_named, replace_customer
from azmdr.store.leases import give_back_lease, take_lease
from azmdr.store.targets import DueTarget
from azmdr_dagster.partitions import customers
from tests.code_location.lab_provider import LabProvider
from tests.code_location.reconciling_runs import check, run_job, shown, troubled

ALL = ("contoso", "fabrikam", "tailwind")
STEPS = (
    "subscriptions",
    "monitored_resources",
    "subscription_diagnostic_settings",
    "resource_diagnostic_settings",
    "entra_data_exports",
)
RECONCILED = ("resource_diagnostic_settings", "customers_reconciled")


@pytest.fixture
def at_work(provider: LabProvider, instance: dg.DagsterInstance) -> LabProvider:
    """A provider whose customers are registered and whose event hubs were looked at; nothing is set yet."""
    provider.register()
    assert run_job(instance, "observe_event_hubs").success
    return provider


def reconcile(instance: dg.DagsterInstance, *keys: str) -> dg.ExecuteInProcessResult:
    return run_job(instance, "reconcile_customers", *(keys or ALL), steps=(*STEPS, "coverage"))


def take_hold_of(provider: LabProvider, customer: str) -> None:
    """As another run would."""
    with provider.store.write() as connection:
        now, long = datetime.now(UTC), timedelta(hours=1)
        assert take_lease(connection, f"reconcile {customer}", owner="another", now=now, duration=long)


def let_go_of(provider: LabProvider, customer: str) -> None:
    with provider.store.write() as connection:
        give_back_lease(connection, f"reconcile {customer}", owner="another")


def test_the_registry_becomes_partitions_and_a_table_and_nothing_is_taken_away(
    provider: LabProvider, instance: dg.DagsterInstance
) -> None:
    name = str(customers.name)
    instance.add_dynamic_partitions(name, ["woodgrove"])
    provider.register("contoso", "fabrikam", dry_run=True)
    result = run_job(instance, "mirror_customers")
    assert instance.get_dynamic_partitions(name) == ["woodgrove", "contoso", "fabrikam"]
    told = shown(result)["customers", ""]
    assert [row["customer"] for row in told["customers"]] == ["contoso", "fabrikam"]
    assert {row["dry run"] for row in told["customers"]} == {"yes"}
    assert told["capture files of, but not registered"] == "woodgrove"
    assert told["dagster/row_count"] == 2


@pytest.mark.usefixtures("provider")
def test_the_hubs_that_stand_are_shown_with_whether_they_can_be_sent_to(instance: dg.DagsterInstance) -> None:
    result = run_job(instance, "observe_event_hubs")
    told = shown(result)["event_hubs", ""]
    places = {(row["hub"], row["region"]) for row in told["hubs"]}
    assert places >= {("contoso", "uksouth"), ("tailwind", "eastus")}
    assert {row["can be sent to"] for row in told["hubs"]} == {"yes"}
    assert check(result, "event_hubs", "event_hubs_listed").passed


def test_a_listing_of_hubs_that_fails_is_a_failed_check_and_no_failed_run(
    provider: LabProvider, instance: dg.DagsterInstance
) -> None:
    provider.scene.cloud.role_assignments.clear()
    result = run_job(instance, "observe_event_hubs")
    assert result.success
    found = check(result, "event_hubs", "event_hubs_listed")
    assert not found.passed
    assert "403" in str(found.description) or "AuthorizationFailed" in str(found.description)


def test_a_range_run_brings_every_customer_to_full_coverage(
    at_work: LabProvider, instance: dg.DagsterInstance
) -> None:
    result = reconcile(instance)
    assert result.success
    told = shown(result)
    assert set(told) == {(step, name) for step in (*STEPS, "coverage") for name in ALL}
    for name in ALL:
        covered = told["coverage", name]
        assert covered["covered, % of what can be"] == 100.0
        assert covered["covered"] == len(at_work.targets_of(name)) + 1  # its workspace has an export rule
        assert covered["targets"] == sum(covered[str(standing)] for standing in Standing)
        assert covered["worst"] == []
        settings = told["resource_diagnostic_settings", name]
        assert settings["action: create"] == settings["verdict: created"] == settings["standing: covered"]
        assert len(settings["actions"]) == min(50, settings["action: create"])
        assert settings["calls of the run: writes"] > settings["action: create"]
        assert settings["ending"] == "done"
    assert told["subscriptions", "contoso"]["seen"] == len(at_work.subscriptions_of("contoso"))
    assert all(one.passed for one in result.get_asset_check_evaluations())


def test_a_second_run_changes_nothing(at_work: LabProvider, instance: dg.DagsterInstance) -> None:
    reconcile(instance)
    before = at_work.writes()
    again = reconcile(instance)
    assert at_work.writes() == before
    assert {told.get("verdict: created") for told in shown(again).values()} == {None}


def test_a_customer_whose_delegation_is_gone_costs_the_others_nothing_and_is_seen(
    at_work: LabProvider, instance: dg.DagsterInstance
) -> None:
    reconcile(instance)
    at_work.scene.cloud.delegations.clear()
    for name in ("contoso", "tailwind"):
        for subscription in at_work.subscriptions_of(name):
            at_work.delegate(subscription)
    lost = at_work.targets_of("contoso")[5]
    at_work.delete_setting(lost)
    result = reconcile(instance)
    assert result.success
    assert at_work.has_setting(lost)
    found = check(result, "monitored_resources", "inventory_complete")
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert list(troubled(found)) == ["fabrikam"]
    blocked = check(result, "coverage", "nothing_blocked")
    assert list(troubled(blocked)) == ["fabrikam"]
    assert "no_permission" in troubled(blocked)["fabrikam"]
    assert shown(result)["coverage", "contoso"]["blocked"] == 0
    worst = shown(result)["coverage", "fabrikam"]["worst"]
    assert {row["reason"] for row in worst} == {"no_permission"}


@pytest.mark.usefixtures("at_work")
def test_a_customer_a_step_fails_for_is_named_with_the_reason_and_stays_so_until_it_is_served(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(view: CustomerView, due: DueTarget) -> DiagnosticSetting | Verdict:
        if view.customer.name == "fabrikam":
            raise ZeroDivisionError("nobody foresaw this")
        return wanted_on_resource(view, due)

    with monkeypatch.context() as patched:
        patched.setattr("azmdr.steps.resource_settings.wanted_on_resource", breaking)
        result = reconcile(instance)
    assert result.success
    found = check(result, *RECONCILED)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert "nobody foresaw this" in troubled(found)["fabrikam"]
    told = shown(result)
    assert told["resource_diagnostic_settings", "fabrikam"]["ending"] == "failed"
    assert [told["coverage", name]["covered, % of what can be"] == 100 for name in ALL] == [True, False, True]

    elsewhere = reconcile(instance, "contoso")
    assert list(troubled(check(elsewhere, *RECONCILED))) == ["fabrikam"]
    assert check(reconcile(instance, "fabrikam"), *RECONCILED).passed


def test_a_customer_another_run_holds_is_told_as_leased_and_left_to_it(
    at_work: LabProvider, instance: dg.DagsterInstance
) -> None:
    take_hold_of(at_work, "fabrikam")
    result = reconcile(instance)
    assert result.success
    assert at_work.targets_of("fabrikam") == []
    assert at_work.targets_of("contoso")
    told = shown(result)
    for step in STEPS:
        assert told[step, "fabrikam"]["ending"] == "skipped: leased"
        found = check(result, step, "customers_reconciled")
        assert found.passed
        assert found.metadata["skipped: leased"].value == "fabrikam"
    let_go_of(at_work, "fabrikam")
    assert reconcile(instance, "fabrikam").success
    assert at_work.targets_of("fabrikam")


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    provider: LabProvider, instance: dg.DagsterInstance
) -> None:
    provider.register("contoso", dry_run=True)
    provider.register("fabrikam")
    run_job(instance, "observe_event_hubs")
    result = reconcile(instance, "contoso", "fabrikam")
    assert provider.targets_of("contoso") == []
    assert provider.targets_of("fabrikam")
    subscriptions = tuple(f"/subscriptions/{each}" for each in provider.subscriptions_of("contoso"))
    assert [one for one in provider.door.writes() if one.path.lower().startswith(subscriptions)] == []
    told = shown(result)
    planned = told["subscription_diagnostic_settings", "contoso"]
    assert planned["dry run"] is True
    assert "actions" not in planned
    assert {row["target"] for row in planned["plan"]} == set(subscriptions)
    assert {row["reason"] for row in planned["plan"]} == {"planned"}
    assert all(row["action"] for row in planned["plan"])
    assert told["coverage", "contoso"]["verdict: planned"] == told["coverage", "contoso"]["pending"] > 10
    assert check(result, "coverage", "coverage_adds_up").passed


def test_customers_that_are_gone_or_none_of_ours_are_left_alone(
    at_work: LabProvider, instance: dg.DagsterInstance
) -> None:
    with at_work.store.write() as connection:
        gone = customer_named(connection, "fabrikam").model_copy(update={"state": CustomerState.GONE})
        replace_customer(connection, gone)
    result = reconcile(instance, "contoso", "fabrikam", "woodgrove")
    assert result.success
    told = shown(result)
    for step in STEPS:
        assert told[step, "fabrikam"] == {"ending": "nothing done: is gone"}
        assert told[step, "woodgrove"] == {"ending": "nothing done: is no customer"}
    assert at_work.targets_of("fabrikam") == []


def test_a_customer_that_leaves_is_cleared_by_a_scheduled_run_and_told(
    at_work: LabProvider, instance: dg.DagsterInstance
) -> None:
    reconcile(instance)
    with at_work.store.write() as connection:
        update = {"state": CustomerState.LEAVING, "leaving_since": datetime.now(UTC)}
        replace_customer(connection, customer_named(connection, "tailwind").model_copy(update=update))
    result = reconcile(instance)
    assert at_work.targets_of("tailwind") == []
    assert at_work.targets_of("contoso")
    told = shown(result)
    assert told["coverage", "tailwind"]["leaving"].startswith("watching, 0 targets")
    assert told["resource_diagnostic_settings", "tailwind"]["action: remove"] > 0


def test_only_the_named_subscriptions_are_listed(at_work: LabProvider, instance: dg.DagsterInstance) -> None:
    run_job(instance, "reconcile_customers", "contoso", steps=["subscriptions"])
    one = at_work.subscriptions_of("contoso")[0]
    result = run_job(
        instance,
        "reconcile_customers",
        "contoso",
        steps=["monitored_resources"],
        config={"subscription_ids": [one.upper()]},
    )
    told = shown(result)["monitored_resources", "contoso"]
    assert told["subscriptions"] == 1
    assert told["new"] == told["seen"] > 0


def test_counts_that_do_not_add_up_fail_the_check(at_work: LabProvider, instance: dg.DagsterInstance) -> None:
    reconcile(instance)
    at_work.lose_a_target("contoso")
    result = run_job(instance, "reconcile_customers", *ALL, steps=["coverage"])
    found = check(result, "coverage", "coverage_adds_up")
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert "in the inventory" in troubled(found)["contoso"]
    assert list(troubled(found)) == ["contoso"]


def test_no_secret_is_in_any_event_of_a_run(at_work: LabProvider, instance: dg.DagsterInstance) -> None:
    result = reconcile(instance)
    log = instance.all_logs(result.run_id)
    assert len(log) > 50
    assert not [entry for entry in log if at_work.told["client_secret"] in str(entry)]
