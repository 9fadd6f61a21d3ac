"""Azurite: Microsoft's own storage emulator as a child process, for as long as a ``with`` block lasts.

Its switches are described at learn.microsoft.com/azure/storage/common/storage-use-azurite. Telemetry is on
by default since 3.35, and the newest SDKs ask for API versions it does not know yet (both measured), hence
the two flags every start carries.
"""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from lab.node import NODE_MODULES, node_binary

ACCOUNT: Final = "devstoreaccount1"
ACCOUNT_KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The well-known key of Azurite's only account: public, in Microsoft's documentation, and worth nothing."""

_LISTENING: Final = re.compile(r"Azurite (Blob|Queue) service is successfully listening at (http://\S+)\s")
_TAIL_LINES: Final = 10


class AzuriteError(RuntimeError):
    """Azurite did not come up; holds the last lines it said."""

    def __init__(self, problem: str, last_lines: list[str]) -> None:
        said = "\n".join(f"  {line}" for line in last_lines) or "  (nothing)"
        super().__init__(f"Azurite {problem}. It last said:\n{said}")
        self.problem = problem
        self.last_lines = last_lines


class AzuriteServer:
    """One Azurite with blobs and queues on 127.0.0.1.

    Args:
        folder: where it keeps its data and its log; None keeps all in memory.
        blob_port: port of the blob service; 0 takes a free one.
        queue_port: port of the queue service; 0 takes a free one.
        ready_within: seconds it may take to come up.

    Raises:
        AzuriteError: on entering the block, when it is not installed or does not come up.
    """

    def __init__(
        self, folder: Path | None, blob_port: int = 0, queue_port: int = 0, ready_within: float = 60.0
    ) -> None:
        self.folder = folder
        self._ports = (blob_port, queue_port)
        self._ready_within = ready_within
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._endpoints: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def blob_endpoint(self) -> str:
        """Address of the account's blobs."""
        return f"{self._endpoints['Blob']}/{ACCOUNT}"

    @property
    def queue_endpoint(self) -> str:
        """Address of the account's queues."""
        return f"{self._endpoints['Queue']}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What the SDK clients take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={self.blob_endpoint};QueueEndpoint={self.queue_endpoint};"
        )

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and wait until both services listen."""
        script = NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
        if not script.exists():
            raise AzuriteError("is not installed: run `python -m lab install`", [])
        self._log = self._open_log()
        self._process = subprocess.Popen(
            [node_binary(), script, *self._arguments()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._await_listening()
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raise :class:`AzuriteError` when it has ended by itself."""
        if self._process is not None and (exit_code := self._process.poll()) is not None:
            raise AzuriteError(f"ended with exit code {exit_code}", self._last_lines())

    def stop(self) -> None:
        """Ask it to end, so that it writes what it holds; kill it when it does not listen."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _arguments(self) -> list[str]:
        blob_port, queue_port = self._ports
        place = ["--inMemoryPersistence"] if self.folder is None else ["--location", str(self.folder)]
        return [
            *("--blobHost", "127.0.0.1", "--blobPort", str(blob_port)),
            *("--queueHost", "127.0.0.1", "--queuePort", str(queue_port)),
            *("--tableHost", "127.0.0.1", "--tablePort", "0"),
            *("--disableTelemetry", "--skipApiVersionCheck", "--silent"),
            *place,
        ]

    def _open_log(self) -> IO[bytes]:
        # A file can't fill up like a pipe that nobody reads.
        if self.folder is None:
            return tempfile.TemporaryFile(prefix="azurite-", suffix=".log")
        self.folder.mkdir(parents=True, exist_ok=True)
        return (self.folder / "azurite.log").open("w+b")

    def _await_listening(self) -> None:
        deadline = time.monotonic() + self._ready_within
        while time.monotonic() < deadline:
            said = self._said()
            self._endpoints = dict(_LISTENING.findall(said))
            if self._endpoints.keys() >= {"Blob", "Queue"}:
                return
            self.check()
            time.sleep(0.05)
        raise AzuriteError(f"did not come up within {self._ready_within:g} s", self._last_lines())

    def _last_lines(self) -> list[str]:
        return self._said().splitlines()[-_TAIL_LINES:]

    def _said(self) -> str:
        if self._log is None:
            return ""
        # Parent and child share one file position; reading by offset leaves it where the child writes.
        log = self._log.fileno()
        return os.pread(log, os.fstat(log).st_size, 0).decode("utf-8", "replace")
