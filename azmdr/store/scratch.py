"""Scratch copies: what a plan works on, so that it changes nothing in the store either."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import Connection, Table, select

from azmdr.store.database import Store
from azmdr.store.tables import (
    ARM_PAUSE,
    CUSTOMER,
    EVENT_HUB,
    LISTING,
    LOG_CATALOGUE,
    RECONCILE_REQUEST,
    RESOURCE,
    SUBSCRIPTION,
    TARGET,
)

_OF_NOBODY: Final = (EVENT_HUB, ARM_PAUSE)
_OF_CUSTOMERS: Final = (SUBSCRIPTION, RESOURCE, TARGET, LISTING, LOG_CATALOGUE, RECONCILE_REQUEST)
_ROWS_AT_ONCE: Final = 1000


@contextmanager
def scratch_copy(store: Store, customers: Sequence[str]) -> Iterator[Store]:
    """A store of its own with all the control plane knows of some customers; gone at the end."""
    with TemporaryDirectory(prefix="azmdr-plan-") as folder:
        scratch = Store.open(f"sqlite:///{Path(folder) / 'plan.db'}")
        try:
            with store.read() as source, scratch.write() as target:
                for table in _OF_NOBODY:
                    _copy(source, target, table, None)
                for name in dict.fromkeys(customers):
                    _copy(source, target, CUSTOMER, name)
                    for table in _OF_CUSTOMERS:
                        _copy(source, target, table, name)
            yield scratch
        finally:
            scratch.close()


def _copy(source: Connection, target: Connection, table: Table, customer: str | None) -> None:
    query = select(table)
    if customer is not None:
        query = query.where((table.c.name if table is CUSTOMER else table.c.customer) == customer)
    for rows in source.execute(query).mappings().partitions(_ROWS_AT_ONCE):
        target.execute(table.insert(), [dict(row) for row in rows])
