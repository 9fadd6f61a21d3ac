"""Azure Lighthouse: what a customer's scope delegates to a provider's principals.

A registration definition lists authorizations; a registration assignment applies one to a subscription or a
resource group. Source: learn.microsoft.com/azure/lighthouse/concepts/architecture and
learn.microsoft.com/azure/lighthouse/concepts/tenants-users-roles.
"""

import uuid
from dataclasses import dataclass

from lab.azure.arm_error import bad_request
from lab.azure.resource_id import ResourceId
from lab.azure.roles import OWNER, ROLES


@dataclass(frozen=True, slots=True)
class Authorization:
    """A role for one principal of the provider; the object id, not the application's."""

    principal_id: str
    role_id: str
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class RegistrationDefinition:
    """An offer: which provider gets which authorizations."""

    name: str
    subscription_id: str
    customer_tenant_id: str
    provider_tenant_id: str
    provider_tenant_name: str
    offer: str
    authorizations: tuple[Authorization, ...]

    @property
    def id(self) -> str:
        """The resource id."""
        place = f"/subscriptions/{self.subscription_id}/providers/Microsoft.ManagedServices"
        return f"{place}/registrationDefinitions/{self.name}"


@dataclass(frozen=True, slots=True)
class RegistrationAssignment:
    """A definition applied to a scope."""

    name: str
    scope: ResourceId
    definition: RegistrationDefinition

    @property
    def id(self) -> str:
        """The resource id."""
        return f"{self.scope.text}/providers/Microsoft.ManagedServices/registrationAssignments/{self.name}"


def check_definition(definition: RegistrationDefinition) -> None:
    """Refuse an offer Azure would refuse.

    Raises:
        ArmError: 400 for a name that is no GUID, a provider that is the customer itself, or authorizations
            that can't be delegated.
    """
    check_name(definition.name)
    if definition.provider_tenant_id == definition.customer_tenant_id:
        raise bad_request("A tenant can't delegate to itself.", "InvalidRegistrationDefinition")
    check_authorizations(definition.authorizations)


def check_name(name: str) -> None:
    """Refuse a name that is no GUID.

    Raises:
        ArmError: 400.
    """
    try:
        uuid.UUID(name)
    except ValueError as error:
        raise bad_request(f"The name '{name}' is no GUID.", "InvalidRequestContent") from error


def check_authorizations(authorizations: tuple[Authorization, ...]) -> None:
    """Refuse what a delegation can't carry.

    Raises:
        ArmError: 400 for Owner, for a role that is not built in, or for an empty list.
    """
    if not authorizations:
        raise bad_request("A registration definition needs at least one authorization.")
    for authorization in authorizations:
        if authorization.role_id == OWNER.id or authorization.role_id not in ROLES:
            raise bad_request(
                f"Role definition '{authorization.role_id}' can't be delegated; only built-in roles other "
                "than Owner can.",
                "InvalidRegistrationDefinition",
            )
