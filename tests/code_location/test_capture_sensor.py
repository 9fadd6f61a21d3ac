"""What the capture sensor promises: from message to row to run, whatever comes twice or fails on the way."""

from datetime import timedelta

import dagster as dg
import pytest

from azmdr_dagster.partitions import customers
from lab.announcement import Announcement
from tests.code_location.local_deployment import LocalDeployment, capture_blob
from tests.code_location.ticks import capture_tick, enqueue
from tests.condense.records import envelope, resource_log_bytes

BODY = envelope(resource_log_bytes("pod"))


def test_a_message_becomes_a_row_and_the_row_a_run_of_its_partition(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    blob = capture_blob(BODY)
    deployment.arrive(blob)
    (request,) = capture_tick(instance)
    (row,) = deployment.ledger()
    assert (row.path, row.state, row.found_by, row.size) == (
        blob.path,
        "waiting",
        "message",
        len(blob.content),
    )
    assert request.run_key == f"{row.path}@{row.etag}"
    assert request.partition_key == blob.key
    assert request.tags["azmdr/capture_file"] == str(row.id)
    assert request.run_config["ops"]["condensed_tables"]["config"] == {
        "waiting_only": True,
        "file_ids": [row.id],
        "hours": [],
    }
    assert deployment.messages_left() == 0


def test_a_queue_without_messages_is_skipped_with_a_reason(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    assert capture_tick(instance) == []
    assert deployment.ledger() == []


def test_the_same_message_twice_is_one_row_and_one_run(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    blob = capture_blob(BODY)
    deployment.arrive(blob)
    deployment.announce(blob)
    assert len(capture_tick(instance)) == 1
    assert len(deployment.ledger()) == 1


def test_a_message_that_comes_again_while_the_run_is_queued_asks_for_nothing(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    blob = capture_blob(BODY)
    deployment.arrive(blob)
    enqueue(instance, capture_tick(instance))
    deployment.announce(blob)
    assert capture_tick(instance) == []
    assert capture_tick(instance) == []
    assert deployment.messages_left() == 0


def test_a_file_whose_run_came_to_nothing_is_asked_for_again_under_another_key(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    deployment.arrive(capture_blob(BODY))
    (first,) = capture_tick(instance)
    (run,) = enqueue(instance, [first])
    instance.report_run_failed(run)
    (again,) = capture_tick(instance)
    assert again.run_key == f"{first.run_key}#2"


def test_no_more_runs_are_asked_for_than_the_bound_in_flight(
    deployment: LocalDeployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__IN_FLIGHT", "2")
    deployment.arrive(*(capture_blob(BODY, partition=number) for number in range(5)))
    asked = capture_tick(instance)
    assert len(asked) == 2
    runs = enqueue(instance, asked)
    assert capture_tick(instance) == []
    assert len(deployment.ledger()) == 5
    instance.report_run_canceled(runs[0])
    later = capture_tick(instance)
    assert len(later) == 1
    assert later[0].tags["azmdr/capture_file"] != runs[1].tags["azmdr/capture_file"]


def test_many_files_are_asked_for_by_customer_and_day(
    deployment: LocalDeployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__FILES_ALONE", "2")
    blobs = [capture_blob(BODY, customer=name, partition=n) for name in ("contoso", "zava") for n in (0, 1)]
    deployment.arrive(*blobs)
    requests = capture_tick(instance)
    assert {request.partition_key for request in requests} == {blob.key for blob in blobs}
    assert {request.tags["azmdr/run"] for request in requests} == {"customer-day"}
    # A day is asked for again and again, so it has no key by which Dagster would know it.
    assert [request.run_key for request in requests] == [None, None]
    enqueue(instance, requests)
    assert capture_tick(instance) == []


def test_very_many_customer_days_are_asked_for_as_ranges(
    deployment: LocalDeployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__FILES_ALONE", "1")
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__DAY_RUNS", "1")
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__CUSTOMERS_PER_RANGE", "2")
    names = ["adatum", "contoso", "fabrikam"]
    blobs = [capture_blob(BODY, customer=name) for name in names]
    deployment.arrive(*blobs)
    requests = capture_tick(instance)
    ends = [
        (
            one.tags["dagster/asset_partition_range_start"],
            one.tags["dagster/asset_partition_range_end"],
        )
        for one in requests
    ]
    keys = [blob.key for blob in blobs]
    assert ends == [(keys[0], keys[1]), (keys[2], keys[2])]
    enqueue(instance, requests)
    assert capture_tick(instance) == []


def test_new_customers_become_partitions_in_the_order_in_which_they_come(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    for name in ("zava", "contoso", "contoso", "fabrikam"):
        deployment.arrive(capture_blob(BODY, customer=name))
        capture_tick(instance)
    assert list(instance.get_dynamic_partitions(str(customers.name))) == ["zava", "contoso", "fabrikam"]


def test_a_poison_message_is_set_aside_with_its_reason_and_costs_no_other(
    deployment: LocalDeployment, instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.storage.queue.send_message("neither base64 nor an event")
    deployment.arrive(capture_blob(BODY))
    assert len(capture_tick(instance)) == 1
    (aside,) = deployment.set_aside()
    assert aside["content"] == "neither base64 nor an event"
    assert "base64" in aside["reason"]
    assert deployment.messages_left() == 0
    assert f"WARNING - set aside: message {aside['message_id']}" in capsys.readouterr().err


def test_an_announced_blob_that_is_no_capture_file_is_set_aside_and_named(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    odd = Announcement("event-1", "exports/readme.txt", 24, capture_blob().window)
    deployment.storage.upload(odd.path, b"This is no capture file.")
    deployment.storage.announce(odd)
    assert capture_tick(instance) == []
    (aside,) = deployment.set_aside()
    assert "exports/readme.txt" in aside["reason"]


def test_old_files_that_no_partition_takes_do_not_keep_new_ones_waiting(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    # A container may hold files from before the first day of the partitions; the oldest come first.
    too_old = [capture_blob(BODY, partition=number, age=timedelta(days=400)) for number in range(40)]
    new = capture_blob(BODY)
    deployment.arrive(*too_old, new)
    assert [request.partition_key for request in capture_tick(instance)] == [new.key]


def test_a_customer_whose_day_takes_long_does_not_keep_the_others_waiting(
    deployment: LocalDeployment, instance: dg.DagsterInstance
) -> None:
    deployment.arrive(*(capture_blob(BODY, partition=number) for number in range(40)))
    (day_run,) = capture_tick(instance)
    assert day_run.tags["azmdr/run"] == "customer-day"
    enqueue(instance, [day_run])
    other = capture_blob(BODY, customer="fabrikam")
    deployment.arrive(other)
    (request,) = capture_tick(instance)
    assert (request.partition_key, request.tags["azmdr/run"]) == (other.key, "file")
