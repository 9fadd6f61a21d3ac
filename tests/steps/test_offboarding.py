"""What a customer's leaving promises: all of ours goes, nothing else does, and gone is said when it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from azmdr.capture.names import CaptureName
from azmdr.inventory.customers import CustomerState
from azmdr.reconcile.verdict import Reason
from azmdr.steps.control_plane import StepReport
from azmdr.steps.offboarding import Leaving, Stage, begin_leaving, go_on_leaving, note_leaving, why_left
from azmdr.store.customers import add_customer, customer_named
from azmdr.store.database import Store
from azmdr.store.ledger import FoundFile, record_files
from azmdr.store.scratch import scratch_copy
from lab.azure.delegations import RegistrationAssignment
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.faults import Fault, Seen
from lab.azure.roles import MONITORING_CONTRIBUTOR
from lab.azure.scenario import workspace_id
from tests.steps.small_lab import (
    CONTOSO,
    FABRIKAM,
    OURS,
    SmallLab,
    known_as,
    scene_vault,
    writes,
)

SILENCE = timedelta(hours=2)
VAULT = scene_vault().lower()
OF_OURS = 11
"""Nine resources' settings, the subscription's, and the export rule."""


@pytest.fixture
def lab(tmp_path: Path) -> SmallLab:
    """Everything is in place, of a customer who leaves and of one who stays; both have settings of others."""
    lab = SmallLab(tmp_path, CONTOSO, FABRIKAM)
    lab.reconcile()
    logs = (Switch("AuditEvent", None, True),)
    for customer in lab.customers:
        theirs = DiagnosticSetting("azmdr-not", logs, workspace_id="/w")
        lab.cloud.put_setting(scene_vault(customer).lower(), theirs)
    assert len(lab.ours()) == 2 * OF_OURS
    lab.cloud.clock.advance(60)
    return lab


def leave(lab: SmallLab, hours: float = 0, **fields: Any) -> tuple[Leaving, dict[str, StepReport]]:
    """As ``azmdr customer remove --yes`` does, whatever was done before."""
    lab.cloud.clock.advance(hours * 3600)
    begin_leaving(lab.store, "contoso", lab.clock.now())
    return go_on_leaving(lab.plane(**fields), "contoso", SILENCE)


def state(lab: SmallLab) -> CustomerState:
    with lab.store.read() as connection:
        return customer_named(connection, "contoso").state


def arrive(lab: SmallLab, at: datetime, customer: str = "contoso") -> None:
    """A capture file of a customer is found."""
    name = CaptureName("azure-log-ingest-eastus-01", customer, "0", at)
    with lab.store.write() as connection:
        record_files(
            connection, [FoundFile(f"{at} {customer}", "etag", 1, customer, name, at, "message")], at
        )


def test_all_of_ours_is_removed_and_nothing_else(lab: SmallLab) -> None:
    theirs, others = lab.theirs(), {each for each in lab.ours() if FABRIKAM.subscriptions[0].id in each}
    before = len(lab.door.log)
    leaving, _ = leave(lab)
    assert leaving.stage is Stage.WATCHING
    assert lab.ours() == others
    assert lab.theirs() == theirs
    done = writes(lab.log[before:])
    assert done.total() == OF_OURS
    assert len(done) == OF_OURS - 1, "the workspace had a setting and a rule"


def test_a_plan_tells_what_would_be_removed_and_changes_nothing(lab: SmallLab) -> None:
    before = len(lab.door.log)
    with scratch_copy(lab.store, ["contoso"]) as scratch:
        begin_leaving(scratch, "contoso", lab.clock.now())
        plane = lab.plane(store=scratch, plan_only=True)
        _, reports = go_on_leaving(plane, "contoso", SILENCE)
    planned = sum(
        report.customers["contoso"].actions["remove"]
        for step, report in reports.items()
        if step != "event_hubs"
    )
    assert planned == OF_OURS
    assert writes(lab.log[before:]) == {}
    assert state(lab) is CustomerState.ACTIVE
    assert len(lab.ours()) == 2 * OF_OURS


def test_gone_is_said_when_nothing_has_arrived_for_long_enough(lab: SmallLab) -> None:
    leaving, _ = leave(lab)
    cleared = lab.clock.now()
    assert (leaving.quiet_since, leaving.gone_at) == (cleared, cleared + SILENCE)
    leaving, reports = leave(lab, hours=1.9)
    assert leaving.stage is Stage.WATCHING
    assert reports == {}, "nothing is asked of an Azure in which nothing of ours is left"
    leaving, _ = leave(lab, hours=0.1)
    assert leaving.stage is Stage.GONE
    assert state(lab) is CustomerState.GONE


def test_while_something_arrives_a_customer_is_not_gone(lab: SmallLab) -> None:
    leave(lab)
    for _ in range(3):
        lab.cloud.clock.advance(3600)
        arrive(lab, lab.clock.now())
        arrived = lab.clock.now()
        leaving, _ = leave(lab, hours=1.9)
        assert leaving.stage is Stage.WATCHING
        assert leaving.gone_at == arrived + SILENCE
    arrive(lab, lab.clock.now(), customer="fabrikam")
    leaving, _ = leave(lab, hours=0.1)
    assert leaving.stage is Stage.GONE, "another customer's files are none of its"


def test_a_target_that_is_blocked_is_named_with_its_reason_and_holds_everything_up(lab: SmallLab) -> None:
    with role_taken_away(lab):
        leaving, _ = leave(lab)
        assert leaving.stage is Stage.REMOVING
        assert why_left(leaving) == {Reason.NO_PERMISSION: OF_OURS - 2}, (
            "the workspace's are removed by another role"
        )
        assert VAULT in {each.id.lower() for each in leaving.left}
        leaving, _ = leave(lab, hours=100)
        assert leaving.stage is Stage.REMOVING, "however long it takes"
        assert state(lab) is CustomerState.LEAVING
    leaving, _ = leave(lab, hours=1)
    assert leaving.stage is Stage.WATCHING
    assert len(lab.ours()) == OF_OURS


@contextmanager
def role_taken_away(lab: SmallLab) -> Iterator[None]:
    """We may read, and write nothing."""
    delegations: dict[str, RegistrationAssignment] = lab.cloud.delegations[CONTOSO.subscriptions[0].id]
    before = {each.definition: each.definition.authorizations for each in delegations.values()}
    for definition, listed in before.items():
        kept = tuple(each for each in listed if each.role_id != MONITORING_CONTRIBUTOR.id)
        object.__setattr__(definition, "authorizations", kept)
    yield
    for each in delegations.values():
        for definition, listed in before.items():
            if definition is each.definition:
                object.__setattr__(definition, "authorizations", listed)


def test_a_delegation_given_back_too_early_is_no_proof_that_nothing_sends(lab: SmallLab) -> None:
    lab.cloud.delegations[CONTOSO.subscriptions[0].id].clear()
    leaving, _ = leave(lab)
    assert leaving.stage is Stage.REMOVING
    leaving, _ = leave(lab, hours=1)
    assert leaving.stage is Stage.REMOVING
    assert len(leaving.left) >= OF_OURS


def test_a_workspace_that_is_gone_holds_nobody_up(lab: SmallLab) -> None:
    lab.cloud.remove_resource(workspace_id(CONTOSO))
    leave(lab)
    leave(lab, hours=1)
    leaving, _ = leave(lab, hours=25)
    assert leaving.stage is Stage.WATCHING


class KilledError(BaseException):
    """The process dies."""


class Deadly:
    """Kills whoever makes the n-th change."""

    def __init__(self, number: int) -> None:
        self.number = number

    def decide(self, seen: Seen) -> Fault | None:
        self.number -= seen.method == "DELETE"
        if self.number == 0:
            self.number -= 1
            raise KilledError
        return None

    def latency(self, _seen: Seen) -> float:
        return 0.0


@pytest.mark.parametrize("number", [1, 2, 6, OF_OURS - 1, OF_OURS])
def test_killed_at_any_removal_it_goes_on_where_it_was(lab: SmallLab, number: int) -> None:
    theirs = lab.theirs()
    lab.door.faults = Deadly(number)
    with pytest.raises(KilledError):
        leave(lab)
    assert state(lab) is CustomerState.LEAVING
    assert len(lab.ours()) == 2 * OF_OURS - (number - 1)
    lab.store.close()
    lab.store = Store.open(lab.url)
    leaving, _ = leave(lab, hours=1)
    assert leaving.stage is Stage.WATCHING
    assert len(lab.ours()) == OF_OURS
    assert lab.theirs() == theirs


def test_every_run_of_every_step_removes_once_a_customer_leaves(lab: SmallLab) -> None:
    begin_leaving(lab.store, "contoso", lab.clock.now())
    lab.reconcile()
    assert len(lab.ours()) == OF_OURS
    assert note_leaving(lab.store, "contoso", lab.clock.now(), SILENCE).stage is Stage.WATCHING


def test_a_setting_somebody_puts_back_under_our_name_is_found_while_it_is_not_clear_yet(
    lab: SmallLab,
) -> None:
    with role_taken_away(lab):
        leave(lab)
    ours = DiagnosticSetting(OURS, (Switch("AuditEvent", None, True),), workspace_id="/w")
    lab.cloud.put_setting(VAULT, ours)
    leave(lab, hours=1)
    assert OURS not in lab.settings(VAULT)


def test_who_was_gone_can_come_back_and_is_covered_again(lab: SmallLab) -> None:
    leave(lab)
    leave(lab, hours=2)
    assert state(lab) is CustomerState.GONE
    with lab.store.write() as connection:
        add_customer(connection, known_as(CONTOSO), lab.clock.now())
    lab.reconcile()
    assert len(lab.ours()) == 2 * OF_OURS
    assert lab.reason("vaults/" + VAULT.rpartition("/")[2]) is Reason.CREATED


def test_beginning_again_changes_nothing_of_what_was_begun(lab: SmallLab) -> None:
    first = begin_leaving(lab.store, "contoso", lab.clock.now())
    assert begin_leaving(lab.store, "contoso", lab.clock.now() + SILENCE) == first
