"""What happens in Azure, and what our people decide, between two calls of a run. An index picks to whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from azmdr.inventory.customers import CustomerState
from azmdr.inventory.resource_id import ResourceId as ProductId
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.steps.offboarding import begin_leaving
from azmdr.store.customers import customer_named, replace_customer
from azmdr.store.database import Store
from azmdr.store.requests import note_changes
from azmdr.store.targets import TargetKind
from lab.azure.cloud import Cloud
from lab.azure.resources import Resource
from tests.steps.lab_plane import OWN
from tests.steps.model import Place
from tests.steps.schedule import What
from tests.steps.world import (
    EXCLUDABLE,
    OFF_TAG,
    REGIONS,
    SORTS,
    WANTED,
    CustomerSpec,
    Foreign,
    Own,
    ResourceSpec,
    Wanted,
    World,
    add_resource,
    catalogue_of,
    foreign_setting,
    foreign_settings,
    own_in_state,
    own_setting,
)

_LIMIT: Final = 5
"""Settings on one target."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where things happen."""

    world: World
    store: Store
    customers: Sequence[CustomerSpec]
    former: dict[str, set[str]]
    """Keys of the workspaces each customer has ever named."""
    targets: Callable[[], list[Place]]
    """Those that take diagnostic settings."""

    @property
    def cloud(self) -> Cloud:
        """Azure."""
        return self.world.cloud

    @property
    def now(self) -> datetime:
        """The lab's time."""
        return self.cloud.clock.now()

    def spec(self, index: int) -> CustomerSpec:
        """One of the customers."""
        return self.customers[index % len(self.customers)]


def _subscription_vanishes(stage: Stage, index: int) -> None:
    cloud = stage.cloud
    theirs = [
        each.id for each in cloud.subscriptions.values() if each.id != stage.world.scene.subscription_id
    ]
    if theirs:
        cloud.remove_subscription(theirs[index % len(theirs)])


def _subscription_switched(stage: Stage, index: int) -> None:
    ours = stage.world.scene.subscription_id
    theirs = [each for each in stage.cloud.subscriptions.values() if each.id != ours]
    if theirs:
        one = theirs[index % len(theirs)]
        one.state = "Enabled" if one.state == "Disabled" else "Disabled"


def _picked_resource(stage: Stage, index: int) -> Resource | None:
    ours = stage.world.scene.subscription_id
    found = [
        each
        for subscription, kept in stage.cloud.resources.items()
        if subscription != ours
        for _, each in kept.all_latest()
    ]
    return found[index % len(found)] if found else None


def _resource_deleted(stage: Stage, index: int) -> None:
    if (resource := _picked_resource(stage, index)) is not None:
        stage.cloud.remove_resource(resource.id.text)


def _resource_created(stage: Stage, index: int) -> None:
    spec = stage.spec(index)
    one = spec.subscriptions[index % len(spec.subscriptions)]
    if spec.subscription_id(one.number) in stage.cloud.subscriptions:
        sorts = sorted(SORTS)
        # Few names, so that what was deleted is created again, elsewhere, with its old settings.
        resource = ResourceSpec(sorts[index % len(sorts)], f"r{index % 3}-X", index % len(REGIONS))
        add_resource(stage.world.scene, spec, one.number, resource)


def _resource_tagged(stage: Stage, index: int) -> None:
    if (resource := _picked_resource(stage, index)) is not None:
        tags = {} if OFF_TAG.items() <= resource.tags.items() else dict(OFF_TAG)
        stage.cloud.put_resource(replace(resource, tags=tags))


def _picked_target(stage: Stage, index: int) -> Place | None:
    found = stage.targets()
    return found[index % len(found)] if found else None


def _foreign_added(stage: Stage, index: int) -> None:
    place, cloud = _picked_target(stage, index), stage.cloud
    if place is None or len(list(cloud.settings[place.key].all_latest())) >= _LIMIT:
        return
    kinds = [Foreign.WORKSPACE, Foreign.OTHER_HUB, Foreign.SAME_SINK]
    kind = kinds[index % 3]
    if kind is Foreign.SAME_SINK and own_setting(cloud, place.key) is not None:
        kind = Foreign.WORKSPACE
    catalogue = catalogue_of(cloud, place.type)
    wanted = WANTED[place.type]
    if not wanted.is_anything:
        wanted = Wanted(frozenset({catalogue.logs[0].name}))
    region = place.customer.home_region if place.location == "global" else place.location
    made = foreign_setting(stage.world.scene, region, wanted, catalogue, kind, 100 + index)
    cloud.put_setting(place.key, made)


def _foreign_removed(stage: Stage, index: int) -> None:
    cloud = stage.cloud
    found = [(key, name) for key, kept in foreign_settings(cloud).items() for name in kept]
    if found:
        key, name = found[index % len(found)]
        cloud.settings[key].remove(name, cloud.clock.now())


