"""What is sent of what happens: just what a diagnostic setting sends, to the event hub it names."""

from datetime import UTC, datetime, timedelta

import pytest

from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.happenings import OURS, Happenings
from lab.azure.log_routing import hubs_taking
from lab.azure.newcomer import Newcomer
from lab.azure.resource_id import ResourceId
from lab.azure.scenario import Scene, build_scene
from lab.azure.watched import Watched
from lab.customers import CUSTOMERS, NEW_SUBSCRIPTION, WOODGROVE
from tests.lab_azure.places import SUBSCRIPTION, VAULT

ADMINISTRATIVE = (Switch("Administrative", None, True),)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def send(cloud: Cloud, target: str, rule: str, hub: str, logs: tuple[Switch, ...] = ADMINISTRATIVE) -> None:
    cloud.put_setting(
        target.lower(), DiagnosticSetting(OURS, logs, event_hub_rule_id=rule, event_hub_name=hub)
    )


def test_a_category_goes_to_each_hub_a_setting_names(cloud: Cloud, scene: Scene) -> None:
    send(cloud, VAULT, scene.rule_id("eastus"), "Contoso", (Switch(None, "allLogs", True),))
    (hub,) = hubs_taking(cloud, VAULT, "AuditEvent")
    assert (hub.namespace, hub.name) == ("azure-log-ingest-eastus-01", "contoso")


@pytest.mark.parametrize(
    ("hub", "logs"),
    [
        ("nobody", ADMINISTRATIVE),
        ("contoso", (Switch("Administrative", None, False),)),
        ("contoso", (Switch("Policy", None, True),)),
    ],
    ids=["a hub that does not stand", "switched off", "another category"],
)
def test_what_is_not_sent_goes_nowhere(
    cloud: Cloud, scene: Scene, hub: str, logs: tuple[Switch, ...]
) -> None:
    send(cloud, SUBSCRIPTION, scene.rule_id("eastus"), hub, logs)
    assert list(hubs_taking(cloud, SUBSCRIPTION, "Administrative")) == []


def test_nothing_is_sent_of_a_subscription_without_settings_and_all_of_one_with(
    cloud: Cloud, scene: Scene
) -> None:
    watched = Watched(scene, Happenings(CUSTOMERS, 7), pause=0.0, newcomer_after=None)
    told, sent = watched.look(cloud)
    assert (len(told), sent) == (1, [])
    for customer in CUSTOMERS:
        for each in customer.subscriptions:
            send(cloud, f"/subscriptions/{each.id}", scene.rule_id(customer.home_region), customer.name)
    told, sent = watched.look(cloud)
    assert [record["resultType"] for _, record in sent] == ["Start", "Success"]
    assert {hub.name for hub, _ in sent} == {told[0]["customer"]}


def test_a_setting_that_is_deleted_still_sends_that_it_was(cloud: Cloud, scene: Scene) -> None:
    send(cloud, SUBSCRIPTION, scene.rule_id("eastus"), "contoso")
    told, sent = Watched(scene, Happenings(CUSTOMERS, 7), 0.0, None).look(cloud)
    assert told[0]["happened"] == "setting deleted"
    assert len(sent) == 2


def test_the_newcomer_is_heard_of_once_and_not_before_both_settings_stand() -> None:
    cloud = Cloud()
    scene = build_scene(cloud, (*CUSTOMERS, WOODGROVE))
    newcomer = Newcomer(scene)
    newcomer.arrive(cloud)
    subscription = f"/subscriptions/{NEW_SUBSCRIPTION.id}"
    namespace = scene.namespace_id(NEW_SUBSCRIPTION.home_region)
    assert ResourceId.parse(newcomer.vault).subscription_id == NEW_SUBSCRIPTION.id
    send(cloud, subscription, scene.rule_id("eastus"), "woodgrove")
    assert newcomer.sent(cloud, NOW) == []
    audit = (Switch("AuditEvent", None, True),)
    send(cloud, newcomer.vault, scene.rule_id(NEW_SUBSCRIPTION.home_region), "woodgrove", audit)
    assert newcomer.sent(cloud, NOW) == []
    cloud.add_event_hub(namespace, "woodgrove")
    sent = newcomer.sent(cloud, NOW)
    assert [(hub.namespace.split("-")[3], record["category"]) for hub, record in sent] == [
        ("eastus", "Administrative"),
        ("eastus", "Administrative"),
        ("northeurope", "AuditEvent"),
    ]
    assert newcomer.sent(cloud, NOW + timedelta(seconds=1)) == []
