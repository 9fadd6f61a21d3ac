"""Estates to measure on: customers with many subscriptions, a few of which hold most of the resources.

:func:`serve` is a process of its own that holds the lab's Azure, so that what is measured in the other one is
the product's alone. It takes part in that one's virtual time: every message brings the time along.
"""

import random
from collections import Counter, deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from lab.azure.cloud import Cloud
from lab.azure.event_hubs import AuthorizationRule
from lab.azure.front_door import FrontDoor
from lab.azure.resource_id import ResourceId
from lab.azure.roles import MONITORING_CONTRIBUTOR
from lab.azure.scenario import SEND_RULE, Scene, build_scene, delegate, identity
from lab.azure.throttling import SIZES, Kind
from lab.azure.wire import Request

REGION: Final = "westeurope"
OWN: Final = "azmdr"


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of resources."""

    path: str
    percent: int
    targets: int
    """How many of one get a setting: itself, or what is nested in it."""
    looked_at: bool = False
    """Whether one that gets none is looked at, lest there be one of ours: its type could have some."""


SORTS: Final = (
    Sort("Microsoft.KeyVault/vaults/kv{}", 25, 1),
    Sort("Microsoft.Network/networkSecurityGroups/nsg{}", 20, 1),
    Sort("Microsoft.Sql/servers/sql{}/databases/db", 10, 1),
    Sort("Microsoft.Storage/storageAccounts/st{}", 5, 4),
    Sort("Microsoft.Compute/virtualMachines/vm{}", 15, 0, looked_at=True),
    Sort("Microsoft.Compute/disks/disk{}", 25, 0),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How much there is."""

    customers: int
    subscriptions: int
    resources: int
    """Of each customer, in all its subscriptions together."""

    def sizes(self) -> list[int]:
        """Resources by subscription: the second holds half of what the first does, and so on (Zipf)."""
        weights = [1 / (rank + 1) for rank in range(self.subscriptions)]
        sizes = [int(self.resources * weight / sum(weights)) for weight in weights]
        sizes[0] += self.resources - sum(sizes)
        return sizes

    def names(self) -> list[str]:
        """The customers' names."""
        return [f"customer-{number:03d}" for number in range(self.customers)]

    def subscription_id(self, customer: str, number: int) -> str:
        """The id of a subscription."""
        return identity(customer, f"subscription-{number}")


@dataclass(frozen=True, slots=True)
class Floor:
    """What no client could do better, by Azure's token buckets and one read and one write a target."""

    seconds: float
    """Until everything is set for the first time."""
    sweep_seconds: float
    """Until everything has been read once more."""
    targets: int
    """That get a setting, subscriptions included."""
    looked_at: int
    """That get none, and are looked at."""
    listings: int
    """Pages."""
    catalogues: int
    """Reads of log categories: one a type and customer."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the lab counted."""

    reads: int
    writes: int
    throttled: int
    ours: int
    """Settings of ours that stand there."""


def sorts_of(size: int, seed: str) -> list[Sort]:
    """The sort of each resource in a subscription."""
    return random.Random(seed).choices(SORTS, [each.percent for each in SORTS], k=size)


def build(shape: Shape) -> Scene:
    """Put an estate into a cloud."""
    cloud = Cloud()
    scene = build_scene(cloud, ())
    for shard in range((shape.customers + 9) // 10):
        # A Standard namespace holds ten hubs.
        namespace = scene.namespace_id(REGION).removesuffix("-01") + f"-{shard + 1:02d}"
        made = cloud.add_event_hub_namespace(namespace, REGION)
        cloud.rules[made.id.key][SEND_RULE] = AuthorizationRule(SEND_RULE, ("Send",))
        for name in shape.names()[shard * 10 : shard * 10 + 10]:
            cloud.add_event_hub(namespace, name)
    for name in shape.names():
        cloud.add_tenant(identity(name), name)
        for number, size in enumerate(shape.sizes()):
            subscription_id = shape.subscription_id(name, number)
            made_subscription = cloud.add_subscription(identity(name), subscription_id, f"sub-{number}")
            delegate(scene, made_subscription.key, (MONITORING_CONTRIBUTOR,))
            place = f"{made_subscription.key}/resourceGroups/apps/providers"
            for at, sort in enumerate(sorts_of(size, subscription_id)):
                cloud.add_resource(f"{place}/{sort.path.format(at)}", REGION)
    return scene


def floor_of(shape: Shape, page_size: int = 1000) -> Floor:
    """What is needed at the least, worked out from the estate and Azure's token buckets alone."""
    seconds = sweep = 0.0
    targets = looked_at = pages = 0
    for name in shape.names():
        for number, size in enumerate(shape.sizes()):
            sorts = sorts_of(size, shape.subscription_id(name, number))
            wanted, others = 1 + sum(each.targets for each in sorts), sum(each.looked_at for each in sorts)
            own_pages = max(1, -(-size // page_size))
            targets, looked_at, pages = targets + wanted, looked_at + others, pages + own_pages
            reading = _seconds(Kind.READS, own_pages + wanted + others)
            seconds = max(seconds, reading, _seconds(Kind.WRITES, wanted))
            sweep = max(sweep, _seconds(Kind.READS, wanted))
    # Of the six sorts the policy settles storage accounts, whose four children it does not, VMs and disks.
    catalogues = (len(SORTS) - 3 + 4) * shape.customers
    hubs = 1 + 2 * ((shape.customers + 9) // 10)
    subscriptions = -(-(shape.customers * shape.subscriptions + 1) // page_size)
    return Floor(seconds, sweep, targets, looked_at, pages + hubs + subscriptions, catalogues)


def _seconds(kind: Kind, calls: int) -> float:
    return max(0.0, (calls - SIZES[kind].burst) / SIZES[kind].per_second)


def serve(connection: Connection, shape: Shape) -> None:
    """Be the lab's Azure, until the other side hangs up."""
    scene = build(shape)
    door = FrontDoor(scene.cloud, log=deque(maxlen=0))
    clock = scene.cloud.clock
    connection.send((scene.principal, scene.subscription_id, scene.cloud.signing_key))
    began = clock.now()
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        match message:
            case (float() as seconds, Request() as request):
                clock.advance(max(0.0, seconds - (clock.now() - began).total_seconds()))
                answer = door.answer(request)
                connection.send((answer.status, answer.all_headers(), answer.content()))
            case "counts":
                connection.send(_counted(door))
            case ("remove", str() as target):
                scene.cloud.settings[target].remove(OWN, clock.now())
                connection.send(None)


def _counted(door: FrontDoor) -> Counts:
    methods: Counter[str] = Counter()
    for (method, _), number in door.counts.items():
        methods[method] += number
    door.counts.clear()
    throttled = door.statuses.pop(429, 0)
    ours = sum(kept.latest(OWN) is not None for kept in door.cloud.settings.values())
    return Counts(methods["GET"], methods.total() - methods["GET"], throttled, ours)


def a_vault(shape: Shape, customer: str, number: int) -> str:
    """The id of a key vault of a subscription: the first one there is."""
    subscription_id = shape.subscription_id(customer, number)
    size = shape.sizes()[number]
    sorts = enumerate(sorts_of(size, subscription_id))
    path = next(sort.path.format(at) for at, sort in sorts if "vaults" in sort.path)
    return ResourceId.parse(f"/subscriptions/{subscription_id}/resourceGroups/apps/providers/{path}").text
