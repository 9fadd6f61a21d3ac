"""What Azure must hold in the end and what must be said of it: a model that shares nothing with the product.

It looks at the cloud as it really is, never through a listing, and says of each target which setting of ours
has to stand there, or for which reasons there may be none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.reconcile.verdict import Reason
from azmdr.store.targets import TargetKind
from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting, categories_sent
from lab.azure.resource_id import ResourceId
from lab.azure.resources import Subscription
from lab.azure.roles import LOG_ANALYTICS_CONTRIBUTOR, MONITORING_CONTRIBUTOR
from lab.azure.scenario import SEND_RULE
from tests.steps.lab_plane import OWN
from tests.steps.world import (
    CHILDREN,
    ENTRA_TABLES,
    OFF_TAG,
    WANTED,
    World,
    catalogue_of,
    switches,
)

_LIMIT: Final = 5
_EXPORTS: Final = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A target as it really is."""

    customer: Customer
    kind: TargetKind
    key: str
    type: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)


def places(world: World, customer: Customer, former: frozenset[str]) -> Iterator[Place]:
    """Every target of a customer; ``former`` are keys of workspaces it once named."""
    cloud = world.cloud
    for subscription in cloud.subscriptions.values():
        if subscription.tenant_id == customer.tenant_id:
            yield Place(
                *(customer, TargetKind.SUBSCRIPTION, subscription.key),
                *("microsoft.resources/subscriptions", "global"),
            )
            yield from _resources(cloud, customer, subscription)
    current = customer.entra_workspace_id
    keys = former | ({current.lower()} if current else frozenset())
    for key in sorted(keys):
        place = ResourceId.parse(key)
        found = cloud.resource(place)
        location = found.location if found else "nowhere"
        yield Place(customer, TargetKind.DATA_EXPORT, key, place.type.lower(), location)


