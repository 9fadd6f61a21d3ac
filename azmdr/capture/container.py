"""The blob container that Event Hubs Capture writes to: reading one file, listing many."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, StorageErrorCode

from azmdr.capture.messages import etag_text

LISTING_PAGE: Final = 5000
"""Names in one page of a listing, Azure's maximum."""


class CaptureFileGoneError(LookupError):
    """The blob is not there."""

    def __init__(self, path: str) -> None:
        super().__init__(f"capture file {path}: there is no such blob")


class CaptureFileChangedError(LookupError):
    """The blob has been written anew since it was announced."""

    def __init__(self, path: str, etag: str) -> None:
        super().__init__(f"capture file {path}: no longer has the content it had as {etag}")


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """A blob as a listing shows it."""

    path: str
    etag: str
    size: int
    modified: datetime


class CaptureContainer:
    """The container's blobs, read-only."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    @property
    def name(self) -> str:
        """The container's name, as messages say it."""
        return str(self._client.container_name)

    @property
    def url(self) -> str:
        """Its address, without a credential."""
        return str(self._client.url).split("?")[0]

    def read(self, path: str, etag: str) -> bytes:
        """The content a blob had when it was announced with this etag.

        Raises:
            CaptureFileGoneError: there is no such blob any more.
            CaptureFileChangedError: it has another content now.
            AzureError: the service did not answer, or refused; this says nothing about the blob.
        """
        try:
            blob = self._client.download_blob(
                path, etag=f'"{etag}"', match_condition=MatchConditions.IfNotModified, max_concurrency=2
            )
            return blob.readall()
        except ResourceNotFoundError as error:
            # Where the whole container is missing, the address is wrong and the blob may well be there.
            if getattr(error, "error_code", None) != StorageErrorCode.BLOB_NOT_FOUND:
                raise
            raise CaptureFileGoneError(path) from error
        except ResourceModifiedError as error:
            # A blob that is gone meets no condition either, and a server may answer with that alone.
            if not self._client.get_blob_client(path).exists():
                raise CaptureFileGoneError(path) from error
            raise CaptureFileChangedError(path, etag) from error

    def list(self, prefix: str) -> Iterator[ListedBlob]:
        """Every blob whose name begins with a prefix. Complete, or an error of the SDK."""
        for blob in self._client.list_blobs(name_starts_with=prefix, results_per_page=LISTING_PAGE):
            yield ListedBlob(blob.name, etag_text(blob.etag), blob.size, blob.last_modified)
