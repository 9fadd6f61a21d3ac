"""The mapping: namespace shards, the customers' event hubs in them, and how two mappings differ. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from azmdr.inventory.placements import Placement, PlacementError, Shard, Tier

Need = tuple[str, str]
"""A customer and a region."""


@dataclass(frozen=True, slots=True)
class HubMapping:
    """All event hubs that are to be, in their namespaces. Made by :meth:`of`, which sorts and checks."""

    shards: tuple[Shard, ...] = ()
    placements: tuple[Placement, ...] = ()

    @classmethod
    def of(cls, shards: Iterable[Shard], placements: Iterable[Placement]) -> Self:
        """Put a mapping together; shards that hold nothing are left out.

        Raises:
            PlacementError: something stands twice, or a placement is in no shard.
        """
        listed = sorted(placements)
        known = {each.key: each for each in sorted(shards)}
        if lost := [each for each in listed if each.shard_key not in known]:
            raise PlacementError(f"{_name(lost[0])}: there is no such namespace shard")
        if len({each.need for each in listed}) != len(listed):
            raise PlacementError("a customer has two event hubs in one region")
        used = {each.shard_key for each in listed}
        return cls(tuple(shard for key, shard in known.items() if key in used), tuple(listed))

    def without(self, placements: Iterable[Placement]) -> "HubMapping":
        """The same without some hubs."""
        gone = {each.need for each in placements}
        return HubMapping.of(self.shards, (each for each in self.placements if each.need not in gone))


@dataclass(frozen=True, slots=True)
class Changed:
    """A hub before and after."""

    before: Placement
    after: Placement
    why: str


@dataclass(frozen=True, slots=True)
class MappingDiff:
    """How two mappings differ. Made by :meth:`between`."""

    added: tuple[Placement, ...] = ()
    removed: tuple[Placement, ...] = ()
    grown: tuple[Changed, ...] = ()
    """Hubs that get more partitions where they are."""
    replaced: tuple[Changed, ...] = ()
    """Hubs Terraform would destroy and make anew: a placement that moved, a tier or a partition count that
    can't be changed. The guard never lets these through."""
    namespaces_added: tuple[Shard, ...] = ()
    namespaces_removed: tuple[Shard, ...] = ()
    resized: tuple[Shard, ...] = ()
    """Premium namespaces with another number of units."""

    @classmethod
    def between(cls, before: HubMapping, after: HubMapping) -> Self:
        """What has to be done to get from one to the other."""
        old = {each.need: each for each in before.placements}
        new = {each.need: each for each in after.placements}
        old_shards = {each.key: each for each in before.shards}
        new_shards = {each.key: each for each in after.shards}
        grown, replaced = [], []
        for need in sorted(old.keys() & new.keys()):
            shards = old_shards[old[need].shard_key], new_shards[new[need].shard_key]
            why = _why_replaced(old[need], new[need], *shards)
            if why:
                replaced.append(Changed(old[need], new[need], why))
            elif old[need] != new[need]:
                grown.append(Changed(old[need], new[need], "more partitions"))
        return cls(
            added=tuple(sorted(new[need] for need in new.keys() - old.keys())),
            removed=tuple(sorted(old[need] for need in old.keys() - new.keys())),
            grown=tuple(grown),
            replaced=tuple(replaced),
            namespaces_added=tuple(sorted(new_shards[key] for key in new_shards.keys() - old_shards.keys())),
            namespaces_removed=tuple(
                sorted(old_shards[key] for key in old_shards.keys() - new_shards.keys())
            ),
            resized=tuple(
                sorted(
                    new_shards[key]
                    for key in old_shards.keys() & new_shards.keys()
                    if old_shards[key].tier is new_shards[key].tier
                    and old_shards[key].units != new_shards[key].units
                )
            ),
        )

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.grown or self.replaced or self.resized)

    @property
    def digest(self) -> str:
        """Identifies the removals, which are what somebody approves; what is added needs no approval."""
        told = sorted([each.region, each.shard, each.customer] for each in self.removed)
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def hub_name(placement: Placement) -> str:
    """How a hub is told to people: ``contoso in eastus, shard 01``."""
    return _name(placement)


def _name(placement: Placement) -> str:
    return f"{placement.customer} in {placement.region}, shard {placement.shard:02d}"


def _why_replaced(before: Placement, after: Placement, old: Shard, new: Shard) -> str:
    if before.shard != after.shard:
        return f"moves from shard {before.shard:02d}, where settings go on sending to"
    if old.tier is not new.tier:
        return f"its namespace's tier can't change from {old.tier} to {new.tier}"
    if before.partitions > after.partitions:
        return f"its partitions can't shrink from {before.partitions} to {after.partitions}"
    if before.partitions != after.partitions and new.tier is Tier.STANDARD:
        return f"its {before.partitions} partitions can't change in Standard"
    return ""