def _resources(cloud: Cloud, customer: Customer, subscription: Subscription) -> Iterator[Place]:
    if subscription.id not in cloud.resources:
        return
    for _, resource in cloud.resources[subscription.id].all_latest():
        kind, tags = resource.id.type.lower(), dict(resource.tags)
        for child in ("", *CHILDREN.get(kind, ())):
            place = ResourceId.parse(f"{resource.id.text}/{child}")
            yield Place(customer, TargetKind.RESOURCE, place.key, place.type.lower(), resource.location, tags)


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to be the case of a target.

    Either ``setting`` stands there as it should and the verdict is one of ``when_there``, or the verdict is
    one of ``reasons`` (empty: there is no excuse).
    """

    setting: DiagnosticSetting | None = None
    """None: nothing of ours may be there, unless the verdict says why it could not be removed."""
    none_because: frozenset[Reason] = frozenset()
    """The verdicts where rightly nothing is there."""
    reasons: frozenset[Reason] = frozenset()
    """The verdicts that excuse another state."""


def expected_of(world: World, place: Place) -> Expected:
    """What has to be the case of a subscription or a resource."""
    cloud = world.cloud
    held = _held_up(cloud, place)
    why = _unwanted(cloud, place)
    if why:
        return Expected(None, why, held)
    region = place.customer.home_region if place.location == "global" else place.location
    if not _has_hub(world, place.customer.name, region):
        return Expected(None, frozenset(), held | {Reason.PENDING_HUB})
    wanted = DiagnosticSetting(
        OWN, switches(WANTED[place.type]), (), world.scene.rule_id(region), place.customer.name
    )
    return Expected(wanted, frozenset(), held | _in_the_way(cloud, place, wanted))


def _unwanted(cloud: Cloud, place: Place) -> frozenset[Reason]:
    if place.customer.state is CustomerState.LEAVING:
        return frozenset({Reason.CUSTOMER_LEAVES})
    for kind in place.customer.rules.excluded_types:
        if f"{place.type}/".startswith(f"{kind}/"):
            return frozenset({Reason.EXCLUDED_TYPE})
    if OFF_TAG.items() <= place.tags.items():
        return frozenset({Reason.EXCLUDED_TAG})
    if not place.key.isascii():
        # Whether a type has logs is asked before what becomes of a setting on such a name.
        return frozenset({Reason.NAME_NOT_ASCII, Reason.TYPE_WITHOUT_LOGS})
    wanted = WANTED[place.type]
    if wanted.is_anything:
        return frozenset()
    has_logs = bool(catalogue_of(cloud, place.type).logs)
    return frozenset({Reason.TYPE_NOT_WANTED if has_logs else Reason.TYPE_WITHOUT_LOGS})


def _held_up(cloud: Cloud, place: Place) -> frozenset[Reason]:
    """What keeps anybody from setting or removing anything there."""
    subscription = cloud.subscriptions[ResourceId.parse(place.key).subscription_id]
    reasons = set()
    if subscription.state == "Disabled":
        reasons.add(Reason.SUBSCRIPTION_DISABLED)
    if "microsoft.insights" not in subscription.registered:
        reasons.add(Reason.PROVIDER_NOT_REGISTERED)
    if not _may(cloud, subscription, place.key, {MONITORING_CONTRIBUTOR.id, LOG_ANALYTICS_CONTRIBUTOR.id}):
        reasons.add(Reason.NO_PERMISSION)
    return frozenset(reasons)


def _may(cloud: Cloud, subscription: Subscription, key: str, roles: set[str]) -> bool:
    return any(
        authorization.role_id in roles and key.startswith(assignment.scope.key)
        for assignment in cloud.delegations[subscription.id].values()
        for authorization in assignment.definition.authorizations
    )


def _has_hub(world: World, name: str, region: str) -> bool:
    key = world.scene.namespace_id(region).lower()
    return name in world.cloud.hubs.get(key, {}) and SEND_RULE in world.cloud.rules.get(key, {})


def _in_the_way(cloud: Cloud, place: Place, wanted: DiagnosticSetting) -> frozenset[Reason]:
    """What of others keeps ours from being set."""
    found = [each for _, each in cloud.settings[place.key].all_latest()]
    others = [each for each in found if each.name.lower() != OWN]
    reasons = set()
    if len(found) == len(others) >= _LIMIT:
        reasons.add(Reason.SETTING_LIMIT)
    catalogue = catalogue_of(cloud, place.type)
    sends = categories_sent(wanted, catalogue)
    for other in others:
        same = {each.lower() for each in other.sinks} & {each.lower() for each in wanted.sinks}
        if same and sends & categories_sent(other, catalogue):
            reasons.add(Reason.SINK_IN_USE)
    return frozenset(reasons)


def is_as(found: DiagnosticSetting | None, wanted: DiagnosticSetting) -> bool:
    """Whether a setting does what is wanted and nothing else."""
    return (
        found is not None
        and (found.event_hub_rule_id or "").lower() == (wanted.event_hub_rule_id or "").lower()
        and found.event_hub_name == wanted.event_hub_name
        and len(found.sinks) == 1
        and not any(each.enabled for each in found.metrics)
        and {each for each in found.logs if each.enabled} == set(wanted.logs)
    )


@dataclass(frozen=True, slots=True)
class ExpectedExport:
    """As :class:`Expected`, of a data export rule; ``tables`` is None where there should be none."""

    tables: frozenset[str] | None = None
    namespace: str = ""
    none_because: frozenset[Reason] = frozenset()
    reasons: frozenset[Reason] = frozenset()


def expected_export(world: World, place: Place) -> ExpectedExport:
    """What has to be the case of a workspace."""
    cloud, customer = world.cloud, place.customer
    parsed = ResourceId.parse(place.key)
    subscription = cloud.subscriptions.get(parsed.subscription_id)
    is_current = (customer.entra_workspace_id or "").lower() == place.key
    is_there = subscription is not None and cloud.resource(parsed) is not None
    held = set()
    if subscription is not None and is_there:
        if subscription.state == "Disabled":
            held.add(Reason.SUBSCRIPTION_DISABLED)
        if not _may(cloud, subscription, place.key, {LOG_ANALYTICS_CONTRIBUTOR.id}):
            held.add(Reason.NO_PERMISSION)
    if customer.state is CustomerState.LEAVING:
        return ExpectedExport(none_because=frozenset({Reason.CUSTOMER_LEAVES}), reasons=frozenset(held))
    if not is_current:
        return ExpectedExport(none_because=frozenset({Reason.EXCLUDED_SCOPE}), reasons=frozenset(held))
    if not is_there:
        return ExpectedExport(reasons=frozenset({Reason.WORKSPACE_MISSING}))
    return _wanted_export(world, place, held)


def _wanted_export(world: World, place: Place, held: set[Reason]) -> ExpectedExport:
    cloud, customer = world.cloud, place.customer
    if not _has_hub(world, customer.name, place.location):
        return ExpectedExport(reasons=frozenset(held | {Reason.PENDING_HUB}))
    tables = frozenset(ENTRA_TABLES) & {each.name for each in cloud.tables[place.key].values()}
    if not tables:
        return ExpectedExport(reasons=frozenset(held | {Reason.TABLES_MISSING}))
    namespace = world.scene.namespace_id(place.location).lower()
    others = [each for name, each in cloud.exports[place.key].items() if name != OWN]
    if any(
        (each.destination_id.lower(), each.event_hub_name) == (namespace, customer.name) for each in others
    ):
        held.add(Reason.DESTINATION_IN_USE)
    if sum(each.enabled for each in others) >= _EXPORTS:
        held.add(Reason.EXPORT_RULE_LIMIT)
    return ExpectedExport(tables, namespace, reasons=frozenset(held))
