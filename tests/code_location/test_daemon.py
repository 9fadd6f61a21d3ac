"""What a running Dagster promises: files are picked up, seen in the UI's API, and backfilled as a range."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from azmdr.demo.verdict import judge
from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from tests.code_location.running_dagster import RunningDagster

RUNS: Final = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter, limit: 200) {
    ... on Runs { results { runId status jobName tags { key value } assetChecks { name } } }
  }
}
"""
MATERIALIZATIONS: Final = """
query Materializations($path: [String!]!) {
  assetNodeOrError(assetKey: {path: $path}) {
    ... on AssetNode {
      assetMaterializations(limit: 200) {
        runId
        partition
        metadataEntries {
          label
          ... on IntMetadataEntry { intValue }
          ... on TextMetadataEntry { text }
          ... on TableMetadataEntry { table { records } }
        }
      }
      assetChecksOrError {
        ... on AssetChecks {
          checks { name blocking }
        }
      }
    }
  }
}
"""
CHECKED: Final = """
query Checked($path: [String!]!, $name: String!) {
  assetCheckExecutions(assetKey: {path: $path}, checkName: $name, limit: 200) {
    status
    evaluation { success }
  }
}
"""
OBSERVATIONS: Final = """
query Observations($path: [String!]!) {
  assetNodeOrError(assetKey: {path: $path}) {
    ... on AssetNode {
      assetObservations(limit: 1000) {
        runId
        metadataEntries { label ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } }
      }
    }
  }
}
"""
LAUNCH: Final = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
RANGE: Final = "dagster/asset_partition_range"
CUSTOMERS: Final = ("contoso", "fabrikam", "tailwind")


def runs(running: RunningDagster, **tags: str) -> list[dict[str, Any]]:
    """Condensing runs with some tags; each with its tags as a mapping."""
    wanted = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
    found = running.ask(RUNS, filter=wanted)["runsOrError"]["results"]
    return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]


def unfinished(found: Iterable[dict[str, Any]]) -> list[str]:
    """The runs that are queued or under way."""
    return [run["runId"] for run in found if run["status"] not in ("SUCCESS", "FAILURE", "CANCELED")]


def asset(running: RunningDagster, query: str, name: str) -> dict[str, Any]:
    node: dict[str, Any] = running.ask(query, path=[name])["assetNodeOrError"]
    return node


def metadata(event: dict[str, Any]) -> dict[str, Any]:
    """Values by label, of those kinds of metadata that were asked for."""
    return {
        entry["label"]: next((value for key, value in entry.items() if key != "label"), None)
        for entry in event["metadataEntries"]
    }


def completions(running: RunningDagster) -> dict[str, int]:
    """How often each file was done."""
    return {row.path: row.completions for row in running.deployment.ledger()}


def test_everything_the_lab_planted_comes_out_as_it_says(running: RunningDagster) -> None:
    operations = {
        customer: read_latest(running.deployment.lake, customer, Table.OPERATIONS) for customer in CUSTOMERS
    }
    verdict = judge(running.expected, operations)
    assert verdict.planted == len(running.expected) > 400
    assert [miss for story in verdict.stories for miss in story.misses] == []
    assert verdict.unexpected == 0


def test_every_announced_file_has_come_to_its_end(running: RunningDagster) -> None:
    rows = running.deployment.ledger()
    assert len(rows) > 100
    # The lab announces two files, one a day, that are gone when they are to be read.
    assert Counter(row.state for row in rows) == {"done": len(rows) - 2, "gone": 2}
    assert all(row.completions == (row.state == "done") for row in rows)


def test_every_run_succeeded(running: RunningDagster) -> None:
    found = running.wait_for(
        "a moment without a run", lambda: found if not unfinished(found := runs(running)) else None
    )
    assert {run["status"] for run in found} == {"SUCCESS"}
    kinds = Counter(run["tags"].get("azmdr/run", "backfill") for run in found)
    assert kinds["customer-day"] >= len(CUSTOMERS)
    assert kinds["file"] >= 1


