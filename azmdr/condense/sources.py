"""Sources: local capture files, each with its owner and what its name says of it."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final, Self

from azmdr.capture.avro import Buffer, CapturedEvent, Damage
from azmdr.capture.names import AZURE_DEFAULT, TIME_FIRST, CaptureName, CaptureNameError, parse_capture_name
from azmdr.lake.layout import customer_name

NAME_PARTS: Final = 9
"""Path segments of a capture file's name, in Azure's order and in azmdr's."""

MAX_BODY_BYTES: Final = 32 << 20
"""The default of the setting: a body larger than that is kept whole, not taken apart."""

Progress = Callable[[int], None]
"""Called with the bytes read since it was called before."""


@dataclass(frozen=True, slots=True)
class Source:
    """A local capture file."""

    path: Path
    size: int
    customer: str
    window: datetime
    """When its capture interval ended."""
    partition: tuple[str, str, str]
    """Whose events its own are compared with."""

    @classmethod
    def of(cls, path: Path, customer: str) -> Self:
        """A file, which belongs to ``customer`` where its path names no event hub."""
        name = _capture_name(path)
        status = path.stat()
        if name is not None:
            partition = (name.namespace, name.event_hub, name.partition_id)
            return cls(path, status.st_size, customer_name(name.event_hub), name.window, partition)
        # A file without a name of its own may be of any partition, so its events are compared with none.
        window = datetime.fromtimestamp(status.st_mtime, UTC)
        return cls(path, status.st_size, customer, window, (str(path), "", ""))

    def mapped(self) -> bytes | mmap:
        """Its bytes."""
        with self.path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ) if self.size else b""


def reported(
    found: Iterable[CapturedEvent | Damage], data: Buffer, progress: Progress
) -> Iterator[CapturedEvent | Damage]:
    """What a scan finds, with progress that comes to the size of the file."""
    left = len(data)
    for one in found:
        # Azure may write a whole file as one block, so the bodies tell the way, not where blocks begin.
        step = min(left, len(one.body or b"") if isinstance(one, CapturedEvent) else one.length)
        left -= step
        progress(step)
        yield one
    progress(left)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Records hold no circles, so looking for some among a million of them is in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _capture_name(path: Path) -> CaptureName | None:
    try:
        return parse_capture_name("/".join(path.absolute().parts[-NAME_PARTS:]), (TIME_FIRST, AZURE_DEFAULT))
    except CaptureNameError:
        return None
