"""Placement: which shard takes each hub that is needed. Pure.

Once given, a placement stays. What is already there is adopted, free slots of the lowest shard are filled,
and only then is a new namespace opened.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from azmdr.inventory.placements import (
    MAX_NAMESPACES,
    MAX_PARTITIONS,
    NamespaceNames,
    Placement,
    Shard,
    Tier,
)
from terraform_gen.mapping import HubMapping, Need

DEFAULT_PARTITIONS: Final = 4
_BYTES_PER_PARTITION_SECOND: Final = 2**20
"""What a partition takes in: a throughput unit's 1 MB/s, of which a partition uses at most one."""
_PEAK: Final = 4
"""How much above a day's mean its busiest minutes are; a hub that is too small sheds records."""
_DAY: Final = 86_400

ShardKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ObservedHub:
    """An event hub Azure has."""

    name: str
    namespace: str
    region: str
    tier: str


@dataclass(frozen=True, slots=True)
class NewShards:
    """What namespaces are opened as."""

    tier: Tier = Tier.STANDARD
    units: int = 1


@dataclass(slots=True)
class Placing:
    """What came of placing."""

    shards: dict[ShardKey, Shard]
    opened: list[Shard] = field(default_factory=list)
    adopted: list[Placement] = field(default_factory=list)
    """Hubs that stood already, in the repository's mapping or in Azure."""
    given: list[Placement] = field(default_factory=list)
    elsewhere: dict[Need, str] = field(default_factory=dict)
    """Needs that a hub in a namespace not ours by name, or in Basic, serves: Terraform leaves those alone."""
    refused: dict[Need, str] = field(default_factory=dict)
    """Needs without a hub, and why."""


def partitions_for(bytes_per_day: int) -> int:
    """How many partitions a hub needs that takes in so much on its busiest day."""
    peak = bytes_per_day / _DAY * _PEAK
    partitions = DEFAULT_PARTITIONS
    while partitions < MAX_PARTITIONS and partitions * _BYTES_PER_PARTITION_SECOND < peak:
        partitions *= 2
    return min(partitions, MAX_PARTITIONS)


def place(
    needs: Mapping[Need, int],
    placed: HubMapping,
    observed: Collection[ObservedHub],
    names: NamespaceNames,
    new: NewShards,
    committed: HubMapping | None = None,
) -> Placing:
    """Give every need a place.

    Args:
        needs: who needs a hub where, and with how many partitions a new one.
        placed: the placements given so far.
        observed: the hubs Azure has, those seen first first.
        names: how namespaces are named.
        new: what namespaces are opened as.
        committed: what the repository holds; placements lost here are taken from there.
    """
    work = _Work({each.key: each for each in placed.shards}, names, new)
    for hub in observed:
        work.observe(hub)
    for placement in placed.placements:
        work.occupy(placement)
    if committed is not None:
        shards = {each.key: each for each in committed.shards}
        for placement in committed.placements:
            work.adopt(placement, shards[placement.shard_key])
    for hub in observed:
        work.adopt_observed(hub, needs)
    for customer, region in sorted(needs, key=lambda need: (need[1], need[0])):
        work.give(customer, region, needs[customer, region])
    return work.placing


class _Work:
    """The state of placing: what is taken, and where."""

    def __init__(self, shards: dict[ShardKey, Shard], names: NamespaceNames, new: NewShards) -> None:
        self.placing = Placing(dict(shards))
        self._names = names
        self._new = new
        self._done: set[Need] = set()
        self._hubs: dict[ShardKey, set[str]] = defaultdict(set)
        """The hubs of each namespace of ours, placed or only observed: each takes a slot."""
        self._unusable: set[ShardKey] = set()

    def observe(self, hub: ObservedHub) -> None:
        """Take note of a hub Azure has: it takes a slot, and its namespace a number."""
        key = self._names.parse(hub.namespace)
        if key is None:
            return
        self._hubs[key].add(hub.name)
        if key not in self.placing.shards:
            if hub.region == key[0] and hub.tier in set(Tier):
                self._open(Shard(*key, Tier(hub.tier)))
            else:
                self._unusable.add(key)

    def occupy(self, placement: Placement) -> None:
        """Take note of a placement that stands."""
        self._done.add(placement.need)
        self._hubs[placement.shard_key].add(placement.customer)

    def adopt(self, placement: Placement, shard: Shard) -> None:
        """Take over a placement that stands elsewhere than in the store."""
        if placement.need in self._done:
            return
        if shard.key not in self.placing.shards:
            self._open(shard)
        self.placing.adopted.append(placement)
        self.occupy(placement)

    def adopt_observed(self, hub: ObservedHub, needs: Mapping[Need, int]) -> None:
        """Take over a hub Azure has, if it serves a need."""
        need = hub.name, hub.region
        if need not in needs or need in self._done:
            return
        key = self._names.parse(hub.namespace)
        if key is None or key not in self.placing.shards:
            self.placing.elsewhere[need] = hub.namespace
            self._done.add(need)
            return
        self.adopt(Placement(*key, hub.name, needs[need]), self.placing.shards[key])

    def give(self, customer: str, region: str, partitions: int) -> None:
        """Give a need a place, unless it has one."""
        if (customer, region) in self._done:
            return
        shard = next(self._with_room(region), None) or self._new_shard(region)
        if shard is None:
            self.placing.refused[customer, region] = f"a subscription holds {MAX_NAMESPACES} namespaces"
            return
        placement = Placement(region, shard.number, customer, partitions)
        self.placing.given.append(placement)
        self.occupy(placement)

    def _with_room(self, region: str) -> Iterator[Shard]:
        for shard in sorted(shard for shard in self.placing.shards.values() if shard.region == region):
            if len(self._hubs[shard.key]) < shard.capacity:
                yield shard

    def _new_shard(self, region: str) -> Shard | None:
        if len(self.placing.shards) + len(self._unusable) >= MAX_NAMESPACES:
            return None
        taken = {number for at, number in (*self.placing.shards, *self._unusable) if at == region}
        number = next(number for number in range(1, MAX_NAMESPACES + 1) if number not in taken)
        return self._open(Shard(region, number, self._new.tier, self._new.units))

    def _open(self, shard: Shard) -> Shard:
        self.placing.shards[shard.key] = shard
        self.placing.opened.append(shard)
        return shard
