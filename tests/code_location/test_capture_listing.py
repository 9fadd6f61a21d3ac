"""What the listing promises: a capture file whose announcement never came is found all the same."""

from datetime import timedelta

import dagster as dg

from tests.code_location.in_process_runs import list_container
from tests.code_location.local_deployment import LocalDeployment, capture_blob
from tests.code_location.ticks import capture_tick
from tests.condense.records import envelope, resource_log_bytes

BODY = envelope(resource_log_bytes("pod"))


def observed(instance: dg.DagsterInstance) -> dict[str, object]:
    """The metadata of the last observation of ``capture_files``."""
    page = instance.fetch_observations(dg.AssetKey("capture_files"), limit=1)
    observation = page.records[0].asset_observation
    assert observation is not None
    return {key: value.value for key, value in observation.metadata.items()}


def test_a_file_whose_message_was_lost_is_found_and_asked_for(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    announced, lost = capture_blob(BODY), capture_blob(BODY, partition=1)
    deployment.arrive(announced)
    deployment.upload(lost)
    capture_tick(instance)
    assert list_container(instance).success
    assert {row.path: row.found_by for row in deployment.ledger()} == {
        announced.path: "message",
        lost.path: "listing",
    }
    assert lost.path in [str(asked.run_key).split("@")[0] for asked in capture_tick(instance)]


def test_a_file_that_is_announced_after_it_was_listed_is_one_file(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    blob = capture_blob(BODY)
    deployment.upload(blob)
    list_container(instance)
    deployment.announce(blob)
    capture_tick(instance)
    list_container(instance)
    assert [row.found_by for row in deployment.ledger()] == ["listing"]


def test_the_observation_says_what_was_listed_found_and_refused(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    lost, announced = capture_blob(BODY), capture_blob(BODY, partition=1)
    deployment.arrive(announced)
    capture_tick(instance)
    deployment.upload(lost)
    odd = f"{lost.window:%Y/%m/%d/%H}/readme.txt"
    deployment.storage.upload(odd, b"This is no capture file.")
    list_container(instance)
    told = observed(instance)
    assert told["files listed"] == 2
    assert told["files found that no message announced"] == 1
    assert told["blobs that are no capture files"] == 1
    assert odd in str(told["refused"])
    assert told["container"] == deployment.storage.container.url
    assert told["ledger: waiting"] == 2


def test_the_first_listing_is_of_everything_and_later_ones_look_back_as_far_as_the_settings_say(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    old = capture_blob(BODY, age=timedelta(days=30))
    deployment.upload(old)
    list_container(instance)
    assert [row.path for row in deployment.ledger()] == [old.path]
    near, far = capture_blob(BODY, age=timedelta(hours=5)), capture_blob(BODY, age=timedelta(hours=8))
    deployment.upload(near, far)
    list_container(instance)
    assert [row.path for row in deployment.ledger()] == [old.path, near.path]
