"""Small worlds: customers, subscriptions and resources with everything wrong that can be, as data.

A world is described by a :class:`WorldSpec`, which a seed makes and a shrinking search takes apart, and built
into a lab's cloud by :func:`build_world`.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from azmdr.inventory.customers import Customer
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.category_policy_file import PolicyFile
from azmdr.reconcile.customer_rules import CustomerRules
from lab.azure.cloud import Cloud
from lab.azure.data_exports import DataExport
from lab.azure.diagnostic_settings import DiagnosticSetting, Switch
from lab.azure.event_hubs import AuthorizationRule
from lab.azure.log_categories import SUBSCRIPTION_CATEGORIES, Catalogue
from lab.azure.resource_id import ResourceId
from lab.azure.roles import LOG_ANALYTICS_CONTRIBUTOR, MONITORING_CONTRIBUTOR, READER
from lab.azure.scenario import SEND_RULE, Scene, build_scene, delegate, identity
from tests.steps.lab_plane import OWN

REGIONS: Final = ("eastus", "westeurope")
OFF_TAG: Final = {"mdr": "off"}
"""What leaves a resource out, by every customer's rules."""
ENTRA_TABLES: Final = ("AuditLogs", "SigninLogs", "AADRiskyUsers")
SUBSCRIPTION_LOGS: Final = frozenset({"Administrative", "Security", "Policy", "Alert"})

