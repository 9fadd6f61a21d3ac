"""What ``azmdr plan`` and ``azmdr apply`` promise: a plan changes nothing, and apply does what it said."""

from datetime import timedelta
from typing import Any

import pytest

from azmdr.store.database import Store
from azmdr.store.leases import take_lease
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.faults import Fault, FaultKind, PlannedFaults
from lab.azure.scenario import SECRET
from tests.commands.command_line import CommandLine
from tests.commands.lab_over_tls import LabOverTls
from tests.steps.small_lab import OURS, scene_vault

VAULT = scene_vault().lower()
TARGETS = 13
"""Of each customer: eleven resources and what is nested in them, the subscription, the export."""


def planned(told: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (name, target["id"].lower(), target["action"])
        for name, customer in told.items()
        for target in customer["targets"]
        if target["action"]
    }


def done(told: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (name, each["target"].lower(), each["action"])
        for name, customer in told.items()
        for each in customer["done"]
    }


def test_a_plan_tells_every_target_and_every_action_and_changes_nothing(
    azmdr: CommandLine, lab: LabOverTls
) -> None:
    stored, stands = azmdr.dump(), lab.everything()
    told = azmdr.json("plan")
    assert set(told) == {"contoso", "fabrikam"}
    for customer in told.values():
        assert len(customer["targets"]) == TARGETS
        assert all(target["reason"] and target["standing"] for target in customer["targets"])
        assert sum(step["actions"].get("create", 0) for step in customer["steps"].values()) == 11
    assert len({(name, target) for name, target, _ in planned(told)}) == 20, "a workspace has two of ours"
    assert lab.writes() == []
    assert lab.everything() == stands
    assert azmdr.dump() == stored


def test_apply_does_what_the_plan_said_and_nothing_the_second_time(
    azmdr: CommandLine, lab: LabOverTls
) -> None:
    theirs = DiagnosticSetting("theirs", (Switch("AuditEvent", None, True),), workspace_id="/w")
    drifted = DiagnosticSetting(OURS, (Switch("AuditEvent", None, True),), workspace_id="/w")
    lab.put(VAULT, theirs, drifted)
    plan = azmdr.json("plan")
    applied = azmdr.json("apply")
    assert done(applied) == planned(plan)
    assert any(action.startswith("repair: ") for _, _, action in done(applied))
    written = {each.path.lower() for each in lab.writes()}
    assert len(written) == len(lab.writes()) == 22
    assert lab.everything()[VAULT, "theirs"] == theirs
    again = azmdr.json("apply")
    assert len(lab.writes()) == 22
    assert done(again) == planned(azmdr.json("plan")) == set()
    assert {target["reason"] for target in again["contoso"]["targets"]} == {"in_place", "type_without_logs"}


def test_a_plan_for_a_person_names_targets_actions_and_numbers(azmdr: CommandLine, lab: LabOverTls) -> None:
    told = azmdr.told("plan", "--customer", "contoso")
    assert "contoso: 11 create" in told
    assert f"{VAULT}\n  create (planned)" in told.lower()
    assert "fabrikam" not in told
    azmdr.told("apply")
    assert "contoso: nothing to do" in azmdr.told("plan")
    assert len(lab.writes()) == 22


def test_only_the_customers_named_are_touched_however_they_are_spelled(
    azmdr: CommandLine, lab: LabOverTls
) -> None:
    told = azmdr.json("plan", "--customer", "Contoso", "--customer", "CONTOSO", "--customer", "contoso")
    assert set(told) == {"contoso"}
    told = azmdr.json("apply", "--customer", "Contoso", "--customer", "contoso")
    assert set(told) == {"contoso"}
    assert len(lab.ours()) == 11
    assert not any(row[0] == "fabrikam" for row in azmdr.dump()["target"])


def test_a_customer_on_a_dry_run_is_only_planned_for(azmdr: CommandLine, lab: LabOverTls) -> None:
    azmdr.told("customer", "set", "contoso", "--dry-run")
    told = azmdr.json("apply")
    assert {name for name, _, _ in planned(told)} == {"contoso"}
    assert len(lab.ours()) == 11
    azmdr.told("customer", "set", "contoso", "--no-dry-run")
    azmdr.json("apply")
    assert len(lab.ours()) == 22


def test_coverage_tells_the_last_verdicts_and_asks_nobody(azmdr: CommandLine, lab: LabOverTls) -> None:
    azmdr.told("apply")
    asked = len(lab.door.log)
    told = azmdr.json("coverage")["contoso"]
    assert told["share"] == 1.0
    assert told["standings"] == {"covered": 11, "unsupported": 2}
    assert told["inventory"] == {"subscriptions": 1, "resources": 7}
    assert (told["uncounted"], told["unsound_listings"], told["trouble"]) == ([], {}, [])
    assert "100.0%" in azmdr.told("coverage")
    assert len(lab.door.log) == asked


