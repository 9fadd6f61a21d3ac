"""Happenings: what customers' own people do to their Azure while somebody watches it.

Kinds take turns; the seed picks the place. A kind that finds no place now (there is no setting of ours to
delete yet) lets the next one have its turn. Each is Activity Log records too, as a diagnostic setting of the
subscription would send them, and where the cloud keeps an activity log, events in that.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from lab.activity_log import Request, Stage, stage_record
from lab.azure.activity_events import Operation
from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.log_categories import SUBSCRIPTION_CATEGORIES, Catalogue
from lab.azure.resource_id import ResourceId
from lab.azure.scenario import workspace_id
from lab.customers import Customer, Subscription
from lab.records import Caller, Record, guid, user

OURS: Final = "azmdr"
"""The name of the settings that the product writes."""
THEIRS: Final = "their-siem"
_VAULTS: Final = "microsoft.keyvault/vaults"
_SECONDS: Final = 1.2
"""From the start of an operation to its end."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, as the operation it was."""

    what: str
    customer: Customer
    subscription: Subscription
    operation: str
    resource_id: str
    body: Record | None = None
    correlation_id: str = ""
    caller: Caller | None = None

    def records(self, at: datetime, rng: random.Random) -> tuple[Record, Record]:
        """Its start and its end as a diagnostic setting sends them to an event hub."""
        request = Request(
            customer=self.customer,
            region=self.subscription.home_region,
            operation_name=self.operation.upper(),
            resource_id=self.resource_id.upper(),
            correlation_id=self.correlation_id,
            caller=self.caller or user(self.customer, rng),
            body=self.body,
        )
        end = at + timedelta(seconds=_SECONDS)
        result = "Created" if self.what == "vault created" else "OK"
        return (
            stage_record(request, Stage.START, at, rng),
            stage_record(request, Stage.SUCCESS, end, rng, result, int(_SECONDS * 1000)),
        )


@dataclass(slots=True)
class Happenings:
    """What happens to the customers of a cloud, one after the other."""

    customers: Sequence[Customer]
    seed: int
    _count: int = 0
    _turn: int = 0
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"happenings {self.seed}")

    def happen(self, cloud: Cloud) -> Happening | None:
        """Let the next thing happen; None when there is no place for anything."""
        self._count += 1
        for _ in _KINDS:
            kind = _KINDS[self._turn % len(_KINDS)]
            self._turn += 1
            if (happening := kind(cloud, _Owners(self.customers), self._rng, self._count)) is not None:
                return self._signed(cloud, happening)
        return None

    def _signed(self, cloud: Cloud, happening: Happening) -> Happening:
        person = user(happening.customer, self._rng)
        signed = replace(happening, correlation_id=guid(self._rng), caller=person)
        if cloud.activity is not None:
            operation = Operation(
                subscription_id=happening.subscription.id,
                tenant_id=happening.customer.tenant_id,
                action=happening.operation,
                resource_id=happening.resource_id,
                correlation_id=signed.correlation_id,
                caller=person.user_principal_name or person.object_id,
                method="DELETE" if happening.operation.endswith("/delete") else "PUT",
                status=200,
            )
            cloud.activity.record(operation, cloud.clock.now())
        return signed


@dataclass(frozen=True, slots=True)
class _Owners:
    """Whose a subscription is."""

    customers: Sequence[Customer]

    def of(self, subscription_id: str) -> tuple[Customer, Subscription] | None:
        """The customer and the subscription of an id."""
        for customer in self.customers:
            for subscription in customer.subscriptions:
                if subscription.id == subscription_id:
                    return customer, subscription
        return None


_Kind: TypeAlias = Callable[[Cloud, _Owners, random.Random, int], Happening | None]


def _setting_deleted(cloud: Cloud, owners: _Owners, rng: random.Random, _: int) -> Happening | None:
    ours = list(_our_settings(cloud, owners))
    if not ours:
        return None
    key, setting = rng.choice(ours)
    cloud.settings[key].remove(setting.name.lower(), cloud.clock.now())
    return _of_setting(owners, "setting deleted", key, setting.name, "delete")


