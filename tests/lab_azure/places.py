"""The places the tests speak of, in the first customer of the scene."""

from typing import Final

from lab.customers import CUSTOMERS

CONTOSO: Final = CUSTOMERS[0]
SUBSCRIPTION: Final = f"/subscriptions/{CONTOSO.subscriptions[0].id}"
_SHORT: Final = CONTOSO.subscriptions[0].id[:8]
_EAST: Final = f"{SUBSCRIPTION}/resourceGroups/contoso-eastus/providers"
VAULT: Final = f"{_EAST}/Microsoft.KeyVault/vaults/kv-{_SHORT}-eastus"
STORAGE: Final = f"{_EAST}/Microsoft.Storage/storageAccounts/st{_SHORT}eastus"
BLOBS: Final = f"{STORAGE}/blobServices/default"
DISK: Final = f"{_EAST}/Microsoft.Compute/disks/disk-eastus"
FRONT_DOOR: Final = (
    f"{SUBSCRIPTION}/resourceGroups/contoso-edge/providers/Microsoft.Network/frontDoors/fd-{_SHORT}"
)


def setting_path(target: str, name: str = "azmdr") -> str:
    """The path of a diagnostic setting."""
    return f"{target}/providers/Microsoft.Insights/diagnosticSettings/{name}"


def settings_path(target: str) -> str:
    """The path of a target's diagnostic settings."""
    return f"{target}/providers/Microsoft.Insights/diagnosticSettings"
