"""The directory (Entra ID): tenants, the principals in them, and who a token speaks for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tenant:
    """An Entra ID tenant."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ManagementGroup:
    """A management group: subscriptions of one tenant, for roles and policies that hold in all of them."""

    name: str
    tenant_id: str

    @property
    def key(self) -> str:
        """The group as a scope, lower-cased."""
        return f"/providers/microsoft.management/managementgroups/{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Principal:
    """A service principal (with an application and a secret) or a user, in one tenant.

    An application that is known in several tenants has a principal, with its own object id, in each.
    """

    tenant_id: str
    object_id: str
    name: str
    app_id: str | None = None
    secret: str | None = None
    groups: frozenset[str] = frozenset()
    """Object ids of the groups it belongs to."""
    is_security_administrator: bool = False
    """Whether it holds the directory role that Entra ID's diagnostic settings ask for."""

    @property
    def is_user(self) -> bool:
        """Whether a person stands behind it."""
        return self.app_id is None

    @property
    def identities(self) -> frozenset[str]:
        """The object ids under which it may hold roles."""
        return self.groups | {self.object_id}
