import base64
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab.__main__ import main
from lab.azurite import AzuriteServer
from lab.chaos import Chaos
from lab.episode import Episode, EpisodePlan, Settings, plan_episode
from lab.replay import CaptureStorage, Replay
from lab.replay_state import ReplayState, StateError, begun

SETTINGS = Settings(size=0.0, chaos=Chaos(0.2, 0.2, 0.2, 0.1))


@pytest.fixture
def storage(azurite: AzuriteServer) -> CaptureStorage:
    name = f"replay-{uuid.uuid4().hex[:12]}"
    return CaptureStorage.connect(azurite.connection_string, name, name)


def drained(storage: CaptureStorage) -> list[str]:
    """The text of every message on the queue, which is empty afterwards."""
    texts: list[str] = []
    for page in storage.queue.receive_messages(messages_per_page=32).by_page():
        for message in page:
            texts.append(message.content)
            storage.queue.delete_message(message)
    return texts


def announced(texts: list[str]) -> dict[str, dict[str, Any]]:
    """Announced events by blob name."""
    events = [json.loads(base64.b64decode(text)) for text in texts if not text.startswith("neither")]
    return {event["subject"].split("/blobs/", 1)[1]: event for event in events}


def replay(
    storage: CaptureStorage, folder: Path, stop: threading.Event, report: Callable[[EpisodePlan, int], None]
) -> Replay:
    return Replay(storage, folder / "state.json", folder / "expected.jsonl", 1000, stop, report)


def ignore(_plan: EpisodePlan, _number: int) -> None:
    return None


def test_a_replay_leaves_files_messages_and_expectations(
    azurite: AzuriteServer, storage: CaptureStorage, tmp_path: Path
) -> None:
    options = {
        "--connection-string": azurite.connection_string,
        "--container": storage.container.container_name,
        "--queue": storage.queue.queue_name,
        "--state": str(tmp_path / "state.json"),
        "--expected": str(tmp_path / "expected.jsonl"),
        "--size": "0",
        "--speed": "1000",
    }
    result = CliRunner().invoke(main, ["replay", *(part for option in options.items() for part in option)])
    assert result.exit_code == 0, result.stderr
    totals = json.loads(result.stdout)

    blobs = {blob.name: blob for blob in storage.container.list_blobs()}
    texts = drained(storage)
    events = announced(texts)
    assert len(blobs) == totals["files"] + totals["odd_files"]
    assert len(texts) == totals["messages"]
    assert len(blobs.keys() - events.keys()) == totals["lost_messages"]
    assert sum(text.startswith("neither") for text in texts) == 1
    for path in blobs.keys() & events.keys():
        assert events[path]["data"]["contentLength"] == blobs[path].size
        assert events[path]["data"]["eTag"] == blobs[path].etag.strip('"')
    expected = (tmp_path / "expected.jsonl").read_text().splitlines()
    assert len(expected) == sum(customer["operations"] for customer in totals["customers"].values())
    assert json.loads(expected[0]).keys() == {
        *("customer", "story", "correlation_id", "operation_name", "resource_id"),
        *("outcome", "attempts", "records", "ambiguous"),
    }


def test_a_replay_killed_in_the_middle_of_a_step_leaves_what_an_undisturbed_one_leaves(
    storage: CaptureStorage, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    def kill_in_third_step(_plan: EpisodePlan, number: int) -> None:
        if number == 2:
            raise KilledError

    state_file = tmp_path / "state.json"
    state = begun(ReplayState(), SETTINGS, datetime.now(UTC), speed=1000)
    assert state.running is not None
    plan = plan_episode(state.running, {})
    with pytest.raises(KilledError):
        replay(storage, tmp_path, threading.Event(), kill_in_third_step).play_episode(state)
    # As if the kill had come before the third step was put down as done: it is taken again.
    replace(ReplayState.read(state_file), steps_done=2).write(state_file)

    resumed = ReplayState.read(state_file)
    after = replay(storage, tmp_path, threading.Event(), ignore).play_episode(resumed)

    uploads = {name: content for step in plan.steps for name, content in step.uploads.items()}
    for name, content in uploads.items():
        assert storage.container.download_blob(name).readall() == content
    assert {blob.name for blob in storage.container.list_blobs()} == uploads.keys()
    assert after.positions == plan.positions
    assert (after.episodes, after.running) == (1, None)
    assert len((tmp_path / "expected.jsonl").read_text().splitlines()) == len(plan.expected)


def test_a_replay_that_is_told_to_stop_ends_between_two_steps(
    storage: CaptureStorage, tmp_path: Path
) -> None:
    stop = threading.Event()
    state = begun(ReplayState(), SETTINGS, datetime.now(UTC), speed=1000)
    stopped = replay(storage, tmp_path, stop, lambda _plan, number: stop.set() if number == 1 else None)
    after = stopped.play_episode(state)
    assert (after.steps_done, after.running) == (2, state.running)
    assert ReplayState.read(tmp_path / "state.json") == after


def test_the_state_survives_its_file(tmp_path: Path) -> None:
    state = ReplayState(episodes=4, running=Episode(4, datetime.now(UTC), SETTINGS), steps_done=3)
    state.write(tmp_path / "deep" / "state.json")
    assert ReplayState.read(tmp_path / "deep" / "state.json") == state


def test_a_state_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("[]")
    with pytest.raises(StateError, match=r"state\.json is no state of a replay"):
        ReplayState.read(tmp_path / "state.json")
