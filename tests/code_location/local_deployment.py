"""A deployment on this machine: Azurite for the captures, a state store, a lake in a folder."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient
from sqlalchemy import select

from azmdr.lake.layout import Table
from azmdr.lake.read import digest_of, read_latest
from azmdr.lake.storage import DirectoryLake
from azmdr.store.database import Store
from azmdr.store.ledger import CustomerDay
from azmdr.store.tables import CAPTURE_FILE
from lab.announcement import announcement_of
from lab.azurite import ACCOUNT_KEY, AzuriteServer
from lab.capture_writer import TIME_FIRST, Position, archive_name, encode_file
from lab.customers import Hub
from lab.replay import CaptureStorage
from lab.scenario import PlannedEvent

NAMESPACE: Final = "azure-log-ingest-westeurope-01"


@dataclass(frozen=True, slots=True)
class CaptureBlob:
    """A capture file before it is uploaded."""

    customer: str
    path: str
    content: bytes
    window: datetime

    @property
    def partition(self) -> CustomerDay:
        return CustomerDay(self.customer, f"{self.window:%Y-%m-%d}")

    @property
    def key(self) -> str:
        """Of its Dagster partition."""
        return f"{self.customer}|{self.partition.day}"


def capture_blob(
    *bodies: bytes, customer: str = "contoso", partition: int = 0, age: timedelta = timedelta()
) -> CaptureBlob:
    """A file of one event for each body. Its window ended now, or as long ago as ``age``."""
    window = datetime.now(UTC).replace(microsecond=0) - age
    hub = Hub(NAMESPACE, customer, keeps_empty_files=False)
    events = [PlannedEvent(hub, partition, float(n), body, pieces=0) for n, body in enumerate(bodies)]
    content, _ = encode_file(events, window, Position(), "null", 4000)
    return CaptureBlob(customer, archive_name(TIME_FIRST, hub, partition, window), content, window)


@dataclass(frozen=True)
class LocalDeployment:
    """What the product is told of in ``environment``, seen from outside."""

    storage: CaptureStorage
    poison: QueueClient
    store: Store
    lake: DirectoryLake
    environment: Mapping[str, str] = field(repr=False)

    def upload(self, *blobs: CaptureBlob) -> None:
        for blob in blobs:
            self.storage.upload(blob.path, blob.content)

    def announce(self, *blobs: CaptureBlob) -> None:
        for blob in blobs:
            self.storage.announce(announcement_of(blob.path, len(blob.content), blob.window))

    def arrive(self, *blobs: CaptureBlob) -> None:
        self.upload(*blobs)
        self.announce(*blobs)

    def messages_left(self) -> int:
        """Messages on the capture queue, hidden ones too."""
        return self.storage.queue.get_queue_properties().approximate_message_count or 0

    def set_aside(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(one.content) for one in self.poison.receive_messages()]
        except ResourceNotFoundError:
            return []

    def ledger(self) -> list[Any]:
        """Every row, in the order in which the files became known."""
        with self.store.read() as connection:
            return list(connection.execute(select(CAPTURE_FILE).order_by(CAPTURE_FILE.c.id)))

    def tables(self, customers: Sequence[str]) -> dict[tuple[str, Table], str]:
        """A digest of each table."""
        return {
            (customer, table): digest_of(read_latest(self.lake, customer, table))
            for customer in customers
            for table in Table
        }


def environment_of(azurite: AzuriteServer, store_url: str, lake: Path, name: str) -> dict[str, str]:
    """The settings of a deployment whose container and queue have this name."""
    return {
        "AZMDR_STORE_URL": store_url,
        "AZMDR_LAKE": str(lake),
        "AZMDR_CAPTURE_CONTAINER": f"{azurite.blob_endpoint}/{name}",
        "AZMDR_CAPTURE_QUEUE": f"{azurite.queue_endpoint}/{name}",
        "AZMDR_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
        "AZMDR_LINGER": "0",
        "AZMDR_DEADLINE": "3600",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


@contextmanager
def local_deployment(
    azurite: AzuriteServer, store_url: str, lake: Path, **more: str
) -> Iterator[LocalDeployment]:
    """A new deployment with an empty container, queue, store and lake."""
    name = f"capture-{uuid.uuid4().hex[:12]}"
    store = Store.open(store_url)
    try:
        yield LocalDeployment(
            CaptureStorage.connect(azurite.connection_string, name, name),
            QueueClient.from_connection_string(azurite.connection_string, f"{name}-poison"),
            store,
            DirectoryLake(lake),
            environment_of(azurite, store_url, lake, name) | more,
        )
    finally:
        store.close()


def settle_in(deployment: LocalDeployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process's product use the deployment, and nothing else it might find."""
    move_in(deployment.environment, monkeypatch)


def move_in(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process's product use these settings, and no others it might find."""
    for key in [key for key in os.environ if key.startswith("AZMDR_")]:
        monkeypatch.delenv(key)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
