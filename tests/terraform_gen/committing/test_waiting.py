"""How long GitHub is waited for, and what is told when it is too long."""

import pytest

from lab.azure.faults import FaultKind
from lab.github.rate_limits import RateLimits
from terraform_gen.github_calls import Patience
from terraform_gen.github_errors import RateLimitedError, TransientError
from terraform_gen.repository import Outcome
from tests.terraform_gen.committing.workbench import PROPOSAL, Workbench


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("method", "part"), [("GET", "/git/ref/"), ("POST", "/git/commits"), ("PATCH", "/git/refs/")]
)
def test_a_secondary_rate_limit_is_waited_for_as_long_as_github_says(
    bench: Workbench, method: str, part: str, status: int
) -> None:
    bench.fail(method, part, FaultKind.THROTTLE, FaultKind.THROTTLE, status=status, wait=17)
    assert bench.repository().commit(PROPOSAL).outcome is Outcome.COMMITTED
    assert bench.time.slept == [17, 17]
    assert bench.subjects() == [PROPOSAL.title, "Begin"]


def test_a_wait_that_github_leaves_open_is_a_minute(bench: Workbench) -> None:
    bench.fail("POST", "/git/trees", FaultKind.THROTTLE, status=403)
    bench.repository().commit(PROPOSAL)
    assert bench.time.slept == [60]


def test_a_wait_above_the_cap_is_told_and_not_waited(bench: Workbench) -> None:
    bench.fail("POST", "/git/trees", FaultKind.THROTTLE, status=429, wait=181)
    with pytest.raises(
        RateLimitedError, match=r"create a tree: .*secondary rate limit.*again in 181 s"
    ) as limited:
        bench.repository().commit(PROPOSAL)
    assert (limited.value.retry_after, bench.time.slept) == (181, [])
    assert limited.value.request_id


def test_a_limit_that_goes_on_is_given_up(bench: Workbench) -> None:
    bench.fail("POST", "/git/trees", *[FaultKind.THROTTLE] * 9, status=403, wait=2)
    with pytest.raises(RateLimitedError):
        bench.repository(patience=Patience(attempts=3)).commit(PROPOSAL)
    assert bench.time.slept == [2, 2]


@pytest.mark.parametrize("status", [403, 429])
def test_the_primary_limit_is_waited_for_until_its_reset(bench: Workbench, status: int) -> None:
    bench.door.limits = RateLimits(per_hour=5, status=status)
    with pytest.raises(RateLimitedError, match="API rate limit exceeded") as limited:
        bench.repository().commit(PROPOSAL)
    assert 3590 < limited.value.retry_after <= 3602
    bench.door.limits = RateLimits(per_hour=5, status=status)
    assert (
        bench.repository(patience=Patience(longest_wait=4000)).commit(PROPOSAL).outcome is Outcome.COMMITTED
    )
    assert len(bench.time.slept) == 1


def test_the_lab_s_own_secondary_limit_lets_us_through_in_the_end(bench: Workbench) -> None:
    bench.door.limits = RateLimits(points_per_minute=12)
    assert bench.repository().commit(PROPOSAL).outcome is Outcome.COMMITTED
    assert bench.time.slept
    assert all(0 < each <= 61 for each in bench.time.slept)


@pytest.mark.parametrize(
    "kind", [FaultKind.FAIL_BEFORE, FaultKind.FAIL_AFTER, FaultKind.RESET_BEFORE, FaultKind.TRUNCATE]
)
def test_trouble_that_passes_is_outlived(bench: Workbench, kind: FaultKind) -> None:
    bench.fail("POST", "/git/commits", kind, kind, kind)
    assert bench.repository().commit(PROPOSAL).outcome is Outcome.COMMITTED
    assert bench.time.slept == [1, 3, 9]


def test_trouble_that_stays_is_told_with_place_and_request(bench: Workbench) -> None:
    bench.fail("POST", "/git/commits", *[FaultKind.FAIL_BEFORE] * 9, status=502)
    with pytest.raises(TransientError) as failed:
        bench.repository().commit(PROPOSAL)
    assert str(failed.value) == (
        "contoso-soc/event-hubs, branch main: create a commit: 502 Server Error "
        f"(request {failed.value.request_id})"
    )
