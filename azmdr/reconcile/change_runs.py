"""Change runs: for whom a run is asked for because a change was seen in the stream. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta


def plan_change_runs(
    waiting: Mapping[str, datetime],
    asked: Mapping[str, datetime],
    flying: Collection[str],
    *,
    now: datetime,
    again_after: timedelta,
    bound: int,
) -> list[str]:
    """The customers to ask a run for, the one who has waited longest first.

    Args:
        waiting: customers with requests in the order of their waiting, and when the newest was made.
        asked: when a run was last asked for, of those customers.
        flying: customers whose run is queued or under way.
        now: the time.
        again_after: how long a request that a run could not meet is left to the regular runs.
        bound: how many runs may be queued or under way.
    """

    def is_new(customer: str, newest: datetime) -> bool:
        before = asked.get(customer)
        return before is None or newest > before or now - before >= again_after

    wanted = [each for each, newest in waiting.items() if each not in flying and is_new(each, newest)]
    return wanted[: max(0, bound - len(flying))]
