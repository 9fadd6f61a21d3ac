"""Lighthouse delegations, resource providers and policies of customers' subscriptions, as we see them.

Microsoft's clients for these are four packages more for six reads, so they go by path. Sources:
Microsoft.ManagedServices 2022-10-01, Microsoft.Authorization 2023-04-01 and Microsoft.PolicyInsights
2019-10-01 in Microsoft's REST API specifications.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Call
from azmdr.azure.pacing import Kind, Lane

_SERVICES: Final = "providers/Microsoft.ManagedServices/registrationAssignments"
_SERVICES_VERSION: Final = "2022-10-01"
_POLICY_VERSION: Final = "2023-04-01"
_STATES_VERSION: Final = "2019-10-01"
_RESOURCES_VERSION: Final = "2025-04-01"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A registration assignment with its definition."""

    id: str
    scope: str
    """A subscription or a resource group; the key of its id."""
    provider_tenant_id: str
    offer: str
    grants: frozenset[tuple[str, str]]
    """Principal and role, by their ids in lower case."""


@dataclass(frozen=True, slots=True)
class Delegations:
    """What customers' subscriptions say of delegations and of what keeps them true."""

    arm: Arm

    def of_scope(self, scope: str) -> Call[list[Delegation]]:
        """The delegations of a subscription or a resource group, and of what is in it."""
        return Call(
            _lane(scope, Kind.READS),
            f"reading the delegations of {scope}",
            lambda: [
                _delegation(each)
                for each in self._every(
                    f"{scope}/{_SERVICES}", _SERVICES_VERSION, expandRegistrationDefinition="true"
                )
            ],
        )

    def give_back(self, delegation: Delegation) -> Call[object]:
        """End a delegation; the definition stays, which is the customer's."""
        return Call(
            _lane(delegation.scope, Kind.DELETES),
            f"giving back {delegation.id}",
            lambda: self.arm.ask("DELETE", delegation.id, _SERVICES_VERSION),
        )

    def is_registered(self, subscription_id: str, provider: str) -> Call[bool]:
        """Whether a resource provider is registered in a subscription."""
        path = f"/subscriptions/{subscription_id}/providers/{provider}"
        return Call(
            _lane(path, Kind.READS),
            f"reading whether {provider} is registered in subscription {subscription_id}",
            lambda: str(self.arm.ask("GET", path, _RESOURCES_VERSION)["registrationState"]) == "Registered",
        )

    def policy_assignments(self, subscription_id: str) -> Call[dict[str, str]]:
        """The ids of the policy assignments that hold in a subscription, by name in lower case."""
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/policyAssignments"
        return Call(
            _lane(path, Kind.READS),
            f"reading the policy assignments of subscription {subscription_id}",
            lambda: {
                str(each["name"]).lower(): str(each["id"])
                for each in self._every(path, _POLICY_VERSION, filter="atScope()")
            },
        )

    def complies(self, subscription_id: str, assignment_id: str) -> Call[bool | None]:
        """Whether a subscription complies with a policy assignment; None while nobody has looked."""
        base = f"/subscriptions/{subscription_id}/providers/Microsoft.PolicyInsights/policyStates/latest"
        quoted = assignment_id.replace("'", "''")
        chosen = f"policyAssignmentId eq '{quoted}' and resourceType eq 'Microsoft.Resources/subscriptions'"

        def ask() -> bool | None:
            shown = self.arm.ask("POST", f"{base}/queryResults", _STATES_VERSION, filter=chosen)
            states = [str(each["complianceState"]).lower() for each in shown["value"]]
            return all(each == "compliant" for each in states) if states else None

        return Call(
            _lane(base, Kind.WRITES),
            f"reading whether subscription {subscription_id} complies with {assignment_id}",
            ask,
        )

    def _every(self, path: str, api_version: str, **query: str) -> Iterator[Any]:
        shown = self.arm.ask("GET", path, api_version, **query)
        yield from shown["value"]
        while link := shown.get("nextLink"):
            shown = self.arm.ask("GET", link, "")
            yield from shown["value"]


def _lane(scope: str, kind: Kind) -> Lane:
    return Lane(scope.split("/")[2].lower(), kind)


def _delegation(found: Any) -> Delegation:
    definition = (found["properties"].get("registrationDefinition") or {}).get("properties") or {}
    return Delegation(
        id=str(found["id"]),
        scope=str(found["id"]).lower().rpartition("/providers/microsoft.managedservices/")[0],
        provider_tenant_id=str(definition.get("managedByTenantId", "")).lower(),
        offer=str(definition.get("registrationDefinitionName") or ""),
        grants=frozenset(
            (str(each["principalId"]).lower(), str(each["roleDefinitionId"]).rpartition("/")[2].lower())
            for each in definition.get("authorizations") or ()
        ),
    )
