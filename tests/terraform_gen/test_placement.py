"""Placement: stable, minimal to extend, and never more in a namespace than it holds."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.inventory.placements import NamespaceNames, Placement, PlacementError, Shard, Tier
from terraform_gen.mapping import HubMapping
from terraform_gen.placement import NewShards, ObservedHub, Placing, partitions_for, place
from tests.terraform_gen.mappings import NAMES, hubs, mapping_for

REGIONS = ("eastus", "westeurope", "germanywestcentral")
needs = st.dictionaries(
    st.tuples(st.integers(0, 60).map(lambda number: f"c{number:02d}"), st.sampled_from(REGIONS)),
    st.just(4),
    max_size=80,
)


def placed(
    wanted: dict[tuple[str, str], int],
    before: HubMapping = HubMapping(),  # noqa: B008 (frozen)
    observed: list[ObservedHub] | None = None,
    new: NewShards = NewShards(),  # noqa: B008 (frozen)
    **more: Any,
) -> tuple[HubMapping, Placing]:
    placing = place(wanted, before, observed or [], NAMES, new, **more)
    everything = [*before.placements, *placing.adopted, *placing.given]
    return HubMapping.of(placing.shards.values(), everything), placing


def seen(name: str, namespace: str, region: str = "eastus", tier: str = "Standard") -> ObservedHub:
    return ObservedHub(name, namespace, region, tier)


@given(first=needs, second=needs, third=needs)
def test_a_placement_never_moves_and_every_need_has_one(
    first: dict[tuple[str, str], int],
    second: dict[tuple[str, str], int],
    third: dict[tuple[str, str], int],
) -> None:
    before = HubMapping()
    for wanted in (first, second, third):
        after, _ = placed(wanted, before)
        assert set(before.placements) <= set(after.placements)
        assert set(wanted) <= {each.need for each in after.placements}
        held = Counter(each.shard_key for each in after.placements)
        assert all(held[shard.key] <= shard.capacity for shard in after.shards)
        before = after


@given(wanted=needs)
def test_no_more_namespaces_are_opened_than_needed(wanted: dict[tuple[str, str], int]) -> None:
    after, _ = placed(wanted)
    for region in REGIONS:
        hubs_there = sum(each.region == region for each in after.placements)
        assert sum(shard.region == region for shard in after.shards) == -(-hubs_there // 10)


def test_the_same_needs_in_another_order_get_the_same_places() -> None:
    wanted = {(f"c{number:02d}", "eastus"): 4 for number in range(25)}
    assert placed(wanted)[0] == placed(dict(reversed(wanted.items())))[0]


def test_a_freed_slot_of_the_lowest_shard_is_filled_before_a_namespace_is_opened() -> None:
    full = mapping_for((f"c{number:02d}", "eastus") for number in range(20))
    gone = next(each for each in full.placements if each.shard == 1)
    after, placing = placed({("new", "eastus"): 4}, full.without([gone]))
    assert placing.given == [Placement("eastus", 1, "new")]
    assert placing.opened == []
    assert len(after.placements) == 20


def test_a_slot_is_free_only_when_azure_has_no_hub_in_it_any_more() -> None:
    full = mapping_for((f"c{number:02d}", "eastus") for number in range(10))
    gone = full.placements[0]
    observed = [seen(each.customer, "azure-log-ingest-eastus-01") for each in full.placements]
    _, placing = placed({("new", "eastus"): 4}, full.without([gone]), observed)
    assert placing.given == [Placement("eastus", 2, "new")]


def test_the_eleventh_customer_of_a_region_opens_a_second_namespace() -> None:
    after = mapping_for((f"c{number:02d}", "eastus") for number in range(11))
    assert Counter(each.shard for each in after.placements) == {1: 10, 2: 1}


def test_a_premium_namespace_takes_a_hundred_for_each_unit() -> None:
    wanted = {(f"c{number:03d}", "eastus"): 4 for number in range(201)}
    after, _ = placed(wanted, new=NewShards(Tier.PREMIUM, 2))
    assert [shard.number for shard in after.shards] == [1, 2]


def test_shards_keep_their_tier_when_new_ones_are_opened_in_another() -> None:
    full = mapping_for((f"c{number:02d}", "eastus") for number in range(10))
    after, _ = placed({("new", "eastus"): 4}, full, new=NewShards(Tier.PREMIUM))
    assert [shard.tier for shard in after.shards] == [Tier.STANDARD, Tier.PREMIUM]


def test_hubs_that_stand_in_our_namespaces_are_adopted_where_they_are() -> None:
    observed = [seen("contoso", "azure-log-ingest-eastus-07")]
    after, placing = placed({("contoso", "eastus"): 4, ("fabrikam", "eastus"): 4}, observed=observed)
    assert placing.adopted == [Placement("eastus", 7, "contoso")]
    # The namespace is there, so what is new goes beside it.
    assert placing.given == [Placement("eastus", 7, "fabrikam")]
    assert len(after.shards) == 1


def test_of_two_hubs_of_a_customer_the_one_seen_first_is_adopted() -> None:
    observed = [seen("contoso", "azure-log-ingest-eastus-02"), seen("contoso", "azure-log-ingest-eastus-01")]
    _, placing = placed({("contoso", "eastus"): 4}, observed=observed)
    assert placing.adopted == [Placement("eastus", 2, "contoso")]


@pytest.mark.parametrize(
    ("namespace", "region", "tier"),
    [
        ("somebodys-own", "eastus", "Standard"),
        ("azure-log-ingest-eastus-01", "eastus", "Basic"),
        ("azure-log-ingest-eastus-01", "westeurope", "Standard"),
    ],
)
def test_a_hub_terraform_can_not_have_is_used_and_left_alone(namespace: str, region: str, tier: str) -> None:
    observed = [seen("contoso", namespace, region, tier)]
    after, placing = placed({("contoso", region): 4, ("new", "eastus"): 4}, observed=observed)
    assert placing.elsewhere == {("contoso", region): namespace}
    assert [each.customer for each in after.placements] == ["new"]
    assert all(NAMES.of(*shard.key) != namespace for shard in after.shards)


def test_hubs_nobody_needs_take_a_slot_and_are_not_adopted() -> None:
    observed = [seen(f"am-table{number}", "azure-log-ingest-eastus-01") for number in range(10)]
    _, placing = placed({("contoso", "eastus"): 4}, observed=observed)
    assert placing.adopted == []
    assert placing.given == [Placement("eastus", 2, "contoso")]


def test_a_lost_store_takes_its_placements_back_from_the_repository() -> None:
    committed = hubs(("eastus", 3, "contoso"), ("eastus", 1, "fabrikam"))
    after, placing = placed({("contoso", "eastus"): 4}, committed=committed)
    assert set(after.placements) == set(committed.placements)
    assert placing.given == []


def test_a_subscription_holds_a_thousand_namespaces() -> None:
    shards = [Shard(region, number) for region in REGIONS[:2] for number in range(1, 501)]
    full = HubMapping(tuple(shards), ())
    placing = place({("c", "germanywestcentral"): 4}, full, [], NAMES, NewShards())
    assert placing.given == []
    assert "1000 namespaces" in placing.refused["c", "germanywestcentral"]


@pytest.mark.parametrize(
    ("day", "partitions"),
    [(0, 4), (80 * 2**30, 4), (100 * 2**30, 8), (300 * 2**30, 16), (10**15, 32)],
)
def test_partitions_follow_the_busiest_day(day: int, partitions: int) -> None:
    assert partitions_for(day) == partitions


@pytest.mark.parametrize("prefix", ["", "Azure", "a" * 27, "-a", "a-", "a--b", "1a", "a_b", "${x}"])
def test_a_prefix_no_namespace_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(PlacementError):
        NamespaceNames(prefix)


def test_names_of_namespaces_are_read_back() -> None:
    assert NAMES.parse("Azure-Log-Ingest-EastUS-01") == ("eastus", 1)
    assert NAMES.parse(NAMES.of("germanywestcentral", 100)) == ("germanywestcentral", 100)
    for foreign in (
        "azure-log-ingest-eastus-1",
        "azure-log-ingest-eastus-001",
        "azure-log-ingest-x-01",
        "other",
    ):
        assert NAMES.parse(foreign) is None
