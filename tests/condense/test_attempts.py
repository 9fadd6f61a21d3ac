"""What attempts promise: which records belong to one try, and how each try ended."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.condense.attempts import Attempt, Outcome, attempts_of, in_order
from azmdr.condense.classify import StageRecord
from tests.condense.records import stage_record

LETTERS = {"S": "start", "A": "accept", "+": "success", "-": "failure"}


def told(story: str) -> list[StageRecord]:
    """One record a second: S started, A accepted, + succeeded, - failed."""
    return [stage_record(LETTERS[letter], second) for second, letter in enumerate(story)]


def attempts(story: str) -> list[Attempt]:
    return attempts_of(in_order(told(story)))


@pytest.mark.parametrize(
    ("story", "outcomes"),
    [
        ("S", ["started"]),
        ("A", ["accepted"]),
        ("+", ["success"]),
        ("-", ["failure"]),
        ("SA", ["accepted"]),
        ("SAAAAA", ["accepted"]),
        ("S+", ["success"]),
        ("S-", ["failure"]),
        ("SA+", ["success"]),
        ("SA+++", ["success"]),
        ("S+A", ["success"]),
        ("+A", ["success"]),
        ("-A", ["failure"]),
        ("+AS", ["success", "started"]),
        ("S-S+", ["failure", "success"]),
        ("S-SAAA", ["failure", "accepted"]),
        ("S-S-S-", ["failure", "failure", "failure"]),
        ("SS++", ["success"]),
        ("SS+S++", ["success"]),
        ("SS++S-", ["success", "failure"]),
        ("S-+", ["success"]),
        ("S+-", ["failure"]),
    ],
)
def test_an_operations_records_tell_its_attempts(story: str, outcomes: list[str]) -> None:
    assert [attempt.outcome for attempt in attempts(story)] == outcomes


@pytest.mark.parametrize("late", ["S+A", "+SA", "A+S"])
def test_what_ended_it_beats_any_accept_of_the_attempt_whatever_the_times(late: str) -> None:
    first = attempts(late)[0]
    assert first.outcome is Outcome.SUCCESS


def test_the_latest_of_two_ends_decides_and_their_contradiction_is_told() -> None:
    (turned,) = attempts("S-+")
    assert (turned.outcome, turned.conflict) == (Outcome.SUCCESS, True)
    (back,) = attempts("S+-")
    assert (back.outcome, back.conflict) == (Outcome.FAILURE, True)


def test_ends_that_agree_are_no_conflict() -> None:
    assert not any(attempt.conflict for attempt in attempts("S++") + attempts("S-S+"))


def test_starts_that_overlap_are_one_ambiguous_attempt() -> None:
    (overlapping,) = attempts("SS++")
    assert overlapping.ambiguous
    assert not any(attempt.ambiguous for attempt in attempts("S+S+"))


def test_a_start_at_the_moment_of_its_own_end_comes_before_it() -> None:
    records = [stage_record("success", 0), stage_record("accept", 0), stage_record("start", 0)]
    assert [record.stage for record in in_order(records)] == ["start", "accept", "success"]


def test_a_repeated_record_counts_once() -> None:
    assert len(in_order([*told("SA+"), *told("SA+")])) == 3


def test_a_conflict_at_one_moment_is_decided_the_same_way_always() -> None:
    ends = [stage_record("success", 1), stage_record("failure", 1)]
    assert attempts_of(in_order(ends))[0].decisive == attempts_of(in_order(reversed(ends)))[0].decisive


stories = st.text("SA+-", min_size=1, max_size=12)


@given(stories, st.integers(0, 1 << 30))
def test_the_order_of_arrival_makes_no_difference(story: str, seed: int) -> None:
    records = told(story)
    shuffled = [*records, *records[::2]]
    Random(seed).shuffle(shuffled)
    assert attempts_of(in_order(shuffled)) == attempts_of(in_order(records))


@given(stories)
def test_every_record_is_in_exactly_one_attempt_in_order(story: str) -> None:
    joined = [record for attempt in attempts(story) for record in attempt.records]
    assert joined == in_order(told(story))


@given(stories)
def test_an_attempt_is_final_when_and_only_when_something_ended_it(story: str) -> None:
    for attempt in attempts(story):
        assert attempt.outcome.final == any(record.stage.terminal for record in attempt.records)


@given(stories)
def test_only_a_start_after_an_end_opens_a_further_attempt(story: str) -> None:
    first, *further = attempts(story)
    for before, attempt in zip([first, *further], further, strict=False):
        assert attempt.records[0].stage == "start"
        assert before.outcome.final
