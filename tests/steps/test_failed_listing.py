"""A listing that fails or breaks off removes nothing, however often; the completeness mark sees to that.

The last test takes the mark away on purpose and shows that the others would then fail.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from azmdr.inventory import presence
from azmdr.inventory.customers import Customer
from azmdr.reconcile.verdict import Reason, Standing
from azmdr.steps import event_hubs, monitored_resources, subscriptions
from azmdr.steps.rounds import reconcile_all
from azmdr.store.customers import add_customer, all_customers
from azmdr.store.database import Store
from azmdr.store.event_hubs import known_hubs
from azmdr.store.inventory import SUBSCRIPTIONS, known_resources, known_subscriptions, listings
from azmdr.store.targets import judged_targets
from lab.azure.diagnostic_settings import DiagnosticSetting
from lab.azure.faults import Fault, FaultKind, Faults, PlannedFaults, Seen
from lab.azure.front_door import FrontDoor
from lab.azure.roles import READER
from lab.azure.scenario import delegate
from tests.steps.lab_plane import OWN, lab_plane
from tests.steps.world import (
    ENTRA_TABLES,
    POLICY,
    CustomerSpec,
    ResourceSpec,
    SubscriptionSpec,
    WorkspaceSpec,
    World,
    WorldSpec,
    build_world,
    registered,
)

CONTOSO = CustomerSpec(
    "contoso",
    home=0,
    subscriptions=tuple(
        SubscriptionSpec(number, tuple(ResourceSpec("vault", f"kv-{each}", each % 2) for each in range(2)))
        for number in range(2)
    ),
    workspaces=(WorkspaceSpec(0, region=0),),
)
FABRIKAM = CustomerSpec(
    "fabrikam", home=1, subscriptions=(SubscriptionSpec(0, (ResourceSpec("nsg", "nsg", 0),)),)
)
ROUNDS = 3
BETWEEN = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Broken(Faults):
    """One kind of listing that fails, always: as a whole, or on every page after the first."""

    ending: str
    only_later_pages: bool

    def decide(self, seen: Seen) -> Fault | None:
        hit = seen.method == "GET" and seen.path.endswith(self.ending)
        return Fault(FaultKind.FAIL_BEFORE) if hit and seen.is_continuation >= self.only_later_pages else None

    def latency(self, seen: Seen) -> float:  # noqa: ARG002 - none
        return 0.0


class Setup:
    """A world that has converged, of which one page holds one thing only."""

    def __init__(self, store: Store) -> None:
        self.world: World = build_world(WorldSpec((CONTOSO, FABRIKAM), page_size=1))
        self.door = FrontDoor(self.world.cloud)
        self.store = store
        with store.write() as connection:
            for spec in (CONTOSO, FABRIKAM):
                add_customer(connection, registered(spec), self.world.cloud.clock.now())
        self.rounds(2)

    def customers(self) -> list[Customer]:
        with self.store.read() as connection:
            return all_customers(connection)

    def rounds(self, number: int) -> None:
        for _ in range(number):
            self.world.cloud.clock.advance(BETWEEN.total_seconds())
            plane = lab_plane(self.world.scene, self.door, self.store, POLICY)
            reconcile_all(plane, self.customers())

    def rows(self) -> dict[str, object]:
        """All that is known, by what it is."""
        with self.store.read() as connection:
            names = [each.name for each in all_customers(connection)]
            found = {name: sorted(known_subscriptions(connection, name)) for name in names}
            return {
                "subscriptions": found,
                "resources": {
                    each: sorted(known_resources(connection, name, each))
                    for name in names
                    for each in found[name]
                },
                "hubs": sorted(known_hubs(connection)),
                "targets": sorted(
                    (name, each.id.lower()) for name in names for each in judged_targets(connection, name)
                ),
            }

    def settings(self) -> dict[str, DiagnosticSetting | None]:
        return {key: kept.latest(OWN) for key, kept in self.world.cloud.settings.items()}

    def exports(self) -> dict[str, object]:
        return {key: dict(kept) for key, kept in self.world.cloud.exports.items() if kept}

    def assert_nothing_lost(self) -> None:
        """Broken, round after round, it leaves everything as it was."""
        rows, settings, exports = self.rows(), self.settings(), self.exports()
        writes = len(self.door.writes())
        self.rounds(ROUNDS)
        assert self.rows() == rows
        assert self.settings() == settings
        assert self.exports() == exports
        assert len(self.door.writes()) == writes


LISTINGS = {
    "subscriptions": "/subscriptions",
    "resources": "/resources",
    "namespaces": "/namespaces",
    "hubs": "/eventhubs",
    "rules": "/authorizationrules",
}


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield Setup(store)
    store.close()


@pytest.fixture
def setup_anywhere(store_url: str) -> Iterator[Setup]:
    store = Store.open(store_url)
    yield Setup(store)
    store.close()


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("only_later_pages", [False, True], ids=["fails", "breaks off"])
def test_a_failed_listing_removes_nothing(
    setup_anywhere: Setup, listing: str, *, only_later_pages: bool
) -> None:
    setup_anywhere.door.faults = Broken(LISTINGS[listing], only_later_pages)
    setup_anywhere.assert_nothing_lost()


def test_what_a_listing_that_breaks_off_did_show_is_taken_in(setup: Setup) -> None:
    [first, *_] = sorted(CONTOSO.subscription_id(each.number) for each in CONTOSO.subscriptions)
    group = f"/subscriptions/{first}/resourceGroups/aaa/providers/Microsoft.KeyVault/vaults/aaa"
    setup.world.cloud.add_resource(group, "eastus")
    setup.door.faults = Broken("/resources", only_later_pages=True)
    setup.rounds(1)
    with setup.store.read() as connection:
        assert group.lower() in known_resources(connection, "contoso", first)
        broken = {each.scope: each.problem for each in listings(connection, "contoso")}
    assert broken[first] is not None
    assert broken[SUBSCRIPTIONS] is None


@pytest.mark.parametrize("ending", ["/diagnosticsettings", "/dataexports", "/tables", "/workspaces/logs0"])
def test_settings_that_cannot_be_read_are_left_alone_and_said_to_be_unknown(
    setup: Setup, ending: str
) -> None:
    settings, exports = setup.settings(), setup.exports()
    setup.door.faults = Broken(ending, only_later_pages=False)
    setup.rounds(ROUNDS)
    assert (setup.settings(), setup.exports()) == (settings, exports)
    with setup.store.read() as connection:
        reasons = {each.verdict.reason for each in judged_targets(connection, "contoso")}
    assert Reason.READ_FAILED in reasons
    setup.door.faults = PlannedFaults()
    setup.rounds(1)
    with setup.store.read() as connection:
        standings = {each.verdict.standing for each in judged_targets(connection, "contoso")}
    assert standings == {Standing.COVERED}


def test_a_workspace_whose_tables_are_unknown_keeps_its_whole_rule(setup: Setup) -> None:
    setup.door.faults = Broken("/tables", only_later_pages=False)
    setup.rounds(2)
    [[rule]] = [list(kept.values()) for kept in setup.world.cloud.exports.values() if kept]
    assert sorted(rule.tables) == sorted(ENTRA_TABLES)


def test_a_listing_that_is_complete_because_we_may_see_less_removes_nothing(setup: Setup) -> None:
    cloud, rows = setup.world.cloud, setup.rows()
    [first, *_] = sorted(CONTOSO.subscription_id(each.number) for each in CONTOSO.subscriptions)
    whole = dict(cloud.delegations[first])
    cloud.delegations[first].clear()
    delegate(setup.world.scene, f"/subscriptions/{first}/resourceGroups/a-new-one", [READER])
    setup.rounds(ROUNDS)
    assert setup.rows() == rows
    with setup.store.read() as connection:
        problems = {each.scope: each.problem for each in listings(connection, "contoso")}
    assert "a delegation has shrunk" in (problems[first] or "")
    cloud.delegations[first].update(whole)
    setup.rounds(1)
    assert setup.rows() == rows
    with setup.store.read() as connection:
        standings = {each.verdict.standing for each in judged_targets(connection, "contoso")}
    assert standings == {Standing.COVERED}


def test_what_is_deleted_is_gone_after_two_listings_and_the_hold_down(setup: Setup) -> None:
    [first, *_] = sorted(CONTOSO.subscription_id(each.number) for each in CONTOSO.subscriptions)
    [doomed, *_] = [key for key, _ in setup.world.cloud.resources[first].all_latest() if "/vaults/" in key]
    setup.world.cloud.remove_resource(doomed)
    setup.rounds(1)
    with setup.store.read() as connection:
        assert doomed in known_resources(connection, "contoso", first)
    setup.rounds(ROUNDS)
    with setup.store.read() as connection:
        assert doomed not in known_resources(connection, "contoso", first)


Compare = Callable[..., Any]


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("only_later_pages", [False, True], ids=["fails", "breaks off"])
def test_without_the_completeness_mark_a_failed_listing_does_remove(
    setup: Setup, listing: str, monkeypatch: pytest.MonkeyPatch, *, only_later_pages: bool
) -> None:
    sound: Compare = presence.compare

    @functools.wraps(sound)
    def unsound(*args: Any, complete: bool, **others: Any) -> Any:
        del complete
        return sound(*args, complete=True, **others)

    for module in (subscriptions, monitored_resources, event_hubs):
        monkeypatch.setattr(module, "compare", unsound)
    setup.door.faults = Broken(LISTINGS[listing], only_later_pages)
    with pytest.raises(AssertionError):
        setup.assert_nothing_lost()
