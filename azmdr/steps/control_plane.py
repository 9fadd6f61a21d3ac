"""The control plane: what every step needs, and the report every step makes."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Gateway, Source, Tally
from azmdr.clock import Clock
from azmdr.inventory.customers import Customer
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.steps.bounds import ProviderPlace, StepBounds
from azmdr.store.database import Store
from azmdr.store.pauses import note_pauses, pauses

ACTIONS_TOLD: Final = 200
"""Actions and refusals of one customer that a report tells one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What every step needs. ``owner`` holds the leases: the id of a run."""

    store: Store
    arm: Arm
    gateway: Gateway
    policy: CategoryPolicy
    place: ProviderPlace
    own_name: str
    """The name that makes a setting or a rule ours, in every tenant."""
    owner: str
    clock: Clock
    bounds: StepBounds = field(default_factory=StepBounds)
    plan_only: bool = False
    """Whether nothing is written to anybody's Azure."""

    @property
    def until(self) -> datetime:
        """When a step that begins now has to stop."""
        return self.clock.now() + self.bounds.budget

    def work_off(
        self,
        sources: Iterable[Source],
        until: datetime,
        poll: Callable[[], Iterable[Source]] | None = None,
    ) -> Tally:
        """Have the gateway work off jobs, away from the lanes Azure has closed, in whatever run it did.

        Raises:
            SignInError: there is no token to be had.
        """
        with self.store.read() as connection:
            closed = pauses(connection, self.clock.now())
        for lane, end in closed.items():
            self.gateway.pacer.close(lane, end.timestamp())
        tally = self.gateway.run(sources, until, poll)
        if tally.given_up:
            with self.store.write() as connection:
                note_pauses(connection, tally.given_up, self.clock.now())
        return tally

    def writes_to(self, customer: Customer) -> bool:
        """Whether a customer's Azure may be changed."""
        return not (self.plan_only or customer.dry_run)


class Ending(StrEnum):
    """How a step ended for one customer."""

    DONE = "done"
    UNFINISHED = "unfinished"
    """The time was up; what is left stands first the next time."""
    LEASED = "skipped: leased"
    """Another run is about it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Told:
    """Something done, planned or refused on one target."""

    target: str
    action: str
    verdict: Verdict


@dataclass(slots=True)
class CustomerReport:
    """What a step came to for one customer."""

    ending: Ending = Ending.DONE
    problem: str | None = None
    verdicts: Counter[Reason] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    """What was done or planned: ``create``, ``repair``, ``remove``."""
    told: list[Told] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """What a listing step counted: found, new, changed, missing, gone."""

    def did(self, target: str, verb: str, action: str, verdict: Verdict) -> None:
        """Count and tell something done, or planned where nothing is to be done."""
        self.actions[verb] += 1
        self.tell(Told(target, action, verdict))

    def tell(self, told: Told) -> None:
        """Tell one, as long as there are not too many."""
        if len(self.told) < ACTIONS_TOLD:
            self.told.append(told)


@dataclass(slots=True)
class StepReport:
    """What a step came to."""

    customers: dict[str, CustomerReport] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    @property
    def failed(self) -> dict[str, str]:
        """The customers it failed for, and why."""
        return {
            name: report.problem or "unknown"
            for name, report in self.customers.items()
            if report.ending is Ending.FAILED
        }

    def fail(self, customer: str, problem: str) -> None:
        """Say that it failed for a customer."""
        report = self.customers.setdefault(customer, CustomerReport())
        report.ending, report.problem = Ending.FAILED, problem

    def close(self, tally: Tally, customers: Iterable[str]) -> None:
        """Take over what the gateway came to."""
        self.tally = self.tally + tally
        for name in customers:
            report = self.customers[name]
            if name in tally.failures:
                self.fail(name, repr(tally.failures[name]))
            elif not tally.finished and report.ending is Ending.DONE:
                report.ending = Ending.UNFINISHED
