"""What links promise: who belongs together, whenever and in whatever file they came, and nobody else."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from azmdr.condense.classify import StageRecord, classify
from azmdr.condense.condensed import condense
from azmdr.lake.layout import Table
from azmdr.lake.links import read_linked
from azmdr.lake.read import read_latest, read_operation_columns
from azmdr.lake.storage import DirectoryLake
from azmdr.lake.write import write_operations
from tests.condense.records import NOON, SUBSCRIPTION, encoded, rest_fields, stage_fields
from tests.condense.samples import activity_of_csv, lines_of

DAY = NOON.date()
GROUP = f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/RG"
DEPLOYMENT = f"{GROUP}/PROVIDERS/MICROSOFT.RESOURCES/DEPLOYMENTS/MAIN"
MACHINE = f"{GROUP}/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/WEB-1"
DISK = f"{GROUP}/PROVIDERS/MICROSOFT.COMPUTE/DISKS/WEB-1"


def record(stage: str, seconds: float, operation: str, resource: str = MACHINE, **fields: Any) -> bytes:
    return encoded(
        {**stage_fields(stage, seconds), "operationName": operation, "resourceId": resource, **fields}
    )


def policy(effect: str, stage: str, seconds: float, resource: str = MACHINE, **fields: Any) -> bytes:
    name = f"MICROSOFT.AUTHORIZATION/POLICIES/{effect}/ACTION"
    return record(stage, seconds, name, resource, category="Policy", **fields)


DEPLOYED = record("start", 0, "MICROSOFT.RESOURCES/DEPLOYMENTS/WRITE", DEPLOYMENT)
MACHINE_WRITTEN = record("success", 9, "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE")
DISK_WRITTEN = record("success", 5, "MICROSOFT.COMPUTE/DISKS/WRITE", DISK)
REFUSED = record("failure", 9, "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", resultSignature="Failed.Forbidden")


@pytest.fixture
def lake(tmp_path: Path) -> DirectoryLake:
    return DirectoryLake(tmp_path)


def write(lake: DirectoryLake, *contents: bytes, customer: str = "contoso") -> None:
    """Write the operations of some records, all in one go."""
    operations: defaultdict[str, list[StageRecord]] = defaultdict(list)
    for one in map(classify, contents):
        assert isinstance(one, StageRecord)
        operations[one.operation_id].append(one)
    write_operations(lake, [(condense(some), ()) for some in operations.values()], customer=customer)


def linked(lake: DirectoryLake, day: date = DAY) -> dict[str, dict[str, Any]]:
    """The links of each operation of a day, by the last words of its name."""
    rows = read_linked(lake, "contoso", day)
    names = dict(
        zip(
            rows["operation_id"],
            rows["operation_name"].str.split("/").list.slice(-2).list.join("/"),
            strict=True,
        )
    )
    return {
        names[row["operation_id"]].lower(): {
            "siblings": row["siblings"],
            "root": names.get(row["root_operation_id"], "on another day").lower(),
            "policy_effects": row["policy_effects"],
            "denied_by": [names[one].lower() for one in row["denied_by"]],
        }
        for row in rows.iter_rows(named=True)
    }


def test_operations_of_one_correlation_count_one_another_and_know_what_began(lake: DirectoryLake) -> None:
    write(lake, DEPLOYED, MACHINE_WRITTEN, DISK_WRITTEN)
    told = linked(lake)
    assert [one["siblings"] for one in told.values()] == [2, 2, 2]
    assert {one["root"] for one in told.values()} == {"deployments/write"}


def test_an_operation_by_itself_is_its_own_root(lake: DirectoryLake) -> None:
    write(lake, MACHINE_WRITTEN)
    assert linked(lake) == {
        "virtualmachines/write": {
            "siblings": 0,
            "root": "virtualmachines/write",
            "policy_effects": [],
            "denied_by": [],
        }
    }


@pytest.mark.parametrize("none", [None, ""])
def test_without_a_correlation_id_nothing_belongs_together(lake: DirectoryLake, none: str | None) -> None:
    write(
        lake,
        record("success", 1, "MICROSOFT.COMPUTE/DISKS/WRITE", DISK, correlationId=none),
        record("success", 2, "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", correlationId=none),
        policy("AUDIT", "success", 3, correlationId=none),
    )
    told = linked(lake)
    assert {name: (one["siblings"], one["root"]) for name, one in told.items()} == {
        name: (0, name) for name in told
    }
    assert not any(one["policy_effects"] for one in told.values())


def test_another_correlation_and_another_customer_are_no_siblings(lake: DirectoryLake) -> None:
    write(lake, MACHINE_WRITTEN, record("success", 5, "MICROSOFT.COMPUTE/DISKS/WRITE", correlationId="c-2"))
    write(lake, DEPLOYED, customer="fabrikam")
    assert [one["siblings"] for one in linked(lake).values()] == [0, 0]


def test_the_same_operation_in_another_shape_is_no_sibling(lake: DirectoryLake) -> None:
    write(lake, MACHINE_WRITTEN, encoded(rest_fields("success", 9)))
    rows = read_linked(lake, "contoso", DAY)
    assert rows["siblings"].to_list() == [0, 0]
    assert rows["root_operation_id"].to_list() == rows["operation_id"].to_list()


def test_case_makes_no_other_correlation_and_no_other_resource(lake: DirectoryLake) -> None:
    write(lake, REFUSED, policy("DENY", "failure", 8, MACHINE.lower(), correlationId="C-1"))
    assert linked(lake)["virtualmachines/write"]["denied_by"] == ["deny/action"]


def test_siblings_that_come_later_are_known_without_writing_the_others_again(lake: DirectoryLake) -> None:
    write(lake, MACHINE_WRITTEN)
    files = list(lake.list(""))
    assert linked(lake)["virtualmachines/write"]["siblings"] == 0
    write(lake, DEPLOYED, DISK_WRITTEN)
    assert set(files) < set(lake.list(""))
    assert linked(lake)["virtualmachines/write"]["siblings"] == 2
    assert linked(lake)["virtualmachines/write"]["root"] == "deployments/write"


@pytest.mark.parametrize(("hours", "known"), [(23, True), (35, True), (60, False)])
def test_siblings_of_the_days_beside_are_known(lake: DirectoryLake, hours: int, known: bool) -> None:
    late = record("success", hours * 3600, "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE")
    write(lake, DEPLOYED, late)
    day = (NOON + timedelta(hours=hours)).date()
    assert linked(lake)["deployments/write"]["siblings"] == int(known)
    assert linked(lake, day)["virtualmachines/write"]["siblings"] == int(known)


def test_an_operation_in_two_revisions_is_one_sibling(lake: DirectoryLake) -> None:
    write(lake, MACHINE_WRITTEN, DEPLOYED)
    write(lake, DEPLOYED, record("success", 20, "MICROSOFT.RESOURCES/DEPLOYMENTS/WRITE", DEPLOYMENT))
    assert linked(lake)["virtualmachines/write"]["siblings"] == 1


class TestRoot:
    def test_a_policy_evaluated_before_is_not_the_root(self, lake: DirectoryLake) -> None:
        write(lake, policy("AUDIT", "success", -1), MACHINE_WRITTEN)
        assert linked(lake)["audit/action"]["root"] == "virtualmachines/write"

    def test_policies_among_themselves_have_the_first_for_a_root(self, lake: DirectoryLake) -> None:
        write(lake, policy("AUDIT", "success", 2), policy("MODIFY", "success", 1))
        assert linked(lake)["audit/action"]["root"] == "modify/action"

    def test_of_what_began_at_once_it_is_the_deployment_and_then_the_shortest(
        self, lake: DirectoryLake
    ) -> None:
        one = record("start", 0, "MICROSOFT.COMPUTE/DISKS/WRITE", DISK)
        other = record("start", 0, "MICROSOFT.RESOURCES/SUBSCRIPTIONS/RESOURCEGROUPS/WRITE", GROUP)
        write(lake, one, other)
        assert linked(lake)["disks/write"]["root"] == "resourcegroups/write"
        write(lake, DEPLOYED)
        assert linked(lake)["disks/write"]["root"] == "deployments/write"


class TestPolicy:
    def test_a_denial_explains_what_was_forbidden(self, lake: DirectoryLake) -> None:
        write(lake, REFUSED, policy("DENY", "failure", 8), policy("AUDIT", "success", 8))
        told = linked(lake)
        assert told["virtualmachines/write"]["denied_by"] == ["deny/action"]
        assert told["virtualmachines/write"]["policy_effects"] == ["audit", "deny"]
        assert told["deny/action"]["policy_effects"] == told["deny/action"]["denied_by"] == []

    @pytest.mark.parametrize(
        "request_",
        [
            MACHINE_WRITTEN,
            record(
                "failure", 9, "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", resultSignature="Failed.Conflict"
            ),
        ],
        ids=["success", "another-failure"],
    )
    def test_what_was_not_forbidden_was_not_denied(self, lake: DirectoryLake, request_: bytes) -> None:
        write(lake, request_, policy("DENY", "failure", 8))
        assert linked(lake)["virtualmachines/write"]["denied_by"] == []
        assert linked(lake)["virtualmachines/write"]["policy_effects"] == ["deny"]

    def test_a_denial_of_another_resource_explains_nothing(self, lake: DirectoryLake) -> None:
        write(lake, REFUSED, policy("DENY", "failure", 8, DISK))
        assert linked(lake)["virtualmachines/write"]["denied_by"] == []

    def test_a_denial_that_did_not_fail_the_request_is_none(self, lake: DirectoryLake) -> None:
        write(lake, REFUSED, policy("DENY", "success", 8))
        assert linked(lake)["virtualmachines/write"]["denied_by"] == []


def test_a_day_without_operations_has_no_links(lake: DirectoryLake) -> None:
    assert read_linked(lake, "contoso", DAY).height == 0
    assert "siblings" in read_linked(lake, "contoso", DAY).columns


def test_some_columns_are_those_of_all(lake: DirectoryLake) -> None:
    write(lake, MACHINE_WRITTEN, DEPLOYED)
    write(lake, DEPLOYED, record("success", 20, "MICROSOFT.RESOURCES/DEPLOYMENTS/WRITE", DEPLOYMENT))
    columns = ["operation_id", "outcome", "time"]
    some = read_operation_columns(lake, "contoso", [DAY], columns)
    assert some.equals(read_latest(lake, "contoso", Table.OPERATIONS).select(columns))


def of_a_recording(lake: DirectoryLake, contents: Iterable[bytes], days: Iterable[date]) -> pl.DataFrame:
    write(lake, *contents)
    return pl.concat([read_linked(lake, "contoso", day) for day in days]).with_columns(
        correlation=pl.col("correlation_id").str.slice(0, 8), name=pl.col("operation_name").str.to_lowercase()
    )


def test_the_root_of_a_deleted_group_is_its_deletion(lake: DirectoryLake, shared: Path) -> None:
    contents = activity_of_csv(shared / "samples/azure/sentinel-training-lab/azure_activity.csv")
    rows = of_a_recording(lake, contents, [date(2021, 4, 26)])
    deleted = rows.filter(pl.col("correlation") == "8c0ebf61")
    assert deleted["siblings"].to_list() == [11] * 12
    (root,) = deleted["root_operation_id"].unique()
    assert rows.filter(pl.col("operation_id") == root)["name"].item().endswith("/resourcegroups/delete")


def test_the_root_of_a_recorded_deployment_is_the_deployment(lake: DirectoryLake, shared: Path) -> None:
    contents = lines_of(shared / "samples/azure/azure-cli/azure-cli-2019.derived-eventhub.jsonl.gz")
    rows = of_a_recording(lake, contents, [datetime(2019, 4, 16, tzinfo=UTC).date()])
    gateway = rows.filter(pl.col("correlation") == "ea7092f6")
    assert gateway["siblings"].to_list() == [5] * 6
    (root,) = gateway["root_operation_id"].unique()
    assert (
        rows.filter(pl.col("operation_id") == root)["name"].item() == "microsoft.resources/deployments/write"
    )
