"""The campaign: runs a case, looks at everything on the way and at the end, and takes a failing one apart."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from azmdr.inventory.customers import Customer
from azmdr.reconcile.verdict import Reason
from azmdr.steps.control_plane import ControlPlane
from azmdr.steps.data_exports import reconcile_exports
from azmdr.steps.event_hubs import observe_event_hubs
from azmdr.steps.monitored_resources import find_resources
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.subscription_settings import reconcile_subscriptions
from azmdr.steps.subscriptions import find_subscriptions
from azmdr.store.customers import add_customer, all_customers
from azmdr.store.database import Store
from azmdr.store.event_hubs import known_hubs
from azmdr.store.inventory import known_resources, known_subscriptions
from azmdr.store.requests import customers_with_requests
from azmdr.store.targets import JudgedTarget, TargetKind, judged_targets
from lab.azure.cloud import Cloud
from lab.azure.faults import PlannedFaults, SeededFaults
from lab.azure.front_door import FrontDoor
from lab.azure.resource_id import ResourceId
from lab.azure.sign_in import is_sign_in
from tests.steps.happenings import HAPPENINGS, Stage
from tests.steps.lab_plane import OWN, Killed, Life, Where, lab_plane, wipe
from tests.steps.model import (
    Place,
    expected_export,
    expected_of,
    is_as,
    places,
)
from tests.steps.schedule import Case, Event, Happening, Interruption, Kill, Overlap, Pass, Run, Step, simpler
from tests.steps.world import (
    POLICY,
    World,
    build_world,
    catalogue_of,
    foreign_exports,
    foreign_settings,
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
"""Before each of the two rounds of the end. The first puts everything right; the second, in which what has
been missing for so long may go, writes nothing."""


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
    def now(self) -> datetime:
        """The lab's time."""
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
        self.round()
        before = len(self.door.writes())
        self.round()
        # One that Azure refuses changes nothing, and is how we learn that it would be allowed now.
        writes = [each for each in self.door.writes()[before:] if each.status < 400]
        _hold(not writes, f"a further run writes: {[(each.method, each.path) for each in writes]}")
        self.check_end()

    def round(self) -> None:
        """Much later, every step once, in the order in which one builds on the other."""
        self.world.cloud.clock.advance(QUIET.total_seconds())
        for step in Step:
            self.live(step, ())
        self.check_on_the_way()

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
        HAPPENINGS[happening.what](self.stage, happening.index)
        self.world.note_foreign()
        self.note_unwanted()

    @property
    def stage(self) -> Stage:
        """What happenings change."""
        return Stage(self.world, self.store, self.case.world.customers, self.former, self.targets)

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
            # A workspace that was named for a while in which nothing ran is one we never heard of.
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


def _is_there(cloud: Cloud, key: str) -> bool:
    place = ResourceId.parse(key)
    if place.namespace is None:
        return place.subscription_id in cloud.subscriptions
    return place.subscription_id in cloud.subscriptions and cloud.resource(place) is not None


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
