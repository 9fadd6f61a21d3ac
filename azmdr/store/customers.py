"""The registry of customers."""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from azmdr.inventory.customers import Customer, CustomerError, CustomerState
from azmdr.store.tables import CUSTOMER

NEVER: Final = "never judged"


class UnknownCustomerError(LookupError):
    """No customer has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"customer {name}: there is none of that name; `azmdr customer list` shows them all")


def add_customer(connection: Connection, customer: Customer, now: datetime) -> None:
    """Add a customer, or take back one that was gone.

    Raises:
        CustomerError: its name or its tenant is another's.
    """
    query = select(CUSTOMER.c.name, CUSTOMER.c.state).where(
        (CUSTOMER.c.name == customer.name) | (CUSTOMER.c.tenant_id == customer.tenant_id)
    )
    for name, state in connection.execute(query).all():
        if name != customer.name:
            raise CustomerError(f"customer {customer.name}: tenant_id: is already the tenant of {name}")
        if state != CustomerState.GONE:
            raise CustomerError(f"customer {name}: there is one already; `azmdr customer set` changes it")
        connection.execute(delete(CUSTOMER).where(CUSTOMER.c.name == name))
    connection.execute(CUSTOMER.insert().values(**_columns(customer), added_at=now))


def replace_customer(connection: Connection, customer: Customer) -> None:
    """Write down what a customer has become; its name stays.

    Raises:
        CustomerError: its tenant is another's.
        UnknownCustomerError: there is none.
    """
    statement = update(CUSTOMER).where(CUSTOMER.c.name == customer.name)
    try:
        done = connection.execute(statement.values(**_columns(customer)))
    except IntegrityError as error:
        raise CustomerError(
            f"customer {customer.name}: tenant_id: {customer.tenant_id} is another customer's tenant"
        ) from error
    if done.rowcount == 0:
        raise UnknownCustomerError(customer.name)


def customer_named(connection: Connection, name: str) -> Customer:
    """A customer.

    Raises:
        UnknownCustomerError: there is none.
    """
    row = connection.execute(select(CUSTOMER).where(CUSTOMER.c.name == name.lower())).first()
    if row is None:
        raise UnknownCustomerError(name)
    return _customer(row)


def all_customers(connection: Connection) -> list[Customer]:
    """Every customer, by name."""
    return [_customer(row) for row in connection.execute(select(CUSTOMER).order_by(CUSTOMER.c.name))]


def judged_by(connection: Connection, name: str) -> str:
    """By which policy a customer's targets were last judged."""
    query = select(CUSTOMER.c.policy_digest).where(CUSTOMER.c.name == name)
    return connection.scalar(query) or NEVER


def note_judged_by(connection: Connection, name: str, digest: str) -> None:
    """Write down by which policy a customer's targets are judged from now on."""
    connection.execute(update(CUSTOMER).where(CUSTOMER.c.name == name).values(policy_digest=digest))


def _columns(customer: Customer) -> dict[str, Any]:
    return {
        "name": customer.name,
        "tenant_id": customer.tenant_id,
        "home_region": customer.home_region,
        "entra_workspace_id": customer.entra_workspace_id,
        "state": customer.state,
        "dry_run": customer.dry_run,
        "rules": customer.rules.model_dump_json(exclude_defaults=True),
        "leaving_since": customer.leaving_since,
        "cleared_at": customer.cleared_at,
    }


def _customer(row: Row[Any]) -> Customer:
    return Customer(
        name=row.name,
        tenant_id=row.tenant_id,
        home_region=row.home_region,
        entra_workspace_id=row.entra_workspace_id,
        dry_run=row.dry_run,
        rules=json.loads(row.rules),
        state=CustomerState(row.state),
        leaving_since=row.leaving_since,
        cleared_at=row.cleared_at,
    )
