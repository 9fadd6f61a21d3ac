"""The gateway: paced, fair, patient, bounded, and never brought down by one customer's trouble."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from hypothesis import given
from hypothesis import strategies as st

from azmdr.azure.dispatch import Call, Gateway, Job, Limits, Source, Tally
from azmdr.azure.errors import AzureError, SignInError, ThrottledError, TransientError
from azmdr.azure.pacing import BucketSize, Kind, Lane, Pacer
from azmdr.clock import SystemClock

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


class StoppedClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self._now += timedelta(seconds=seconds)

    @property
    def seconds(self) -> float:
        return (self._now - START).total_seconds()


class Azure:
    """Answers, and remembers who asked when."""

    def __init__(self, clock: StoppedClock | SystemClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, datetime]] = []
        self.failing: dict[str, list[Exception]] = {}

    def call(self, scope: str, what: str, kind: Kind = Kind.READS) -> Call[str]:
        return Call(Lane(scope, kind), what, lambda: self._answer(what))

    def _answer(self, what: str) -> str:
        self.asked.append((what, self.clock.now()))
        if self.failing.get(what):
            raise self.failing[what].pop(0)
        return f"answer to {what}"

    @property
    def order(self) -> list[str]:
        return [what for what, _ in self.asked]


def status(code: int, retry_after: str | None = None) -> HttpResponseError:
    class Response:
        status_code = code
        reason = "no reason"
        headers = {} if retry_after is None else {"Retry-After": retry_after}

        def text(self, _encoding: str | None = None) -> str:
            return '{"error": {"code": "SomeCode", "message": "no"}}'

    return HttpResponseError(response=Response())  # type: ignore[arg-type]


def ask(*calls: Call[str], answers: list[object] | None = None) -> Job:
    """A job of some calls one after the other; what comes of each goes into ``answers``."""
    for call in calls:
        try:
            answer: object = yield call
        except AzureError as error:
            answer = error
        if answers is not None:
            answers.append(answer)
    return None


def run(
    sources: list[Source],
    clock: StoppedClock,
    *,
    sizes: dict[Kind, BucketSize] | None = None,
    limits: Limits | None = None,
    until: datetime = START + HOUR,
    poll: Callable[[], list[Source]] | None = None,
) -> Tally:
    pacer = Pacer(sizes) if sizes else Pacer()
    return Gateway(pacer, clock, limits=limits).run(sources, until, poll)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def azure(clock: StoppedClock) -> Azure:
    return Azure(clock)


def test_a_job_gets_the_answers_to_its_calls_in_their_order(clock: StoppedClock, azure: Azure) -> None:
    answers: list[object] = []
    job = ask(azure.call("s", "one"), azure.call("s", "two", Kind.WRITES), answers=answers)
    tally = run([Source("contoso", iter([job]))], clock)
    assert answers == ["answer to one", "answer to two"]
    assert tally.calls == {Kind.READS: 1, Kind.WRITES: 1}
    assert tally.finished


def test_nobody_waits_for_anothers_bucket(clock: StoppedClock, azure: Azure) -> None:
    sizes = {Kind.READS: BucketSize(1, 1)}
    busy = [ask(azure.call("busy", f"busy {n}")) for n in range(100)]
    idle = [ask(azure.call("idle", "idle"))]
    run([Source("contoso", iter(busy)), Source("fabrikam", iter(idle))], clock, sizes=sizes)
    asked_at = dict(azure.asked)
    assert asked_at["idle"] == START
    assert clock.seconds == pytest.approx(99, abs=0.01)


def test_customers_take_turns_however_much_one_of_them_has_to_do(clock: StoppedClock, azure: Azure) -> None:
    large = [
        Source("large", iter([ask(azure.call(f"l{s}", f"large {s} {n}")) for n in range(20)]))
        for s in range(20)
    ]
    small = Source("small", iter([ask(azure.call("s", f"small {n}")) for n in range(20)]))
    run([*large, small], clock)
    last_of_small = azure.order.index("small 19")
    assert last_of_small <= 45, "every second turn is the small customer's"


def test_all_subscriptions_of_a_customer_go_on_at_the_same_time(clock: StoppedClock, azure: Azure) -> None:
    sizes = {Kind.READS: BucketSize(10, 1)}
    sources = [
        Source("contoso", iter([ask(azure.call(f"s{s}", f"{s} {n}")) for n in range(60)])) for s in range(30)
    ]
    run(sources, clock, sizes=sizes)
    assert len(azure.asked) == 1800
    assert clock.seconds == pytest.approx(50, abs=0.1), "as long as the slowest subscription alone"


def test_reading_runs_ahead_of_writing(clock: StoppedClock, azure: Azure) -> None:
    sizes = {Kind.READS: BucketSize(1, 10), Kind.WRITES: BucketSize(1, 1)}
    jobs = [ask(azure.call("s", f"read {n}"), azure.call("s", f"write {n}", Kind.WRITES)) for n in range(20)]
    run([Source("contoso", iter(jobs))], clock, sizes=sizes)
    assert clock.seconds == pytest.approx(19, abs=0.2)


def test_jobs_are_begun_only_as_fast_as_they_can_be_worked_off(clock: StoppedClock, azure: Azure) -> None:
    begun = 0

    def jobs() -> Iterator[Job]:
        nonlocal begun
        for n in range(1000):
            begun += 1
            yield ask(azure.call("s", f"read {n}"), azure.call("s", f"write {n}", Kind.WRITES))

    sizes = {Kind.READS: BucketSize(1000, 1000), Kind.WRITES: BucketSize(1, 1)}
    run([Source("contoso", jobs(), at_once=16)], clock, sizes=sizes, until=START + timedelta(seconds=10))
    assert 11 <= begun <= 11 + 17


def test_what_can_not_be_done_in_time_is_left_and_said_so(clock: StoppedClock, azure: Azure) -> None:
    closed: list[str] = []

    def job(n: int) -> Job:
        try:
            yield azure.call("s", f"{n}")
            yield azure.call("s", f"{n} again")
        finally:
            closed.append(str(n))
        return None

    sizes = {Kind.READS: BucketSize(1, 1)}
    tally = run(
        [Source("contoso", (job(n) for n in range(100)))],
        clock,
        sizes=sizes,
        until=START + timedelta(seconds=10),
    )
    assert not tally.finished
    assert len(azure.asked) in (10, 11)
    assert closed, "jobs that were begun are told to end"
    assert clock.seconds <= 10.1


def test_a_throttled_call_waits_as_long_as_azure_says_and_no_call_of_its_lane_goes_before(
    clock: StoppedClock, azure: Azure
) -> None:
    azure.failing["a"] = [status(429, "17")]
    answers: list[object] = []
    jobs = [ask(azure.call("s", name), answers=answers) for name in "abc"]
    tally = run([Source("contoso", iter(jobs))], clock)
    assert azure.order == ["a", "a", "b", "c"]
    assert azure.asked[1][1] - azure.asked[0][1] >= timedelta(seconds=17)
    assert answers == ["answer to a", "answer to b", "answer to c"]
    assert tally.throttled == 1


def test_a_wait_beyond_our_own_cap_gives_the_lane_up_and_leaves_the_others(
    clock: StoppedClock, azure: Azure
) -> None:
    azure.failing["a"] = [status(429, "3600")]
    answers: list[object] = []
    jobs = [ask(azure.call("s", name), answers=answers) for name in "abc"]
    other = [ask(azure.call("t", "d"), answers=answers)]
    tally = run([Source("contoso", iter([*jobs])), Source("contoso", iter(other))], clock)
    assert [type(answer) for answer in answers].count(ThrottledError) == 1
    assert "answer to d" in answers
    assert not tally.finished, "what was not asked stands first the next time"
    assert azure.order.count("a") == 1
    assert "b" not in azure.order
    assert tally.given_up == {Lane("s", Kind.READS): START + timedelta(seconds=3600)}
    assert clock.seconds < 1


def test_what_is_half_done_is_told_when_its_lane_is_given_up(clock: StoppedClock, azure: Azure) -> None:
    azure.failing["write 0"] = [status(429, "3600")]
    answers: list[object] = []
    jobs = [
        ask(azure.call("s", f"read {n}"), azure.call("s", f"write {n}", Kind.WRITES), answers=answers)
        for n in range(3)
    ]
    run([Source("contoso", iter(jobs))], clock)
    assert azure.order.count("write 0") == 1
    assert "write 1" not in azure.order
    assert [type(answer) for answer in answers].count(ThrottledError) == 3


def test_a_failure_that_may_pass_is_tried_again_and_then_told(clock: StoppedClock, azure: Azure) -> None:
    azure.failing["a"] = [status(503), ServiceResponseError("reset"), status(500, "7")]
    azure.failing["b"] = [status(503)] * 9
    answers: list[object] = []
    jobs = [ask(azure.call("s", name), answers=answers) for name in "ab"]
    tally = run([Source("contoso", iter(jobs))], clock)
    assert "answer to a" in answers
    assert [answer for answer in answers if isinstance(answer, TransientError)]
    assert azure.order.count("a") == 4
    assert azure.order.count("b") == Limits().attempts
    assert tally.repeated == 3 + Limits().attempts - 1


def test_a_mistake_in_one_customers_job_is_told_and_drops_only_that_customers_work(
    clock: StoppedClock, azure: Azure
) -> None:
    def broken() -> Job:
        yield azure.call("s", "a")
        raise KeyError("nobody foresaw this")

    def sources() -> Iterator[Source]:
        yield Source("contoso", iter([broken(), *(ask(azure.call("s", f"c{n}")) for n in range(5))]))
        yield Source("fabrikam", iter([ask(azure.call("t", f"f{n}")) for n in range(5)]))

    tally = run(list(sources()), clock)
    assert list(tally.failures) == ["contoso"]
    assert {f"f{n}" for n in range(5)} <= set(azure.order)
    assert "c4" not in azure.order


def test_a_source_that_breaks_is_told_like_a_job_that_does(clock: StoppedClock, azure: Azure) -> None:
    def jobs() -> Iterator[Job]:
        yield ask(azure.call("s", "a"))
        raise RuntimeError("the store is away")

    tally = run([Source("contoso", jobs())], clock)
    assert isinstance(tally.failures["contoso"], RuntimeError)


def test_without_a_token_nothing_goes_on(clock: StoppedClock, azure: Azure) -> None:
    def no_token() -> str:
        raise SignInError("signing in", "the secret is wrong")

    jobs = [ask(Call(Lane("s", Kind.READS), "a", no_token)), ask(azure.call("s", "b"))]
    with pytest.raises(SignInError, match="the secret is wrong"):
        run([Source("contoso", iter(jobs))], clock)


def test_urgent_work_that_comes_in_between_goes_first(clock: StoppedClock, azure: Azure) -> None:
    sizes = {Kind.READS: BucketSize(1, 1)}
    waiting = [Source("fabrikam", iter([ask(azure.call("s", "urgent"))]), urgent=True)]

    def poll() -> list[Source]:
        return [waiting.pop()] if waiting and clock.seconds > 20 else []

    jobs = (ask(azure.call("s", f"{n}")) for n in range(100))
    run([Source("contoso", jobs)], clock, sizes=sizes, poll=poll)
    position = azure.order.index("urgent")
    assert 20 <= position <= 30


@given(
    work=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.lists(st.sampled_from(list(Kind)), max_size=4)),
        max_size=60,
    ),
    trouble=st.lists(st.sampled_from([None, 429, 503]), max_size=20),
)
def test_every_call_is_answered_once_and_no_bucket_is_overdrawn(
    work: list[tuple[int, int, list[Kind]]], trouble: list[int | None]
) -> None:
    clock = StoppedClock()
    azure = Azure(clock)
    sizes = {Kind.READS: BucketSize(3, 2), Kind.WRITES: BucketSize(2, 1), Kind.DELETES: BucketSize(2, 1)}
    answers: list[object] = []
    sources = []
    expected = 0
    for number, (customer, scope, kinds) in enumerate(work):
        calls = [
            azure.call(f"{customer} {scope}", f"{customer} {scope} {kind} {number} {index}", kind)
            for index, kind in enumerate(kinds)
        ]
        expected += len(calls)
        sources.append(Source(str(customer), iter([ask(*calls, answers=answers)])))
        for call, code in zip(calls, trouble, strict=False):
            if code is not None:
                azure.failing[call.what] = [status(code, "2" if code == 429 else None)]
    tally = run(sources, clock, sizes=sizes)
    assert tally.finished
    assert len(answers) == expected
    assert all(isinstance(answer, str) for answer in answers)
    assert sum(tally.calls.values()) == len(azure.asked) == expected + tally.throttled + tally.repeated
    for kind, size in sizes.items():
        for lane in {what.rsplit(" ", 2)[0] for what in azure.order if f" {kind} " in what}:
            times = [at.timestamp() for what, at in azure.asked if what.rsplit(" ", 2)[0] == lane]
            for first in range(len(times)):
                for last in range(first, len(times)):
                    allowed = size.burst + (times[last] - times[first]) * size.per_second
                    assert last - first + 1 <= allowed + 0.01


def test_with_workers_calls_overlap_and_jobs_still_run_in_one_thread() -> None:
    clock = SystemClock()
    threads: set[int] = set()
    flying, most = 0, 0
    lock = threading.Lock()

    def slow() -> str:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.02)
        with lock:
            flying -= 1
        return "done"

    def job(scope: int) -> Generator[Call[Any], Any, None]:
        for _ in range(3):
            yield Call(Lane(str(scope), Kind.READS), "a call", slow)
            threads.add(threading.get_ident())

    sources = [Source("contoso", iter([job(scope)])) for scope in range(40)]
    tally = Gateway(Pacer(), clock, workers=8).run(sources, clock.now() + HOUR)
    assert tally.finished
    assert tally.calls[Kind.READS] == 120
    assert 4 <= most <= 8
    assert threads == {threading.get_ident()}
