"""The step ``event_hubs``: which hubs really stand, the gate of every setting that names one."""

from collections.abc import Generator
from typing import Any

from azmdr.azure.dispatch import Call, Source
from azmdr.azure.errors import AzureError
from azmdr.azure.event_hubs import FoundNamespace, FoundRule, ProviderHubs
from azmdr.inventory.presence import compare
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.holding import hold
from azmdr.store.event_hubs import HubFacts, HubKey, change_hubs, known_hubs
from azmdr.store.inventory import EVENT_HUBS, note_listing
from azmdr.store.requests import ask_for_waiting

PROVIDER = ""
"""Stands where reports and leases name a customer: the hubs are nobody's but ours."""


def observe_event_hubs(plane: ControlPlane) -> StepReport:
    """List namespaces, hubs and authorization rules, and write down what changed.

    Raises:
        SignInError: there is no token to be had.
    """
    report = StepReport()
    with hold(plane, [PROVIDER], report) as held:
        if not held.names:
            return report
        listing = _Listing()
        hubs = ProviderHubs(plane.arm, plane.place.subscription_id, plane.place.resource_group)
        source = Source(PROVIDER, iter([listing.job(hubs, plane.place.rule)]))
        tally = plane.work_off([source], plane.until, held.give_sign_of_life)
        now = plane.clock.now()
        with plane.store.write() as connection:
            held.prolong(connection, PROVIDER)
            changes = compare(
                known_hubs(connection),
                listing.seen,
                complete=listing.problem is None,
                at=now,
                hold_down=plane.bounds.hold_down,
            )
            change_hubs(connection, changes, now)
            usable = {name for (_, name), facts in (changes.new | changes.changed).items() if facts.has_rule}
            asked = ask_for_waiting(connection, usable, now)
            note_listing(connection, PROVIDER, EVENT_HUBS, now, len(listing.seen), listing.problem)
        report.customers[PROVIDER].counts.update(
            {
                "seen": len(listing.seen),
                "new": len(changes.new),
                "changed": len(changes.changed),
                "missing": len(changes.missing),
                "gone": len(changes.gone),
                "settings that waited for them": asked,
            }
        )
        report.close(tally, held.names)
        if listing.problem is not None:
            report.fail(PROVIDER, listing.problem)
    return report


class _Listing:
    """The hubs, and whether all of them arrived."""

    def __init__(self) -> None:
        self.seen: dict[HubKey, HubFacts] = {}
        self.problem: str | None = "the time was up before the listing ended"

    def job(self, hubs: ProviderHubs, rule: str) -> Generator[Call[Any], Any, None]:
        """List the namespaces, and what is in each."""
        namespaces: list[FoundNamespace] = []
        try:
            yield from hubs.namespaces(namespaces)
            unready = [each.id.name for each in namespaces if not each.ready]
            for namespace in namespaces:
                if namespace.ready:
                    yield from self._namespace(hubs, namespace, rule)
            # What is in a namespace that is being made, or changed, is not known.
            self.problem = f"not ready yet: {', '.join(unready)}" if unready else None
        except AzureError as error:
            self.problem = str(error)

    def _namespace(
        self, hubs: ProviderHubs, namespace: FoundNamespace, rule: str
    ) -> Generator[Call[Any], Any, None]:
        names: list[str] = []
        rules: list[FoundRule] = []
        yield from hubs.rules(namespace.id, rules)
        yield from hubs.hubs(namespace.id, names)
        sending = next((each.id for each in rules if each.name.lower() == rule.lower() and each.sends), None)
        facts = HubFacts(namespace.id.text, namespace.region, namespace.tier, sending)
        self.seen |= {(namespace.id.key, name.lower()): facts for name in names}
