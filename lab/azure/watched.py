"""What happens in the lab's Azure while somebody watches, and what is sent of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from lab.activity_stream import Sent
from lab.azure.cloud import Cloud
from lab.azure.happenings import Happening, Happenings
from lab.azure.log_routing import hubs_taking
from lab.azure.newcomer import Newcomer
from lab.azure.scenario import Scene
from lab.customers import NEW_SUBSCRIPTION, Hub

_TICK: Final = 1.0
Told = tuple[list[dict[str, Any]], list[Sent]]
"""What happened, for people; and what goes to event hubs."""


@dataclass
class Watched:
    """Lets the next thing happen when its time has come.

    Args:
        scene: where.
        happenings: what may happen.
        pause: seconds between two of them; None lets none happen.
        newcomer_after: seconds until a subscription is opened; None opens none.
    """

    scene: Scene
    happenings: Happenings
    pause: float | None
    newcomer_after: float | None
    _begun: datetime = field(init=False)
    _happened: int = 0
    _newcomer: Newcomer = field(init=False)
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._begun = datetime.now(UTC)
        self._newcomer = Newcomer(self.scene)
        self._rng = random.Random(f"activity {self.happenings.seed}")

    @property
    def tick(self) -> float:
        """Seconds between two looks."""
        return min(_TICK, self.pause or _TICK)

    def look(self, cloud: Cloud) -> Told:
        """Let happen what is due."""
        now = datetime.now(UTC)
        passed = (now - self._begun).total_seconds()
        told: list[dict[str, Any]] = []
        sent: list[Sent] = []
        if self.pause is not None and passed >= (self._happened + 1) * self.pause:
            self._happened += 1
            self._happen(cloud, now, told, sent)
        if self.newcomer_after is not None and passed >= self.newcomer_after and not self._newcomer.arrived:
            self._newcomer.arrive(cloud)
            told.append({"at": now.isoformat(), "happened": "subscription opened", "id": NEW_SUBSCRIPTION.id})
        if self._newcomer.arrived:
            sent += self._newcomer.sent(cloud, now)
        return told, sent

    def _happen(self, cloud: Cloud, now: datetime, told: list[dict[str, Any]], sent: list[Sent]) -> None:
        # By the settings as they stood before: a setting that is deleted still sends that it was.
        routes = dict(self._routes(cloud))
        happening = self.happenings.happen(cloud)
        if happening is None:
            return
        hubs = routes.get(happening.subscription.id, [])
        sent += [(hub, record) for record in happening.records(now, self._rng) for hub in hubs]
        told.append(_line(happening, now))

    def _routes(self, cloud: Cloud) -> Iterator[tuple[str, list[Hub]]]:
        for customer in self.happenings.customers:
            for each in customer.subscriptions:
                yield each.id, list(hubs_taking(cloud, f"/subscriptions/{each.id}", "Administrative"))


def _line(happening: Happening, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "happened": happening.what,
        "customer": happening.customer.name,
        "operation": happening.operation,
        "resource_id": happening.resource_id,
    }
