"""Built-in roles: which actions each allows. Only those that matter to watching a customer's Azure.

Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles. Actions that no route of the lab
asks for are left out where a wildcard does not cover them anyway.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition: its id and what it allows, minus what it takes back."""

    id: str
    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether the role allows an action such as ``Microsoft.Insights/diagnosticSettings/write``."""
        return _matches_any(self.actions, action) and not _matches_any(self.not_actions, action)


OWNER: Final = Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", ("*",))
CONTRIBUTOR: Final = Role(
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Contributor",
    ("*",),
    ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"),
)
READER: Final = Role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", ("*/read",))
MONITORING_READER: Final = Role("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", ("*/read",))
MONITORING_CONTRIBUTOR: Final = Role(
    "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
    "Monitoring Contributor",
    (
        "*/read",
        "Microsoft.Insights/DiagnosticSettings/*",
        "Microsoft.Insights/register/action",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ),
)
LOG_ANALYTICS_CONTRIBUTOR: Final = Role(
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
    "Log Analytics Contributor",
    (
        "*/read",
        "Microsoft.Compute/virtualMachines/extensions/*",
        "Microsoft.HybridCompute/machines/extensions/write",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.Insights/diagnosticSettings/*",
        "Microsoft.OperationalInsights/*",
        "Microsoft.OperationsManagement/*",
        "Microsoft.Resources/deployments/*",
        "Microsoft.Storage/storageAccounts/listKeys/action",
    ),
)
EVENT_HUBS_DATA_OWNER: Final = Role(
    "f526a384-b230-433a-b45c-95f59c4a2dec", "Azure Event Hubs Data Owner", ("Microsoft.EventHub/*",)
)
RESOURCE_POLICY_CONTRIBUTOR: Final = Role(
    "36243c78-bf99-498c-9df9-86d9f8d28608",
    "Resource Policy Contributor",
    (
        "*/read",
        "Microsoft.Authorization/policyassignments/*",
        "Microsoft.Authorization/policydefinitions/*",
        "Microsoft.PolicyInsights/*",
        "Microsoft.Resources/deployments/*",
    ),
)
ASSIGNMENT_DELETE_ROLE: Final = Role(
    "91c1777a-f3dc-4fae-b103-61d183457e46",
    "Managed Services Registration assignment Delete Role",
    (
        "Microsoft.ManagedServices/registrationAssignments/read",
        "Microsoft.ManagedServices/registrationAssignments/delete",
    ),
)

ROLES: Final = {
    role.id: role
    for role in (
        OWNER,
        CONTRIBUTOR,
        READER,
        MONITORING_READER,
        MONITORING_CONTRIBUTOR,
        LOG_ANALYTICS_CONTRIBUTOR,
        EVENT_HUBS_DATA_OWNER,
        RESOURCE_POLICY_CONTRIBUTOR,
        ASSIGNMENT_DELETE_ROLE,
    )
}


@cache
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(re.escape(action).replace(r"\*", ".*"), re.IGNORECASE)


@cache
def _matches_any(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)
