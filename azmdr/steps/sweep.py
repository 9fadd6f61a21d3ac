"""Sweeps: observe, plan, apply, for every target of some customers, whatever is set on it.

A sweep is a rotation, for settings can't be read in bulk: new and changed targets first, then those untried
for longest. What the time does not suffice for stands first the next time. A target costs one read, and one
write when something is wrong. Nothing is raised for one target; a refusal is its verdict.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from azmdr.azure.dispatch import Call, Job, Source
from azmdr.azure.errors import AzureError, RefusedError
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.plan import Plan, Remove, Write
from azmdr.reconcile.refusals import verdict_on
from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.reconcile.wanted import CustomerView, holds_by_itself, is_settled, needs_reading
from azmdr.steps.control_plane import ControlPlane, CustomerReport, StepReport, Told
from azmdr.steps.holding import Held, LeaseLostError
from azmdr.store.targets import (
    DueTarget,
    Judgement,
    TargetKind,
    due_targets,
    note_judgements,
    subscriptions_due,
)

Thing = TypeVar("Thing")

_JOBS_AT_ONCE: Final = 32
"""Targets of one subscription begun and not ended. Reads come faster than writes, so on the first sweep that
many wait for the bucket of writes, which needs a few of them and no more."""
_TARGETS_AT_ONCE: Final = 50
"""Targets of one subscription taken from the store in one go."""
_JUDGEMENTS_AT_ONCE: Final = 200
"""Verdicts written down in one transaction; so many are judged again after a crash, at a read each."""


class Means(Protocol[Thing]):
    """How one kind of thing is read, written and removed."""

    def read(self, target: ResourceId) -> Call[list[Thing]]:
        """All of a target, whoever made them."""

    def write(self, target: ResourceId, thing: Thing) -> Call[object]:
        """Create or replace."""

    def remove(self, target: ResourceId, name: str) -> Call[object]:
        """Remove."""


@dataclass(frozen=True, slots=True)
class Decisions(Generic[Thing]):
    """How a kind of target is decided on. ``wanted`` and ``plan`` are pure."""

    wanted: Callable[[CustomerView, DueTarget], Thing | Verdict]
    plan: Callable[[CustomerView, DueTarget, Thing | Verdict, Sequence[Thing]], Plan[Thing]]
    prepare: Callable[[CustomerView, DueTarget], Generator[Call[Any], Any, Verdict | None]] | None = None
    """Learns what a decision needs and the view does not hold; returns why that can't be learnt."""


@dataclass(slots=True)
class _Book:
    """One customer's verdicts, until they are written down."""

    view: CustomerView
    report: CustomerReport
    judgements: list[Judgement] = field(default_factory=list)


