"""Early turns: for whom a run is asked for out of turn because an event hub has come. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime


def early_turn(customer: str, arrived: datetime) -> str:
    """The key of the one run that an arrival is worth."""
    return f"{customer} {arrived:%Y-%m-%dT%H:%M:%S.%f}"


def plan_early_turns(
    arrivals: Mapping[str, datetime], asked: Collection[str], at_work: Collection[str], room: int
) -> list[str]:
    """The customers to ask a run for, the one whose hub came first first.

    Args:
        arrivals: customers with targets that wait for an event hub, in the order in which their newest came,
            and when that was.
        asked: keys of the runs that were asked for already.
        at_work: customers for whom a run is queued or under way; they are left for the next time, since such
            a run may have begun before the hub came.
        room: how many runs more may be queued or under way.
    """
    due = [
        name
        for name, arrived in arrivals.items()
        if early_turn(name, arrived) not in asked and name not in at_work
    ]
    return due[: max(0, room)]
