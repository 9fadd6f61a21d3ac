"""What presence promises: only complete listings take something away, and only slowly."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from azmdr.inventory.presence import Absence, Changes, Known, compare

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOLD_DOWN = timedelta(hours=24)
THINGS = "abc"


@dataclass(frozen=True)
class Listing:
    """What a listing showed, how it ended, and how long after the one before."""

    seen: dict[str, int]
    complete: bool
    hours: int


listings = st.lists(
    st.builds(
        Listing,
        st.dictionaries(st.sampled_from(THINGS), st.integers(0, 1)),
        st.booleans(),
        st.sampled_from((1, 8, 24)),
    ),
    max_size=12,
)


@dataclass
class Memory:
    """Keeps what the changes say, as the store does."""

    known: dict[str, Known[int]] = field(default_factory=dict)
    now: datetime = START

    def hear(self, listing: Listing) -> Changes[str, int]:
        self.now += timedelta(hours=listing.hours)
        changes = compare(
            self.known, listing.seen, complete=listing.complete, at=self.now, hold_down=HOLD_DOWN
        )
        for key, facts in (changes.new | changes.changed).items():
            before = self.known.get(key)
            self.known[key] = Known(facts, before.absence if before else Absence())
        for key in changes.back:
            self.known[key] = Known(self.known[key].facts)
        for key, absence in changes.missing.items():
            self.known[key] = Known(self.known[key].facts, absence)
        for key in changes.gone:
            del self.known[key]
        return changes


def known(**facts: int) -> dict[str, Known[int]]:
    return {key: Known(value) for key, value in facts.items()}


def hear(memory: Memory, *seen: str, complete: bool = True, hours: int = 1) -> Changes[str, int]:
    return memory.hear(Listing(dict.fromkeys(seen, 0), complete, hours))


def test_what_was_not_known_is_new_and_what_is_other_is_changed() -> None:
    changes = compare(known(a=0, b=0), {"a": 0, "b": 1, "c": 0}, complete=True, at=START, hold_down=HOLD_DOWN)
    assert (changes.new, changes.changed) == ({"c": 0}, {"b": 1})
    assert (changes.back, changes.missing, changes.gone) == ({}, {}, [])


def test_a_listing_of_what_is_known_changes_nothing() -> None:
    assert not compare(known(a=0), {"a": 0}, complete=True, at=START, hold_down=HOLD_DOWN)


def test_one_complete_listing_is_not_enough_however_long_it_has_been() -> None:
    memory = Memory(known(a=0))
    assert hear(memory, hours=1000).missing == {"a": Absence(memory.now, 1)}
    assert "a" in memory.known


def test_two_complete_listings_are_not_enough_before_the_hold_down_is_over() -> None:
    memory = Memory(known(a=0))
    hear(memory)
    for _ in range(23):
        assert hear(memory).gone == []
    assert hear(memory).gone == ["a"]
    assert memory.known == {}


def test_a_thing_that_comes_back_is_told_and_begins_anew() -> None:
    memory = Memory(known(a=0))
    hear(memory)
    hear(memory, hours=23)
    assert hear(memory, "a").back == {"a": 0}
    hear(memory)
    assert hear(memory, hours=23).gone == []
    assert hear(memory, hours=1).gone == ["a"]


def test_a_thing_seen_in_a_listing_that_broke_off_is_there_too() -> None:
    memory = Memory(known(a=0))
    hear(memory)
    assert hear(memory, "a", complete=False).back == {"a": 0}
    assert memory.known["a"].absence == Absence()


def test_an_empty_listing_that_broke_off_says_nothing() -> None:
    assert not compare(known(a=0, b=0), {}, complete=False, at=START, hold_down=HOLD_DOWN)


@given(listings)
def test_a_listing_that_broke_off_takes_nothing_away(sequence: list[Listing]) -> None:
    memory = Memory()
    for listing in sequence:
        before = memory.known.keys() | set()
        changes = memory.hear(listing)
        if not listing.complete:
            assert not changes.missing
            assert not changes.gone
            assert before <= memory.known.keys()


@given(listings)
def test_a_thing_is_gone_exactly_when_its_history_says_so(sequence: list[Listing]) -> None:
    """The oracle looks at the whole history, and keeps no count on the way."""
    memory, history = Memory(), list[tuple[datetime, Listing]]()
    there = set[str]()
    for listing in sequence:
        memory.hear(listing)
        history.append((memory.now, listing))
        there |= listing.seen.keys()
        there -= {thing for thing in there if _is_gone(thing, history)}
        assert memory.known.keys() == there


def _is_gone(thing: str, history: list[tuple[datetime, Listing]]) -> bool:
    last_seen = max(index for index, (_, listing) in enumerate(history) if thing in listing.seen)
    misses = [at for at, listing in history[last_seen + 1 :] if listing.complete]
    ended_now = bool(misses) and history[-1][1].complete
    return ended_now and len(misses) >= 2 and misses[-1] - misses[0] >= HOLD_DOWN


@given(listings)
def test_what_is_known_of_a_thing_is_what_was_last_seen_of_it(sequence: list[Listing]) -> None:
    memory, last = Memory(), dict[str, int]()
    for listing in sequence:
        memory.hear(listing)
        last |= listing.seen
        assert {key: each.facts for key, each in memory.known.items()}.items() <= last.items()
