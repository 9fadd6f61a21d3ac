from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.resource_id import ResourceId, respelled
from lab.azure.roles import READER
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import BLOBS, CONTOSO, SUBSCRIPTION, VAULT

RESOURCES = f"{SUBSCRIPTION}/resources"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"


def test_pages_neither_double_nor_hide_what_stays(azmdr: Caller, cloud: Cloud) -> None:
    everything = azmdr.ask("GET", RESOURCES).names
    cloud.page_size = 3
    first = azmdr.ask("GET", RESOURCES)
    cloud.remove_resource(VAULT)
    seen, link = list(first.names), first.body.get("nextLink")
    while link:
        following = azmdr.ask("GET", link.removeprefix("https://localhost"))
        seen += following.names
        link = following.body.get("nextLink")
    assert len(seen) == len(set(seen))
    assert set(everything) - set(seen) <= {VAULT.rsplit("/", 1)[-1]}


def test_a_new_resource_is_listed_after_the_visibility_lag(azmdr: Caller, cloud: Cloud) -> None:
    cloud.visibility_lag = cloud.token_lifetime
    cloud.clock.advance(cloud.visibility_lag.total_seconds())
    cloud.add_resource(VAULT + "-new", "eastus")
    name = VAULT.rsplit("/", 1)[-1] + "-new"
    assert name not in azmdr.ask("GET", RESOURCES).names
    cloud.clock.advance(cloud.visibility_lag.total_seconds())
    assert name in azmdr.ask("GET", RESOURCES).names


def test_children_that_a_parent_implies_exist_and_are_not_listed(azmdr: Caller, cloud: Cloud) -> None:
    assert cloud.resource(ResourceId.parse(BLOBS)) is not None
    assert not any("blobServices" in each["id"] for each in azmdr.ask("GET", RESOURCES).body["value"])
    cloud.remove_resource(BLOBS.partition("/blobServices")[0])
    assert cloud.resource(ResourceId.parse(BLOBS)) is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("resourceType eq 'microsoft.keyvault/VAULTS'", 3),
        ("resourceType eq 'Microsoft.KeyVault/vaults' or resourceType eq 'Microsoft.Network/frontDoors'", 4),
        ("resourceType ne 'Microsoft.KeyVault/vaults' and location eq 'eastus'", 5),
        ("location eq 'global'", 1),
        ("tagName eq 'environment'", 16),
        ("tagName eq 'environment' and tagValue eq 'test'", 0),
    ],
)
def test_a_filter_keeps_what_it_says(azmdr: Caller, text: str, count: int) -> None:
    assert len(azmdr.ask("GET", RESOURCES, filter=text).names) == count


@pytest.mark.parametrize(
    "text",
    [
        "resourceType",
        "resourceType eq vault",
        "colour eq 'red'",
        "tagName eq 'a' and location eq 'eastus'",
        "location eq 'eastus' and",
    ],
)
def test_a_filter_azure_does_not_know_is_refused(azmdr: Caller, text: str) -> None:
    assert azmdr.ask("GET", RESOURCES, filter=text).code == "InvalidFilterInQueryString"


def test_resource_graph_pages_by_a_token_in_the_body(azmdr: Caller) -> None:
    query = "Resources | where type =~ 'Microsoft.KeyVault/vaults' | project id, location | order by id asc"
    rows: list[str] = []
    options: dict[str, object] = {"$top": 10}
    while True:
        answer = azmdr.ask("POST", GRAPH, {"query": query, "options": options}).body
        rows += [row["id"] for row in answer["data"]]
        if "$skipToken" not in answer:
            break
        options = {"$top": 10, "$skipToken": answer["$skipToken"]}
    assert len(rows) == len(set(rows)) == answer["totalRecords"] == 22
    assert rows == sorted(rows)


def test_resource_graph_cuts_what_it_can_not_page(azmdr: Caller) -> None:
    answer = azmdr.ask("POST", GRAPH, {"query": "resources | project name", "options": {"$top": 10}}).body
    assert (answer["count"], answer["resultTruncated"]) == (10, "true")
    assert "$skipToken" not in answer


def test_resource_graph_shows_the_subscriptions_asked_for_alone(azmdr: Caller) -> None:
    body = {"query": "resourcecontainers", "subscriptions": [SUBSCRIPTION.rsplit("/", 1)[-1]]}
    assert [row["name"] for row in azmdr.ask("POST", GRAPH, body).body["data"]] == ["contoso-00"]
    nobody = {"query": "resources", "subscriptions": ["00000000-0000-4000-8000-000000000000"]}
    assert azmdr.ask("POST", GRAPH, nobody).status == 400


def test_the_sixteenth_query_has_to_wait(azmdr: Caller, cloud: Cloud) -> None:
    body = {"query": "resources | count"}
    replies = [azmdr.ask("POST", GRAPH, body) for _ in range(16)]
    assert [reply.status for reply in replies] == [200] * 15 + [429]
    assert replies[0].headers["x-ms-user-quota-remaining"] == "14"
    cloud.clock.advance(int(replies[-1].headers["Retry-After"]))
    assert azmdr.ask("POST", GRAPH, body).status == 200


def test_a_query_that_is_not_understood_is_refused(azmdr: Caller) -> None:
    assert azmdr.ask("POST", GRAPH, {"query": "resources | mv-expand tags"}).code == "InvalidQuery"


@given(st.integers(0, 100), st.sampled_from([VAULT, BLOBS, SUBSCRIPTION]))
def test_a_respelled_id_is_the_same_id(turn: int, text: str) -> None:
    assert ResourceId.parse(respelled(text, turn)).key == ResourceId.parse(text).key


@pytest.mark.parametrize("text", ["", "/providers/a/b/c", "/subscriptions/not-a-guid", VAULT + "/half"])
def test_what_is_no_id_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"subscription|resource"):
        ResourceId.parse(text)


def test_a_query_sees_what_changed_since_it_was_last_asked(azmdr: Caller, cloud: Cloud) -> None:
    body = {"query": "resources | where type =~ 'microsoft.keyvault/vaults'"}

    def found() -> int:
        cloud.clock.advance(1)
        return int(azmdr.ask("POST", GRAPH, body).body["totalRecords"])

    before = found()
    assert found() == before
    cloud.add_resource(VAULT + "-2", "eastus")
    assert found() == before + 1
    cloud.visibility_lag = timedelta(seconds=30)
    cloud.clock.advance(60)
    cloud.remove_resource(VAULT + "-2")
    assert found() == before + 1
    cloud.clock.advance(60)
    assert found() == before
    cloud.delegations[CONTOSO.subscriptions[0].id].clear()
    assert found() == before - len(CONTOSO.regions)


def test_one_callers_results_are_no_others(azmdr: Caller, cloud: Cloud, door: FrontDoor) -> None:
    body = {"query": "resources | count"}
    everything = azmdr.ask("POST", GRAPH, body).body["data"][0]["Count"]
    person = cloud.add_principal(Principal(CONTOSO.tenant_id, "reader", "reader"))
    cloud.assign(person, READER, SUBSCRIPTION)
    seen = Caller(door, person).ask("POST", GRAPH, body).body["data"][0]["Count"]
    assert 0 < seen < everything
    for number in range(20):
        cloud.clock.advance(1)
        azmdr.ask("POST", GRAPH, {"query": f"resources | where name == '{number}'"})
    assert len(cloud.graph_results) <= 4
