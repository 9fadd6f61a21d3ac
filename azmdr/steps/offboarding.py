"""Offboarding: remove what is ours, watch until nothing arrives, then say so; interrupted, it resumes.

Settings go on sending after a delegation has been withdrawn, and nobody but the customer could then end it:
so ours are removed first, and the delegation is only given back when nothing comes any more.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.reconcile.verdict import Reason
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.rounds import reconcile_all
from azmdr.store import ledger
from azmdr.store.customers import customer_named, replace_customer
from azmdr.store.database import Store
from azmdr.store.targets import JudgedTarget, judged_targets

_NOTHING_OF_OURS: Final = frozenset({Reason.CUSTOMER_LEAVES, Reason.TYPE_WITHOUT_LOGS, Reason.NAME_NOT_ASCII})


class Stage(StrEnum):
    """How far a customer's leaving has come."""

    REMOVING = "removing"
    WATCHING = "watching"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Leaving:
    """How far a customer's leaving has come, and what it waits for."""

    stage: Stage
    left: tuple[JudgedTarget, ...] = ()
    """Targets of which it is not known that nothing of ours is there."""
    quiet_since: datetime | None = None
    """Since when nothing of the customer has arrived."""
    gone_at: datetime | None = None
    """When it is gone if nothing arrives until then."""


def leaving_of(
    customer: Customer,
    targets: Sequence[JudgedTarget],
    last_arrival: datetime | None,
    *,
    now: datetime,
    silence: timedelta,
) -> Leaving:
    """How far a customer's leaving has come. Pure.

    Args:
        customer: who leaves.
        targets: all its targets, with their verdicts.
        last_arrival: when something of the customer last arrived.
        now: the time.
        silence: how long nothing has to arrive.
    """
    left = tuple(each for each in targets if not _is_clear(each))
    if left:
        return Leaving(Stage.REMOVING, left)
    quiet_since = max(filter(None, (customer.cleared_at or now, last_arrival)))
    gone_at = quiet_since + silence
    stage = Stage.GONE if now >= gone_at else Stage.WATCHING
    return Leaving(stage, (), quiet_since, gone_at)


def _is_clear(target: JudgedTarget) -> bool:
    return target.settled and not target.ours and target.verdict.reason in _NOTHING_OF_OURS


def begin_leaving(store: Store, name: str, now: datetime) -> Customer:
    """Write down that a customer leaves; once written, every run of every step removes what is ours.

    Raises:
        UnknownCustomerError: there is no customer of that name.
    """
    with store.write() as connection:
        customer = customer_named(connection, name)
        if customer.state is CustomerState.ACTIVE:
            customer = customer.model_copy(
                update={"state": CustomerState.LEAVING, "leaving_since": now, "cleared_at": None}
            )
            replace_customer(connection, customer)
    return customer


def go_on_leaving(
    plane: ControlPlane, name: str, silence: timedelta
) -> tuple[Leaving, dict[str, StepReport]]:
    """Take a customer's leaving as far as it goes now.

    Raises:
        SignInError: there is no token to be had.
    """
    with plane.store.read() as connection:
        customer = customer_named(connection, name)
    reports = {}
    if customer.state is CustomerState.LEAVING and customer.cleared_at is None:
        reports = reconcile_all(plane, [customer])
    return note_leaving(plane.store, name, plane.clock.now(), silence), reports


def note_leaving(store: Store, name: str, now: datetime, silence: timedelta) -> Leaving:
    """How far a customer's leaving has come by what the store knows, which is written down."""
    with store.write() as connection:
        customer = customer_named(connection, name)
        if customer.state is CustomerState.GONE:
            return Leaving(Stage.GONE)
        targets = list(judged_targets(connection, name))
        last = ledger.last_arrival(connection, name)
        leaving = leaving_of(customer, targets, last, now=now, silence=silence)
        after: dict[str, object] = {}
        if leaving.stage is not Stage.REMOVING and customer.cleared_at is None:
            after["cleared_at"] = now
        if leaving.stage is Stage.GONE:
            after["state"] = CustomerState.GONE
        if after:
            replace_customer(connection, customer.model_copy(update=after))
    return leaving


def why_left(leaving: Leaving) -> Counter[Reason]:
    """Why it is not known of some targets that nothing of ours is there."""
    return Counter(target.verdict.reason for target in leaving.left)
