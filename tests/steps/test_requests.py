"""What a request promises: met before all else, also in the middle of a sweep; kept until it was met."""

from pathlib import Path

import pytest

from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.reconcile.verdict import Reason
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.subscription_settings import reconcile_subscriptions
from azmdr.store.requests import Request, note_changes, requests_of
from lab.azure.faults import Fault, FaultKind, PlannedFaults
from tests.steps.small_lab import (
    CONTOSO,
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
SUBSCRIPTION = f"/subscriptions/{CONTOSO.subscriptions[0].id}"
BLOBS = resource(
    "Microsoft.Storage/storageAccounts", f"st{CONTOSO.subscriptions[0].id[:8]}eastus"
).lower() + ("/blobservices/default")


@pytest.fixture
def lab(tmp_path: Path) -> SmallLab:
    """Everything is in place."""
    lab = SmallLab(tmp_path)
    lab.reconcile()
    lab.cloud.clock.advance(3600)
    return lab


def ask_for(lab: SmallLab, target: str, kind: ChangeKind = ChangeKind.SETTING, name: str = "contoso") -> None:
    """As if the record of a change had just come through the stream."""
    now = lab.clock.now()
    with lab.store.write() as connection:
        assert (
            note_changes(connection, name, [Change(kind, ResourceId.parse(target), now, "operation")], now)
            == 1
        )


def delete_setting(lab: SmallLab, target: str) -> None:
    assert lab.cloud.settings[target].remove(OURS, lab.clock.now())


def requests(lab: SmallLab, name: str = "contoso") -> list[Request]:
    with lab.store.read() as connection:
        return list(requests_of(connection, name))


@pytest.mark.parametrize("target", [VAULT, BLOBS])
def test_a_deleted_setting_is_put_back_without_a_sweep(lab: SmallLab, target: str) -> None:
    delete_setting(lab, target)
    ask_for(lab, target.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))
    report, log = lab.run(reconcile_resources, requested_only=True)
    assert reads(log) == writes(log) == {target: 1}
    assert len(log) == 2, "nothing else is asked"
    assert report.customers["contoso"].actions == {"create": 1}
    assert OURS in lab.settings(target)
    assert requests(lab) == []


def test_a_subscriptions_setting_is_put_back_by_the_step_for_subscriptions(lab: SmallLab) -> None:
    delete_setting(lab, SUBSCRIPTION)
    ask_for(lab, SUBSCRIPTION)
    _, log = lab.run(reconcile_resources, requested_only=True)
    assert log == []
    assert len(requests(lab)) == 1
    _, log = lab.run(reconcile_subscriptions, requested_only=True)
    assert writes(log) == {SUBSCRIPTION: 1}
    assert requests(lab) == []


def test_a_change_in_the_middle_of_a_sweep_is_met_within_it_and_before_what_waits(lab: SmallLab) -> None:
    for number in range(40):
        lab.cloud.add_resource(vault(f"kv-{number:02}"), "eastus")
    lab.reconcile()

    def happen() -> None:
        delete_setting(lab, VAULT)
        ask_for(lab, VAULT)

    lab.door.faults = Meanwhile(happen, after=20)
    _, log = lab.run(reconcile_resources)
    order = [each.path.lower() for each in log]
    put_back = next(place for place, each in enumerate(log) if each.method == "PUT")
    assert VAULT in order[put_back]
    assert put_back < 20 + 10, "a look every five seconds, and each request takes one"
    assert len(log) > 45, "and the sweep goes on"
    assert requests(lab) == []


def test_a_resource_nobody_knows_yet_is_taken_in_and_covered(lab: SmallLab) -> None:
    new = vault("kv-new")
    lab.cloud.add_resource(new, "eastus")
    ask_for(lab, new, ChangeKind.RESOURCE)
    _, log = lab.run(reconcile_resources, requested_only=True)
    assert writes(log) == {new.lower(): 1}
    assert lab.reason("vaults/kv-new") is Reason.CREATED
    assert len(log) == 3, "looked up, read, written; what its type offers is known"
    assert requests(lab) == []