class Sweep(Generic[Thing]):
    """The sweep over one kind of target of the customers a run holds."""

    def __init__(
        self,
        held: Held,
        kind: TargetKind,
        views: Mapping[str, CustomerView],
        means: Means[Thing],
        decisions: Decisions[Thing],
        report: StepReport,
    ) -> None:
        self._held = held
        self._kind = kind
        self._means = means
        self._decisions = decisions
        self._report = report
        self._books = {name: _Book(view, report.customers[name]) for name, view in views.items()}
        self._started = held.plane.clock.now()

    @property
    def plane(self) -> ControlPlane:
        """What the step works with."""
        return self._held.plane

    @property
    def customers(self) -> list[str]:
        """Whose targets it is about."""
        return list(self._books)

    def view(self, customer: str) -> CustomerView:
        """What the decisions about a customer rest on."""
        return self._books[customer].view

    def sources(self) -> Iterator[Source]:
        """The jobs of all customers, one source a subscription."""
        for name in self._books:
            with self.plane.store.read() as connection:
                due = subscriptions_due(connection, name, self._kind, self._started)
            for subscription_id in due:
                yield Source(name, self._rotation(name, subscription_id), _JOBS_AT_ONCE)

    def _rotation(self, customer: str, subscription_id: str) -> Iterator[Job]:
        after: tuple[datetime, str] | None = None
        while True:
            with self.plane.store.read() as connection:
                some = due_targets(
                    connection,
                    customer,
                    self._kind,
                    subscription_id,
                    before=self._started,
                    after=after,
                    limit=_TARGETS_AT_ONCE,
                )
            for due in some:
                yield self.job(customer, due)
            if len(some) < _TARGETS_AT_ONCE:
                return
            after = (some[-1].tried_at, some[-1].target.key)

    def job(self, customer: str, due: DueTarget) -> Generator[Call[Any], Any, Verdict]:
        """Observe, plan and apply for one target; returns the verdict."""
        book = self._books[customer]
        view, target = book.view, ResourceId.parse(due.target.id)
        if self._decisions.prepare is not None:
            obstacle = yield from self._decisions.prepare(view, due)
            if obstacle is not None:
                return self._judge(book, due, obstacle)
        wanted = self._decisions.wanted(view, due)
        if isinstance(wanted, Verdict) and not needs_reading(wanted, due):
            return self._judge(book, due, wanted, settled=holds_by_itself(wanted) and not due.ours)
        try:
            found = yield self._means.read(target)
        except AzureError as error:
            return self._judge_unread(book, due, wanted, error)
        read_at = self.plane.clock.now()
        plan = self._decisions.plan(view, due, wanted, found)
        if plan.action is not None and (obstacle := view.obstacle(due)):
            plan = Plan(obstacle, ours=plan.ours)
        if plan.action is None:
            return self._judge_as_it_is(book, due, plan, read_at)
        return (yield from self._apply(book, due, plan.action, plan, read_at))

    def _judge_as_it_is(self, book: _Book, due: DueTarget, plan: Plan[Thing], read_at: datetime) -> Verdict:
        if plan.ours or not holds_by_itself(plan.verdict):
            return self._judge(book, due, plan.verdict, read_at=read_at, ours=plan.ours)
        settled = is_settled(plan.verdict, due, read_at, self.plane.bounds.visible_after)
        # Since when nothing of ours was there is what the next read wants to know.
        is_first = due.ours or due.read_at is None
        return self._judge(
            book, due, plan.verdict, read_at=read_at if is_first else None, ours=False, settled=settled
        )

    def judge(self, customer: str, due: DueTarget, verdict: Verdict) -> Verdict:
        """Note a verdict that was come to without reading the target's settings."""
        return self._judge(self._books[customer], due, verdict)

    def _apply(
        self,
        book: _Book,
        due: DueTarget,
        action: Write[Thing] | Remove,
        plan: Plan[Thing],
        read_at: datetime,
    ) -> Generator[Call[Any], Any, Verdict]:
        if not self.plane.writes_to(book.view.customer):
            verdict = Verdict(Reason.PLANNED, str(action))
            book.report.did(due.target.id, action.verb, str(action), verdict)
            return self._judge(book, due, verdict, read_at=read_at, ours=plan.ours)
        try:
            yield self._call(ResourceId.parse(due.target.id), action)
        except AzureError as error:
            verdict = verdict_on(error, wrote=True)
            book.report.tell(Told(due.target.id, str(action), verdict))
            return self._judge(book, due, verdict, read_at=read_at, ours=plan.ours)
        book.report.did(due.target.id, action.verb, str(action), plan.verdict)
        # What was written is known as well as if it had been read again.
        known_at, ours = self.plane.clock.now(), isinstance(action, Write)
        return self._judge(book, due, plan.verdict, read_at=known_at, ours=ours)

    def _call(self, target: ResourceId, action: Write[Thing] | Remove) -> Call[object]:
        if isinstance(action, Remove):
            return self._means.remove(target, action.name)
        return self._means.write(target, action.thing)

    def _judge_unread(
        self, book: _Book, due: DueTarget, wanted: Thing | Verdict, error: AzureError
    ) -> Verdict:
        verdict = verdict_on(error, wrote=False)
        if verdict.reason is Reason.TYPE_WITHOUT_LOGS:
            at = self.plane.clock.now()
            why = wanted if isinstance(wanted, Verdict) else verdict
            return self._judge(book, due, why, read_at=at, ours=False, settled=True)
        is_gone_with_it = verdict.reason is Reason.NOT_FOUND and self._kind is TargetKind.DATA_EXPORT
        if is_gone_with_it and isinstance(wanted, Verdict) and holds_by_itself(wanted):
            # An export rule is a part of its workspace.
            return self._judge_as_it_is(book, due, Plan(wanted), self.plane.clock.now())
        if isinstance(error, RefusedError):
            book.report.tell(Told(due.target.id, "read", verdict))
        return self._judge(book, due, verdict)

    def _judge(
        self,
        book: _Book,
        due: DueTarget,
        verdict: Verdict,
        *,
        read_at: datetime | None = None,
        ours: bool | None = None,
        settled: bool = False,
    ) -> Verdict:
        now = self.plane.clock.now()
        book.judgements.append(Judgement(due.target.key, verdict, now, read_at, ours, settled))
        book.report.verdicts[verdict.reason] += 1
        if len(book.judgements) >= _JUDGEMENTS_AT_ONCE:
            self._write_down(book)
        return verdict

    def _write_down(self, book: _Book) -> None:
        name = book.view.customer.name
        with self.plane.store.write() as connection:
            self._held.prolong(connection, name)
            note_judgements(connection, name, self._kind, book.judgements)
        book.judgements = []

    def close(self) -> None:
        """Write down the verdicts that are left."""
        for name, book in self._books.items():
            try:
                if book.judgements:
                    self._write_down(book)
            except LeaseLostError as error:
                self._report.fail(name, str(error))
