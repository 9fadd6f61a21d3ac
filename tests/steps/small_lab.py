"""A lab of one or two small customers with the control plane on it: a store, a clock that is moved."""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Gateway
from azmdr.azure.pacing import Pacer
from azmdr.inventory.customers import Customer
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.verdict import Reason
from azmdr.steps.bounds import ProviderPlace, StepBounds
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.rounds import reconcile_all
from azmdr.store.customers import add_customer, customer_named, replace_customer
from azmdr.store.database import Store
from azmdr.store.targets import JudgedTarget, judged_targets
from lab.azure.cloud import Cloud
from lab.azure.diagnostic_settings import DiagnosticSetting
from lab.azure.faults import Fault, Seen
from lab.azure.front_door import LoggedRequest
from lab.azure.scenario import INGEST_GROUP, SEND_RULE, build_scene, workspace_id
from lab.customers import Customer as LabCustomer
from lab.customers import Subscription
from tests.azure.lab_arm import LabArm

OURS: Final = "azmdr"


def lab_customer(name: str, region: str = "eastus") -> LabCustomer:
    """A customer with one subscription in one region."""
    tenant, subscription = (
        str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{each}.{name}.example")) for each in ("tenant", "one")
    )
    return LabCustomer(
        name, tenant, region, (region,), (Subscription(subscription, f"{name}-01", region),), False
    )


CONTOSO: Final = lab_customer("contoso")
FABRIKAM: Final = lab_customer("fabrikam", "westeurope")


def known_as(customer: LabCustomer, **fields: Any) -> Customer:
    """A customer of the lab as the provider's people describe it."""
    given = {
        "tenant_id": customer.tenant_id,
        "home_region": customer.home_region,
        "entra_workspace_id": workspace_id(customer),
    }
    return Customer.of(name=customer.name, **given | fields)


@cache
def _empty_store() -> bytes:
    """A database with the tables, made once: the migrations take longer than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        Store.open(f"sqlite:///{file}").close()
        return file.read_bytes()


class SmallLab(LabArm):
    """The lab's Azure, the store, and every step."""

    def __init__(self, folder: Path, *customers: LabCustomer, **fields: Any) -> None:
        self.customers = customers or (CONTOSO,)
        super().__init__(build_scene(Cloud(), self.customers))
        self.url = f"sqlite:///{folder / 'store.sqlite'}"
        (folder / "store.sqlite").write_bytes(_empty_store())
        self.store = Store.open(self.url)
        self._planes = 0
        with self.store.write() as connection:
            for each in self.customers:
                add_customer(connection, known_as(each, **fields), self.clock.now())

    def plane(self, **fields: Any) -> ControlPlane:
        """What a run works with; each is a run of its own, with pacers that know nothing yet."""
        self._planes += 1
        pacer = Pacer()
        given: dict[str, Any] = {
            "store": self.store,
            "arm": self._arm(pacer),
            "gateway": Gateway(pacer, self.clock),
            "policy": CategoryPolicy.load(),
            "place": ProviderPlace(self.scene.subscription_id, INGEST_GROUP, SEND_RULE),
            "own_name": OURS,
            "owner": f"run {self._planes}",
            "clock": self.clock,
            "bounds": StepBounds(),
        }
        return ControlPlane(**given | fields)

    def _arm(self, pacer: Pacer) -> Arm:
        self.pacer = pacer
        return self.new_arm()

    def known(self) -> list[Customer]:
        """The customers as the store has them now."""
        with self.store.read() as connection:
            return [customer_named(connection, each.name) for each in self.customers]

    def change(self, name: str = "contoso", **fields: Any) -> None:
        """Change a customer as ``azmdr customer set`` does."""
        with self.store.write() as connection:
            before = customer_named(connection, name)
            replace_customer(connection, Customer.of(**before.model_dump() | fields))

    def reconcile(self, hours: float = 1, **fields: Any) -> dict[str, StepReport]:
        """Every step once, some time after what was before."""
        self.cloud.clock.advance(hours * 3600)
        return reconcile_all(self.plane(**fields), self.known())

    def run(
        self,
        step: Callable[..., StepReport],
        hours: float = 1,
        plane: ControlPlane | None = None,
        **options: Any,
    ) -> tuple[StepReport, list[LoggedRequest]]:
        """One step; returns its report and the requests it made."""
        self.cloud.clock.advance(hours * 3600)
        before = len(self.door.log)
        report = step(plane or self.plane(), self.known(), **options)
        return report, list(self.door.log)[before:]

    def targets(self, name: str = "contoso") -> dict[str, JudgedTarget]:
        """Every target with its verdict, by the end of its id."""
        with self.store.read() as connection:
            return {
                "/".join(each.id.lower().split("/")[-2:]) + ("!" if each.kind == "data_export" else ""): each
                for each in judged_targets(connection, name)
            }

    def reasons(self, name: str = "contoso") -> Counter[Reason]:
        """How many targets stand for which reason."""
        return Counter(each.verdict.reason for each in self.targets(name).values())

    def reason(self, target: str, name: str = "contoso") -> Reason:
        """Why one target stands where it does, by the end of its id."""
        return self.targets(name)[target].verdict.reason

    def settings(self, key: str) -> dict[str, DiagnosticSetting]:
        """The settings of a target as the cloud has them."""
        return dict(self.cloud.settings[key.lower()].all_latest())

    def ours(self) -> set[str]:
        """Where something of ours stands: the keys of targets, and of workspaces with a rule."""
        of_settings = {key for key in self.cloud.settings if OURS in self.settings(key)}
        return of_settings | {f"{key} rule" for key, rules in self.cloud.exports.items() if OURS in rules}

    def theirs(self) -> dict[str, object]:
        """Everything in the customers' Azure that is not ours."""
        found: dict[str, object] = {
            f"{key} {name}": each
            for key in self.cloud.settings
            for name, each in self.settings(key).items()
            if name != OURS
        }
        for key, rules in self.cloud.exports.items():
            found |= {f"{key} {name}": each for name, each in rules.items() if name != OURS}
        return found


