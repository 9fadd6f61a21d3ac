"""What a run of the condensed tables promises, and what one sees of it in Dagster."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

import dagster as dg
import pytest

from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.lake.storage import LakeStorage
from azmdr_dagster.resources import Deployment
from lab.azurite import ACCOUNT_KEY
from tests.code_location.in_process_runs import condense, condense_as_requested
from tests.code_location.local_deployment import CaptureBlob, LocalDeployment, capture_blob
from tests.code_location.ticks import capture_tick
from tests.condense.records import envelope, resource_log_bytes, sign_in_bytes, stage_bytes

START, SUCCESS = stage_bytes("start"), stage_bytes("success", 5)
BROKEN = b"{'properties': 'single quotes'}"
BODY = envelope(resource_log_bytes("pod"))
CONTOSO = "contoso"


def arrive(deployment: LocalDeployment, instance: dg.DagsterInstance, *blobs: CaptureBlob) -> None:
    """The files are in the ledger and their customers are partitions; nothing was run yet."""
    deployment.arrive(*blobs)
    capture_tick(instance)


@pytest.fixture
def mixed(deployment: LocalDeployment, instance: dg.DagsterInstance) -> list[CaptureBlob]:
    """Two files with some of everything: an operation, records that pass, a duplicate, a broken one."""
    blobs = [
        capture_blob(envelope(START, resource_log_bytes("pod")), envelope(BROKEN)),
        capture_blob(envelope(SUCCESS), envelope(SUCCESS), envelope(sign_in_bytes("e-1")), partition=1),
    ]
    arrive(deployment, instance, *blobs)
    return blobs


def materializations(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dict[str, Any]]:
    """The metadata of each materialization, by table and partition; fails the test where one has two."""
    events = [event.step_materialization_data for event in result.get_asset_materialization_events()]
    found = {
        (one.materialization.asset_key.to_user_string(), str(one.materialization.partition)): {
            key: value.value for key, value in one.materialization.metadata.items()
        }
        for one in events
    }
    assert len(found) == len(events)
    return found


def observations(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """The metadata of each observation of a capture file, by path."""
    found = [
        {key: value.value for key, value in event.asset_observation_data.asset_observation.metadata.items()}
        for event in result.get_asset_observation_events()
    ]
    return {str(one["path"]): one for one in found}


def conservation(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert set(checks) == {"capture_files_read", "records_conserved"}
    assert checks["records_conserved"].asset_key == dg.AssetKey("operations")
    return checks["records_conserved"]


def test_each_table_of_a_partition_is_materialized_once_with_its_rows_and_counts(
    deployment: LocalDeployment, instance: dg.DagsterInstance, mixed: list[CaptureBlob]
) -> None:
    result = condense(instance, mixed[0].partition, waiting_only=True)
    assert result.success
    told = materializations(result)
    assert told.keys() == {(table.value, mixed[0].key) for table in Table}
    for table in Table:
        metadata = told[table.value, mixed[0].key]
        rows = read_latest(deployment.lake, CONTOSO, table).height
        assert metadata["rows written"] == rows == {"activity_records": 2}.get(table.value, 1)
        assert metadata["capture files"] == 2
        assert metadata["events"] == 5
        assert metadata["records"] == 6
        kinds = ["passed through", "merged into operations", "duplicates", "quarantined"]
        assert [metadata[kind] for kind in kinds] == [2, 2, 1, 1]
        assert metadata["operations: success"] == metadata["operations emitted"] == 1
        assert metadata["capture bytes"] == sum(len(blob.content) for blob in mixed)
        assert metadata["lake"] == f"{deployment.lake.address}/customer=contoso/table={table.value}/"


def test_the_metadata_has_a_table_with_a_row_for_each_file(
    instance: dg.DagsterInstance, mixed: list[CaptureBlob]
) -> None:
    told = materializations(condense(instance, mixed[0].partition, waiting_only=True))
    (event,) = instance.fetch_materializations(dg.AssetKey("operations"), limit=1).records
    materialization = event.asset_materialization
    assert materialization is not None
    files = materialization.metadata["files"]
    assert isinstance(files, dg.TableMetadataValue)
    assert {str(record.data["path"]) for record in files.records} == {blob.path for blob in mixed}
    assert sum(int(str(record.data["records"])) for record in files.records) == 6
    assert told.keys() == {(table.value, mixed[0].key) for table in Table}


def test_a_run_of_few_files_observes_each_with_what_became_of_it(
    deployment: LocalDeployment, instance: dg.DagsterInstance, mixed: list[CaptureBlob]
) -> None:
    seen = observations(condense(instance, mixed[0].partition, waiting_only=True))
    rows = {row.path: row for row in deployment.ledger()}
    assert seen.keys() == rows.keys() == {blob.path for blob in mixed}
    for path, metadata in seen.items():
        assert metadata["etag"] == rows[path].etag
        assert metadata["customer"] == CONTOSO
        assert metadata["records"] == rows[path].records
        lake_files = metadata["lake files"]
        assert all(deployment.lake.read(one) for one in lake_files)
        assert len(lake_files) > 0


@pytest.mark.parametrize(("bound", "observed"), [(2, 2), (1, 0), (0, 0)])
def test_a_run_of_more_files_than_the_bound_observes_none(
    bound: int,
    observed: int,
    instance: dg.DagsterInstance,
    mixed: list[CaptureBlob],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZMDR_OBSERVATIONS_PER_RUN", str(bound))
    result = condense(instance, mixed[0].partition, waiting_only=True)
    assert len(observations(result)) == observed
    assert len(materializations(result)) == len(Table)


def test_conservation_is_checked_and_shown(instance: dg.DagsterInstance, mixed: list[CaptureBlob]) -> None:
    check = conservation(condense(instance, mixed[0].partition, waiting_only=True))
    assert check.passed
    assert check.blocking
    shown = {key: value.value for key, value in check.metadata.items()}
    assert shown == {
        "files": 2,
        "records": 6,
        "passed through + merged + duplicates + quarantined": "2 + 2 + 1 + 1",
        "discrepancies": "none",
    }


class ForgetfulLake:
    """A lake that says it has written rows that stand for themselves, and has not."""

    def __init__(self, lake: LakeStorage) -> None:
        self._lake = lake

    @property
    def address(self) -> str:
        return self._lake.address

    def put(self, path: str, content: bytes) -> None:
        if f"table={Table.ACTIVITY_RECORDS}" not in path:
            self._lake.put(path, content)

    def read(self, path: str) -> bytes:
        return self._lake.read(path)

    def list(self, prefix: str) -> Iterator[str]:
        return self._lake.list(prefix)

    def delete(self, path: str) -> None:
        self._lake.delete(path)


class ForgetfulDeployment(Deployment):
    """A deployment with such a lake."""

    @cached_property
    def lake(self) -> LakeStorage:
        """The lake that forgets."""
        return ForgetfulLake(super().lake)


def test_a_lake_file_that_is_missing_fails_the_check_and_the_run_and_is_named(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    lost, whole = capture_blob(BODY), capture_blob(envelope(BROKEN), partition=1)
    arrive(deployment, instance, lost, whole)
    result = condense(instance, lost.partition, resource=ForgetfulDeployment(), waiting_only=True)
    check = conservation(result)
    assert not check.passed
    assert not result.success
    shown = str(check.metadata["discrepancies"].value)
    assert lost.path in shown
    assert "no file customer=contoso/table=activity_records/" in shown
    assert whole.path not in shown


def test_a_backfill_repairs_what_a_failed_check_found(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    blob = capture_blob(BODY)
    arrive(deployment, instance, blob)
    condense(instance, blob.partition, resource=ForgetfulDeployment(), waiting_only=True)
    assert read_latest(deployment.lake, CONTOSO, Table.ACTIVITY_RECORDS).height == 0
    result = condense(instance, blob.partition)
    assert conservation(result).passed
    assert result.success
    assert read_latest(deployment.lake, CONTOSO, Table.ACTIVITY_RECORDS).height == 1


def test_a_range_run_does_every_partition_between_its_ends_and_no_other(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    names = ["adatum", "contoso", "fabrikam", "zava"]
    blobs = {name: capture_blob(envelope(START, SUCCESS), customer=name) for name in names}
    arrive(deployment, instance, *blobs.values())
    result = condense(
        instance, blobs["adatum"].partition, last=blobs["fabrikam"].partition, waiting_only=True
    )
    assert result.success
    keys = {blobs[name].key for name in names[:3]}
    told = materializations(result)
    assert told.keys() == {(table.value, key) for table in Table for key in keys}
    assert {told["operations", key]["rows written"] for key in keys} == {1}
    assert Counter(row.state for row in deployment.ledger()) == {"done": 3, "waiting": 1}


def test_a_range_run_keeps_customers_apart(deployment: LocalDeployment, instance: dg.DagsterInstance) -> None:
    one, other = capture_blob(BODY), capture_blob(envelope(START, SUCCESS), customer="fabrikam")
    arrive(deployment, instance, one, other)
    told = materializations(condense(instance, one.partition, last=other.partition, waiting_only=True))
    assert told["operations", one.key]["operations emitted"] == 0
    assert told["activity_records", other.key]["rows written"] == 0
    for blob, stranger in ((one, other), (other, one)):
        for table in Table:
            metadata = told[table.value, blob.key]
            assert metadata["capture files"] == 1
            assert stranger.path not in str(metadata["files"])
            assert stranger.customer not in str(metadata["lake"])


def test_the_run_a_sensor_asked_for_does_that_one_file(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    deployment.arrive(capture_blob(BODY), capture_blob(BODY, partition=1))
    first, _ = capture_tick(instance)
    result = condense_as_requested(instance, first)
    assert result.success
    assert [f"{row.path}@{row.etag}" for row in deployment.ledger() if row.state == "done"] == [first.run_key]


def test_a_file_that_cannot_be_read_is_told_and_costs_no_other(
    deployment: LocalDeployment, instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, gone = capture_blob(BODY), capture_blob(BODY, partition=1)
    deployment.arrive(whole)
    deployment.announce(gone)
    capture_tick(instance)
    assert condense(instance, whole.partition, waiting_only=True).success
    assert {row.path: row.state for row in deployment.ledger()} == {whole.path: "done", gone.path: "gone"}
    assert gone.path in capsys.readouterr().err


def test_a_run_of_a_partition_without_files_is_an_empty_success(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    blob = capture_blob(BODY)
    arrive(deployment, instance, blob)
    yesterday = capture_blob(age=timedelta(days=1))
    result = condense(instance, yesterday.partition)
    assert result.success
    assert conservation(result).passed
    assert materializations(result)["operations", yesterday.key]["capture files"] == 0
    assert [row.state for row in deployment.ledger()] == ["waiting"]


def test_no_secret_is_in_any_event_of_a_run(
    instance: dg.DagsterInstance, mixed: list[CaptureBlob], capsys: pytest.CaptureFixture[str]
) -> None:
    result = condense(instance, mixed[0].partition, waiting_only=True)
    told = repr([record.event_log_entry for record in instance.get_records_for_run(result.run_id).records])
    assert "condensed_tables" in told
    assert ACCOUNT_KEY[:20] not in told
    assert ACCOUNT_KEY[:20] not in capsys.readouterr().err