def _ours_removed(stage: Stage, index: int) -> None:
    if (place := _picked_target(stage, index)) is not None:
        stage.cloud.settings[place.key].remove(OWN, stage.now)


def _ours_changed(stage: Stage, index: int) -> None:
    place, cloud = _picked_target(stage, index), stage.cloud
    if place is None or own_setting(cloud, place.key) is None:
        return
    catalogue, wanted = catalogue_of(cloud, place.type), WANTED[place.type]
    if wanted.is_anything:
        region = place.customer.home_region if place.location == "global" else place.location
        states = (Own.FEWER, Own.OFF, Own.OTHER_HUB, Own.METRIC, Own.EXTRA_SINK, Own.OTHER_CASE)
        state = states[index % len(states)]
        made = own_in_state(stage.world.scene, place.customer.name, region, wanted, catalogue, state)
        if made is not None:
            cloud.put_setting(place.key, made)


def _export_removed(stage: Stage, index: int) -> None:
    found = [each for each in stage.cloud.exports.values() if OWN in each]
    if found:
        del found[index % len(found)][OWN]


def _hub_added(stage: Stage, index: int) -> None:
    namespace = stage.world.scene.namespace_id(REGIONS[index % len(REGIONS)])
    stage.cloud.add_event_hub(namespace, stage.spec(index).name)


def _hub_removed(stage: Stage, index: int) -> None:
    namespace = stage.world.scene.namespace_id(REGIONS[index % len(REGIONS)])
    stage.cloud.hubs[namespace.lower()].pop(stage.spec(index).name, None)


def _rules_changed(stage: Stage, index: int) -> None:
    with stage.store.write() as connection:
        customer = customer_named(connection, stage.spec(index).name)
        kind = EXCLUDABLE[index % len(EXCLUDABLE)]
        excluded = set(customer.rules.excluded_types) ^ {kind}
        rules = customer.rules.model_copy(update={"excluded_types": tuple(sorted(excluded))})
        replace_customer(connection, customer.model_copy(update={"rules": rules}))


def _customer_leaves(stage: Stage, index: int) -> None:
    # One in two, or else most of a campaign would be about leaving.
    if index % 2:
        begin_leaving(stage.store, stage.spec(index).name, stage.now)


def _workspace_moved(stage: Stage, index: int) -> None:
    spec = stage.spec(index)
    with stage.store.write() as connection:
        customer = customer_named(connection, spec.name)
        choices = [None, *(spec.workspace_id(each) for each in spec.workspaces)]
        chosen = choices[index % len(choices)]
        replace_customer(connection, customer.model_copy(update={"entra_workspace_id": chosen}))
    if chosen and customer.state is CustomerState.ACTIVE:
        stage.former[spec.name].add(chosen.lower())


def _request(stage: Stage, index: int) -> None:
    if (place := _picked_target(stage, index)) is not None:
        kinds = (ChangeKind.SETTING, ChangeKind.RESOURCE)
        kind = ChangeKind.SETTING if place.kind is TargetKind.SUBSCRIPTION else kinds[index % 2]
        _ask(stage, place.customer.name, place.key, kind)


def _ghost_request(stage: Stage, index: int) -> None:
    spec = stage.spec(index)
    number = spec.subscriptions[index % len(spec.subscriptions)].number if index % 3 else 99
    scope = f"/subscriptions/{spec.subscription_id(number)}"
    ghost = f"{scope}/resourceGroups/apps/providers/Microsoft.KeyVault/vaults/ghost-{index % 5}"
    kinds = (ChangeKind.SETTING, ChangeKind.RESOURCE)
    _ask(stage, spec.name, ghost if index % 4 else scope, kinds[index % 2])


def _ask(stage: Stage, customer: str, target: str, kind: ChangeKind) -> None:
    change = Change(kind, ProductId.parse(target), stage.now, "0" * 32)
    with stage.store.write() as connection:
        note_changes(connection, customer, [change], stage.now)


HAPPENINGS: Final[dict[What, Callable[[Stage, int], None]]] = {
    What.SUBSCRIPTION_VANISHES: _subscription_vanishes,
    What.SUBSCRIPTION_SWITCHED: _subscription_switched,
    What.RESOURCE_DELETED: _resource_deleted,
    What.RESOURCE_CREATED: _resource_created,
    What.RESOURCE_TAGGED: _resource_tagged,
    What.FOREIGN_ADDED: _foreign_added,
    What.FOREIGN_REMOVED: _foreign_removed,
    What.OURS_REMOVED: _ours_removed,
    What.OURS_CHANGED: _ours_changed,
    What.EXPORT_REMOVED: _export_removed,
    What.HUB_ADDED: _hub_added,
    What.HUB_REMOVED: _hub_removed,
    What.RULES_CHANGED: _rules_changed,
    What.CUSTOMER_LEAVES: _customer_leaves,
    What.WORKSPACE_MOVED: _workspace_moved,
    What.REQUEST: _request,
    What.GHOST_REQUEST: _ghost_request,
}