def _setting_drifted(cloud: Cloud, owners: _Owners, rng: random.Random, _: int) -> Happening | None:
    drifted = [
        (key, other)
        for key, setting in _our_settings(cloud, owners)
        if (other := _with_less(setting, _catalogue(cloud, key))) is not None
    ]
    if not drifted:
        return None
    key, setting = rng.choice(drifted)
    cloud.put_setting(key, setting)
    return _of_setting(owners, "setting drifted", key, setting.name, "write")


def _with_less(setting: DiagnosticSetting, catalogue: Catalogue) -> DiagnosticSetting | None:
    """The setting without one of the categories it sends; None when only one is left."""
    on = [each for each in setting.logs if each.enabled]
    if on and on[0].group:
        members = sorted(catalogue.in_group(on[0].group))
        return replace(setting, logs=(Switch(members[0], None, True),)) if len(members) > 1 else None
    return replace(setting, logs=tuple(on[:-1])) if len(on) > 1 else None


def _vault_created(cloud: Cloud, owners: _Owners, rng: random.Random, number: int) -> Happening | None:
    customer = rng.choice(owners.customers)
    subscription, region = rng.choice(customer.subscriptions), rng.choice(customer.regions)
    group = f"/subscriptions/{subscription.id}/resourceGroups/{customer.name}-{region}"
    vault = cloud.add_resource(f"{group}/providers/Microsoft.KeyVault/vaults/kv-new-{number}", region)
    body: Record = {"location": region, "properties": {"sku": {"family": "A", "name": "standard"}}}
    operation = "Microsoft.KeyVault/vaults/write"
    return Happening("vault created", customer, subscription, operation, vault.id.text, body)


def _foreign_setting_added(cloud: Cloud, owners: _Owners, rng: random.Random, _: int) -> Happening | None:
    free = [each.text for each in _vaults(cloud, owners) if cloud.settings[each.key].latest(THEIRS) is None]
    if not free:
        return None
    target = rng.choice(free)
    owner = owners.of(ResourceId.parse(target).subscription_id)
    workspace = workspace_id(owner[0]) if owner else ""
    logs = (Switch("AuditEvent", None, True),)
    cloud.put_setting(target.lower(), DiagnosticSetting(THEIRS, logs, workspace_id=workspace))
    return _of_setting(owners, "foreign setting added", target, THEIRS, "write")


def _vault_deleted(cloud: Cloud, owners: _Owners, rng: random.Random, _: int) -> Happening | None:
    vaults = list(_vaults(cloud, owners))
    if not vaults:
        return None
    vault = rng.choice(vaults)
    cloud.remove_resource(vault.text)
    owner = owners.of(vault.subscription_id)
    return owner and Happening("resource deleted", *owner, "Microsoft.KeyVault/vaults/delete", vault.text)


_KINDS: Final[tuple[_Kind, ...]] = (
    _setting_deleted,
    _vault_created,
    _setting_drifted,
    _foreign_setting_added,
    _vault_deleted,
)


def _our_settings(cloud: Cloud, owners: _Owners) -> Iterator[tuple[str, DiagnosticSetting]]:
    for key in sorted(cloud.settings):
        setting = cloud.settings[key].latest(OURS)
        if setting is None or not key.startswith("/subscriptions/"):
            continue
        target = ResourceId.parse(key)
        is_there = target.namespace is None or cloud.resource(target) is not None
        if is_there and owners.of(target.subscription_id):
            yield key, setting


def _catalogue(cloud: Cloud, key: str) -> Catalogue:
    return cloud.catalogues.get(ResourceId.parse(key).type.lower(), SUBSCRIPTION_CATEGORIES)


def _vaults(cloud: Cloud, owners: _Owners) -> Iterator[ResourceId]:
    for customer in owners.customers:
        for subscription in customer.subscriptions:
            kept = cloud.resources[subscription.id].all_latest()
            yield from (each.id for _, each in kept if each.id.type.lower() == _VAULTS)


def _of_setting(owners: _Owners, what: str, target: str, name: str, verb: str) -> Happening | None:
    owner = owners.of(ResourceId.parse(target).subscription_id)
    resource_id = f"{target}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    operation = f"Microsoft.Insights/diagnosticSettings/{verb}"
    return owner and Happening(what, *owner, operation, resource_id)
