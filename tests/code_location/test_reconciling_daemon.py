"""What a running Dagster promises: customers that were registered are covered soon, and stay so."""

from collections.abc import Sequence
from typing import Any, Final

from azmdr.reconcile.verdict import Standing
from tests.code_location.reconciling_dagster import ReconcilingDagster
from tests.code_location.stream_of_changes import deletion_of_setting

ALL: Final = ("contoso", "fabrikam", "tailwind")
EACH: Final = (
    "subscriptions",
    "monitored_resources",
    "subscription_diagnostic_settings",
    "resource_diagnostic_settings",
    "entra_data_exports",
    "coverage",
)
ASSET: Final = """
query Asset($path: [String!]!) {
  assetNodeOrError(assetKey: {path: $path}) {
    ... on AssetNode {
      assetMaterializations(limit: 100) {
        runId
        partition
        metadataEntries {
          label
          ... on IntMetadataEntry { intValue }
          ... on FloatMetadataEntry { floatValue }
        }
      }
      assetChecksOrError {
        ... on AssetChecks {
          checks { name executionForLatestMaterialization { status evaluation { success } } }
        }
      }
    }
  }
}
"""
RUNS: Final = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter, limit: 100) {
    ... on Runs { results { runId status tags { key value } } }
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


def asset(running: ReconcilingDagster, name: str) -> dict[str, Any]:
    node: dict[str, Any] = running.ask(ASSET, path=[name])["assetNodeOrError"]
    return node


def runs(running: ReconcilingDagster, **wanted: Any) -> list[dict[str, Any]]:
    found = running.ask(RUNS, filter=wanted)["runsOrError"]["results"]
    return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]


def finished(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The runs, once there are some and all have come to their end."""
    return list(found) if found and {run["status"] for run in found} <= {"SUCCESS", "FAILURE"} else None


def numbers(event: dict[str, Any]) -> dict[str, float]:
    return {
        entry["label"]: entry.get("intValue", entry.get("floatValue")) for entry in event["metadataEntries"]
    }


def converged(running: ReconcilingDagster) -> list[dict[str, Any]]:
    """The runs of the first interval, once all customers are covered."""
    return running.wait_for(
        "the run of the first slice", lambda: finished(runs(running, pipelineName="reconcile_customers"))
    )


def test_registered_customers_are_covered_by_one_run_of_all_of_them(reconciling: ReconcilingDagster) -> None:
    (run,) = converged(reconciling)
    assert run["status"] == "SUCCESS"
    assert (run["tags"][f"{RANGE}_start"], run["tags"][f"{RANGE}_end"]) == (ALL[0], ALL[-1])
    told = {
        event["partition"]: numbers(event)
        for event in asset(reconciling, "coverage")["assetMaterializations"]
    }
    assert set(told) == set(ALL)
    for name in ALL:
        assert told[name]["covered, % of what can be"] == 100
        assert told[name]["covered"] == len(reconciling.provider.targets_of(name)) + 1
        assert reconciling.provider.standings(name)[Standing.UNKNOWN] == 0


def test_every_check_of_the_control_plane_is_green(reconciling: ReconcilingDagster) -> None:
    converged(reconciling)
    seen = []
    for name in EACH:
        for check in asset(reconciling, name)["assetChecksOrError"]["checks"]:
            execution = check["executionForLatestMaterialization"]
            assert execution == {"status": "SUCCEEDED", "evaluation": {"success": True}}, (name, check)
            seen.append(check["name"])
    assert len(seen) == 9


def test_a_setting_somebody_deleted_is_back_when_the_operation_has_come_through(
    reconciling: ReconcilingDagster,
) -> None:
    converged(reconciling)
    provider = reconciling.provider
    lost, unseen = provider.targets_of("contoso")[7], provider.targets_of("contoso")[9]
    provider.delete_setting(lost)
    provider.delete_setting(unseen)
    reconciling.deployment.arrive(deletion_of_setting(lost, "contoso"))
    reconciling.wait_for("the setting back", lambda: provider.has_setting(lost) or None)
    (run,) = reconciling.wait_for(
        "the run's end", lambda: finished(runs(reconciling, pipelineName="reconcile_changes"))
    )
    assert run["status"] == "SUCCESS"
    assert run["tags"]["dagster/partition"] == "contoso"
    (event,) = (
        event
        for event in asset(reconciling, "resource_diagnostic_settings")["assetMaterializations"]
        if event["runId"] == run["runId"]
    )
    assert numbers(event)["verdict: created"] == 1
    # What came through no stream waits for the customer's turn, or for a person.
    assert not provider.has_setting(unseen)


def test_a_backfill_from_the_ui_is_one_run_that_puts_right_what_it_finds(
    reconciling: ReconcilingDagster,
) -> None:
    converged(reconciling)
    lost = {name: reconciling.provider.targets_of(name)[-1] for name in ALL}
    for target in lost.values():
        reconciling.provider.delete_setting(target)
    launched = reconciling.ask(
        LAUNCH,
        params={
            "assetSelection": [{"path": [name]} for name in EACH],
            "partitionNames": list(ALL),
            "tags": [],
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    tags = [{"key": "dagster/backfill", "value": launched["backfillId"]}]
    found = reconciling.wait_for("the backfill's end", lambda: finished(runs(reconciling, tags=tags)))
    assert [run["status"] for run in found] == ["SUCCESS"]
    assert [reconciling.provider.has_setting(target) for target in lost.values()] == [True] * 3