def resource(kind: str, name: str, customer: LabCustomer = CONTOSO) -> str:
    """The id of a resource in a customer's only subscription."""
    group = (
        f"/subscriptions/{customer.subscriptions[0].id}/resourceGroups/{customer.name}-{customer.home_region}"
    )
    return f"{group}/providers/{kind}/{name}"


def vault(name: str, customer: LabCustomer = CONTOSO) -> str:
    return resource("Microsoft.KeyVault/vaults", name, customer)


def scene_vault(customer: LabCustomer = CONTOSO) -> str:
    """The vault every customer of the scene has."""
    return vault(f"kv-{customer.subscriptions[0].id[:8]}-{customer.home_region}", customer)


def reads(log: Sequence[LoggedRequest]) -> Counter[str]:
    """How often the settings or export rules of each target were read."""
    return _asked(log, "GET", ("diagnosticsettings", "dataexports"))


def writes(log: Sequence[LoggedRequest]) -> Counter[str]:
    """How often something was changed, by target."""
    return sum(
        (_asked(log, each, ("diagnosticsettings", "dataexports")) for each in ("PUT", "DELETE")), Counter()
    )


def _asked(log: Sequence[LoggedRequest], method: str, kinds: tuple[str, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in log:
        before, _, kind = each.path.lower().rpartition("/")
        if method != "GET":
            before, _, kind = before.rpartition("/")
        if each.method == method and kind in kinds:
            found[before.removesuffix("/providers/microsoft.insights")] += 1
    return found


@dataclass
class Meanwhile:
    """Lets something happen just before a request is answered, once; each takes some seconds."""

    happen: Callable[[], None]
    after: int
    seconds: float = 1.0

    def decide(self, seen: Seen) -> Fault | None:  # noqa: ARG002 - whichever it is
        self.after -= 1
        if self.after == 0:
            self.happen()
        return None

    def latency(self, seen: Seen) -> float:  # noqa: ARG002 - the same for all
        return self.seconds
