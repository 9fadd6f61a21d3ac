"""The gateway: every call to Azure Resource Manager passes here, paced, shared out and repeated.

Work comes as *jobs*: generators that yield a :class:`Call` and are sent its answer, so that a job reads like
the plain script it is while thousands of them take turns. A job's next call waits in the queue of its lane
(one token bucket); customers take turns, and within a customer its lanes. Nobody waits for another's
bucket. Jobs are taken from their sources only as fast as they can be begun, so memory is bounded by
:attr:`Source.at_once`, never by how much there is to do.
"""

import heapq
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from azmdr.azure.errors import SignInError, ThrottledError, TransientError, asked
from azmdr.azure.pacing import Lane, Pacer
from azmdr.clock import Clock

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One call to Azure. ``ask`` makes it, once; ``what`` names it for a person."""

    lane: Lane
    what: str
    ask: Callable[[], Answer]


Job = Generator[Call[Any], Any, object]
"""Yields calls and is sent their answers; an :class:`AzureError` is raised in it where there is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """Jobs of one customer, so many of them at once. ``urgent`` ones go before everything that waits."""

    customer: str
    jobs: Iterator[Job]
    at_once: int = 256
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the gateway goes. Times in seconds."""

    attempts: int = 4
    """How often a call is made that fails for a reason that may pass."""
    longest_wait: float = 120.0
    """The longest Retry-After that is waited for; above it the lane is given up for this run."""
    poll_seconds: float = 5.0
    """How often urgent work is looked for."""


@dataclass(slots=True)
class Tally:
    """What a run of the gateway came to."""

    calls: Counter[str] = field(default_factory=Counter)
    """By kind of operation."""
    throttled: int = 0
    repeated: int = 0
    given_up: dict[Lane, datetime] = field(default_factory=dict)
    """Lanes Azure closed for longer than we wait, and until when."""
    failures: dict[str, Exception] = field(default_factory=dict)
    """By customer, what nobody foresaw; the rest of that customer's work was dropped."""
    finished: bool = True
    """Whether all there was to do was done before the time was up."""

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.calls + other.calls,
            self.throttled + other.throttled,
            self.repeated + other.repeated,
            self.given_up | other.given_up,
            self.failures | other.failures,
            self.finished and other.finished,
        )


@dataclass(slots=True, eq=False)
class _Feed:
    """A source being worked off."""

    source: Source
    begun: int = 0
    """Jobs begun and not ended."""
    entering: int = 0
    """Jobs whose first call has not been made yet."""
    dry: bool = False


@dataclass(slots=True, eq=False)
class _Step:
    """A job and the call it waits for."""

    job: Job
    call: Call[Any]
    feed: _Feed
    is_first: bool = False
    attempts: int = 0


@dataclass(slots=True, eq=False)
class _Queue:
    """The steps of one customer that wait for one lane."""

    customer: str
    lane: Lane
    steps: deque[_Step] = field(default_factory=deque)
    is_listed: bool = False
    """Whether it stands among the ready or the later ones."""


_BACK_OFF: Final = (1.0, 3.0, 9.0, 27.0)


class Gateway:
    """Makes calls for jobs. One at a time, or as many as there are workers.

    With one worker everything happens in the calling thread, in an order that depends on nothing but the
    work; a clock that a test moves wants that.
    """

    def __init__(self, pacer: Pacer, clock: Clock, *, workers: int = 1, limits: Limits | None = None) -> None:
        self.pacer = pacer
        self.clock = clock
        self._workers = workers
        self._limits = limits or Limits()

    def run(
        self,
        sources: Iterable[Source],
        until: datetime,
        poll: Callable[[], Iterable[Source]] | None = None,
    ) -> Tally:
        """Work off jobs until all are done or the time is up; those begun and not ended are closed.

        Args:
            sources: the jobs, by customer.
            until: when to stop. What was not begun by then is for the next run.
            poll: asked now and then for more, while there is work.

        Raises:
            SignInError: there is no token to be had.
        """
        with _Work(self.pacer, self.clock, self._workers, self._limits) as work:
            return work.run(sources, until, poll or tuple)


