"""The scopes of policies: a subscription or what is in it, and the management groups above it.

Source: learn.microsoft.com/azure/governance/management-groups/overview. Lighthouse delegates no management
group, so a provider may do nothing at one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lab.azure.access import forbidden
from lab.azure.arm_error import not_found
from lab.azure.call import Call
from lab.azure.cloud import Cloud
from lab.azure.resource_id import within
from lab.azure.resources import Subscription
from lab.azure.roles import ROLES

GROUP_PATH: Final = "/providers/Microsoft.Management/managementGroups/{management_group}"


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """Where policies are kept, assigned and evaluated."""

    text: str
    above: frozenset[str]
    """Keys of the scopes whose policies reach this one, itself among them."""
    subscriptions: tuple[Subscription, ...]
    """Those at it or below it; those that contain it when it stands within one."""

    @property
    def key(self) -> str:
        """What spellings have in common."""
        return self.text.lower()


def policy_scope(call: Call, action: str) -> PolicyScope:
    """The scope of a call, once the caller is known to be allowed the action there.

    Raises:
        ArmError: 403, or 404 for a management group that is not there.
    """
    if "management_group" in call.parts:
        return _of_management_group(call, action)
    scope, subscription = call.scope, call.cloud.subscription(call.scope.subscription_id)
    reaching = _prefixes(scope.key, subscription.key)
    return PolicyScope(scope.text, frozenset({*reaching, *subscription.ancestors}), (subscription,))


def _of_management_group(call: Call, action: str) -> PolicyScope:
    name = call.parts["management_group"]
    text = GROUP_PATH.format(management_group=name)
    group = call.cloud.management_groups.get(name.lower())
    if group is None or group.tenant_id != call.principal.tenant_id:
        raise not_found(f"The management group '{name}' was not found.", "NotFound")
    if not _may(call, action, text.lower()):
        raise forbidden(call.principal, action, text)
    members = members_of(call.cloud, text.lower())
    return PolicyScope(text, frozenset({text.lower()}), members)


def _may(call: Call, action: str, key: str) -> bool:
    return any(
        each.scope_key == key
        and each.principal_id in call.principal.identities
        and ROLES[each.role_id].allows(action)
        for each in call.cloud.role_assignments
    )


def members_of(cloud: Cloud, scope_key: str) -> tuple[Subscription, ...]:
    """The subscriptions an assignment at a scope reaches."""
    return tuple(each for each in cloud.subscriptions.values() if scope_key in (each.key, *each.ancestors))


def reaches(scope_key: str, subscription: Subscription) -> bool:
    """Whether a scope is a subscription, is in it, or is a management group above it."""
    return within(scope_key, subscription.key) or scope_key in subscription.ancestors


def _prefixes(key: str, subscription_key: str) -> Iterable[str]:
    while len(key) > len(subscription_key):
        yield key
        key = key.rpartition("/")[0]
    yield subscription_key
