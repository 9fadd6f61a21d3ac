"""The cloud: all that this Azure remembers, and what a scenario can make happen in it.

A scenario's changes are those a customer's own people would make; they ask for no permission here.
"""

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lab.azure.access import Grant, RoleAssignment, grants
from lab.azure.activity_events import ActivityLog
from lab.azure.arm_error import ArmError, not_found
from lab.azure.data_exports import DataExport
from lab.azure.delegations import (
    Authorization,
    RegistrationAssignment,
    RegistrationDefinition,
    check_authorizations,
)
from lab.azure.deployments import Deployment
from lab.azure.diagnostic_settings import DiagnosticSetting
from lab.azure.directory import ManagementGroup, Principal, Tenant
from lab.azure.event_hubs import RIGHTS, ROOT_RULE, AuthorizationRule, EventHub
from lab.azure.eventual_map import EventualMap
from lab.azure.log_categories import RESOURCE_CATEGORIES, Catalogue
from lab.azure.policies import PolicyAssignment, PolicyDefinition
from lab.azure.remediations import Remediation
from lab.azure.resource_graph import Row
from lab.azure.resource_id import ResourceId, within
from lab.azure.resources import Resource, ResourceGroup, Subscription, implied_parent_key
from lab.azure.roles import Role
from lab.azure.virtual_clock import VirtualClock
from lab.azure.workspace_tables import Table


