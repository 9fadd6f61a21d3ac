"""An estate that was onboarded by the package, and the product's control plane on it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from azmdr.inventory.customers import Customer
from azmdr.onboarding.offer import Offer
from azmdr.onboarding.package import ManagementGroupScope, Package, Scope, workspace_id
from azmdr.onboarding.reading import observe
from azmdr.onboarding.roles import RoleSet
from azmdr.onboarding.verify import Asked, Finding, Mark, verify
from azmdr.steps.control_plane import ControlPlane
from lab.azure.roles import Role
from tests.onboarding.estate import GROUP, SUBSCRIPTIONS, Estate, Reply
from tests.onboarding.plane import customer_of, offer_of, package_for, plane_of


@dataclass
class Onboarded:
    """A customer's estate, what it was asked for, and our control plane."""

    folder: Path
    scope: Scope = field(
        default_factory=lambda: ManagementGroupScope("fabrikam-root", entra_subscription_id=SUBSCRIPTIONS[0])
    )
    roles: RoleSet = RoleSet.LEAST_PRIVILEGE
    estate: Estate = field(default_factory=Estate)
    customer: Customer = field(init=False)
    plane: ControlPlane = field(init=False)

    def __post_init__(self) -> None:
        self.customer = customer_of(workspace_id(self.scope))
        self.plane = plane_of(self.estate, self.folder, self.customer)

    @property
    def offer(self) -> Offer:
        """What the customer is asked for."""
        return offer_of(self.estate, self.roles)

    @property
    def package(self) -> Package:
        """What its administrator gets."""
        return package_for(self.customer, self.offer, self.scope)

    def deploy(self) -> Reply:
        """Paste the one command."""
        kind, at = ("main", GROUP)
        if not isinstance(self.scope, ManagementGroupScope):
            kind, at = "subscription", f"/subscriptions/{self.scope.subscription_id}"
        files = self.package.files
        parameters = json.loads(files[f"{kind}.parameters.json"])["parameters"]
        return self.estate.deploy(json.loads(files[f"{kind}.json"]), parameters, at)

    def onboard(self) -> None:
        """Deploy, let policy work, and set the tenant's own setting."""
        reply = self.deploy()
        assert (reply.status, reply.state) == (201, "Succeeded")
        self.estate.wait()
        if "entra-setting.json" in self.package.files:
            assert self.set_entra().status == 200

    def set_entra(self) -> Reply:
        """What the README asks the Security Administrator for."""
        body = json.loads(self.package.files["entra-setting.json"])
        return self.estate.ask(
            "PUT", "/providers/microsoft.aadiam/diagnosticSettings/azmdr", "2017-04-01", body
        )

    def entra_shown(self) -> str:
        """What the administrator shows us of it."""
        path = "/providers/microsoft.aadiam/diagnosticSettings/azmdr"
        return json.dumps(self.estate.ask("GET", path, "2017-04-01").body)

    def verify(self, *expected: str, with_policy: bool = True) -> list[Finding]:
        """What `azmdr onboarding verify` finds."""
        asked = Asked(with_policy, self.entra_shown() if self.customer.entra_workspace_id else None)
        return verify(self.customer, self.offer, observe(self.plane, self.customer, expected), asked)

    def wrong(self, *expected: str) -> list[Finding]:
        """What it finds that is not as it should be."""
        return [each for each in self.verify(*expected) if each.mark is not Mark.GOOD]

    def take_away(self, role: Role) -> None:
        """Take a role out of every delegation, behind everybody's back."""
        from dataclasses import replace

        for kept in self.estate.cloud.delegations.values():
            for key, each in kept.items():
                left = tuple(one for one in each.definition.authorizations if one.role_id != role.id)
                kept[key] = replace(each, definition=replace(each.definition, authorizations=left))


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Onboarded]:
    """Before the command was pasted."""
    made = Onboarded(tmp_path)
    yield made
    made.plane.store.close()


@pytest.fixture
def onboarded(untouched: Onboarded) -> Onboarded:
    """After all of it was done."""
    untouched.onboard()
    return untouched
