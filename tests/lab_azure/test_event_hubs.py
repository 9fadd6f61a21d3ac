import pytest

from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.event_hubs import HUBS, AuthorizationRule, EventHub, Tier, check_hub
from lab.azure.roles import READER
from lab.azure.scenario import Scene
from lab.customers import CUSTOMERS
from tests.lab_azure.caller import Caller

STANDARD = {"location": "East US", "sku": {"name": "Standard", "tier": "Standard", "capacity": 1}}


def test_a_namespace_is_created_over_time_and_takes_hubs_once_it_stands(
    azmdr: Caller, scene: Scene, cloud: Cloud
) -> None:
    namespace = scene.namespace_id("eastus").replace("-01", "-02")
    cloud.creation_time = cloud.token_lifetime / 60
    created = azmdr.ask("PUT", namespace, STANDARD)
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Creating")
    assert created.body["location"] == "eastus"
    assert azmdr.ask("PUT", f"{namespace}/eventhubs/contoso", {}).status == 409
    cloud.clock.advance(int(created.headers["Retry-After"]))
    assert azmdr.ask("GET", namespace).body["properties"]["provisioningState"] == "Succeeded"
    assert azmdr.ask("PUT", f"{namespace}/eventhubs/contoso", {}).status == 200
    assert azmdr.ask("PUT", namespace, STANDARD).status == 200


def test_the_eleventh_hub_does_not_fit_a_standard_namespace(azmdr: Caller, scene: Scene) -> None:
    namespace = scene.namespace_id("northeurope")
    there = len(azmdr.ask("GET", f"{namespace}/eventhubs").names)
    for number in range(HUBS["standard"] - there):
        assert azmdr.ask("PUT", f"{namespace}/eventhubs/hub-{number}", {}).status == 200
    assert azmdr.ask("PUT", f"{namespace}/eventhubs/one-more", {}).code == "QuotaExceeded"
    assert azmdr.ask("PUT", f"{namespace}/eventhubs/HUB-0", {}).status == 200


def test_a_name_is_taken_everywhere_and_a_region_is_for_good(azmdr: Caller, scene: Scene) -> None:
    taken = scene.namespace_id("eastus").replace("azure-log-ingest/", "other/")
    assert azmdr.ask("PUT", taken, STANDARD).code == "NamespaceUnavailable"
    moved = {**STANDARD, "location": "uksouth"}
    assert azmdr.ask("PUT", scene.namespace_id("eastus"), moved).code == "InvalidResourceLocation"


@pytest.mark.parametrize(
    "hub",
    [
        EventHub("x", 33, 1),
        EventHub("x", 4, 8),
        EventHub("no spaces", 4, 1),
    ],
    ids=["partitions", "retention", "name"],
)
def test_a_hub_beyond_its_tier_is_refused(azmdr: Caller, scene: Scene, hub: EventHub) -> None:
    body = {"properties": {"partitionCount": hub.partitions, "messageRetentionInDays": hub.retention_days}}
    assert azmdr.ask("PUT", f"{scene.namespace_id('eastus')}/eventhubs/{hub.name}", body).status == 400


def test_a_premium_namespace_holds_a_hundred_hubs_a_unit() -> None:
    crowd = [EventHub(f"hub-{number}", 1, 1) for number in range(150)]
    check_hub(EventHub("one-more", 1, 1), crowd, Tier("Premium", units=2))


def test_keys_belong_to_one_rule_and_stay_the_same(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    keys = azmdr.ask("POST", scene.rule_id("eastus") + "/listKeys").body
    assert keys == azmdr.ask("POST", scene.rule_id("eastus") + "/listkeys").body
    assert keys["primaryKey"] != keys["secondaryKey"]
    assert keys["primaryKey"] != azmdr.ask("POST", scene.rule_id("uksouth") + "/listKeys").body["primaryKey"]
    reader = cloud.add_principal(Principal(scene.provider.id, "reader", "reader"))
    cloud.assign(reader, READER, f"/subscriptions/{scene.subscription_id}")
    assert Caller(azmdr.door, reader).ask("POST", scene.rule_id("eastus") + "/listKeys").status == 403


def test_a_namespace_holds_twelve_rules(azmdr: Caller, scene: Scene, cloud: Cloud) -> None:
    rules = cloud.rules[scene.namespace_id("eastus").lower()]
    for number in range(12 - len(rules)):
        rules[f"rule-{number}"] = AuthorizationRule(f"rule-{number}", ("Send",))
    path = f"{scene.namespace_id('eastus')}/authorizationRules"
    assert azmdr.ask("PUT", f"{path}/one-more", {"properties": {"rights": ["Send"]}}).status == 403
    assert azmdr.ask("PUT", f"{path}/rule-0", {"properties": {"rights": ["Manage"]}}).status == 400
    assert len(azmdr.ask("GET", path).names) == 12


def test_hubs_of_all_customers_stand_in_the_scene(azmdr: Caller, scene: Scene) -> None:
    for customer in CUSTOMERS:
        for region in customer.regions:
            path = f"{scene.namespace_id(region)}/eventhubs/{customer.name}"
            assert azmdr.ask("GET", path).body["properties"]["partitionCount"] == 4


def test_a_hub_can_be_deleted_once(azmdr: Caller, scene: Scene) -> None:
    path = f"{scene.namespace_id('eastus')}/eventhubs/contoso"
    assert azmdr.ask("DELETE", path).status == 200
    assert azmdr.ask("DELETE", path).status == 204
    assert azmdr.ask("GET", path).status == 404
