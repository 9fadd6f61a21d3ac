"""Asking for reconciling runs: what schedules and the sensor share when they request them."""

from collections.abc import Mapping, Sequence

import dagster as dg

from azmdr.config import Settings
from azmdr.inventory.customers import CustomerState
from azmdr.store.customers import all_customers
from azmdr_dagster.partitions import customers, known_customers
from azmdr_dagster.resources import Deployment
from sensors.runs import PARTITION, RANGE_END, RANGE_START


def why_not(settings: Settings) -> dg.SkipReason | None:
    """Why there is nothing to reconcile in this deployment, where it only condenses."""
    if settings.ingest_subscription_id:
        return None
    return dg.SkipReason(
        "This deployment has no control plane: ingest_subscription_id is not set"
        " (AZMDR_INGEST_SUBSCRIPTION_ID, our subscription in which the event hubs stand)."
    )


def customers_in_order(instance: dg.DagsterInstance, deployment: Deployment) -> list[str]:
    """The customers that are not gone, in the order of the partitions, to which new ones are added."""
    with deployment.store.read() as connection:
        live = {one.name for one in all_customers(connection) if one.state is not CustomerState.GONE}
    return [key for key in known_customers(instance, live) if key in live]


def customers_of_runs(instance: dg.DagsterInstance, wanted: dg.RunsFilter) -> set[str]:
    """The customers of some runs."""
    runs = [record.dagster_run for record in instance.get_run_records(wanted)]
    order = instance.get_dynamic_partitions(str(customers.name)) if runs else []
    place = {key: number for number, key in enumerate(order)}
    return {name for run in runs for name in _customers(run.tags, place, order)}


def _customers(tags: Mapping[str, str], place: Mapping[str, int], order: Sequence[str]) -> list[str]:
    if PARTITION in tags:
        return [tags[PARTITION]]
    first, last = tags.get(RANGE_START, ""), tags.get(RANGE_END, "")
    if first in place and last in place:
        return list(order[place[first] : place[last] + 1])
    return []
