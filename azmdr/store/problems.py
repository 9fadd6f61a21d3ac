"""Problems: what was wrong with a customer when a check last looked at it, until it looks again.

A run looks at some of the customers only; what an earlier one found of the others has not gone away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from azmdr.store.tables import CUSTOMER_PROBLEM
from azmdr.store.upsert import insert


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a customer, and since when."""

    customer: str
    what: str
    since: datetime


def note_problems(
    connection: Connection, check: str, looked_at: Iterable[str], found: Mapping[str, str], now: datetime
) -> None:
    """Write down what a check found.

    Args:
        connection: to the store.
        check: its name.
        looked_at: the customers it looked at; what it had found of them before is over.
        found: what is wrong now, by customer.
        now: the time.
    """
    for customer in sorted(set(looked_at) - set(found)):
        of_it = (CUSTOMER_PROBLEM.c.check_name == check, CUSTOMER_PROBLEM.c.customer == customer)
        connection.execute(delete(CUSTOMER_PROBLEM).where(*of_it))
    for customer, what in sorted(found.items()):
        statement = insert(connection, CUSTOMER_PROBLEM).values(
            check_name=check, customer=customer, what=what[:2000], since=now
        )
        # It has been wrong since it was first found, whatever is told of it now.
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["check_name", "customer"], set_={"what": statement.excluded.what}
            )
        )


def problems(connection: Connection, check: str) -> list[Problem]:
    """What a check finds wrong, by customer."""
    query = select(CUSTOMER_PROBLEM).where(CUSTOMER_PROBLEM.c.check_name == check)
    return [
        Problem(row.customer, row.what, row.since)
        for row in connection.execute(query.order_by(CUSTOMER_PROBLEM.c.customer))
    ]
