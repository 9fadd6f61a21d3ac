"""The log categories Azure offers, as observed at a customer for a type and kind of resource."""

import json
from datetime import datetime

from sqlalchemy import Connection, select

from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.store.tables import LOG_CATALOGUE
from azmdr.store.upsert import insert

Variety = tuple[str, str | None]
"""A type of resource, in lower case, and Azure's ``kind`` of it."""


def catalogues_of(connection: Connection, customer: str, since: datetime) -> dict[Variety, LogCatalogue]:
    """What was observed at a customer since a time."""
    query = select(LOG_CATALOGUE).where(
        LOG_CATALOGUE.c.customer == customer, LOG_CATALOGUE.c.observed_at >= since
    )
    return {
        (row.type, row.kind or None): LogCatalogue(
            {name: frozenset(groups) for name, groups in json.loads(row.categories).items()}
        )
        for row in connection.execute(query)
    }


def note_catalogue(
    connection: Connection,
    customer: str,
    variety: Variety,
    catalogue: LogCatalogue,
    now: datetime,
    observed_on: str,
) -> None:
    """Write down what was observed on one resource."""
    kind, variant = variety
    categories = {name: sorted(groups) for name, groups in sorted(catalogue.categories.items())}
    statement = insert(connection, LOG_CATALOGUE).values(
        customer=customer,
        type=kind,
        kind=variant or "",
        categories=json.dumps(categories),
        observed_at=now,
        observed_on=observed_on,
    )
    changed = {name: statement.excluded[name] for name in ("categories", "observed_at", "observed_on")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["customer", "type", "kind"], set_=changed)
    )