def test_coverage_names_what_is_blocked_and_why(azmdr: CommandLine, lab: LabOverTls) -> None:
    full = [DiagnosticSetting(f"their-{number}", workspace_id="/w") for number in range(5)]
    lab.put(VAULT, *full)
    azmdr.told("apply")
    (blocked,) = azmdr.json("coverage")["contoso"]["trouble"]
    assert (blocked["id"].lower(), blocked["reason"]) == (VAULT, "setting_limit")
    assert "their-0, their-1" in azmdr.told("coverage")


def test_a_listing_that_breaks_off_is_told_and_takes_nothing_away(
    azmdr: CommandLine, lab: LabOverTls
) -> None:
    azmdr.told("apply")
    path = f"/subscriptions/{lab.customers[0].subscriptions[0].id}/resources"
    faults = {("GET", path, number): Fault(FaultKind.FAIL_BEFORE, 400) for number in range(1, 9)}
    lab.door.faults = PlannedFaults(faults)
    told = azmdr.json("apply")
    assert "400" in told["contoso"]["steps"]["monitored_resources"]["problem"]
    assert told["fabrikam"]["steps"]["monitored_resources"]["problem"] is None
    assert len(azmdr.json("coverage")["contoso"]["unsound_listings"]) == 1
    assert len(lab.ours()) == 22


def test_a_step_that_fails_ends_the_command_with_1_and_the_reason(
    azmdr: CommandLine, lab: LabOverTls
) -> None:
    lab.door.faults = _OnlySubscriptions()
    result = azmdr.run("apply")
    assert result.exit_code == 1
    assert "subscriptions: failed: listing subscriptions: 400" in result.stdout


class _OnlySubscriptions:
    """The listing of subscriptions is refused."""

    def decide(self, seen: Any) -> Fault | None:
        return Fault(FaultKind.FAIL_BEFORE, 400) if seen.path == "/subscriptions" else None

    def latency(self, _seen: Any) -> float:
        return 0.0


def test_a_customer_somebody_works_on_is_told_and_left_to_them(azmdr: CommandLine, lab: LabOverTls) -> None:
    store = Store.open(azmdr.store_url)
    with store.write() as connection:
        now = lab.scene.cloud.clock.now()
        take_lease(connection, "reconcile contoso", owner="a run", now=now, duration=timedelta(hours=1))
    told = azmdr.told("apply")
    store.close()
    assert "skipped: leased" in told
    assert len(lab.ours()) == 11


def test_removing_is_shown_then_done_then_said(
    azmdr: CommandLine, lab: LabOverTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    azmdr.told("apply")
    stored = azmdr.dump()
    shown = azmdr.told("customer", "remove", "contoso")
    assert "contoso: 11 remove" in shown
    assert shown.endswith("Nothing has been done; --yes does it.\n")
    assert azmdr.dump() == stored
    assert len(lab.ours()) == 22
    monkeypatch.setenv("AZMDR_VISIBLE_AFTER", "0")
    removed = azmdr.run("customer", "remove", "Contoso", "--yes", "--no-wait")
    assert removed.exit_code == 1, "that nothing of ours is there takes a second look"
    assert "contoso: 11 remove" in removed.stdout
    assert len(lab.ours()) == 11
    told = azmdr.told("customer", "remove", "Contoso", "--yes", "--no-wait")
    assert "customer contoso: nothing of ours is left; quiet since " in told
    monkeypatch.setenv("AZMDR_SILENCE", "0")
    assert "customer contoso: gone." in azmdr.told("customer", "remove", "contoso", "--yes")
    assert "contoso" not in azmdr.json("apply"), "who is gone is not reconciled"
    azmdr.add(lab.customers[0])
    azmdr.told("apply")
    assert len(lab.ours()) == 22


def test_what_can_not_be_removed_ends_the_command_with_1(azmdr: CommandLine, lab: LabOverTls) -> None:
    azmdr.told("apply")
    lab.change(lambda cloud: cloud.delegations[lab.customers[0].subscriptions[0].id].clear())
    result = azmdr.run("customer", "remove", "contoso", "--yes", "--no-wait")
    assert result.exit_code == 1
    assert "of 13 targets it is not sure yet that nothing of ours is left (13 no_permission)" in result.stdout


def test_an_estimate_is_told_of_what_is_known(azmdr: CommandLine, lab: LabOverTls) -> None:
    assert "no resources are known yet" in azmdr.refused("estimate", "--customer", "contoso")
    azmdr.told("apply", "--customer", "contoso")
    rows = azmdr.json("estimate", "--customer", "contoso")["categories"]
    assert {row["type"] for row in rows} >= {"microsoft.keyvault/vaults", "microsoft.sql/servers/databases"}
    assert len(lab.ours()) == 11


@pytest.mark.usefixtures("lab")
def test_no_secret_is_shown_by_anything(azmdr: CommandLine) -> None:
    for arguments in (
        ("plan",),
        ("plan", "--json"),
        ("apply", "--json"),
        ("coverage",),
        ("customer", "list"),
    ):
        result = azmdr.run(*arguments)
        assert SECRET not in result.output
        assert "eyJ" not in result.output, "a token begins like this"
    assert SECRET not in repr(azmdr.dump())
