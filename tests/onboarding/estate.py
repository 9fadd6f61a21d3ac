"""A customer before onboarding: a management group, three subscriptions with resources, nothing delegated."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from lab.azure.cloud import Cloud
from lab.azure.directory import Principal
from lab.azure.event_hubs import AuthorizationRule
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL
from lab.azure.roles import OWNER
from lab.azure.scenario import SEND_RULE, Scene, build_scene, identity
from lab.azure.tokens import issue
from lab.azure.wire import Request

REGION: Final = "westeurope"
GROUP: Final = "/providers/Microsoft.Management/managementGroups/fabrikam-root"
NAME: Final = "fabrikam"
TENANT: Final = identity(NAME)
SUBSCRIPTIONS: Final = tuple(identity(NAME, each) for each in ("production", "test", "data"))
NEW_SUBSCRIPTION: Final = identity(NAME, "later")
DEPLOYMENT: Final = "Microsoft.Resources/deployments"
VERSION: Final = "2025-04-01"


@dataclass
class Reply:
    """What came back."""

    status: int
    body: Any

    @property
    def state(self) -> str:
        """The provisioning state, with what went wrong."""
        properties = self.body.get("properties", self.body)
        return str(properties.get("error") or properties.get("provisioningState") or properties)


@dataclass
class Estate:
    """The customer's Azure, the provider's beside it, and the customer's administrator."""

    scene: Scene = field(init=False)
    door: FrontDoor = field(init=False)
    admin: Principal = field(init=False)

    def __post_init__(self) -> None:
        cloud = Cloud()
        self.scene = build_scene(cloud, [])
        self.door = FrontDoor(cloud)
        namespace = cloud.add_event_hub_namespace(self.scene.namespace_id(REGION), REGION)
        cloud.rules[namespace.id.key][SEND_RULE] = AuthorizationRule(SEND_RULE, ("Send",))
        cloud.add_event_hub(self.scene.namespace_id(REGION), NAME)
        cloud.add_tenant(TENANT, NAME)
        for subscription_id in SUBSCRIPTIONS:
            self.add_subscription(subscription_id)
        cloud.add_management_group(TENANT, "fabrikam-root", SUBSCRIPTIONS)
        self.admin = cloud.add_principal(
            Principal(TENANT, identity(NAME, "admin"), "admin", is_security_administrator=True)
        )
        cloud.assign(self.admin, OWNER, GROUP)

    @property
    def cloud(self) -> Cloud:
        """All that stands."""
        return self.scene.cloud

    def add_subscription(self, subscription_id: str) -> None:
        """A subscription with a vault in it."""
        self.cloud.add_subscription(TENANT, subscription_id, f"{NAME}-{subscription_id[:4]}")
        vault = f"/subscriptions/{subscription_id}/resourceGroups/app/providers/Microsoft.KeyVault/vaults/kv"
        self.cloud.add_resource(vault, REGION)

    def ask(
        self,
        method: str,
        path: str,
        version: str,
        body: object = None,
        by: Principal | None = None,
        **query: str,
    ) -> Reply:
        """Ask as the administrator, or as somebody else."""
        cloud, who = self.cloud, by or self.admin
        token = issue(
            who, "https://management.azure.com", cloud.clock.now(), cloud.token_lifetime, cloud.signing_key
        )
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token}"}
        asked = {"api-version": version, **{f"${name}": value for name, value in query.items()}}
        answer = self.door.answer(Request(method, path, URL, asked, headers, content))
        return Reply(answer.status, answer.body)

    def deploy(
        self,
        template: dict[str, Any],
        parameters: dict[str, Any],
        scope: str = GROUP,
        name: str = "azmdr-onboarding",
        by: Principal | None = None,
    ) -> Reply:
        """Deploy a template as the one command does."""
        body = {
            "location": REGION,
            "properties": {"mode": "Incremental", "template": template, "parameters": parameters},
        }
        return self.ask("PUT", f"{scope}/providers/{DEPLOYMENT}/{name}", VERSION, body, by)

    def wait(self, minutes: float = 15) -> None:
        """Let time pass, and somebody ask so that it is noticed."""
        self.cloud.clock.advance(timedelta(minutes=minutes).total_seconds())
        self.ask("GET", "/subscriptions", "2022-12-01")

    def roles_of(self, scope: str) -> set[str]:
        """The ids of the roles the provider's principal got by delegations of exactly this scope."""
        return {
            granted.role_id
            for each in self.cloud.delegations[scope.split("/")[2]].values()
            if each.scope.key == scope.lower()
            for granted in each.definition.authorizations
            if granted.principal_id == self.scene.principal.object_id
        }
