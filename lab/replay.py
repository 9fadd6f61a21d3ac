"""The replay: plays an episode's steps into a container and a queue, and can be killed at any moment.

A step that was under way is taken again: its files are there already or are written now, and a message that
comes twice is nothing Event Grid doesn't do.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import msgspec
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from lab.announcement import Announcement, message
from lab.episode import EpisodePlan, Step, plan_episode
from lab.replay_state import ReplayState, ended, step_done
from lab.story import ExpectedOperation

_GONE_ETAG: Final = "0x8DE0000000000000"


@dataclass(frozen=True, slots=True)
class Written:
    """What the blob service says of a blob that was written."""

    etag: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaptureStorage:
    """The container that takes capture files, and the queue that announces them."""

    container: ContainerClient
    queue: QueueClient
    written: dict[str, Written] = field(default_factory=dict)
    """By blob name, what was uploaded from here."""

    @classmethod
    def connect(cls, connection_string: str, container: str, queue: str) -> Self:
        """The two of them in a storage account; created where they are absent."""
        storage = cls(
            ContainerClient.from_connection_string(connection_string, container),
            QueueClient.from_connection_string(connection_string, queue),
        )
        for create in (storage.container.create_container, storage.queue.create_queue):
            try:
                create()
            except ResourceExistsError:
                continue
        return storage

    def upload(self, path: str, content: bytes) -> None:
        """Write a blob, unless it is there already."""
        try:
            answer = self.container.get_blob_client(path).upload_blob(content)
        except ResourceExistsError:
            return
        # The service tells the time in whole seconds, too coarse to measure how long the product takes.
        self.written[path] = Written(str(answer["etag"]), datetime.now(UTC))

    def announce(self, announcement: Announcement) -> None:
        """Send the message for a blob, be it there or gone. It says when the blob was really written."""
        written = self.written.get(announcement.path) or self._look_up(announcement)
        content = message(replace(announcement, created=written.at), self.container.url, written.etag)
        self.queue.send_message(content)

    def _look_up(self, announcement: Announcement) -> Written:
        try:
            blob = self.container.get_blob_client(announcement.path).get_blob_properties()
        except ResourceNotFoundError:
            return Written(_GONE_ETAG, announcement.created)
        return Written(str(blob.etag), blob.last_modified)


@dataclass(frozen=True, slots=True)
class Replay:
    """Plays episodes in real time divided by ``speed``, until ``stop`` is set."""

    storage: CaptureStorage
    state_file: Path
    expected_file: Path
    speed: float
    stop: threading.Event
    report: Callable[[EpisodePlan, int], None]
    """Called after every step with its number."""

    def play_episode(self, state: ReplayState) -> ReplayState:
        """Play the running episode from the step it came to; returns the state it got to."""
        if state.running is None:
            return state
        state.write(self.state_file)
        plan = plan_episode(state.running, state.positions)
        append_expected(plan.expected, self.expected_file)
        seconds = state.running.settings.window_seconds / self.speed
        due = time.monotonic()
        for number in range(state.steps_done, len(plan.steps)):
            due += seconds
            if self.stop.wait(max(0.0, due - time.monotonic())):
                return state
            take_step(plan.steps[number], self.storage)
            state = step_done(state, plan.steps[number].counts)
            state.write(self.state_file)
            self.report(plan, number)
        state = ended(state, plan)
        state.write(self.state_file)
        return state


def take_step(step: Step, storage: CaptureStorage) -> None:
    """Upload the step's files, then send its messages."""
    for path, content in step.uploads.items():
        storage.upload(path, content)
    for planned in step.messages:
        if isinstance(planned, Announcement):
            storage.announce(planned)
        else:
            storage.queue.send_message(planned.text)


def append_expected(expected: Iterable[ExpectedOperation], path: Path) -> None:
    """Append the expectations that the file does not hold yet, one JSON line each."""
    present = set(path.read_bytes().splitlines()) if path.exists() else set()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.writelines(line + b"\n" for line in map(msgspec.json.encode, expected) if line not in present)