def test_a_new_resource_of_a_new_type_is_covered_with_all_that_is_nested_in_it(lab: SmallLab) -> None:
    site = resource("Microsoft.Logic/workflows", "flow-1")
    account = resource("Microsoft.Storage/storageAccounts", "stnew")
    for new in (site, account):
        lab.cloud.add_resource(new, "eastus")
        ask_for(lab, new, ChangeKind.RESOURCE)
    lab.run(reconcile_resources, requested_only=True)
    assert lab.reason("workflows/flow-1") is not Reason.NOT_READ_YET
    nested = {each for each in lab.ours() if each.startswith(f"{account.lower()}/")}
    assert len(nested) == 4
    assert requests(lab) == []


def test_other_tags_are_seen_and_what_they_exclude_loses_our_setting(lab: SmallLab) -> None:
    lab.change(rules={"excluded_tags": {"mdr": "off"}})
    lab.run(reconcile_resources)
    lab.cloud.add_resource(VAULT, "eastus", {"mdr": "off"})
    lab.cloud.clock.advance(60)
    ask_for(lab, VAULT, ChangeKind.RESOURCE)
    _, log = lab.run(reconcile_resources, requested_only=True)
    assert writes(log) == {VAULT: 1}
    assert lab.settings(VAULT) == {}


def test_a_request_whose_read_fails_stays_until_it_is_met(lab: SmallLab) -> None:
    delete_setting(lab, VAULT)
    ask_for(lab, VAULT)
    failing = f"{VAULT}/providers/microsoft.insights/diagnosticsettings"
    lab.door.faults = PlannedFaults({("GET", failing, n): Fault(FaultKind.FAIL_BEFORE) for n in range(1, 5)})
    lab.run(reconcile_resources, requested_only=True)
    assert len(requests(lab)) == 1
    lab.run(reconcile_resources, requested_only=True)
    assert requests(lab) == []
    assert OURS in lab.settings(VAULT)


def test_a_request_whose_look_up_fails_stays_until_it_is_met(lab: SmallLab) -> None:
    new = vault("kv-new")
    lab.cloud.add_resource(new, "eastus")
    ask_for(lab, new, ChangeKind.RESOURCE)
    lab.door.faults = PlannedFaults(
        {("GET", "/resources", n): Fault(FaultKind.TRUNCATE) for n in range(1, 5)}
    )
    report, _ = lab.run(reconcile_resources, requested_only=True)
    assert report.failed == {}
    assert len(requests(lab)) == 1
    lab.run(reconcile_resources, requested_only=True)
    assert requests(lab) == []
    assert new.lower() in lab.ours()


def test_what_is_not_there_any_more_is_looked_up_once_and_forgotten(lab: SmallLab) -> None:
    ask_for(lab, vault("kv-gone"), ChangeKind.RESOURCE)
    _, log = lab.run(reconcile_resources, requested_only=True)
    assert len(log) == 1
    assert requests(lab) == []


def test_no_request_waits_behind_hundreds_of_others(lab: SmallLab) -> None:
    for number in range(120):
        ask_for(lab, vault(f"kv-gone-{number}"), ChangeKind.RESOURCE)
    lab.cloud.clock.advance(1)
    delete_setting(lab, SUBSCRIPTION)
    ask_for(lab, SUBSCRIPTION)
    _, log = lab.run(reconcile_subscriptions, requested_only=True)
    assert writes(log) == {SUBSCRIPTION: 1}


def test_a_customers_request_touches_nothing_of_another(tmp_path: Path) -> None:
    neighbour = lab_customer("fabrikam", "eastus")
    lab = SmallLab(tmp_path, CONTOSO, neighbour)
    lab.reconcile()
    theirs = scene_vault(neighbour)
    lab.cloud.clock.advance(60)
    new = vault("kv-new", neighbour)
    lab.cloud.add_resource(new, "eastus")
    # What comes through contoso's hub may name anything, if somebody else writes into it.
    ask_for(lab, theirs, name="contoso")
    ask_for(lab, new, ChangeKind.RESOURCE, name="contoso")
    delete_setting(lab, theirs.lower())
    _, log = lab.run(reconcile_resources, requested_only=True)
    assert writes(log) == reads(log) == {}
    assert requests(lab, "contoso") == []
    assert not any(neighbour.subscriptions[0].id in each.id for each in lab.targets("contoso").values())