def test_a_file_that_came_alone_had_a_run_of_its_own(running: RunningDagster) -> None:
    (row,) = (row for row in running.deployment.ledger() if row.path == running.single.path)
    (run,) = runs(running, **{"azmdr/capture_file": str(row.id)})
    assert run["runId"] == row.run_id
    assert run["tags"]["dagster/run_key"] == f"{row.path}@{row.etag}"
    assert run["tags"]["dagster/partition"] == running.single.key


def test_each_table_shows_materializations_of_every_partition_with_counts(running: RunningDagster) -> None:
    days = {row.day for row in running.deployment.ledger()}
    for table in Table:
        events = asset(running, MATERIALIZATIONS, table.value)["assetMaterializations"]
        assert {event["partition"] for event in events} == {
            f"{customer}|{day}" for customer in CUSTOMERS for day in days
        }
        told = [metadata(event) for event in events]
        assert sum(one["records"] for one in told) >= 2 * 600
        for one in told:
            kinds = ["passed through", "merged into operations", "duplicates", "quarantined"]
            assert one["records"] == sum(one[kind] for kind in kinds)
            assert one["rows written"] >= 0
            assert len(one["files"]["records"]) == min(50, one["capture files"])


def test_the_conservation_check_is_green(running: RunningDagster) -> None:
    (check,) = asset(running, MATERIALIZATIONS, "operations")["assetChecksOrError"]["checks"]
    assert (check["name"], check["blocking"]) == ("records_conserved", True)

    def evaluated() -> list[dict[str, Any]] | None:
        asked = running.ask(CHECKED, path=["operations"], name=check["name"])
        executions: list[dict[str, Any]] = asked["assetCheckExecutions"]
        return None if any(each["status"] == "IN_PROGRESS" for each in executions) else executions

    executions = running.wait_for("the checks of all runs", evaluated)
    assert executions
    assert all(each == {"status": "SUCCEEDED", "evaluation": {"success": True}} for each in executions)


def test_each_file_is_observed_with_its_path_and_records(running: RunningDagster) -> None:
    seen = [metadata(event) for event in asset(running, OBSERVATIONS, "capture_files")["assetObservations"]]
    records = {row.path: row.records for row in running.deployment.ledger() if row.state == "done"}
    assert {one["path"]: one["records"] for one in seen} == records


def test_a_backfill_of_a_rectangle_is_a_run_for_each_key_of_its_shorter_side_and_does_each_file_once_more(
    running: RunningDagster,
) -> None:
    running.wait_until_settled()
    before, tables = completions(running), running.deployment.tables(CUSTOMERS)
    days = sorted({row.day for row in running.deployment.ledger()})
    launched = running.ask(
        LAUNCH,
        params={
            "assetSelection": [{"path": [table.value]} for table in Table],
            "partitionNames": [f"{customer}|{day}" for customer in CUSTOMERS for day in days],
            "tags": [],
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def finished() -> list[dict[str, Any]] | None:
        its_own = runs(running, **{"dagster/backfill": launched["backfillId"]})
        return its_own if len(its_own) >= len(days) and not unfinished(its_own) else None

    found = running.wait_for("the backfill's end", finished)
    assert [run["status"] for run in found] == ["SUCCESS"] * len(days)
    running.wait_until_settled()
    # Dagster makes ranges along the longer side, here the customers, and a single run of each.
    assert len(days) < len(CUSTOMERS)
    ends = {(run["tags"][f"{RANGE}_start"], run["tags"][f"{RANGE}_end"]) for run in found}
    assert ends == {(f"{CUSTOMERS[0]}|{day}", f"{CUSTOMERS[-1]}|{day}") for day in days}
    assert {row.redone_by for row in running.deployment.ledger()} == {run["runId"] for run in found}
    assert completions(running) == {path: times + (times > 0) for path, times in before.items()}
    assert running.deployment.tables(CUSTOMERS) == tables
