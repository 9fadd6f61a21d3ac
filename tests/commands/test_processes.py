"""The command in a process of its own, against Azure over TLS: what a person and a script see of it."""

import json
import time

import pytest

from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.faults import PlannedFaults
from lab.azure.scenario import SECRET
from tests.commands.command_line import CommandLine, process
from tests.commands.lab_over_tls import LabOverTls
from tests.steps.small_lab import scene_vault

WITHIN = 120
VAULT = scene_vault().lower()
THEIRS = DiagnosticSetting("theirs", (Switch("AuditEvent", None, True),), workspace_id="/w")


def finished(*arguments: str) -> tuple[int, str, str]:
    started = process(*arguments)
    out, err = started.communicate(timeout=WITHIN)
    return started.returncode, out, err


@pytest.mark.usefixtures("azmdr")
def test_apply_in_a_process_covers_all_and_prints_one_object_of_json(lab: LabOverTls) -> None:
    code, out, err = finished("apply", "--json")
    assert (code, err) == (0, "")
    assert set(json.loads(out)) == {"contoso", "fabrikam"}
    assert len(lab.ours()) == 22


@pytest.mark.usefixtures("azmdr", "lab")
def test_a_wrong_secret_is_told_in_a_line_that_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZMDR_CLIENT_SECRET", "hunter2")
    code, out, err = finished("plan")
    assert (code, out) == (1, "")
    assert err.startswith("Error: listing ")
    assert "AADSTS7000215" in err
    assert err.count("\n") == 1, err
    assert "hunter2" not in err
    assert SECRET not in err


def test_removing_that_is_killed_half_way_is_finished_by_the_next(
    azmdr: CommandLine, lab: LabOverTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    azmdr.told("apply")
    lab.put(VAULT, THEIRS)
    lab.door.faults = _Slow()
    monkeypatch.setenv("AZMDR_CUSTOMER_LEASE", "3")
    started = process("customer", "remove", "contoso", "--yes", "--no-wait")
    deadline = time.monotonic() + WITHIN
    while len(lab.ours()) > 19 and time.monotonic() < deadline:
        time.sleep(0.005)
    started.kill()
    started.communicate()
    assert 11 < len(lab.ours()) <= 19
    lab.door.faults = PlannedFaults()
    monkeypatch.delenv("AZMDR_CUSTOMER_LEASE")
    monkeypatch.setenv("AZMDR_VISIBLE_AFTER", "0")
    # The dead process holds the customer until its lease is over.
    while (ended := azmdr.run("customer", "remove", "contoso", "--yes", "--no-wait")).exit_code != 0:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert "nothing of ours is left" in ended.stdout
    assert len(lab.ours()) == 11
    assert lab.everything()[VAULT, THEIRS.name] == THEIRS


class _Slow(PlannedFaults):
    """Every request takes a while of the machine's time."""

    def latency(self, seen: object) -> float:  # noqa: ARG002 - the same for all
        time.sleep(0.05)
        return 0.0
