"""What every subcommand opens, and the errors it tells in a line instead of a stack trace."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Final, ParamSpec, TypeVar
from uuid import uuid4

import click
from sqlalchemy.exc import OperationalError

from azmdr.azure.errors import SignInError
from azmdr.config import ConfigurationError, Settings
from azmdr.inventory.customers import Customer, CustomerError, CustomerState
from azmdr.inventory.placements import PlacementError
from azmdr.reconcile.category_policy_file import CategoryPolicyError
from azmdr.store.customers import UnknownCustomerError, all_customers, customer_named
from azmdr.store.database import Store, StoreAddressError
from azmdr.store.placements import UnknownRemovalError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_TOLD: Final = (
    ConfigurationError,
    CustomerError,
    UnknownCustomerError,
    CategoryPolicyError,
    StoreAddressError,
    SignInError,
    UnknownRemovalError,
    PlacementError,
)


def telling_errors(command: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Tell the errors a person can do something about in a line."""

    @wraps(command)
    def told(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except _TOLD as error:
            raise click.ClickException(_line(error.args[0])) from error
        except OperationalError as error:
            raise click.ClickException(_line(f"store: {error.orig}")) from error

    return told


def _line(told: object) -> str:
    """What an error says in one line, whatever somebody typed or a parser drew into it."""
    return " ".join(str(told).split())


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The state store, for as long as a command needs it."""
    store = Store.open(settings.store_url.get_secret_value())
    try:
        yield store
    finally:
        store.close()


def chosen_customers(store: Store, names: Sequence[str]) -> list[Customer]:
    """The customers somebody named, or all that are not gone.

    Raises:
        UnknownCustomerError: one is none of ours.
        CustomerError: none was named, and there is none.
    """
    with store.read() as connection:
        if names:
            named = (customer_named(connection, name) for name in names)
            return list({one.name: one for one in named}.values())
        chosen = [one for one in all_customers(connection) if one.state is not CustomerState.GONE]
    if not chosen:
        raise CustomerError("there is no customer yet; `azmdr customer add` adds one")
    return chosen


def new_owner() -> str:
    """Whom the leases of this command belong to."""
    return f"azmdr {uuid4().hex}"
