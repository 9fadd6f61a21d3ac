"""What is wanted on a target: the setting that should be there, or the verdict why there is none. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from azmdr.inventory.customers import Customer, CustomerState
from azmdr.inventory.regions import GLOBAL
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import CategoryPolicy, Selection, TargetFacts
from azmdr.reconcile.data_export import DataExport
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Standing, Verdict
from azmdr.store.event_hubs import EventHub
from azmdr.store.log_catalogues import Variety
from azmdr.store.targets import DueTarget

_WRITABLE: Final = frozenset({"Enabled", "Warned", "PastDue"})
"""States of a subscription in which something can be set in it."""

ACTIVITY_LOG: Final = LogCatalogue(
    dict.fromkeys(
        (
            *("Administrative", "Alert", "Autoscale", "Policy"),
            *("Recommendation", "ResourceHealth", "Security", "ServiceHealth"),
        ),
        frozenset[str](),
    )
)
"""What a subscription can send: learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema."""


@dataclass(frozen=True, slots=True)
class CustomerView:
    """All a decision about one customer's targets rests on."""

    customer: Customer
    policy: CategoryPolicy
    own_name: str
    hubs: Mapping[str, EventHub]
    """By region."""
    catalogues: dict[Variety, LogCatalogue]
    """By type and kind; added to while more is learnt."""
    subscription_states: Mapping[str, str]

    def hub_for(self, location: str) -> EventHub | Verdict:
        """The hub that takes the logs of a place; what is in no region sends to the home region."""
        region = self.customer.home_region if location == GLOBAL else location
        hub = self.hubs.get(region)
        if hub is None:
            return Verdict(Reason.PENDING_HUB, f"no event hub {self.customer.name} in {region}")
        if hub.facts.rule_id is None:
            return Verdict(Reason.PENDING_HUB, f"no rule to send with on {hub.facts.namespace_id}")
        return hub

    def obstacle(self, target: DueTarget) -> Verdict | None:
        """What keeps us from writing to a target just now, though something should be written."""
        state = self.subscription_states.get(target.target.subscription_id, "Enabled")
        if state not in _WRITABLE:
            return Verdict(Reason.SUBSCRIPTION_DISABLED, f"the subscription is {state}")
        return None

    def hub_obstacle(self, location: str) -> Verdict | None:
        """Why nothing is to count on the hub of a place: the last listing did not show it."""
        hub = self.hub_for(location)
        if isinstance(hub, EventHub) and hub.is_missing:
            return Verdict(Reason.PENDING_HUB, f"the last listing did not show {hub.name} in {location}")
        return None


def wanted_on_resource(view: CustomerView, due: DueTarget) -> DiagnosticSetting | Verdict:
    """The diagnostic setting a resource should have."""
    if view.customer.state is not CustomerState.ACTIVE:
        return Verdict(Reason.CUSTOMER_LEAVES)
    facts = TargetFacts(ResourceId.parse(due.target.id), due.variant, due.tags)
    settled = view.policy.settled_by_rules(facts, view.customer.rules)
    if settled is not None:
        return settled
    catalogue = view.catalogues.get((due.target.type, due.variant))
    if catalogue is None:
        return Verdict(Reason.NOT_READ_YET, f"the log categories of {due.target.type} are not known yet")
    selection = view.policy.selection(facts, view.customer.rules, catalogue)
    return selection if isinstance(selection, Verdict) else _setting(view, due.location, selection)


def wanted_on_subscription(view: CustomerView, due: DueTarget) -> DiagnosticSetting | Verdict:
    """The diagnostic setting a subscription should have: where its activity log goes."""
    if view.customer.state is not CustomerState.ACTIVE:
        return Verdict(Reason.CUSTOMER_LEAVES)
    facts = TargetFacts(ResourceId.parse(due.target.id))
    selection = view.policy.selection(facts, view.customer.rules, ACTIVITY_LOG)
    return selection if isinstance(selection, Verdict) else _setting(view, GLOBAL, selection)


def wanted_export(view: CustomerView, region: str, tables: frozenset[str]) -> DataExport | Verdict:
    """The data export rule a customer's Entra ID workspace should have.

    Args:
        view: the customer.
        region: the workspace's; an export has to end in it.
        tables: those the workspace has.
    """
    if view.customer.state is not CustomerState.ACTIVE:
        return Verdict(Reason.CUSTOMER_LEAVES)
    hub = view.hub_for(region)
    if isinstance(hub, Verdict):
        return hub
    present = {table.lower() for table in tables}
    wanted = frozenset(
        table for table in view.policy.entra_tables_for(view.customer.rules) if table.lower() in present
    )
    if not wanted:
        return Verdict(Reason.TABLES_MISSING, "the workspace has none of the tables of Entra ID")
    return DataExport(view.own_name, hub.facts.namespace_id, hub.name, wanted)


def needs_reading(wanted: object, due: DueTarget) -> bool:
    """Whether a target's settings have to be read to tell what to do.

    Where none of ours should be, it is still to be found out whether one is; where Azure is said to know no
    settings, only if one of ours was there all the same. While nothing can be decided, reading tells nothing.
    """
    if not isinstance(wanted, Verdict):
        return True
    if wanted.reason in (Reason.TYPE_WITHOUT_LOGS, Reason.NAME_NOT_ASCII):
        return due.ours
    return holds_by_itself(wanted)


def holds_by_itself(verdict: Verdict) -> bool:
    """Whether a verdict holds until something changes, once it is known that nothing of ours is there."""
    return verdict.standing in (Standing.EXCLUDED, Standing.UNSUPPORTED)


def is_settled(verdict: Verdict, due: DueTarget, read_at: datetime, visible_after: timedelta) -> bool:
    """Whether a target on which a read showed nothing of ours need not be read again.

    One read is not enough. Azure may show a setting only a while after it was written, and a run that was
    killed, or was slower than its lease, may have written one that nobody has noted.

    Args:
        verdict: on the target.
        due: what was known before; its ``read_at`` is when a read first showed nothing.
        read_at: when it was read now.
        visible_after: how long Azure may take to show what was written.
    """
    absent_since = due.read_at if not due.ours else None
    return holds_by_itself(verdict) and absent_since is not None and read_at - absent_since >= visible_after


def _setting(view: CustomerView, location: str, selection: Selection) -> DiagnosticSetting | Verdict:
    hub = view.hub_for(location)
    if isinstance(hub, Verdict):
        return hub
    return DiagnosticSetting(
        view.own_name, hub.facts.rule_id, hub.name, selection.categories, selection.groups
    )
