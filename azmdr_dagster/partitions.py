"""Partitions: customers, and customer x day for capture files.

Files, subscriptions and resources are rows in the state store, never partitions: Dagster is quick up to
about 100,000 keys an asset, which 1,000 customers for 90 days stay under.
"""

from collections.abc import Iterable
from typing import Final

import dagster as dg

from azmdr.config import Settings
from azmdr.store.ledger import CustomerDay

CUSTOMER: Final = "customer"
DAY: Final = "day"

customers: Final = dg.DynamicPartitionsDefinition(name="customers")
"""One partition a customer, added when it is registered or when the first of its capture files is seen."""

days: Final = dg.DailyPartitionsDefinition(
    start_date=f"{Settings.load().partitions_start:%Y-%m-%d}", end_offset=1
)
"""Days in UTC, today among them. The first is a setting, since it is part of what a partition is."""

customer_days: Final = dg.MultiPartitionsDefinition({CUSTOMER: customers, DAY: days})
"""The partitions of everything made of capture files."""


def known_customers(instance: dg.DagsterInstance, named: Iterable[str]) -> list[str]:
    """Every customer in the order of the partitions, to which those named are added that are new.

    None is ever taken away here: the lake has its data.
    """
    name = str(customers.name)
    known = list(instance.get_dynamic_partitions(name))
    if new := sorted(set(named) - set(known)):
        instance.add_dynamic_partitions(name, new)
        known = list(instance.get_dynamic_partitions(name))
    return known


def partition_key(partition: CustomerDay) -> dg.MultiPartitionKey:
    """The Dagster key of a partition."""
    return dg.MultiPartitionKey({CUSTOMER: partition.customer, DAY: partition.day})


def customer_days_of(keys: Iterable[str]) -> list[CustomerDay]:
    """The partitions of some Dagster keys."""
    split = (customer_days.get_partition_key_from_str(key).keys_by_dimension for key in keys)
    return [CustomerDay(one[CUSTOMER], one[DAY]) for one in split]
