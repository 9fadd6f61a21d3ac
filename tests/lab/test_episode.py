import io
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro

from lab.announcement import Announcement
from lab.capture_writer import Position
from lab.chaos import Chaos
from lab.episode import Counts, Episode, EpisodePlan, Settings, plan_episode
from lab.replay_state import ReplayState, begun, ended

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TANGLED = Settings(size=0.2, chaos=Chaos(0.3, 0.3, 0.3, 0.2))


def captured(plan: EpisodePlan) -> dict[tuple[str, ...], list[int]]:
    """Sequence numbers by partition, in the order in which the files were written."""
    numbers: dict[tuple[str, ...], list[int]] = {}
    for step in plan.steps:
        for name, content in step.uploads.items():
            namespace, hub, partition = name.split("/")[4:7]
            rows: list[Any] = list(fastavro.reader(io.BytesIO(content)))
            numbers.setdefault((namespace, hub, partition), []).extend(row["SequenceNumber"] for row in rows)
    return numbers


def total(plan: EpisodePlan) -> Counts:
    return sum((step.counts for step in plan.steps), Counts())


def test_a_second_plan_of_the_same_episode_is_the_same_to_the_byte() -> None:
    episode = Episode(3, START, TANGLED)
    assert plan_episode(episode, {}) == plan_episode(episode, {})


def test_sequence_numbers_go_on_in_the_next_episode_without_a_gap() -> None:
    settings = Settings(size=0.0, odd=False)
    first = plan_episode(Episode(0, START, settings), {})
    second = plan_episode(Episode(1, first.end, settings), first.positions)
    for partition, numbers in captured(second).items():
        all_numbers = captured(first).get(partition, []) + numbers
        assert all_numbers == list(range(len(all_numbers)))


def test_no_file_of_one_episode_has_the_name_of_another_ones() -> None:
    first = plan_episode(Episode(0, START, TANGLED), {})
    second = plan_episode(Episode(1, first.end, TANGLED), first.positions)
    names = [name for plan in (first, second) for step in plan.steps for name in step.uploads]
    assert len(names) == len(set(names))


def test_every_file_is_announced_unless_its_message_is_lost() -> None:
    plan = plan_episode(Episode(0, START, TANGLED), {})
    written = {name for step in plan.steps for name in step.uploads}
    announced = {told.path for step in plan.steps for told in step.messages if isinstance(told, Announcement)}
    assert len(written - announced) == total(plan).lost_messages > 0
    assert len(announced - written) == 1  # the odd one that is gone


def test_a_message_is_sent_no_earlier_than_its_file_is_there() -> None:
    present: set[str] = set()
    announced: set[str] = set()
    for step in plan_episode(Episode(0, START, TANGLED), {}).steps:
        present |= step.uploads.keys()
        announced |= {told.path for told in step.messages if isinstance(told, Announcement)}
        assert len(announced - present) <= 1  # the odd one that is gone


def test_the_counts_of_the_steps_are_those_of_the_scenario() -> None:
    plan = plan_episode(Episode(0, START, TANGLED), {})
    assert total(plan).records == sum(totals.records for totals in plan.totals.values())
    assert total(plan).files + total(plan).odd_files == sum(len(step.uploads) for step in plan.steps)
    assert total(plan).messages == sum(len(step.messages) for step in plan.steps)


def test_both_codecs_are_used() -> None:
    plan = plan_episode(Episode(0, START, Settings(size=0.2, deflate_share=0.5, odd=False)), {})
    codecs = [
        fastavro.reader(io.BytesIO(content)).metadata["avro.codec"]
        for step in plan.steps
        for content in step.uploads.values()
    ]
    assert min(codecs.count("null"), codecs.count("deflate")) > len(codecs) / 4


def test_odd_things_are_planted_once_and_only_when_asked_for() -> None:
    assert total(plan_episode(Episode(0, START, Settings(size=0)), {})).odd_files == 3
    assert total(plan_episode(Episode(0, START, Settings(size=0, odd=False)), {})).odd_files == 0


def test_an_unfinished_episode_goes_on_with_its_own_settings() -> None:
    running = begun(ReplayState(), TANGLED, START, speed=1)
    assert begun(running, Settings(seed=99), START + timedelta(days=1), speed=5) == running


def test_the_next_episode_never_begins_before_the_last_one_ended() -> None:
    state = begun(ReplayState(), TANGLED, START, speed=50)
    assert state.running is not None
    plan = plan_episode(state.running, state.positions)
    following = begun(ended(state, plan), TANGLED, START + timedelta(seconds=2), speed=50)
    assert following.running is not None
    assert following.running.start >= plan.end
    assert following.running.seed != state.running.seed


def test_played_fast_an_episode_still_does_not_run_ahead_of_the_clock() -> None:
    speed = 20.0
    state = begun(ReplayState(), TANGLED, START, speed)
    assert state.running is not None
    plan = plan_episode(state.running, {})
    played = timedelta(seconds=len(plan.steps) * TANGLED.window_seconds / speed)
    assert plan.end <= START + played


def test_positions_of_partitions_without_events_stay() -> None:
    untouched = {"elsewhere/contoso/0": Position(12, 3400)}
    plan = plan_episode(Episode(0, START, Settings(size=0)), untouched)
    assert plan.positions["elsewhere/contoso/0"] == Position(12, 3400)
