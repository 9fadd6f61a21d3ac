"""Opening the lake: one address says where it is."""

from pathlib import Path

from pydantic import SecretStr

from azmdr.azure.storage import blob_container
from azmdr.lake.storage import BlobLake, DirectoryLake, LakeStorage


def open_lake(address: str, key: SecretStr | None = None) -> LakeStorage:
    """The lake at a directory, or at the URL of a blob container with or without a prefix."""
    if address.startswith(("http://", "https://")):
        container, prefix = blob_container(address, key)
        return BlobLake(container, prefix)
    return DirectoryLake(Path(address))
