"""What a listing promises: every page, each a call; a failed page again from there; never a short list."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from azmdr.azure.dispatch import Call, Gateway, Source
from azmdr.azure.errors import AzureError, TransientError
from azmdr.azure.event_hubs import FoundNamespace, FoundRule, ProviderHubs
from azmdr.azure.inventory import FoundResource, FoundSubscription, list_resources, list_subscriptions
from azmdr.inventory.resource_id import ResourceId
from lab.azure.faults import Fault, FaultKind, Seen
from lab.azure.scenario import INGEST_GROUP
from lab.customers import CUSTOMERS
from tests.azure.lab_arm import LabArm, ask, work_off
from tests.lab_azure.places import CONTOSO, VAULT

ID = CONTOSO.subscriptions[0].id
RESOURCES = f"/subscriptions/{ID}/resources"


@pytest.fixture
def lab() -> LabArm:
    lab = LabArm()
    lab.cloud.page_size = 4
    return lab


def keys(seen: list[FoundResource]) -> set[str]:
    return {each.id.key for each in seen}


def there(lab: LabArm) -> set[str]:
    return {key for key, _ in lab.cloud.resources[ID].all_latest()}


def test_all_pages_arrive_each_in_a_call(lab: LabArm) -> None:
    seen: list[FoundResource] = []
    work_off(list_resources(lab.arm, ID, seen))
    assert keys(seen) == there(lab)
    assert len(seen) == 17
    assert len(lab.log) == 5


def test_a_resource_says_all_that_is_asked_of_it(lab: LabArm) -> None:
    resource_id = f"/subscriptions/{ID}/resourceGroups/rg/providers/Microsoft.Web/sites/web-1"
    lab.cloud.add_resource(resource_id, "West Europe", {"Env": "Test"}, "functionapp,linux")
    seen: list[FoundResource] = []
    work_off(list_resources(lab.arm, ID, seen))
    (site,) = (each for each in seen if each.id.key == resource_id.lower())
    assert (site.kind, site.location, site.tags) == ("functionapp,linux", "westeurope", {"Env": "Test"})


def test_one_resource_can_be_looked_up(lab: LabArm) -> None:
    seen: list[FoundResource] = []
    work_off(list_resources(lab.arm, ID, seen, only=ResourceId.parse(VAULT)))
    assert keys(seen) == {VAULT.lower()}
    assert len(lab.log) == 1


def test_a_resource_with_a_quote_in_its_name_can_be_looked_up_too(lab: LabArm) -> None:
    odd = ResourceId.parse(VAULT.replace("kv-", "o'vault or 1 eq 1 "))
    lab.cloud.add_resource(odd.text, "eastus")
    seen: list[FoundResource] = []
    work_off(list_resources(lab.arm, ID, seen, only=odd))
    assert keys(seen) == {odd.key}


def test_the_subscriptions_of_all_customers_come_with_their_own_tenants(lab: LabArm) -> None:
    seen: list[FoundSubscription] = []
    work_off(list_subscriptions(lab.arm, seen))
    by_tenant = {each.subscription_id: each.tenant_id for each in seen}
    for customer in CUSTOMERS:
        assert {by_tenant[each.id] for each in customer.subscriptions} == {customer.tenant_id}
    assert {each.state for each in seen} == {"Enabled"}


@pytest.mark.parametrize(
    "kind", [FaultKind.FAIL_BEFORE, FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER, FaultKind.TRUNCATE]
)
@pytest.mark.parametrize("page", range(5))
def test_a_page_that_fails_is_repeated_and_those_before_it_are_not(
    lab: LabArm, kind: FaultKind, page: int
) -> None:
    lab.door.faults = PageFault(page, kind)
    seen: list[FoundResource] = []
    tally = Gateway(lab.pacer, lab.clock).run(
        [Source("contoso", iter([list_resources(lab.arm, ID, seen)]))],
        lab.clock.now() + timedelta(hours=1),
    )
    assert tally.repeated == 1
    assert not tally.failures
    assert keys(seen) == there(lab)
    assert len(seen) == 17, "no page twice"
    assert len(lab.log) == 6


@dataclass
class PageFault:
    """One page of the listing goes wrong, once."""

    page: int
    kind: FaultKind

    def decide(self, seen: Seen) -> Fault | None:
        # The lab counts the pages after the first apart.
        times = max(0, self.page - 1)
        its_turn = (seen.is_continuation, seen.times_before) == (self.page > 0, times)
        return Fault(self.kind) if its_turn and seen.path == RESOURCES else None

    def latency(self, _seen: Seen) -> float:
        return 0.0


def broken_off(job: Generator[Call[Any], Any, None]) -> AzureError:
    """Works off a job; a call that fails is not made again."""
    call = next(job)
    while True:
        try:
            answer = ask(call)
        except AzureError as error:
            with pytest.raises(AzureError) as ended:
                job.throw(error)
            return ended.value
        call = job.send(answer)


def test_a_listing_that_breaks_off_says_so_and_leaves_what_it_saw(lab: LabArm) -> None:
    lab.door.faults = PageFault(2, FaultKind.FAIL_BEFORE)
    seen: list[FoundResource] = []
    assert isinstance(broken_off(list_resources(lab.arm, ID, seen)), TransientError)
    assert len(seen) == 8
    assert keys(seen) < there(lab)


def test_event_hubs_are_listed_with_their_rules_and_what_these_may_do(lab: LabArm) -> None:
    hubs = ProviderHubs(lab.arm, lab.scene.subscription_id, INGEST_GROUP)
    namespaces: list[FoundNamespace] = []
    work_off(hubs.namespaces(namespaces))
    assert {each.region for each in namespaces} == {"eastus", "westeurope", "uksouth", "northeurope"}
    assert {(each.tier, each.ready) for each in namespaces} == {("Standard", True)}
    east = next(each for each in namespaces if each.region == "eastus")
    names: list[str] = []
    rules: list[FoundRule] = []
    work_off(hubs.hubs(east.id, names))
    work_off(hubs.rules(east.id, rules))
    assert sorted(names) == ["contoso", "tailwind"]
    assert {each.name: each.sends for each in rules}["diagnostics"]
