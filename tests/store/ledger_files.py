"""Capture files for the store's tests: as they are found, and as the ledger has them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from azmdr.capture.names import TIME_FIRST, CaptureName
from azmdr.store.database import Store
from azmdr.store.ledger import CustomerDay, FoundFile, LedgerFile, claim_waiting, record_files

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY: Final = "2026-11-24"
LEASE: Final = timedelta(minutes=10)
CONTOSO: Final = CustomerDay("contoso", DAY)
FABRIKAM: Final = CustomerDay("fabrikam", DAY)


def found(
    minute: int = 0,
    *,
    customer: str = "contoso",
    etag: str = "0x8DE0001",
    partition_id: str = "0",
    window: datetime | None = None,
    size: int = 1000,
    namespace: str = "azure-logs-westeurope-01",
) -> FoundFile:
    """A capture file whose window ends ``minute`` minutes after noon."""
    name = CaptureName(namespace, customer, partition_id, window or NOON + timedelta(minutes=minute))
    uploaded_at = name.window + timedelta(seconds=5)
    return FoundFile(TIME_FIRST.build(name), etag, size, customer, name, uploaded_at, "message")


def record(store: Store, files: Iterable[FoundFile], now: datetime = NOON) -> int:
    """Write files down in a transaction of its own."""
    with store.write() as connection:
        return record_files(connection, files, now)


def claim(
    store: Store,
    partitions: Iterable[CustomerDay] = (CONTOSO,),
    *,
    owner: str = "run",
    now: datetime = NOON,
    limit: int = 100,
) -> list[LedgerFile]:
    """Claim waiting files in a transaction of its own."""
    with store.write() as connection:
        return claim_waiting(connection, list(partitions), owner=owner, now=now, lease=LEASE, limit=limit)


def held_file(store: Store, minute: int = 0, *, customer: str = "contoso", owner: str = "run") -> LedgerFile:
    """A file that was just found and is held by a run."""
    record(store, [found(minute, customer=customer)])
    (file,) = claim(store, [CustomerDay(customer, DAY)], owner=owner)
    return file


def minutes(files: Iterable[LedgerFile]) -> list[int]:
    """The files by the minute their window ends, in their order."""
    return [file.name.window.minute for file in files]
