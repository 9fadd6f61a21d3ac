"""Access: which actions a principal may take at which scope, by its own roles and by delegations.

Source: learn.microsoft.com/azure/role-based-access-control/overview and
learn.microsoft.com/azure/lighthouse/concepts/architecture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.azure.arm_error import ArmError
from lab.azure.delegations import RegistrationAssignment
from lab.azure.directory import Principal
from lab.azure.resource_id import within
from lab.azure.resources import Subscription
from lab.azure.roles import ROLES, Role


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role given to a principal, in its own tenant, at a scope and below."""

    principal_id: str
    role_id: str
    scope_key: str
    name: str = ""
    """Where it was given over HTTP."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that reaches down from a scope, however it was given."""

    role: Role
    scope_key: str


def grants(
    principal: Principal,
    subscription: Subscription,
    assignments: Iterable[RoleAssignment],
    delegations: Iterable[RegistrationAssignment],
) -> tuple[Grant, ...]:
    """Everything a principal holds in one subscription.

    Args:
        principal: who asks.
        subscription: the subscription.
        assignments: role assignments, of any tenant and scope.
        delegations: the registration assignments in that subscription.
    """
    if principal.tenant_id == subscription.tenant_id:
        return tuple(
            Grant(
                ROLES[each.role_id],
                # What was given at a management group holds in the whole subscription.
                subscription.key if each.scope_key in subscription.ancestors else each.scope_key,
            )
            for each in assignments
            if each.principal_id in principal.identities and _reaches(each, subscription)
        )
    return tuple(_delegated(principal, delegations))


def _reaches(assignment: RoleAssignment, subscription: Subscription) -> bool:
    key = assignment.scope_key
    return within(key, subscription.key) or key in subscription.ancestors


def _delegated(principal: Principal, delegations: Iterable[RegistrationAssignment]) -> Iterator[Grant]:
    for delegation in delegations:
        if delegation.definition.provider_tenant_id != principal.tenant_id:
            continue
        for authorization in delegation.definition.authorizations:
            if authorization.principal_id in principal.identities:
                yield Grant(ROLES[authorization.role_id], delegation.scope.key)


def may(held: Iterable[Grant], action: str, scope_key: str) -> bool:
    """Whether the grants allow an action at a scope."""
    return any(within(scope_key, grant.scope_key) and grant.role.allows(action) for grant in held)


def forbidden(principal: Principal, action: str, scope: str) -> ArmError:
    """403: the principal is known here and may not do this."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{principal.app_id or principal.name}' with object id '{principal.object_id}' does not "
        f"have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If "
        "access was recently granted, please refresh your credentials.",
    )


def linked_forbidden(principal: Principal, action: str, scope: str, linked: str) -> ArmError:
    """403: the principal may do it here, but not what it entails at the destination."""
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client with object id '{principal.object_id}' has permission to perform the action on scope "
        f"'{scope}'; however, it does not have permission to perform action '{action}' on the linked scope "
        f"'{linked}' or the linked scope is invalid.",
    )


def wrong_tenant(token_tenant: str, subscription_tenant: str) -> ArmError:
    """401: the token's tenant has nothing to do with this subscription."""
    return ArmError(
        401,
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer 'https://sts.windows.net/{token_tenant}/'. It must match "
        f"the tenant 'https://sts.windows.net/{subscription_tenant}/' associated with this subscription.",
    )
