import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.azure.cloud import Cloud
from lab.azure.front_door import FrontDoor
from lab.azure.throttling import SIZES, Bucket, Kind, Limit, Size, take
from tests.lab_azure.caller import Caller
from tests.lab_azure.places import CONTOSO, SUBSCRIPTION, VAULT, setting_path, settings_path

SIZE = Size(burst=10, per_second=2)


@given(st.lists(st.floats(0, 5), max_size=200))
def test_a_bucket_never_gives_more_than_it_held_and_gained(pauses: list[float]) -> None:
    bucket, now, given_out = Bucket(SIZE.burst, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        bucket, taken = take(bucket, SIZE, now)
        given_out += taken.allowed
        assert given_out <= SIZE.burst + SIZE.per_second * now + 1e-6
        assert taken.allowed == (taken.retry_after == 0)


@given(st.integers(1, 60))
def test_who_waits_as_told_is_admitted(calls: int) -> None:
    bucket, now = Bucket(SIZE.burst, 0.0), 0.0
    for _ in range(calls):
        bucket, taken = take(bucket, SIZE, now)
        if not taken.allowed:
            now += taken.retry_after
            bucket, taken = take(bucket, SIZE, now)
        assert taken.allowed


def test_who_does_not_wait_is_told_to_wait_longer() -> None:
    bucket = Bucket(0.0, 0.0)
    bucket, first = take(bucket, SIZE, 0.0)
    bucket, second = take(bucket, SIZE, 0.0)
    _, third = take(bucket, SIZE, 0.0)
    assert first.retry_after < second.retry_after < third.retry_after


def test_the_251st_read_is_refused_and_the_answer_says_for_how_long(azmdr: Caller, cloud: Cloud) -> None:
    replies = [azmdr.ask("GET", settings_path(VAULT)) for _ in range(251)]
    assert [reply.status for reply in replies] == [200] * 250 + [429]
    assert replies[0].headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert replies[-1].code == "SubscriptionRequestsThrottled"
    cloud.clock.advance(int(replies[-1].headers["Retry-After"]))
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200


def test_reads_writes_deletes_and_subscriptions_have_buckets_of_their_own(azmdr: Caller) -> None:
    for _ in range(int(SIZES[Kind.DELETES].burst)):
        assert azmdr.ask("DELETE", setting_path(VAULT)).status == 204
    assert azmdr.ask("DELETE", setting_path(VAULT)).status == 429
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200
    assert azmdr.ask("PUT", setting_path(VAULT), {"properties": {}}).status == 400
    other = f"/subscriptions/{CONTOSO.subscriptions[1].id}"
    assert azmdr.ask("DELETE", setting_path(other)).status == 204


@pytest.mark.parametrize("kind", list(Kind))
def test_a_refused_request_changes_nothing(azmdr: Caller, cloud: Cloud, kind: Kind) -> None:
    azmdr.door.throttle.sizes[kind] = Size(0, 1)
    before = dict(cloud.settings)
    method = {Kind.READS: "GET", Kind.WRITES: "PUT", Kind.DELETES: "DELETE"}[kind]
    assert azmdr.ask(method, setting_path(SUBSCRIPTION), {"properties": {}}).status == 429
    assert dict(cloud.settings) == before


def test_a_provider_has_no_limit_of_its_own_unless_given_one(azmdr: Caller, door: FrontDoor) -> None:
    assert [azmdr.ask("GET", settings_path(VAULT)).status for _ in range(20)] == [200] * 20
    door.throttle.provider_limits["microsoft.insights"] = Limit(calls=3, seconds=300)
    assert [azmdr.ask("GET", settings_path(VAULT)).status for _ in range(4)] == [200, 200, 200, 429]
    assert azmdr.ask("GET", f"{SUBSCRIPTION}/resources").status == 200


def test_a_providers_limit_says_when_its_window_ends_and_begins_anew(
    azmdr: Caller, door: FrontDoor, cloud: Cloud
) -> None:
    door.throttle.provider_limits["microsoft.insights"] = Limit(calls=1, seconds=300)
    azmdr.ask("GET", settings_path(VAULT))
    cloud.clock.advance(100)
    refused = azmdr.ask("GET", settings_path(VAULT))
    assert (refused.code, refused.headers["Retry-After"]) == ("TooManyRequests", "200")
    assert azmdr.ask("GET", settings_path(f"/subscriptions/{CONTOSO.subscriptions[1].id}")).status == 200
    cloud.clock.advance(200)
    assert azmdr.ask("GET", settings_path(VAULT)).status == 200