POLICY_FILE: Final = PolicyFile.model_validate(
    {
        "unlisted": "audit",
        "subscription": {"categories": sorted(SUBSCRIPTION_LOGS)},
        "entra_tables": {"wanted": ENTRA_TABLES},
        "types": {
            "microsoft.keyvault/vaults": {"categories": ["AuditEvent"]},
            "microsoft.storage/storageaccounts": {
                "no_logs": "its services log on their own",
                "children": ["blobServices/default", "queueServices/default"],
            },
            "microsoft.storage/storageaccounts/blobservices": {
                "categories": ["StorageDelete", "StorageWrite"],
                "refused": {"StorageRead": "costs too much"},
            },
            "microsoft.storage/storageaccounts/queueservices": {"group": "allLogs"},
            "microsoft.network/networksecuritygroups": {"group": "allLogs"},
            "microsoft.network/frontdoors": {"categories": ["FrontdoorAccessLog"]},
        },
    }
)
POLICY: Final = CategoryPolicy.of(POLICY_FILE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy above wants of a type, in the words of this test; neither means nothing at all."""

    categories: frozenset[str] = frozenset()
    group: str | None = None

    @property
    def is_anything(self) -> bool:
        """Whether anything is wanted."""
        return bool(self.categories or self.group)


WANTED: Final[Mapping[str, Wanted]] = {
    "microsoft.keyvault/vaults": Wanted(frozenset({"AuditEvent"})),
    "microsoft.storage/storageaccounts": Wanted(),
    "microsoft.storage/storageaccounts/blobservices": Wanted(frozenset({"StorageDelete", "StorageWrite"})),
    "microsoft.storage/storageaccounts/queueservices": Wanted(group="allLogs"),
    "microsoft.network/networksecuritygroups": Wanted(group="allLogs"),
    "microsoft.network/frontdoors": Wanted(frozenset({"FrontdoorAccessLog"})),
    "microsoft.sql/servers/databases": Wanted(group="audit"),
    "microsoft.operationalinsights/workspaces": Wanted(group="audit"),
    "microsoft.web/sites": Wanted(),
    "microsoft.compute/disks": Wanted(),
    "microsoft.compute/virtualmachines": Wanted(),
    "microsoft.resources/subscriptions": Wanted(SUBSCRIPTION_LOGS),
}
CHILDREN: Final = {"microsoft.storage/storageaccounts": ("blobServices/default", "queueServices/default")}

SORTS: Final = {
    "vault": "Microsoft.KeyVault/vaults/{}",
    "storage": "Microsoft.Storage/storageAccounts/{}",
    "nsg": "Microsoft.Network/networkSecurityGroups/{}",
    "sql": "Microsoft.Sql/servers/{}/databases/orders",
    "edge": "Microsoft.Network/frontDoors/{}",
    "site": "Microsoft.Web/sites/{}",
    "disk": "Microsoft.Compute/disks/{}",
    "vm": "Microsoft.Compute/virtualMachines/{}",
}
EXCLUDABLE: Final = ("microsoft.keyvault/vaults", "microsoft.storage/storageaccounts", "microsoft.sql")


class Own(StrEnum):
    """What there is of ours on a target."""

    ABSENT = "absent"
    RIGHT = "right"
    OTHER_CASE = "other case"
    OTHER_HUB = "other hub"
    OTHER_RULE = "other rule"
    FEWER = "fewer categories"
    MORE = "more categories"
    OFF = "switched off"
    EXTRA_SINK = "another sink too"
    METRIC = "a metric too"


class Foreign(StrEnum):
    """A setting somebody else made."""

    WORKSPACE = "to a workspace"
    OTHER_HUB = "to a hub of its own"
    SAME_SINK = "same sink, same category"


@dataclass(frozen=True, slots=True)
class Mess:
    """What stands on a target to begin with."""

    own: Own = Own.ABSENT
    foreign: tuple[Foreign, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """A resource. ``child`` is what stands on the first thing nested in it."""

    sort: str
    name: str
    region: int
    is_off: bool = False
    mess: Mess = Mess()
    child: Mess = Mess()


@dataclass(frozen=True, slots=True)
class SubscriptionSpec:
    """A subscription."""

    number: int
    resources: tuple[ResourceSpec, ...] = ()
    mess: Mess = Mess()
    is_disabled: bool = False
    is_registered: bool = True
    """Whether Microsoft.Insights is."""
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class WorkspaceSpec:
    """A workspace of Entra ID logs, in a customer's first subscription."""

    number: int
    region: int
    tables: int = 3
    own: Own = Own.ABSENT
    others: int = 0
    """Foreign export rules."""
    is_taken: bool = False
    """Whether one of them has our destination."""
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class CustomerSpec:
    """A customer; the first of its workspaces is the one it names."""

    name: str
    home: int
    subscriptions: tuple[SubscriptionSpec, ...]
    workspaces: tuple[WorkspaceSpec, ...] = ()
    excluded: tuple[str, ...] = ()
    hubs: frozenset[int] = frozenset(range(len(REGIONS)))
    """The regions that have a hub for it."""

    @property
    def tenant_id(self) -> str:
        """Its tenant."""
        return identity(self.name)

    def subscription_id(self, number: int) -> str:
        """One of its subscriptions."""
        return identity(self.name, f"subscription-{number}")

    def workspace_id(self, workspace: WorkspaceSpec) -> str:
        """One of its workspaces."""
        number = self.subscriptions[0].number if self.subscriptions else 0
        place = f"/subscriptions/{self.subscription_id(number)}/resourceGroups/logs-{workspace.number}"
        return f"{place}/providers/Microsoft.OperationalInsights/workspaces/logs{workspace.number}"


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """A world."""

    customers: tuple[CustomerSpec, ...]
    page_size: int = 1000
    lag: int = 0
    """Seconds for which listings go on showing what was."""


@dataclass(slots=True)
class World:
    """A world that was built."""

    scene: Scene
    foreign: dict[str, dict[str, DiagnosticSetting]] = field(default_factory=dict)
    """What others set, by target and name: none of it is ever to be touched."""
    foreign_exports: dict[str, dict[str, DataExport]] = field(default_factory=dict)

    @property
    def cloud(self) -> Cloud:
        """Azure."""
        return self.scene.cloud

    def note_foreign(self) -> None:
        """Take what others have set by now for what must stay."""
        self.foreign = foreign_settings(self.cloud)
        self.foreign_exports = foreign_exports(self.cloud)


def foreign_settings(cloud: Cloud) -> dict[str, dict[str, DiagnosticSetting]]:
    """What others than us have set, by target and name."""
    found = (
        (key, {name: each for name, each in kept.all_latest() if name != OWN})
        for key, kept in cloud.settings.items()
    )
    return {key: settings for key, settings in found if settings}


def foreign_exports(cloud: Cloud) -> dict[str, dict[str, DataExport]]:
    """The export rules of others than us."""
    found = (
        (key, {name: each for name, each in kept.items() if name != OWN})
        for key, kept in cloud.exports.items()
    )
    return {key: exports for key, exports in found if exports}


def own_setting(cloud: Cloud, target_key: str) -> DiagnosticSetting | None:
    """Ours on a target."""
    return cloud.settings[target_key].latest(OWN) if target_key in cloud.settings else None


def catalogue_of(cloud: Cloud, kind: str) -> Catalogue:
    """What a type can send."""
    if kind == "microsoft.resources/subscriptions":
        return SUBSCRIPTION_CATEGORIES
    return cloud.catalogues.get(kind, Catalogue(()))


def switches(wanted: Wanted) -> tuple[Switch, ...]:
    """What is wanted, as a setting says it."""
    if wanted.group:
        return (Switch(None, wanted.group, True),)
    return tuple(Switch(name, None, True) for name in sorted(wanted.categories))


def build_world(spec: WorldSpec) -> World:
    """Put a world into a cloud."""
    cloud = Cloud(visibility_lag=timedelta(seconds=spec.lag), page_size=spec.page_size)
    scene = build_scene(cloud, ())
    for region in REGIONS:
        namespace = cloud.add_event_hub_namespace(scene.namespace_id(region), region)
        cloud.rules[namespace.id.key][SEND_RULE] = AuthorizationRule(SEND_RULE, ("Send",))
        cloud.rules[namespace.id.key]["other"] = AuthorizationRule("other", ("Send",))
        cloud.add_event_hub(namespace.id.text, "somebody-else")
    for customer in spec.customers:
        _add_customer(scene, customer)
    world = World(scene)
    world.note_foreign()
    return world


def _add_customer(scene: Scene, customer: CustomerSpec) -> None:
    cloud = scene.cloud
    cloud.add_tenant(customer.tenant_id, customer.name)
    for region in customer.hubs:
        cloud.add_event_hub(scene.namespace_id(REGIONS[region]), customer.name)
    for subscription in customer.subscriptions:
        subscription_id = customer.subscription_id(subscription.number)
        made = cloud.add_subscription(customer.tenant_id, subscription_id, f"sub {subscription.number}")
        roles = (MONITORING_CONTRIBUTOR,) if subscription.may_write else (READER,)
        delegate(scene, made.key, roles)
        home = REGIONS[customer.home]
        _make_mess(scene, customer, made.key, home, subscription.mess)
        for resource in subscription.resources:
            add_resource(scene, customer, subscription.number, resource)
    if customer.subscriptions:
        for workspace in customer.workspaces:
            _add_workspace(scene, customer, workspace)
    for subscription in customer.subscriptions:
        made = cloud.subscriptions[customer.subscription_id(subscription.number)]
        if subscription.is_disabled:
            made.state = "Disabled"
        if not subscription.is_registered:
            made.registered.discard("microsoft.insights")


def resource_id(customer: CustomerSpec, number: int, resource: ResourceSpec) -> str:
    """The id of a resource."""
    group = f"/subscriptions/{customer.subscription_id(number)}/resourceGroups/Apps"
    return f"{group}/providers/{SORTS[resource.sort].format(resource.name)}"


def add_resource(scene: Scene, customer: CustomerSpec, number: int, resource: ResourceSpec) -> None:
    """Put a resource into a cloud, with what stands on it."""
    text = resource_id(customer, number, resource)
    is_global = resource.sort == "edge"
    region = REGIONS[resource.region]
    kind = "StorageV2" if resource.sort == "storage" else None
    tags = dict(OFF_TAG) if resource.is_off else {"owner": "they"}
    made = scene.cloud.add_resource(text, "global" if is_global else region, tags, kind)
    log_region = REGIONS[customer.home] if is_global else region
    _make_mess(scene, customer, made.id.text, log_region, resource.mess)
    for child in CHILDREN.get(made.id.type.lower(), ())[:1]:
        _make_mess(scene, customer, f"{made.id.text}/{child}", log_region, resource.child)


def _make_mess(scene: Scene, customer: CustomerSpec, target: str, region: str, mess: Mess) -> None:
    place, cloud = ResourceId.parse(target), scene.cloud
    catalogue = catalogue_of(cloud, place.type.lower())
    if not catalogue.logs:
        return
    wanted = WANTED[place.type.lower()]
    if not wanted.is_anything:
        wanted = Wanted(frozenset({catalogue.logs[0].name}))
    own = own_in_state(scene, customer.name, region, wanted, catalogue, mess.own)
    if own is not None:
        cloud.put_setting(place.key, own)
    for number, foreign in enumerate(mess.foreign):
        if foreign is not Foreign.SAME_SINK or own is None:
            made = foreign_setting(scene, region, wanted, catalogue, foreign, number)
            cloud.put_setting(place.key, made)


def own_in_state(
    scene: Scene, hub: str, region: str, wanted: Wanted, catalogue: Catalogue, state: Own
) -> DiagnosticSetting | None:
    """Ours, right or wrong in one of many ways."""
    if state is Own.ABSENT:
        return None
    logs = switches(wanted)
    right = DiagnosticSetting(OWN, logs, (), scene.rule_id(region), hub)
    fields = {name: getattr(right, name) for name in ("logs", "event_hub_rule_id", "event_hub_name")}
    name, storage = OWN, None
    metrics: tuple[Switch, ...] = ()
    match state:
        case Own.OTHER_CASE:
            name, fields["event_hub_rule_id"] = OWN.upper(), scene.rule_id(region).upper()
        case Own.OTHER_HUB:
            fields["event_hub_name"] = "somebody-else"
        case Own.OTHER_RULE:
            fields["event_hub_rule_id"] = f"{scene.namespace_id(region)}/authorizationRules/other"
        case Own.FEWER:
            fields["logs"] = (Switch(catalogue.logs[-1].name, None, True),)
        case Own.MORE:
            fields["logs"] = tuple(Switch(each.name, None, True) for each in catalogue.logs)
        case Own.OFF:
            fields["logs"] = tuple(Switch(each.name, None, False) for each in catalogue.logs)
        case Own.EXTRA_SINK:
            storage = "/subscriptions/0/somewhere/else"
        case Own.METRIC:
            metrics = tuple(Switch(each, None, True) for each in catalogue.metrics[:1])
        case _:
            pass
    return DiagnosticSetting(name, metrics=metrics, storage_account_id=storage, **fields)


def foreign_setting(
    scene: Scene, region: str, wanted: Wanted, catalogue: Catalogue, foreign: Foreign, number: int
) -> DiagnosticSetting:
    """A setting of somebody else's."""
    logs = switches(wanted)
    match foreign:
        case Foreign.WORKSPACE:
            return DiagnosticSetting(f"Theirs-{number}", logs, workspace_id="/subscriptions/theirs/workspace")
        case Foreign.OTHER_HUB:
            rule = f"{scene.namespace_id(region)}/authorizationRules/other-{number}"
            return DiagnosticSetting(f"Theirs-{number}", logs, (), rule, "theirs")
        case Foreign.SAME_SINK:
            sent = sorted(wanted.categories) or sorted(catalogue.in_group(wanted.group or ""))
            only = (Switch(sent[0], None, True),)
            return DiagnosticSetting(f"Theirs-{number}", only, (), scene.rule_id(region), "somebody-else")


def _add_workspace(scene: Scene, customer: CustomerSpec, workspace: WorkspaceSpec) -> None:
    cloud, text, region = scene.cloud, customer.workspace_id(workspace), REGIONS[workspace.region]
    made = cloud.add_resource(text, region, sku={"name": "PerGB2018"})
    cloud.add_tables(text, (*ENTRA_TABLES[: workspace.tables], "AzureActivity"))
    if workspace.may_write:
        delegate(scene, text.partition("/providers/")[0], (LOG_ANALYTICS_CONTRIBUTOR,))
    namespace = scene.namespace_id(region)
    exports = cloud.exports[made.id.key]
    for number in range(workspace.others):
        taken = workspace.is_taken and number == 0 and workspace.own is Own.ABSENT
        hub = customer.name if taken else f"hub-{number}"
        exports[f"theirs-{number}"] = _export(f"Theirs-{number}", ("AzureActivity",), namespace, hub)
    tables = ENTRA_TABLES[: workspace.tables] or ("AzureActivity",)
    match workspace.own:
        case Own.ABSENT:
            pass
        case Own.FEWER:
            exports[OWN] = _export(OWN, tables[:1], namespace, customer.name)
        case Own.OFF:
            exports[OWN] = _export(OWN, tables, namespace, customer.name, enabled=False)
        case Own.OTHER_HUB:
            exports[OWN] = _export(OWN, tables, namespace, "somebody-else")
        case Own.OTHER_CASE:
            exports[OWN] = _export(OWN.upper(), tables, namespace.upper(), customer.name)
        case _:
            exports[OWN] = _export(OWN, tables, namespace, customer.name)


def _export(
    name: str, tables: tuple[str, ...], namespace: str, hub: str, *, enabled: bool = True
) -> DataExport:
    return DataExport(name, identity(name), tables, namespace, hub, enabled, "then", "then")


def registered(spec: CustomerSpec) -> Customer:
    """A customer as our people enter it."""
    rules = CustomerRules(excluded_types=spec.excluded, excluded_tags=dict(OFF_TAG))
    workspace = spec.workspace_id(spec.workspaces[0]) if spec.workspaces and spec.subscriptions else None
    return Customer.of(
        name=spec.name,
        tenant_id=spec.tenant_id,
        home_region=REGIONS[spec.home],
        entra_workspace_id=workspace,
        rules=rules,
    )


def seeded_world(rng: random.Random) -> WorldSpec:
    """A world of a seed."""
    names = ("contoso", "fabrikam", "tailwind")[: rng.choice((1, 1, 1, 1, 2, 3))]
    return WorldSpec(
        customers=tuple(_seeded_customer(rng, name) for name in names),
        page_size=rng.choice((1, 2, 3, 1000, 1000)),
        lag=rng.choice((0, 0, 20, 90, 300)),
    )


def _seeded_customer(rng: random.Random, name: str) -> CustomerSpec:
    workspaces = rng.choice((0, 0, 1, 1, 2))
    return CustomerSpec(
        name=name,
        home=rng.randrange(len(REGIONS)),
        subscriptions=tuple(
            _seeded_subscription(rng, number) for number in range(rng.choice((1, 1, 1, 2, 2, 4)))
        ),
        workspaces=tuple(_seeded_workspace(rng, number) for number in range(workspaces)),
        excluded=tuple(rng.sample(EXCLUDABLE, rng.choice((0, 0, 0, 1)))),
        hubs=frozenset(each for each in range(len(REGIONS)) if rng.random() < 0.85),
    )


def _seeded_subscription(rng: random.Random, number: int) -> SubscriptionSpec:
    return SubscriptionSpec(
        number,
        tuple(seeded_resource(rng, f"r{each}") for each in range(rng.choice((0, 1, 2, 3, 4)))),
        mess=_seeded_mess(rng),
        is_disabled=rng.random() < 0.06,
        is_registered=rng.random() > 0.06,
        may_write=rng.random() > 0.06,
    )


def seeded_resource(rng: random.Random, name: str) -> ResourceSpec:
    """A resource of a seed."""
    shown = f"größe-{name}" if rng.random() < 0.06 else f"{name}-X"
    return ResourceSpec(
        sort=rng.choice(sorted(SORTS)),
        name=shown,
        region=rng.randrange(len(REGIONS)),
        is_off=rng.random() < 0.1,
        mess=_seeded_mess(rng),
        child=_seeded_mess(rng),
    )


def _seeded_mess(rng: random.Random) -> Mess:
    own = rng.choice(list(Own)) if rng.random() < 0.5 else Own.ABSENT
    kinds = list(Foreign)
    most = 4 if own is not Own.ABSENT else 5
    number = rng.choice((0, 0, 0, 1, 1, 2, most))
    return Mess(own, tuple(rng.choices(kinds, weights=(4, 4, 1), k=number)))


def _seeded_workspace(rng: random.Random, number: int) -> WorkspaceSpec:
    return WorkspaceSpec(
        number,
        region=rng.randrange(len(REGIONS)),
        tables=rng.choice((3, 3, 2, 0)),
        own=rng.choice((Own.ABSENT, Own.RIGHT, Own.FEWER, Own.OFF, Own.OTHER_HUB, Own.OTHER_CASE)),
        others=rng.choice((0, 0, 1, 9, 10)),
        is_taken=rng.random() < 0.3,
        may_write=rng.random() > 0.1,
    )


def simpler_worlds(spec: WorldSpec) -> Iterator[WorldSpec]:
    """Worlds with one thing less."""
    for at, customer in enumerate(spec.customers):
        before, after = spec.customers[:at], spec.customers[at + 1 :]
        if len(spec.customers) > 1:
            yield replace(spec, customers=before + after)
        for simpler in _simpler_customers(customer):
            yield replace(spec, customers=(*before, simpler, *after))
    if spec.page_size != 1000:
        yield replace(spec, page_size=1000)
    if spec.lag:
        yield replace(spec, lag=0)


def _simpler_customers(spec: CustomerSpec) -> Iterator[CustomerSpec]:
    for at, subscription in enumerate(spec.subscriptions):
        before, after = spec.subscriptions[:at], spec.subscriptions[at + 1 :]
        if len(spec.subscriptions) > 1:
            yield replace(spec, subscriptions=before + after)
        for number in range(len(subscription.resources)):
            fewer = subscription.resources[:number] + subscription.resources[number + 1 :]
            yield replace(spec, subscriptions=(*before, replace(subscription, resources=fewer), *after))
            bare = replace(subscription.resources[number], mess=Mess(), child=Mess())
            if bare != subscription.resources[number]:
                changed = (*subscription.resources[:number], bare, *subscription.resources[number + 1 :])
                yield replace(spec, subscriptions=(*before, replace(subscription, resources=changed), *after))
        whole = replace(subscription, mess=Mess(), is_disabled=False, is_registered=True, may_write=True)
        if whole != subscription:
            yield replace(spec, subscriptions=(*before, whole, *after))
    if spec.workspaces:
        yield replace(spec, workspaces=spec.workspaces[:-1])
    if spec.excluded:
        yield replace(spec, excluded=())
    if len(spec.hubs) < len(REGIONS):
        yield replace(spec, hubs=frozenset(range(len(REGIONS))))
