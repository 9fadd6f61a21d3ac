"""What coverage promises: counts that add up to the inventory, or say where not; nothing stale passes."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from azmdr.reconcile.coverage import Coverage, Inventory, coverage_of
from azmdr.reconcile.verdict import Reason, Standing, Verdict
from azmdr.store.inventory import Listing
from azmdr.store.targets import JudgedTarget, TargetKind

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)


def judged(reason: Reason = Reason.IN_PLACE, name: str = "kv-1", **fields: Any) -> JudgedTarget:
    given: dict[str, Any] = {
        "kind": TargetKind.RESOURCE,
        "type": "microsoft.keyvault/vaults",
        "is_nested": False,
        "read_at": NOW,
        "settled": False,
        "ours": True,
    }
    return JudgedTarget(id=name, verdict=Verdict(reason), **given | fields)


def covered(
    targets: Iterable[JudgedTarget], *, subscriptions: int = 0, resources: int = 0, **options: Any
) -> Coverage:
    inventory = Inventory(subscriptions, resources)
    given: dict[str, Any] = {"now": NOW, "stale_after": DAY} | options
    return coverage_of("contoso", targets, given.pop("listings", []), inventory, **given)


def test_every_target_counts_once_by_its_reason_and_its_standing() -> None:
    reasons = [Reason.IN_PLACE, Reason.CREATED, Reason.EXCLUDED_TAG, Reason.SINK_IN_USE, Reason.IN_PLACE]
    coverage = covered([judged(each, f"kv-{number}") for number, each in enumerate(reasons)], resources=5)
    assert coverage.by_reason == Counter(reasons)
    assert coverage.by_standing == {Standing.COVERED: 3, Standing.EXCLUDED: 1, Standing.BLOCKED: 1}
    assert coverage.uncounted == []


def test_what_is_nested_is_no_resource_of_the_inventory() -> None:
    nested = judged(name="blobs", is_nested=True)
    subscription = judged(name="s", kind=TargetKind.SUBSCRIPTION)
    export = judged(name="w", kind=TargetKind.DATA_EXPORT)
    coverage = covered([judged(), nested, subscription, export], subscriptions=1, resources=1)
    assert coverage.uncounted == []
    assert coverage.targets == {
        TargetKind.RESOURCE: 2,
        TargetKind.SUBSCRIPTION: 1,
        TargetKind.DATA_EXPORT: 1,
    }


def test_where_the_counts_do_not_add_up_is_said() -> None:
    coverage = covered([judged()], subscriptions=1, resources=3)
    assert coverage.uncounted == [
        "1 subscriptions in the inventory, 0 with a verdict",
        "3 resources in the inventory, 1 with a verdict",
    ]


def test_covered_so_long_ago_that_nobody_knows_is_unknown_with_its_age() -> None:
    lately, long_ago = judged(read_at=NOW - DAY), judged(read_at=NOW - DAY - timedelta(seconds=1))
    coverage = covered([lately, long_ago, judged(read_at=None)], resources=3)
    assert coverage.by_reason == {Reason.IN_PLACE: 1, Reason.NOT_READ_LATELY: 2}
    assert [each.verdict.detail for each in coverage.trouble] == [
        "in_place when last read: 2026-11-23 11:59 UTC",
        "in_place when last read: never",
    ]


def test_what_is_left_out_does_not_get_stale() -> None:
    coverage = covered([judged(Reason.EXCLUDED_TYPE, read_at=NOW - 100 * DAY)], resources=1)
    assert coverage.by_standing == {Standing.EXCLUDED: 1}


def test_trouble_is_told_the_worst_first_and_not_more_than_asked_for() -> None:
    reasons = [Reason.PENDING_HUB, Reason.READ_FAILED, Reason.SINK_IN_USE, Reason.IN_PLACE] * 2
    targets = [judged(each, f"kv-{number}") for number, each in enumerate(reasons)]
    standings = [each.verdict.standing for each in covered(targets, resources=8).trouble]
    assert standings == [*["blocked"] * 2, *["unknown"] * 2, *["pending"] * 2]
    assert [each.id for each in covered(targets, resources=8, shown=3).trouble] == ["kv-2", "kv-6", "kv-1"]


def test_a_listing_that_broke_off_is_told() -> None:
    sound, broken = (Listing(scope, NOW, NOW, 1, problem) for scope, problem in (("a", None), ("b", "reset")))
    assert covered([], listings=[sound, broken]).unsound_listings == [broken]


def test_the_share_is_of_what_could_be_covered() -> None:
    reasons = [
        Reason.IN_PLACE,
        Reason.SINK_IN_USE,
        Reason.PENDING_HUB,
        Reason.READ_FAILED,
        Reason.EXCLUDED_TAG,
    ]
    assert covered([judged(each) for each in reasons]).share == 0.25
    assert covered([judged(Reason.TYPE_WITHOUT_LOGS)]).share is None


targets = st.lists(
    st.builds(
        judged,
        st.sampled_from(Reason),
        kind=st.sampled_from(TargetKind),
        is_nested=st.booleans(),
        read_at=st.none() | st.integers(0, 3).map(lambda days: NOW - days * DAY),
    )
)


@given(targets, st.integers(0, 5))
def test_counts_add_up_whatever_the_verdicts(found: list[JudgedTarget], shown: int) -> None:
    coverage = covered(found, shown=shown)
    assert coverage.by_standing.total() == coverage.by_reason.total() == len(found)
    assert coverage.targets.total() == len(found)
    for standing in Standing:
        of_it = sum(count for reason, count in coverage.by_reason.items() if reason.standing is standing)
        assert coverage.by_standing[standing] == of_it
    assert len(coverage.trouble) <= shown
    assert all(each.verdict.standing is not Standing.COVERED for each in coverage.trouble)
