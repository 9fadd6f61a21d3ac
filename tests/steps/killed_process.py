"""A process of the product: its own settings, clients and identity, all steps once. Made to be killed."""

import os
from collections.abc import Mapping

from azmdr.config import Settings
from azmdr.steps.open import open_control_plane
from azmdr.steps.rounds import reconcile_all
from azmdr.store.customers import all_customers
from azmdr.store.database import Store


def run_all_steps(environment: Mapping[str, str]) -> None:
    """What `azmdr apply` does; the settings come from the environment."""
    os.environ.update(environment)
    settings = Settings.load()
    store = Store.open(settings.store_url.get_secret_value())
    plane = open_control_plane(settings, store, owner=f"process {os.getpid()}")
    with store.read() as connection:
        customers = all_customers(connection)
    for name, report in reconcile_all(plane, customers).items():
        if report.failed:
            raise SystemExit(f"{name}: {report.failed}")
    store.close()
