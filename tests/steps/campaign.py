"""The campaign: runs a case, looks at everything on the way and at the end, and takes a failing one apart."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.inventory.resource_id import ResourceId as ProductId
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.reconcile.verdict import Reason
from azmdr.steps.control_plane import ControlPlane
from azmdr.steps.data_exports import reconcile_exports
from azmdr.steps.event_hubs import observe_event_hubs
from azmdr.steps.monitored_resources import find_resources
from azmdr.steps.offboarding import begin_leaving
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.subscription_settings import reconcile_subscriptions
from azmdr.steps.subscriptions import find_subscriptions
from azmdr.store.customers import add_customer, all_customers, customer_named, replace_customer
from azmdr.store.database import Store
from azmdr.store.event_hubs import known_hubs
from azmdr.store.inventory import known_resources, known_subscriptions
from azmdr.store.requests import customers_with_requests, note_changes
from azmdr.store.targets import JudgedTarget, TargetKind, judged_targets
from lab.azure.faults import PlannedFaults, SeededFaults
from lab.azure.front_door import FrontDoor
from lab.azure.resource_id import ResourceId
from lab.azure.sign_in import is_sign_in
from tests.steps.lab_plane import OWN, Killed, Life, Where, lab_plane, wipe
from tests.steps.model import (
    Place,
    expected_export,
    expected_of,
    is_as,
    places,
)
from tests.steps.schedule import (
    Case,
    Event,
    Happening,
    Interruption,
    Kill,
    Overlap,
    Pass,
    Run,
    Step,
    What,
    simpler,
)
from tests.steps.world import (
    EXCLUDABLE,
    OFF_TAG,
    POLICY,
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
    build_world,
    catalogue_of,
    foreign_exports,
    foreign_setting,
    foreign_settings,
    own_in_state,
    own_setting,
    registered,
)

STEPS: Final[dict[Step, Callable[[ControlPlane, Sequence[Customer]], object]]] = {
    Step.EVENT_HUBS: lambda plane, _: observe_event_hubs(plane),
    Step.SUBSCRIPTIONS: find_subscriptions,
    Step.RESOURCES: find_resources,
    Step.SUBSCRIPTION_SETTINGS: reconcile_subscriptions,
    Step.RESOURCE_SETTINGS: reconcile_resources,
    Step.EXPORTS: reconcile_exports,
}
QUIET: Final = timedelta(hours=25)
"""Between two rounds of the end: in the second of them a thing that is missing may go."""
ROUNDS: Final = 3
_LIMIT: Final = 5


class ViolationError(AssertionError):
    """A promise that was not kept."""


@dataclass(slots=True)
class Campaign:
    """A case being run."""

    case: Case
    store: Store
    world: World = field(init=False)
    door: FrontDoor = field(init=False)
    former: dict[str, set[str]] = field(default_factory=dict)
    """Keys of the workspaces each customer has ever named."""
    unwanted: set[str] = field(default_factory=set)
    """Targets that were not to have anything of ours at some time."""
    known: dict[str, set[str]] = field(default_factory=dict)
    lives: int = 0
    looked_at: int = 0

    def __post_init__(self) -> None:
        """Build the world and enter the customers."""
        self.world = build_world(self.case.world)
        self.door = FrontDoor(self.world.cloud)
        self.door.faults = SeededFaults(self.case.seed, self.case.rates, self.case.slowest)
        wipe(self.store)
        with self.store.write() as connection:
            for spec in self.case.world.customers:
                customer = registered(spec)
                add_customer(connection, customer, self.now)
                named = customer.entra_workspace_id
                self.former[spec.name] = {named.lower()} if named else set()
        self.note_unwanted()

    @property
    def now(self):  # type: ignore[no-untyped-def]
        return self.world.cloud.clock.now()

    # ---- running

    def run(self) -> None:
        """Run the case to its end.

        Raises:
            ViolationError: a promise was not kept.
        """
        for event in self.case.events:
            self.play(event)
            self.check_on_the_way()
        self.calm()
        for number in range(ROUNDS):
            self.world.cloud.clock.advance(QUIET.total_seconds())
            before = len(self.door.writes())
            for step in Step:
                self.live(step, ())
            self.check_on_the_way()
            if number == ROUNDS - 1:
                # One that Azure refuses changes nothing, and is how we learn that it would be allowed now.
                writes = [each for each in self.door.writes()[before:] if each.status < 400]
                _hold(not writes, f"a further run writes: {[(w.method, w.path) for w in writes]}")
        self.check_end()

    def calm(self) -> None:
        """Take everything away that disturbs."""
        self.door.faults = PlannedFaults()
        self.world.cloud.visibility_lag = timedelta()

    def play(self, event: Event) -> None:
        match event:
            case Run():
                self.live(event.step, event.interruptions)
            case Pass():
                self.world.cloud.clock.advance(event.seconds)
            case Happening():
                self.happen(event)

    def live(self, step: Step, interruptions: Sequence[Interruption]) -> None:
        """A process that runs one step, as far as it comes."""
        life = Life()
        planned = {(each.where, each.number): each.what for each in interruptions}

        def reached(where: Where, number: int) -> None:
            what = planned.pop((where, number), None)
            match what:
                case Kill():
                    life.end()
                case Happening():
                    self.happen(what)
                case Overlap():
                    if what.lapse:
                        self.world.cloud.clock.advance(601)
                    self.live(what.step, ())
                case None:
                    pass

        life.reached = reached
        self.lives += 1
        plane = lab_plane(
            self.world.scene, self.door, self.store, POLICY, owner=f"run-{self.lives}", life=life
        )
        with suppress(Killed):
            STEPS[step](plane, self.customers())

    def customers(self) -> list[Customer]:
        """As the registry has them."""
        with self.store.read() as connection:
            return all_customers(connection)

    # ---- happenings

    def happen(self, happening: Happening) -> None:
        """Let something happen."""
        _HAPPENINGS[happening.what](self, happening.index)
        self.world.note_foreign()
        self.note_unwanted()

    def note_unwanted(self) -> None:
        """Remember which targets ought to have nothing of ours by now."""
        for place in self.places():
            if place.kind is TargetKind.DATA_EXPORT:
                expected = expected_export(self.world, place)
                if expected.none_because:
                    self.unwanted.add(place.key)
            elif expected_of(self.world, place).none_because:
                self.unwanted.add(place.key)

    def places(self) -> list[Place]:
        """Every target of every customer as it really is."""
        return [
            place
            for customer in self.customers()
            for place in places(self.world, customer, frozenset(self.former[customer.name]))
        ]

    def targets(self) -> list[Place]:
        """Those that take diagnostic settings."""
        cloud = self.world.cloud
        return [
            each
            for each in self.places()
            if each.kind is not TargetKind.DATA_EXPORT and catalogue_of(cloud, each.type).logs
        ]

    def spec(self, index: int) -> CustomerSpec:
        """One of the customers."""
        return self.case.world.customers[index % len(self.case.world.customers)]

    # ---- looking

    def check_on_the_way(self) -> None:
        """What holds at every time: nothing foreign touched, nothing known forgotten that is there."""
        cloud = self.world.cloud
        _hold(foreign_settings(cloud) == self.world.foreign, "a foreign setting was touched")
        _hold(foreign_exports(cloud) == self.world.foreign_exports, "a foreign export rule was touched")
        writes = self.door.log[self.looked_at :]
        self.looked_at = len(self.door.log)
        for each in writes:
            if each.method == "GET" or is_sign_in(each.path):
                continue
            path = each.path.lower()
            ours = path.endswith((f"/diagnosticsettings/{OWN}", f"/dataexports/{OWN}"))
            _hold(ours and each.method in ("PUT", "DELETE"), f"{each.method} {each.path}")
            if each.method == "DELETE":
                target = path.partition("/providers/microsoft.insights/")[0].partition("/dataexports/")[0]
                _hold(target in self.unwanted, f"removed what had to stay: {each.path}")
        self.check_known()

    def check_known(self) -> None:
        """Nothing that is there and was known is forgotten."""
        cloud = self.world.cloud
        with self.store.read() as connection:
            for customer in all_customers(connection):
                subscriptions = set(known_subscriptions(connection, customer.name))
                resources = {
                    key for each in subscriptions for key in known_resources(connection, customer.name, each)
                }
                now_known = {f"/subscriptions/{each}" for each in subscriptions} | resources
                lost = self.known.get(customer.name, set()) - now_known
                still = {each for each in lost if _is_there(cloud, each)}
                _hold(not still, f"{customer.name}: forgotten although there: {sorted(still)}")
                self.known[customer.name] = now_known
            hubs = {f"{namespace}/eventhubs/{hub}" for namespace, hub in known_hubs(connection)}
        there = {f"{key}/eventhubs/{hub}" for key, hubs_of in cloud.hubs.items() for hub in hubs_of}
        lost = (self.known.get("", set()) - hubs) & there
        _hold(not lost, f"hubs forgotten although there: {sorted(lost)}")
        self.known[""] = hubs

    def check_end(self) -> None:
        """What holds in the end: Azure is as it should be, every target has its verdict, and it is right."""
        for customer in self.customers():
            with self.store.read() as connection:
                judged = {
                    (each.kind, each.id.lower()): each for each in judged_targets(connection, customer.name)
                }
            real = {
                (each.kind, each.key): each
                for each in places(self.world, customer, frozenset(self.former[customer.name]))
            }
            # A workspace that was named and not any more, with no run in between, is nothing we ever heard of.
            named = (customer.entra_workspace_id or "").lower()
            unheard = {key for key in real if key[0] is TargetKind.DATA_EXPORT and key[1] != named}
            missing = sorted(real.keys() - judged.keys() - unheard)
            gone = sorted(judged.keys() - real.keys())
            _hold(not missing, f"targets nobody judged: {missing}")
            _hold(not gone, f"verdicts on what is not there: {gone}")
            for key, place in real.items():
                if key not in judged:
                    continue
                if place.kind is TargetKind.DATA_EXPORT:
                    self.check_export(place, judged[key])
                else:
                    self.check_setting(place, judged[key])
        with self.store.read() as connection:
            _hold(not customers_with_requests(connection), "requests that nobody met")

    def check_setting(self, place: Place, judged: JudgedTarget) -> None:
        """A subscription or a resource is as it should be."""
        expected, own = expected_of(self.world, place), own_setting(self.world.cloud, place.key)
        reason, told = judged.verdict.reason, f"{place.key}: {judged.verdict}, ours is {own}, not {expected}"
        if reason in expected.reasons:
            return
        if expected.setting is not None:
            _hold(is_as(own, expected.setting) and reason is Reason.IN_PLACE, told)
        else:
            _hold(own is None and reason in expected.none_because, told)

    def check_export(self, place: Place, judged: JudgedTarget) -> None:
        """A workspace is as it should be."""
        expected = expected_export(self.world, place)
        own = self.world.cloud.exports[place.key].get(OWN) if _is_there(self.world.cloud, place.key) else None
        reason, told = judged.verdict.reason, f"{place.key}: {judged.verdict}, ours is {own}, not {expected}"
        if reason in expected.reasons:
            return
        if expected.tables is None:
            _hold(own is None and reason in expected.none_because, told)
        else:
            right = (
                own is not None
                and own.enabled
                and set(own.tables) == expected.tables
                and own.destination_id.lower() == expected.namespace
                and own.event_hub_name == place.customer.name
            )
            _hold(right and reason is Reason.IN_PLACE, told)


def _hold(holds: bool, promise: str) -> None:
    if not holds:
        raise ViolationError(promise)


def _is_there(cloud, key: str) -> bool:  # type: ignore[no-untyped-def]
    place = ResourceId.parse(key)
    if place.namespace is None:
        return place.subscription_id in cloud.subscriptions
    return place.subscription_id in cloud.subscriptions and cloud.resource(place) is not None


# ---- what happens


def _subscription_vanishes(campaign: Campaign, index: int) -> None:
    cloud = campaign.world.cloud
    theirs = [
        each.id for each in cloud.subscriptions.values() if each.id != campaign.world.scene.subscription_id
    ]
    if theirs:
        cloud.remove_subscription(theirs[index % len(theirs)])


def _subscription_switched(campaign: Campaign, index: int) -> None:
    ours = campaign.world.scene.subscription_id
    theirs = [each for each in campaign.world.cloud.subscriptions.values() if each.id != ours]
    if theirs:
        one = theirs[index % len(theirs)]
        one.state = "Enabled" if one.state == "Disabled" else "Disabled"


def _picked_resource(campaign: Campaign, index: int):  # type: ignore[no-untyped-def]
    ours = campaign.world.scene.subscription_id
    found = [
        each
        for subscription, kept in campaign.world.cloud.resources.items()
        if subscription != ours
        for _, each in kept.all_latest()
    ]
    return found[index % len(found)] if found else None


def _resource_deleted(campaign: Campaign, index: int) -> None:
    if (resource := _picked_resource(campaign, index)) is not None:
        campaign.world.cloud.remove_resource(resource.id.text)


def _resource_created(campaign: Campaign, index: int) -> None:
    spec = campaign.spec(index)
    one = spec.subscriptions[index % len(spec.subscriptions)]
    if spec.subscription_id(one.number) in campaign.world.cloud.subscriptions:
        sorts = sorted(SORTS)
        # Few names, so that what was deleted is created again, elsewhere, with its old settings.
        resource = ResourceSpec(sorts[index % len(sorts)], f"r{index % 3}-X", index % len(REGIONS))
        add_resource(campaign.world.scene, spec, one.number, resource)


def _resource_tagged(campaign: Campaign, index: int) -> None:
    if (resource := _picked_resource(campaign, index)) is not None:
        tags = {} if OFF_TAG.items() <= resource.tags.items() else dict(OFF_TAG)
        campaign.world.cloud.put_resource(replace(resource, tags=tags))


def _picked_target(campaign: Campaign, index: int) -> Place | None:
    found = campaign.targets()
    return found[index % len(found)] if found else None


def _foreign_added(campaign: Campaign, index: int) -> None:
    place, cloud = _picked_target(campaign, index), campaign.world.cloud
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
    made = foreign_setting(campaign.world.scene, region, wanted, catalogue, kind, 100 + index)
    cloud.put_setting(place.key, made)


def _foreign_removed(campaign: Campaign, index: int) -> None:
    cloud = campaign.world.cloud
    found = [(key, name) for key, kept in foreign_settings(cloud).items() for name in kept]
    if found:
        key, name = found[index % len(found)]
        cloud.settings[key].remove(name, cloud.clock.now())


def _ours_removed(campaign: Campaign, index: int) -> None:
    if (place := _picked_target(campaign, index)) is not None:
        campaign.world.cloud.settings[place.key].remove(OWN, campaign.now)


def _ours_changed(campaign: Campaign, index: int) -> None:
    place, cloud = _picked_target(campaign, index), campaign.world.cloud
    if place is None or own_setting(cloud, place.key) is None:
        return
    catalogue, wanted = catalogue_of(cloud, place.type), WANTED[place.type]
    if wanted.is_anything:
        region = place.customer.home_region if place.location == "global" else place.location
        states = (Own.FEWER, Own.OFF, Own.OTHER_HUB, Own.METRIC, Own.EXTRA_SINK, Own.OTHER_CASE)
        state = states[index % len(states)]
        made = own_in_state(campaign.world.scene, place.customer.name, region, wanted, catalogue, state)
        if made is not None:
            cloud.put_setting(place.key, made)


def _export_removed(campaign: Campaign, index: int) -> None:
    found = [each for each in campaign.world.cloud.exports.values() if OWN in each]
    if found:
        del found[index % len(found)][OWN]


def _hub_added(campaign: Campaign, index: int) -> None:
    namespace = campaign.world.scene.namespace_id(REGIONS[index % len(REGIONS)])
    campaign.world.cloud.add_event_hub(namespace, campaign.spec(index).name)


def _hub_removed(campaign: Campaign, index: int) -> None:
    namespace = campaign.world.scene.namespace_id(REGIONS[index % len(REGIONS)])
    campaign.world.cloud.hubs[namespace.lower()].pop(campaign.spec(index).name, None)


def _rules_changed(campaign: Campaign, index: int) -> None:
    with campaign.store.write() as connection:
        customer = customer_named(connection, campaign.spec(index).name)
        kind = EXCLUDABLE[index % len(EXCLUDABLE)]
        excluded = set(customer.rules.excluded_types) ^ {kind}
        rules = customer.rules.model_copy(update={"excluded_types": tuple(sorted(excluded))})
        replace_customer(connection, customer.model_copy(update={"rules": rules}))


def _customer_leaves(campaign: Campaign, index: int) -> None:
    # One in two, or else most of a campaign would be about leaving.
    if index % 2:
        begin_leaving(campaign.store, campaign.spec(index).name, campaign.now)


def _workspace_moved(campaign: Campaign, index: int) -> None:
    spec = campaign.spec(index)
    with campaign.store.write() as connection:
        customer = customer_named(connection, spec.name)
        choices = [None, *(spec.workspace_id(each) for each in spec.workspaces)]
        chosen = choices[index % len(choices)]
        replace_customer(connection, customer.model_copy(update={"entra_workspace_id": chosen}))
    if chosen and customer.state is CustomerState.ACTIVE:
        campaign.former[spec.name].add(chosen.lower())


def _request(campaign: Campaign, index: int) -> None:
    if (place := _picked_target(campaign, index)) is not None:
        kinds = (ChangeKind.SETTING, ChangeKind.RESOURCE)
        kind = ChangeKind.SETTING if place.kind is TargetKind.SUBSCRIPTION else kinds[index % 2]
        _ask(campaign, place.customer.name, place.key, kind)


def _ghost_request(campaign: Campaign, index: int) -> None:
    spec = campaign.spec(index)
    number = spec.subscriptions[index % len(spec.subscriptions)].number if index % 3 else 99
    scope = f"/subscriptions/{spec.subscription_id(number)}"
    ghost = f"{scope}/resourceGroups/apps/providers/Microsoft.KeyVault/vaults/ghost-{index % 5}"
    kinds = (ChangeKind.SETTING, ChangeKind.RESOURCE)
    _ask(campaign, spec.name, ghost if index % 4 else scope, kinds[index % 2])


def _ask(campaign: Campaign, customer: str, target: str, kind: ChangeKind) -> None:
    change = Change(kind, ProductId.parse(target), campaign.now, "0" * 32)
    with campaign.store.write() as connection:
        note_changes(connection, customer, [change], campaign.now)


_HAPPENINGS: Final[dict[What, Callable[[Campaign, int], None]]] = {
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


# ---- failing cases


def problem_of(case: Case, store: Store) -> str | None:
    """What is wrong with a case; None when it converges."""
    try:
        Campaign(case, store).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the case shows
        return f"{type(error).__name__}: {error}"
    return None


def shrunk(case: Case, store: Store, most: int = 3000) -> tuple[Case, str]:
    """The simplest case found that fails, and how."""
    problem = problem_of(case, store) or "it passes when run again"
    tried = 0
    while tried < most:
        for one in simpler(case):
            tried += 1
            found = problem_of(one, store)
            if found is not None:
                case, problem = one, found
                break
        else:
            break
    return case, problem


def told_of(case: Case, store: Store) -> str:
    """All a person needs of a failing case: its seed, and the least that fails as well."""
    least, problem = shrunk(case, store)
    return f"seed {case.seed} fails; the least that fails:\n{least}\n{problem}"