@dataclass(slots=True)
class Cloud:
    """The state of this Azure."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    visibility_lag: timedelta = timedelta()
    """How long a listing goes on showing what was before."""
    token_lifetime: timedelta = timedelta(seconds=3599)
    creation_time: timedelta = timedelta()
    """How long an event hub namespace is being created."""
    deployment_time: timedelta = timedelta()
    """How long a remediation takes for each of its deployments."""
    evaluation_time: timedelta = timedelta(minutes=10)
    """After which policies look at a new subscription."""
    page_size: int = 1000
    catalogues: Mapping[str, Catalogue] = field(default_factory=lambda: dict(RESOURCE_CATEGORIES))
    """Log categories by lower-cased resource type."""
    signing_key: bytes = b"the lab signs its tokens with this"
    tenants: dict[str, Tenant] = field(default_factory=dict)
    principals: dict[tuple[str, str], Principal] = field(default_factory=dict)
    """By tenant id and object id."""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    management_groups: dict[str, ManagementGroup] = field(default_factory=dict)
    """By lower-cased name."""
    role_assignments: list[RoleAssignment] = field(default_factory=list)
    definitions: dict[str, dict[str, RegistrationDefinition]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """What subscriptions offer to providers: by subscription, then by lower-cased name."""
    delegations: dict[str, dict[str, RegistrationAssignment]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """Definitions applied: by subscription, then by lower-cased id."""
    resources: dict[str, EventualMap[Resource]] = field(default_factory=lambda: defaultdict(EventualMap))
    """By subscription, then by key."""
    settings: dict[str, EventualMap[DiagnosticSetting]] = field(
        default_factory=lambda: defaultdict(EventualMap)
    )
    """Diagnostic settings: by the key of the target (a tenant's: ``/tenants/<id>``), then by name."""
    hubs: dict[str, dict[str, EventHub]] = field(default_factory=lambda: defaultdict(dict))
    """By the key of the namespace, then by lower-cased name."""
    rules: dict[str, dict[str, AuthorizationRule]] = field(default_factory=lambda: defaultdict(dict))
    """Authorization rules: by the key of the namespace, then by lower-cased name."""
    exports: dict[str, dict[str, DataExport]] = field(default_factory=lambda: defaultdict(dict))
    """Data export rules: by the key of the workspace, then by lower-cased name."""
    tables: dict[str, dict[str, Table]] = field(default_factory=lambda: defaultdict(dict))
    """By the key of the workspace, then by lower-cased name."""
    policy_definitions: dict[str, PolicyDefinition] = field(default_factory=dict)
    """By lower-cased id, as the next two are."""
    policy_assignments: dict[str, PolicyAssignment] = field(default_factory=dict)
    remediations: dict[str, Remediation] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    """By lower-cased id."""
    evaluations: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    """When a policy assignment looks at a subscription that is new below it; None when it has."""
    groups: dict[str, dict[str, ResourceGroup]] = field(default_factory=lambda: defaultdict(dict))
    """Resource groups made over HTTP: by subscription, then by lower-cased name."""
    activity: ActivityLog | None = None
    """What the activity log's REST interface tells of; nothing is written down without one."""
    graph_queries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When each principal last asked Resource Graph, in seconds."""
    graph_results: dict[Hashable, tuple[object, list[Row]]] = field(default_factory=dict)
    """What the last few queries found, with the state of the cloud that they found it in."""

    def add_tenant(self, tenant_id: str, name: str) -> Tenant:
        """A new tenant."""
        self.tenants[tenant_id] = Tenant(tenant_id, name)
        return self.tenants[tenant_id]

    def add_principal(self, principal: Principal) -> Principal:
        """A new or changed principal."""
        self.principals[principal.tenant_id, principal.object_id] = principal
        return principal

    def add_subscription(self, tenant_id: str, subscription_id: str, name: str) -> Subscription:
        """A new subscription."""
        self.subscriptions[subscription_id] = Subscription(subscription_id, tenant_id, name)
        return self.subscriptions[subscription_id]

    def add_management_group(
        self, tenant_id: str, name: str, subscription_ids: Iterable[str]
    ) -> ManagementGroup:
        """A new management group above some subscriptions of its tenant."""
        group = self.management_groups[name.lower()] = ManagementGroup(name, tenant_id)
        for subscription_id in subscription_ids:
            subscription = self.subscriptions[subscription_id]
            subscription.ancestors = (*subscription.ancestors, group.key)
        return group

    def remove_subscription(self, subscription_id: str) -> None:
        """Let a subscription vanish with all that is in it; diagnostic settings stay behind."""
        del self.subscriptions[subscription_id]
        self.resources.pop(subscription_id, None)
        self.delegations.pop(subscription_id, None)
        self.definitions.pop(subscription_id, None)

    def assign(self, principal: Principal, role: Role, scope: str) -> None:
        """Give a principal a role at a scope of its own tenant."""
        self.role_assignments.append(RoleAssignment(principal.object_id, role.id, scope.lower()))

    def delegate(
        self, scope: str, provider: Tenant, authorizations: Iterable[Authorization], offer: str = "Monitoring"
    ) -> RegistrationAssignment:
        """Delegate a subscription or a resource group to a provider.

        Raises:
            ArmError: 400 for roles that can't be delegated.
        """
        place = ResourceId.parse(scope)
        listed = tuple(authorizations)
        check_authorizations(listed)
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{place.key} {provider.id} {offer}"))
        definition = RegistrationDefinition(
            identity,
            place.subscription_id,
            self.subscriptions[place.subscription_id].tenant_id,
            provider.id,
            provider.name,
            offer,
            listed,
        )
        self.definitions[place.subscription_id][identity] = definition
        assignment = RegistrationAssignment(identity, place, definition)
        self.delegations[place.subscription_id][assignment.id.lower()] = assignment
        return assignment

    def add_resource(
        self,
        resource_id: str,
        location: str,
        tags: Mapping[str, str] | None = None,
        kind: str | None = None,
        sku: Mapping[str, object] | None = None,
    ) -> Resource:
        """A new or changed resource."""
        parsed, now = ResourceId.parse(resource_id), self.clock.now()
        before = self.resource(parsed)
        created = before.created if before else now
        resource = Resource(parsed, location, created, now, tags or {}, kind, sku)
        self.put_resource(resource)
        return resource

    def put_resource(self, resource: Resource) -> None:
        """Keep a resource."""
        self.resources[resource.id.subscription_id].put(resource.id.key, resource, self.clock.now())

    def remove_resource(self, resource_id: str) -> bool:
        """Delete a resource with its children; its diagnostic settings stay behind.

        Returns:
            Whether it was there.
        """
        parsed, now = ResourceId.parse(resource_id), self.clock.now()
        kept = self.resources[parsed.subscription_id]
        doomed = [key for key, _ in kept.all_latest() if within(key, parsed.key)]
        for key in doomed:
            kept.remove(key, now)
            self.hubs.pop(key, None)
            self.rules.pop(key, None)
            self.exports.pop(key, None)
            self.tables.pop(key, None)
        return bool(doomed)

    def add_event_hub_namespace(self, namespace_id: str, location: str, tier: str = "Standard") -> Resource:
        """A namespace with its root rule, ready for use."""
        sku = {"name": tier, "tier": tier, "capacity": 1}
        namespace = self.add_resource(namespace_id, location, sku=sku)
        self.rules[namespace.id.key][ROOT_RULE.lower()] = AuthorizationRule(ROOT_RULE, RIGHTS)
        return namespace

    def add_event_hub(self, namespace_id: str, name: str, partitions: int = 4) -> EventHub:
        """A hub in a namespace."""
        hub = EventHub(name, partitions, 7)
        self.hubs[ResourceId.parse(namespace_id).key][name.lower()] = hub
        return hub

    def add_tables(self, workspace_id: str, names: Iterable[str]) -> None:
        """New tables in a workspace, as the first record of their kind makes them."""
        tables = self.tables[ResourceId.parse(workspace_id).key]
        tables.update({name.lower(): Table(name) for name in names})

    def remove_table(self, workspace_id: str, name: str) -> bool:
        """Delete a table of a workspace.

        Returns:
            Whether it was there.
        """
        return self.tables[ResourceId.parse(workspace_id).key].pop(name.lower(), None) is not None

    def put_setting(self, target_key: str, setting: DiagnosticSetting) -> None:
        """Keep a diagnostic setting; one whose target has a name beyond ASCII gets lost."""
        if target_key.isascii():
            self.settings[target_key].put(setting.name.lower(), setting, self.clock.now())

    def resource(self, resource_id: ResourceId) -> Resource | None:
        """A resource; for a child that its parent implies, the child in its parent's place."""
        kept = self.resources[resource_id.subscription_id]
        found = kept.latest(resource_id.key)
        parent_key = implied_parent_key(resource_id)
        parent = kept.latest(parent_key) if found is None and parent_key else None
        return replace(parent, id=resource_id, tags={}, kind=None, sku=None) if parent else found

    def existing(self, resource_id: ResourceId) -> Resource:
        """A resource that has to be there.

        Raises:
            ArmError: 404.
        """
        if (found := self.resource(resource_id)) is None:
            raise not_found(
                f"The Resource '{resource_id.type}/{resource_id.name}' under resource group "
                f"'{resource_id.group}' was not found."
            )
        return found

    def group_location(self, subscription_id: str, name: str) -> str | None:
        """Where a resource group stands; None where there is none."""
        if (group := self.groups[subscription_id].get(name.lower())) is not None:
            return group.location
        kept = self.resources[subscription_id].all_latest()
        return next(
            (each.location for _, each in kept if (each.id.group or "").lower() == name.lower()), None
        )

    def join_management_group(self, subscription_id: str, name: str) -> None:
        """Put a subscription below a management group that is there."""
        subscription = self.subscriptions[subscription_id]
        subscription.ancestors = (*subscription.ancestors, self.management_groups[name.lower()].key)

    def subscription(self, subscription_id: str) -> Subscription:
        """A subscription that has to be there.

        Raises:
            ArmError: 404.
        """
        if (found := self.subscriptions.get(subscription_id.lower())) is None:
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found."
            )
        return found

    def held(self, principal: Principal, subscription: Subscription) -> tuple[Grant, ...]:
        """What a principal holds in a subscription."""
        delegated = self.delegations.get(subscription.id, {}).values()
        return grants(principal, subscription, self.role_assignments, delegated)

    def visible_subscriptions(self, principal: Principal) -> dict[str, Subscription]:
        """The subscriptions in which a principal holds anything, by id."""
        return {each.id: each for each in self.subscriptions.values() if self.sees(principal, each)}

    def sees(self, principal: Principal, subscription: Subscription) -> bool:
        """Whether a principal holds anything in a subscription."""
        return bool(self.held(principal, subscription))
