"""What reading and writing data export rules promises: what is written is read again beside others' rules."""

from typing import Any

import pytest

from azmdr.azure.data_exports import WorkspaceExports
from azmdr.azure.dispatch import Call
from azmdr.azure.errors import RefusedError
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.data_export import DataExport, differences
from lab.azure.data_exports import DataExport as LabExport
from lab.azure.scenario import workspace_id
from lab.azure.workspace_tables import ENTRA_TABLES
from tests.azure.lab_arm import LabArm, ask
from tests.lab_azure.places import CONTOSO

WORKSPACE = ResourceId.parse(workspace_id(CONTOSO))


@pytest.fixture
def lab() -> LabArm:
    return LabArm()


def wanted(lab: LabArm, *tables: str) -> DataExport:
    return DataExport("azmdr", lab.scene.namespace_id("eastus"), "contoso", frozenset(tables))


def theirs(lab: LabArm) -> LabExport:
    tables, now = ("Heartbeat",), lab.clock.now().isoformat()
    return LabExport("theirs", "their-id", tables, lab.scene.namespace_id("eastus"), None, False, now, now)


def test_what_is_written_is_read_again_beside_the_rules_of_others(lab: LabArm) -> None:
    lab.cloud.exports[WORKSPACE.key]["theirs"] = theirs(lab)
    exports, rule = WorkspaceExports(lab.arm), wanted(lab, "AuditLogs", "SigninLogs")
    ask(exports.write(WORKSPACE, rule))
    found = {each.name: each for each in ask(exports.read(WORKSPACE))}
    assert found.keys() == {"azmdr", "theirs"}
    assert differences(rule, found["azmdr"]) == ()
    assert (found["theirs"].hub, found["theirs"].enabled) == (None, False)


def test_writing_replaces_the_rule_as_a_whole(lab: LabArm) -> None:
    exports = WorkspaceExports(lab.arm)
    ask(exports.write(WORKSPACE, wanted(lab, "AuditLogs", "SigninLogs")))
    ask(exports.write(WORKSPACE, wanted(lab, "AADRiskyUsers")))
    (found,) = ask(exports.read(WORKSPACE))
    assert found.tables == {"AADRiskyUsers"}


def test_removing_a_rule_that_is_not_there_is_as_good_as_removing_it(lab: LabArm) -> None:
    exports = WorkspaceExports(lab.arm)
    ask(exports.write(WORKSPACE, wanted(lab, "AuditLogs")))
    ask(exports.remove(WORKSPACE, "azmdr"))
    ask(exports.remove(WORKSPACE, "azmdr"))
    assert ask(exports.read(WORKSPACE)) == []


def test_a_workspace_that_is_gone_is_a_refusal_and_has_no_empty_list_of_rules(lab: LabArm) -> None:
    lab.cloud.remove_resource(WORKSPACE.text)
    exports = WorkspaceExports(lab.arm)
    calls: list[Call[Any]] = [
        exports.read(WORKSPACE),
        exports.workspace(WORKSPACE),
        exports.tables(WORKSPACE),
    ]
    for call in calls:
        with pytest.raises(RefusedError) as refused:
            ask(call)
        assert refused.value.status == 404


def test_a_workspace_says_its_region_and_its_tables(lab: LabArm) -> None:
    exports = WorkspaceExports(lab.arm)
    assert ask(exports.workspace(WORKSPACE)).region == "eastus"
    assert ask(exports.tables(WORKSPACE)) == frozenset(ENTRA_TABLES)
