"""Storage of the lake: whole files put, read, listed and deleted, in a directory or in a blob container.

A file is there as a whole or not at all, and once :meth:`LakeStorage.put` returns it stays: the state
store's commit relies on it.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # A local lake has no need of Azure's client, which takes longer to load than a small file.
    from azure.storage.blob import ContainerClient

_READABLE: Final = 0o644
"""Other processes read the lake; who may enter its folder decides who."""


class LakeFileMissingError(LookupError):
    """A file of the lake that should be there is not."""

    def __init__(self, lake: str, path: str) -> None:
        super().__init__(f"lake {lake}: no file {path}")
        self.path = path


class LakeStorage(Protocol):
    """Where the lake's files are. Paths are relative, with forward slashes."""

    @property
    def address(self) -> str:
        """Where it is, for people."""

    def put(self, path: str, content: bytes) -> None:
        """Write a whole file, replacing what stands there."""

    def read(self, path: str) -> bytes:
        """A whole file. Raises :class:`LakeFileMissingError`."""

    def list(self, prefix: str) -> Iterator[str]:
        """The paths that begin with a folder, in order of their names."""

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""


class DirectoryLake:
    """A lake in a local directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def address(self) -> str:
        """The directory."""
        return str(self._directory)

    def put(self, path: str, content: bytes) -> None:
        """Write beside, flush to disk, then rename, so that no reader and no crash sees half a file."""
        target = self._directory / path
        self._make_folder(target.parent)
        descriptor, beside = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".partial")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), _READABLE)
                os.fsync(file.fileno())
            Path(beside).replace(target)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        _flush_directory(target.parent)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder so that it outlives a crash as its files do."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush_directory(folder.parent)

    def read(self, path: str) -> bytes:
        """A whole file."""
        try:
            return (self._directory / path).read_bytes()
        except FileNotFoundError as error:
            raise LakeFileMissingError(self.address, path) from error

    def list(self, prefix: str) -> Iterator[str]:
        """The files below a folder."""
        below = (self._directory / prefix).rglob("*.parquet")
        return iter(sorted(file.relative_to(self._directory).as_posix() for file in below))

    def delete(self, path: str) -> None:
        """Remove a file."""
        (self._directory / path).unlink(missing_ok=True)


class BlobLake:
    """A lake in a blob container, under a prefix that is empty or ends in a slash."""

    def __init__(self, container: "ContainerClient", prefix: str) -> None:
        self._container = container
        self._prefix = prefix

    @property
    def address(self) -> str:
        """The URL of the container and the prefix, without a credential."""
        return f"{self._container.primary_endpoint.split('?')[0]}/{self._prefix}"

    def put(self, path: str, content: bytes) -> None:
        """Upload; Azure shows a block blob only once it is whole."""
        self._container.upload_blob(self._prefix + path, content, overwrite=True)

    def read(self, path: str) -> bytes:
        """A whole blob."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._container.download_blob(self._prefix + path).readall()
        except ResourceNotFoundError as error:
            raise LakeFileMissingError(self.address, path) from error

    def list(self, prefix: str) -> Iterator[str]:
        """The blobs below a folder."""
        names = self._container.list_blob_names(name_starts_with=self._prefix + prefix)
        return (name.removeprefix(self._prefix) for name in names if name.endswith(".parquet"))

    def delete(self, path: str) -> None:
        """Remove a blob."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._container.delete_blob(self._prefix + path)
        except ResourceNotFoundError:
            return


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
