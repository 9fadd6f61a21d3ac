"""The ring: what becomes of a subscription that a customer opens while the demo runs.

It is found; its region gets a place for an event hub; the place is committed; Terraform makes the hub stand;
settings send to it; and what happens in the subscription comes out as operations. Nobody does anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import polars as pl
from sqlalchemy import Connection

from azmdr.inventory.resource_id import ResourceId
from azmdr.lake.layout import Table
from azmdr.lake.open import open_lake
from azmdr.lake.read import read_latest
from azmdr.store.database import Store
from azmdr.store.event_hubs import hubs_of
from azmdr.store.inventory import known_subscriptions
from azmdr.store.placements import all_placements, resource_location
from azmdr.store.targets import JudgedTarget, TargetKind, judged_targets

STAGES: Final = (
    "the subscription is found",
    "its region has a place for an event hub",
    "Terraform has made the event hub",
    "a setting sends to it",
    "what happened in it is in the lake",
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """The subscription the lab opens."""

    customer: str
    subscription_id: str
    region: str

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        """As the lab's Azure tells of it."""
        return cls(told["customer"], told["subscription_id"], told["region"])


def stages_reached(store: Store, lake_folder: str, newcomer: Newcomer) -> int:
    """How many of the stages have been reached; the last stands for all before it."""
    with store.read() as connection:
        reached = (
            newcomer.subscription_id in known_subscriptions(connection, newcomer.customer),
            any(
                each.placement.need == (newcomer.customer, newcomer.region)
                for each in all_placements(connection)
            ),
            newcomer.region in hubs_of(connection, newcomer.customer),
            any(
                each.ours and _is_in(connection, newcomer, each)
                for each in judged_targets(connection, newcomer.customer)
            ),
        )
    if not all(reached):
        return reached.index(False)
    return len(reached) + _is_told(lake_folder, newcomer)


def _is_in(connection: Connection, newcomer: Newcomer, target: JudgedTarget) -> bool:
    """Whether a target is a resource of the subscription, in its region: others send to other event hubs."""
    if target.kind is not TargetKind.RESOURCE or newcomer.subscription_id not in target.id.lower():
        return False
    key = ResourceId.parse(target.id).key
    return resource_location(connection, newcomer.customer, key) == newcomer.region


def _is_told(lake_folder: str, newcomer: Newcomer) -> bool:
    """Whether the lake has an operation of the subscription, and a record of its new event hub."""
    lake = open_lake(lake_folder)
    operations = read_latest(lake, newcomer.customer, Table.OPERATIONS)
    records = read_latest(lake, newcomer.customer, Table.ACTIVITY_RECORDS)
    of_it = pl.col("resource_id").str.to_lowercase().str.contains(newcomer.subscription_id, literal=True)
    succeeded = operations.filter(of_it & (pl.col("outcome") == "success"))
    return succeeded.height > 0 and records.filter(of_it).height > 0
