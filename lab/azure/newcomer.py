"""The newcomer: a subscription that a customer opens while somebody watches, in a region new to it.

Nothing of it is heard of until somebody has delegated access, found it, made an event hub in its region and
set what sends there. Then somebody writes a key vault of it, and somebody reads a secret.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from lab.activity_stream import Sent
from lab.azure.cloud import Cloud
from lab.azure.happenings import Happening
from lab.azure.log_routing import hubs_taking
from lab.azure.scenario import Scene, add_subscription, resources
from lab.customers import NEW_SUBSCRIPTION, WOODGROVE, Customer
from lab.records import guid, user
from lab.resource_log import key_vault_audit

_WRITE: Final = "Microsoft.KeyVault/vaults/write"


@dataclass(slots=True)
class Newcomer:
    """The subscription, and how far it has come."""

    scene: Scene
    arrived: bool = False
    heard_of: bool = False
    _rng: random.Random = field(default_factory=lambda: random.Random("newcomer"))

    @property
    def customer(self) -> Customer:
        """Whose it is, as far as its own resources go."""
        return replace(WOODGROVE, regions=(NEW_SUBSCRIPTION.home_region,), subscriptions=(NEW_SUBSCRIPTION,))

    @property
    def vault(self) -> str:
        """The key vault in it."""
        return next(each for each, _, _ in resources(self.customer, NEW_SUBSCRIPTION) if "/vaults/" in each)

    def arrive(self, _: Cloud) -> None:
        """Open the subscription."""
        add_subscription(self.scene, self.customer, NEW_SUBSCRIPTION)
        self.arrived = True

    def sent(self, cloud: Cloud, now: datetime) -> Sequence[Sent]:
        """What comes of it once both the subscription and the vault send to event hubs that stand."""
        activity = list(hubs_taking(cloud, f"/subscriptions/{NEW_SUBSCRIPTION.id}", "Administrative"))
        audit = list(hubs_taking(cloud, self.vault, "AuditEvent"))
        if self.heard_of or not activity or not audit:
            return []
        self.heard_of = True
        return [
            *((hub, record) for record in self._written().records(now, self._rng) for hub in activity),
            *((hub, self._secret_read(now)) for hub in audit),
        ]

    def _written(self) -> Happening:
        return Happening(
            "vault written",
            self.customer,
            NEW_SUBSCRIPTION,
            _WRITE,
            self.vault,
            {"location": NEW_SUBSCRIPTION.home_region, "properties": {"enablePurgeProtection": True}},
            guid(self._rng),
            user(self.customer, self._rng),
        )

    def _secret_read(self, now: datetime) -> dict[str, object]:
        record = key_vault_audit(self.customer, NEW_SUBSCRIPTION.home_region, now, self._rng)
        return {**record, "resourceId": self.vault.upper()}
