"""Azure Storage clients from a URL: blob containers and queues, in Azure or in Azurite.

The credential is the account's key where one is set, else the identity the process runs under.
"""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient
from pydantic import SecretStr

Credential = dict[str, str] | TokenCredential


class StorageAddressError(ValueError):
    """A URL that does not name a container or a queue."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"storage address {_shown(url)}: {reason}")


def blob_container(url: str, key: SecretStr | None) -> tuple[ContainerClient, str]:
    """The container of a URL, and the prefix behind it: empty, or ending in a slash."""
    account, parts = _parts(url)
    endpoint, names = parts
    if not names:
        raise StorageAddressError(url, "names no container")
    container = ContainerClient(endpoint, names[0], credential=_credential(account, key))
    return container, "".join(f"{name}/" for name in names[1:])


def queue(url: str, key: SecretStr | None) -> QueueClient:
    """The queue of a URL. Message content is handed over as it lies on the queue."""
    account, parts = _parts(url)
    endpoint, names = parts
    if len(names) != 1:
        raise StorageAddressError(url, "does not name one queue")
    return QueueClient(endpoint, names[0], credential=_credential(account, key))


def _parts(url: str) -> tuple[str, tuple[str, list[str]]]:
    """The account, the endpoint, and the names behind it."""
    split = _split(url)
    if split is None or split.scheme not in ("http", "https") or not split.hostname:
        raise StorageAddressError(url, "must begin with https:// and a host")
    if split.query or split.fragment or "@" in split.netloc:
        raise StorageAddressError(
            url, "must not carry a credential or a query; the key is a setting of its own"
        )
    names = [name for name in split.path.split("/") if name]
    endpoint = f"{split.scheme}://{split.netloc}"
    if not _is_address(split.hostname):
        return split.hostname.split(".")[0], (endpoint, names)
    # An emulator has one address for all accounts, so the account is the first part of the path.
    if not names:
        raise StorageAddressError(url, "names no account")
    return names[0], (f"{endpoint}/{names[0]}", names[1:])


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _shown(url: str) -> str:
    """What of an address may be shown. A connection string, a query or a user's part may hold a secret."""
    split = _split(url)
    if split is None or split.scheme not in ("http", "https") or "@" in split.netloc:
        return "(not shown, it may hold a secret)"
    return f"{split.scheme}://{split.netloc}{split.path}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _credential(account: str, key: SecretStr | None) -> Credential:
    if key is None:
        return DefaultAzureCredential()
    return {"account_name": account, "account_key": key.get_secret_value()}
