"""The built-in roles a customer delegates to us, and what each is for.

Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles and
learn.microsoft.com/azure/lighthouse/how-to/onboard-customer. Why these: docs/onboarding.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role, and what of ours does not work without it."""

    id: str
    name: str
    use: str


MONITORING_CONTRIBUTOR: Final = Role(
    "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
    "Monitoring Contributor",
    "writes diagnostic settings of the subscription and of resources",
)
READER: Final = Role(
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Reader",
    "lists subscriptions, resources and their settings",
)
ASSIGNMENT_DELETE: Final = Role(
    "91c1777a-f3dc-4fae-b103-61d183457e46",
    "Managed Services Registration Assignment Delete Role",
    "lets us give the delegation back",
)
LOG_ANALYTICS_CONTRIBUTOR: Final = Role(
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
    "Log Analytics Contributor",
    "writes data export rules of the Entra ID workspace",
)


class RoleSet(StrEnum):
    """Which roles every subscription delegates, by the names the templates know."""

    LEAST_PRIVILEGE = "leastPrivilege"
    ARTICLE = "article"

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles, in the templates' order."""
        return _ROLES[self]


_ROLES: Final = {
    RoleSet.LEAST_PRIVILEGE: (MONITORING_CONTRIBUTOR, READER, ASSIGNMENT_DELETE),
    RoleSet.ARTICLE: (LOG_ANALYTICS_CONTRIBUTOR, READER),
}
