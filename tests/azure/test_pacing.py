"""The token buckets: never ask before Azure would answer, never wait longer than it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.azure.pacing import SIZES, TENANT, Bucket, BucketSize, Kind, Lane, Pacer
from lab.azure.arm_error import ArmError
from lab.azure.throttling import Kind as LabKind
from lab.azure.throttling import Throttle

LANE = Lane("a-subscription", Kind.READS)


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    pacer = Pacer({Kind.READS: BucketSize(3, 2)})
    for _ in range(3):
        assert pacer.wait(LANE, now=0) == 0
        pacer.take(LANE, now=0)
    assert pacer.wait(LANE, now=0) == 0.5
    assert pacer.wait(LANE, now=0.5) == 0
    assert pacer.wait(LANE, now=100) == 0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    size = BucketSize(3, 2)
    assert Bucket(3, 0).filled(size, 1_000_000) == 3


def test_lanes_do_not_share_a_bucket() -> None:
    pacer = Pacer({Kind.READS: BucketSize(1, 1), Kind.WRITES: BucketSize(1, 1)})
    pacer.take(LANE, now=0)
    assert pacer.wait(LANE, now=0) > 0
    for other in (Lane("a-subscription", Kind.WRITES), Lane("another", Kind.READS), Lane(TENANT, Kind.READS)):
        assert pacer.wait(other, now=0) == 0


def test_what_azure_says_is_left_counts_when_it_is_less_than_we_thought() -> None:
    pacer = Pacer({Kind.READS: BucketSize(10, 1)})
    pacer.told(LANE, remaining=0, now=0)
    assert pacer.wait(LANE, now=0) == 1
    pacer.told(LANE, remaining=10, now=0)
    assert pacer.wait(LANE, now=0) == 1


def test_a_closed_lane_opens_when_azure_said() -> None:
    pacer = Pacer()
    pacer.close(LANE, until=17)
    pacer.close(LANE, until=5)
    assert pacer.wait(LANE, now=0) == 17
    assert pacer.wait(LANE, now=17) == 0


@given(
    kind=st.sampled_from(list(Kind)),
    pauses=st.lists(st.floats(min_value=0, max_value=60, allow_nan=False), max_size=300),
    start=st.floats(min_value=1.7e9, max_value=1.9e9),
)
def test_who_waits_as_told_is_never_throttled(kind: Kind, pauses: list[float], start: float) -> None:
    pacer, azure, now = Pacer(), Throttle(), start
    lane = Lane("a-subscription", kind)
    for pause in [*pauses, *[0.0] * 300]:
        now += pause
        now += pacer.wait(lane, now)
        pacer.take(lane, now)
        azure.admit("a-subscription", "azmdr", LabKind(kind.value), now)


@given(kind=st.sampled_from(list(Kind)), calls=st.integers(min_value=1, max_value=2000))
def test_nobody_waits_more_than_a_call_longer_than_the_buckets_ask(kind: Kind, calls: int) -> None:
    pacer, now = Pacer(), 0.0
    lane = Lane("a-subscription", kind)
    for _ in range(calls):
        now += pacer.wait(lane, now)
        pacer.take(lane, now)
    azures_own = SIZES[kind].burst + 1
    least = max(0.0, calls - azures_own) / SIZES[kind].per_second
    assert least <= now + 1e-6
    assert now <= least + 1.001 / SIZES[kind].per_second


def test_who_does_not_wait_is_throttled() -> None:
    azure = Throttle()
    for _ in range(250):
        azure.admit("a-subscription", "azmdr", LabKind.READS, 0)
    with pytest.raises(ArmError, match="exceeded the limit"):
        azure.admit("a-subscription", "azmdr", LabKind.READS, 0)
