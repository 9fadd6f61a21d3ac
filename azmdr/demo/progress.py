"""How far a demo has come, read from the state store."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from azmdr.condense.counts import Counts
from azmdr.store import ledger, operations
from azmdr.store.database import Store
from azmdr.store.ledger import FileState


@dataclass(frozen=True, slots=True)
class Progress:
    """What has arrived, and what has become of it."""

    files: Mapping[FileState, int]
    counts: Counts
    latencies: Sequence[timedelta]
    """Of each operation in the lake: since the upload of the last file with a record of it."""
    emitted: int
    """Operations in the lake."""
    waiting_operations: int

    @property
    def settled(self) -> bool:
        """Whether nothing waits any more."""
        open_files = self.files.get(FileState.WAITING, 0) + self.files.get(FileState.CLAIMED, 0)
        return open_files == 0 and self.waiting_operations == 0

    def __str__(self) -> str:
        """In one line."""
        files = ", ".join(f"{number} {state}" for state, number in sorted(self.files.items())) or "none yet"
        return (
            f"capture files: {files} · records: {self.counts.records:,}"
            f" · operations in the lake: {self.emitted:,}"
            f" · from upload: {percentiles(self.latencies)}"
        )


def read_progress(store: Store, since: datetime) -> Progress:
    """How far it has come. ``latencies`` are those of what was uploaded since a moment: this start."""
    with store.read() as connection:
        return Progress(
            files=ledger.states(connection),
            counts=ledger.counts_of_all(connection),
            latencies=operations.latencies(connection, since),
            emitted=operations.emitted_operations(connection),
            waiting_operations=operations.waiting_operations(connection),
        )


def percentiles(latencies: Sequence[timedelta]) -> str:
    """The median and the 95th percentile, in seconds."""
    if len(latencies) < 2:
        return "not known yet"
    cuts = statistics.quantiles([one.total_seconds() for one in latencies], n=20, method="inclusive")
    return f"p50 {cuts[9]:.1f} s, p95 {cuts[18]:.1f} s"
