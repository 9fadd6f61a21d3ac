"""The offer: who asks a customer for which roles. The same for every customer of a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from azmdr.config import ConfigurationError, Settings
from azmdr.onboarding.roles import RoleSet

_LONGEST_NAME = 128
_LONGEST_DESCRIPTION = 256


@dataclass(frozen=True, slots=True, order=True)
class Delegate:
    """A group, service principal or user of ours: the object id, never an application's id."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What every customer is asked to grant."""

    provider_tenant_id: str
    name: str
    description: str
    delegates: tuple[Delegate, ...]
    roles: RoleSet

    @classmethod
    def of(
        cls,
        provider_tenant_id: str,
        name: str,
        description: str,
        delegates: Mapping[str, str],
        roles: RoleSet,
    ) -> "Offer":
        """An offer that Azure takes as it is written.

        Raises:
            ConfigurationError: a value can't be; the message names its setting.
        """
        _check_text("offer_name", name, _LONGEST_NAME)
        _check_text("offer_description", description, _LONGEST_DESCRIPTION)
        if not delegates:
            raise ConfigurationError(
                "settings: delegate_to: not set; object ids of the groups or service principals azmdr runs as"
            )
        for display_name in delegates.values():
            _check_text("delegate_to", display_name, _LONGEST_NAME)
        listed = sorted(Delegate(_guid("delegate_to", key), each) for key, each in delegates.items())
        tenant_id = _guid("provider_tenant_id", provider_tenant_id)
        return cls(tenant_id, name, description, tuple(listed), roles)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Offer":
        """The offer of a deployment.

        Raises:
            ConfigurationError: something it needs is not set, or can't be.
        """
        return cls.of(
            settings.required("provider_tenant_id"),
            settings.offer_name,
            settings.offer_description,
            settings.delegate_to,
            RoleSet(settings.delegated_roles),
        )


def _guid(key: str, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise ConfigurationError(f"settings: {key}: {text!r} is no GUID") from error


def _check_text(key: str, text: str, longest: int) -> None:
    # Azure Policy reads a value that begins with a bracket as an expression of its own.
    if not text.strip() or len(text) > longest or text.startswith("[") or not text.isprintable():
        raise ConfigurationError(
            f"settings: {key}: must be 1 to {longest} printable characters and must not begin with a bracket"
        )
