"""Where Azure Resource Manager and Entra ID are, and who we are there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

PUBLIC_ENDPOINT: Final = "https://management.azure.com"


@dataclass(frozen=True, slots=True)
class ArmAddress:
    """Where Azure Resource Manager and Entra ID are. The default is Azure's public cloud."""

    endpoint: str = PUBLIC_ENDPOINT
    authority: str | None = None
    """Entra ID's address, where it is not the public one; then nobody else is asked whether it is genuine."""
    authority_file: Path | None = None
    """A certificate authority to trust in place of the machine's."""


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """Who we are: an application in the provider's tenant."""

    tenant_id: str
    client_id: str
    secret: SecretStr
