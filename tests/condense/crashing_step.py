"""A run of the step that kills itself at a chosen boundary: before or after a file of the lake is put,
before or after a transaction commits.

``python -m tests.condense.crashing_step STORE_URL LAKE_FOLDER BOUNDARY``
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from azmdr.lake.storage import DirectoryLake
from azmdr.store.database import Store
from tests.condense.capture_files import CaptureFile, file_of_bodies
from tests.condense.records import envelope, resource_log_bytes, stage_bytes
from tests.condense.workbench import Workbench

LATER: Final = timedelta(days=3)
"""When whoever comes after a dead run begins: its claims have run out."""


def scenario() -> list[CaptureFile]:
    """Three files that share an operation, which the second moves to an earlier hour."""
    policy = stage_bytes("start", correlation="c-2", category="Policy")
    first = [envelope(stage_bytes("success", 3700), policy), envelope(resource_log_bytes("pod"))]
    second = [envelope(b"{'broken': 1}", stage_bytes("start", 3500)), envelope(resource_log_bytes("pod"))]
    third = [envelope(stage_bytes("accept", 3600), policy)]
    return [
        file_of_bodies(*first),
        file_of_bodies(*second, partition=1),
        file_of_bodies(*third, partition=2),
    ]


def run(bench: Workbench) -> None:
    """Each file in a step of its own; between them operations are emitted and closed, and the day compacted.

    So the second and the third file open what was closed again.
    """
    for file in scenario():
        bench.arrive(file)
        bench.finish()
        bench.compact()


@dataclass
class Boundaries:
    """Counts boundaries and dies at one of them."""

    left: int

    def reach(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore(Store):
    """A store whose process may die around each commit."""

    boundaries = Boundaries(0)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            self.boundaries.reach()
        self.boundaries.reach()


class MortalLake(DirectoryLake):
    """A lake whose process may die around each change."""

    boundaries = Boundaries(0)

    def put(self, path: str, content: bytes) -> None:
        self.boundaries.reach()
        super().put(path, content)
        self.boundaries.reach()

    def delete(self, path: str) -> None:
        super().delete(path)
        self.boundaries.reach()


def main(url: str, folder: str, boundary: str) -> None:
    bench = Workbench(url, Path(folder))
    MortalStore.boundaries = MortalLake.boundaries = Boundaries(int(boundary))
    bench.store, bench.lake = MortalStore.open(url), MortalLake(Path(folder))
    run(bench)


if __name__ == "__main__":
    main(*sys.argv[1:])
