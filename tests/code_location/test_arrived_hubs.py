"""What the sensor of arrived hubs promises: a customer whose hub has come gets one run out of turn."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from azmdr.reconcile.verdict import Standing
from azmdr_dagster.jobs import reconcile_customers
from azmdr_dagster.resources import Deployment
from lab.azure.scenario import SEND_RULE
from sensors.arrived_hubs import arrived_hubs
from tests.code_location.lab_provider import LabProvider, lab_provider
from tests.code_location.local_deployment import move_in
from tests.code_location.reconciling_runs import run_as_requested, run_job
from tests.code_location.ticks import enqueue


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabProvider]:
    """A provider without event hubs, so that every target waits for one."""
    store_url = f"sqlite:///{tmp_path / 'store.db'}"
    with lab_provider(store_url, tmp_path / "azure", with_hubs=False) as made:
        move_in(made.environment, monkeypatch)
        made.register("contoso", "fabrikam")
        yield made


def tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    with dg.build_sensor_context(instance=instance, resources={"deployment": Deployment()}) as context:
        result = arrived_hubs(context)
    return result if isinstance(result, list) else []


def reconcile(instance: dg.DagsterInstance) -> None:
    assert run_job(instance, "observe_event_hubs").success
    steps = ("subscriptions", "monitored_resources", "subscription_diagnostic_settings", "coverage")
    assert run_job(instance, "reconcile_customers", "contoso", "fabrikam", steps=steps).success


def make_hub(provider: LabProvider, name: str, region: str, *, rule: bool = True) -> None:
    namespace, cloud = provider.scene.namespace_id(region), provider.scene.cloud
    if namespace.lower() not in cloud.rules:
        cloud.add_event_hub_namespace(namespace, region)
    cloud.add_event_hub(namespace, name)
    if rule:
        provider.allow_sending(namespace, SEND_RULE)


def test_the_run_it_asks_for_puts_in_place_what_waited(
    provider: LabProvider, instance: dg.DagsterInstance
) -> None:
    reconcile(instance)
    assert tick(instance) == []
    make_hub(provider, "contoso", "eastus")
    run_job(instance, "observe_event_hubs")
    (asked,) = tick(instance)
    assert asked.partition_key == "contoso"
    before = provider.standings("contoso").get(Standing.COVERED, 0)
    assert run_as_requested(instance, "reconcile_customers", asked).success
    assert provider.standings("contoso")[Standing.COVERED] > before == 0


def test_it_asks_once_for_each_arrival(provider: LabProvider, instance: dg.DagsterInstance) -> None:
    reconcile(instance)
    make_hub(provider, "contoso", "eastus")
    run_job(instance, "observe_event_hubs")
    asked = tick(instance)
    enqueue(instance, asked, reconcile_customers.name)
    assert tick(instance) == []
    run_as_requested(instance, "reconcile_customers", asked[0])
    assert tick(instance) == [], "what is still pending waits for another hub"
    make_hub(provider, "contoso", "uksouth")
    make_hub(provider, "fabrikam", "westeurope")
    run_job(instance, "observe_event_hubs")
    # A run of contoso is still queued.
    assert [each.partition_key for each in tick(instance)] == ["fabrikam"]


def test_a_hub_nothing_can_be_sent_to_helps_nobody(
    provider: LabProvider, instance: dg.DagsterInstance
) -> None:
    reconcile(instance)
    make_hub(provider, "contoso", "eastus", rule=False)
    run_job(instance, "observe_event_hubs")
    assert tick(instance) == []


def test_no_more_are_asked_for_than_the_bound(
    provider: LabProvider, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZMDR_CHANGE_RUNS", "1")
    reconcile(instance)
    for name, region in (("contoso", "eastus"), ("fabrikam", "westeurope")):
        make_hub(provider, name, region)
    run_job(instance, "observe_event_hubs")
    first = tick(instance)
    assert len(first) == 1
    enqueue(instance, first, reconcile_customers.name)
    assert tick(instance) == []


def test_a_deployment_that_only_condenses_asks_for_nothing(
    provider: LabProvider, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider.customers()
    monkeypatch.delenv("AZMDR_INGEST_SUBSCRIPTION_ID")
    assert tick(instance) == []