class _Work:
    """One run of the gateway: its queues."""

    def __init__(self, pacer: Pacer, clock: Clock, workers: int, limits: Limits) -> None:
        self._pacer = pacer
        self._clock = clock
        self._limits = limits
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, "azure") if workers > 1 else None
        self._flying: dict[Future[Any], _Step] = {}
        self._queues: dict[tuple[str, Lane], _Queue] = {}
        self._ready: defaultdict[str, deque[_Queue]] = defaultdict(deque)
        self._turns: deque[str] = deque()
        self._later: list[tuple[float, int, _Queue | _Step]] = []
        self._numbers = itertools.count()
        self._open: set[Job] = set()
        self._until = datetime.max.replace(tzinfo=UTC)
        self.tally = Tally()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        for job in self._open:
            # A job told to end may find that it can't even do that; the first error is the one to tell.
            with suppress(Exception):
                job.close()

    def run(self, sources: Iterable[Source], until: datetime, poll: Callable[[], Iterable[Source]]) -> Tally:
        self._until = until
        for source in sources:
            self._refill(_Feed(source))
        polled = self._clock.now()
        while (now := self._clock.now()) < until:
            if (now - polled).total_seconds() >= self._limits.poll_seconds:
                polled = now
                for source in poll():
                    self._refill(_Feed(source))
            self._wake(now.timestamp())
            step = self._next(now.timestamp()) if len(self._flying) < self._workers else None
            if step is not None:
                self._make(step)
            elif self._flying:
                self._land(self._idle_seconds(now))
            elif self._later:
                self._clock.sleep(self._idle_seconds(now))
            else:
                return self.tally
        while self._flying:
            self._land(None)
        self.tally.finished = not self._open
        return self.tally

    def _idle_seconds(self, now: datetime) -> float:
        wake_at = self._later[0][0] if self._later else self._until.timestamp()
        seconds = min(wake_at, self._until.timestamp()) - now.timestamp()
        # A clock of microseconds must not round the wait down to before its end.
        return max(0.0, seconds) + 1e-5

    def _refill(self, feed: _Feed) -> None:
        """Begin jobs of a source, one ahead of what is being made."""
        while not feed.dry and feed.entering == 0 and feed.begun < feed.source.at_once:
            if feed.source.customer in self.tally.failures:
                feed.dry = True
                return
            try:
                job = next(feed.source.jobs, None)
            except Exception as error:  # noqa: BLE001 - one customer's trouble is told, and is not the others'
                self._fail(feed, error)
                return
            if job is None:
                feed.dry = True
                return
            feed.begun += 1
            self._open.add(job)
            self._advance(job, feed, lambda job=job: next(job), is_first=True)  # type: ignore[misc]

    def _advance(
        self, job: Job, feed: _Feed, resume: Callable[[], Call[Any]], *, is_first: bool = False
    ) -> None:
        """Let a job go on to its next call, or to its end."""
        try:
            call = resume()
        except StopIteration:
            self._end(job, feed)
        except Exception as error:  # noqa: BLE001 - as above
            self._end(job, feed)
            self._fail(feed, error)
        else:
            feed.entering += is_first
            self._enqueue(_Step(job, call, feed, is_first), urgent=feed.source.urgent)

    def _end(self, job: Job, feed: _Feed) -> None:
        feed.begun -= 1
        self._open.discard(job)

    def _fail(self, feed: _Feed, error: Exception) -> None:
        feed.dry = True
        self.tally.failures.setdefault(feed.source.customer, error)

    def _enqueue(self, step: _Step, *, urgent: bool) -> None:
        customer, lane = step.feed.source.customer, step.call.lane
        queue = self._queues.get((customer, lane))
        if queue is None:
            queue = self._queues[customer, lane] = _Queue(customer, lane)
        if urgent:
            queue.steps.appendleft(step)
        else:
            queue.steps.append(step)
        if not queue.is_listed:
            self._list(queue, urgent=urgent)

    def _list(self, queue: _Queue, *, urgent: bool = False) -> None:
        queue.is_listed = True
        ready = self._ready[queue.customer]
        if not ready:
            if urgent:
                self._turns.appendleft(queue.customer)
            else:
                self._turns.append(queue.customer)
        if urgent:
            ready.appendleft(queue)
        else:
            ready.append(queue)

    def _park(self, at: float, what: "_Queue | _Step") -> None:
        heapq.heappush(self._later, (at, next(self._numbers), what))

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, what = heapq.heappop(self._later)
            if isinstance(what, _Queue):
                self._list(what)
            else:
                self._enqueue(what, urgent=True)

    def _next(self, now: float) -> _Step | None:
        """The next call that may be made: the customers in turn, and the lanes of each."""
        while self._turns:
            customer = self._turns.popleft()
            ready = self._ready[customer]
            queue = ready.popleft()
            queue.is_listed = False
            if ready:
                self._turns.append(customer)
            step = self._take(queue, now)
            if queue.steps and not queue.is_listed:
                self._list(queue)
            if step is not None:
                return step
        return None

    def _take(self, queue: _Queue, now: float) -> _Step | None:
        if queue.lane in self.tally.given_up:
            self._give_up(queue)
            return None
        if (seconds := self._pacer.wait(queue.lane, now)) > 0:
            if now + seconds > self._until.timestamp():
                # Nothing of it can be done in time; what is not done stands first the next time.
                steps, queue.steps = queue.steps, deque()
                self._drop(steps)
                return None
            queue.is_listed = True
            self._park(now + seconds, queue)
            return None
        self._pacer.take(queue.lane, now)
        return queue.steps.popleft()

    def _give_up(self, queue: _Queue) -> None:
        """Take nothing more up in a lane Azure has closed; what is half done is told that it can't go on."""
        steps, queue.steps = queue.steps, deque()
        self._drop(step for step in steps if step.is_first)
        for step in steps:
            if not step.is_first:
                told = (
                    f"Azure takes no {queue.lane.kind} before {self.tally.given_up[queue.lane]:%H:%M:%S} UTC"
                )
                self._resume(step, ThrottledError(step.call.what, told, None))

    def _drop(self, steps: Iterable[_Step]) -> None:
        """Leave work to the next run, and with it what else its source would bring."""
        self.tally.finished = False
        for step in steps:
            step.feed.dry = True
            self._end(step.job, step.feed)
            step.job.close()

    def _make(self, step: _Step) -> None:
        self.tally.calls[step.call.lane.kind] += 1
        if step.is_first:
            step.is_first = False
            step.feed.entering -= 1
        if self._pool is not None:
            self._flying[self._pool.submit(_outcome, step.call)] = step
        else:
            self._settle(step, _outcome(step.call))
        self._refill(step.feed)

    def _land(self, seconds: float | None) -> None:
        done, _ = wait(self._flying, seconds, FIRST_COMPLETED)
        for future in done:
            step = self._flying.pop(future)
            self._settle(step, future.result())
            self._refill(step.feed)

    def _settle(self, step: _Step, outcome: object) -> None:
        match outcome:
            case SignInError():
                raise outcome
            case ThrottledError():
                self.tally.throttled += 1
                self._repeat_throttled(step, outcome)
            case TransientError() if step.attempts + 1 < self._limits.attempts:
                self.tally.repeated += 1
                back_off = _BACK_OFF[min(step.attempts, len(_BACK_OFF) - 1)]
                step.attempts += 1
                seconds = min(max(back_off, outcome.retry_after or 0), self._limits.longest_wait)
                self._park(self._clock.now().timestamp() + seconds, step)
            case _:
                self._resume(step, outcome)

    def _repeat_throttled(self, step: _Step, error: ThrottledError) -> None:
        step.attempts += 1
        back_off = _BACK_OFF[min(step.attempts, len(_BACK_OFF)) - 1]
        seconds = back_off if error.retry_after is None else error.retry_after
        now, lane = self._clock.now(), step.call.lane
        self._pacer.close(lane, now.timestamp() + seconds)
        if seconds > self._limits.longest_wait:
            self.tally.given_up[lane] = now + timedelta(seconds=seconds)
        if seconds > self._limits.longest_wait or step.attempts > 2 * self._limits.attempts:
            self._resume(step, error)
        else:
            self._enqueue(step, urgent=True)

    def _resume(self, step: _Step, outcome: object) -> None:
        job = step.job
        if isinstance(outcome, BaseException):
            self._advance(job, step.feed, lambda: job.throw(outcome))
        else:
            self._advance(job, step.feed, lambda: job.send(outcome))


def _outcome(call: Call[Answer]) -> Answer | Exception:
    """The answer, or why there is none."""
    try:
        return asked(call.what, call.ask)
    except Exception as error:  # noqa: BLE001 - it is raised in the job, which knows what to make of it
        return error
