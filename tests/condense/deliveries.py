"""Deliveries: what a day's records may look like by the time they are capture files, drawn at random.

The same records may stand in any events, on any partition, twice, among broken pieces; each partition's
events come in sequence; they may be cut into files anywhere, and files may overlap.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from tests.condense.capture_files import CaptureFile, Event, capture_file
from tests.condense.records import NOON, envelope, resource_log_bytes, sign_in_bytes, stage_bytes

LETTERS: Final = {"S": "start", "A": "accept", "+": "success", "-": "failure"}
STORIES: Final = ("S+", "SA+", "SAAA+", "SA", "S", "+", "-", "S-S+", "S-SAA", "SS++", "S++", "S+-")
BROKEN: Final = b"{'properties': 'single quotes'}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files in the order in which they arrive, and the readable records that are in them."""

    files: tuple[CaptureFile, ...]
    records: frozenset[bytes]


@st.composite
def days(draw: st.DrawFn) -> list[bytes]:
    """The distinct records of a day: operations that cross hours, sign-ins told twice, logs of all kinds."""
    records: list[bytes] = []
    for number in range(draw(st.integers(1, 3))):
        begins = draw(st.sampled_from([0, 3500, 7100]))
        story = draw(st.sampled_from(STORIES))
        category = draw(st.sampled_from(["Administrative", "Administrative", "Policy"]))
        records += [
            stage_bytes(LETTERS[letter], begins + 60 * step, f"c-{number}", category=category)
            for step, letter in enumerate(story)
        ]
    for number in range(draw(st.integers(0, 2))):
        records.append(sign_in_bytes(f"e-{number}", 3600 * number))
        if draw(st.booleans()):
            records.append(sign_in_bytes(f"e-{number}", 3600 * number, delivered=21.6))
    records += [resource_log_bytes(f"pod-{number}", 1800) for number in range(draw(st.integers(0, 2)))]
    return records


@st.composite
def deliveries(draw: st.DrawFn, records: list[bytes]) -> Delivery:
    """One way in which these records may come."""
    repeated = draw(st.lists(st.sampled_from(records), max_size=3))
    order = draw(st.permutations([*records, *repeated]))
    bodies: list[list[bytes]] = [[]]
    for record in order:
        bodies[-1].append(record)
        if draw(st.booleans()):
            bodies.append([])
        elif draw(st.integers(0, 9)) == 0:
            bodies[-1].insert(0, BROKEN)
    partitions: dict[int, list[Event]] = {}
    for body in bodies:
        events = partitions.setdefault(draw(st.integers(0, 2)), [])
        latest = events[-1].enqueued if events else NOON
        enqueued = latest + timedelta(seconds=draw(st.sampled_from([0, 0, 1, 60, 3000])))
        events.append(Event(len(events), envelope(*body), enqueued))
    files = [file for number, events in partitions.items() for file in draw(cuts(number, events))]
    return Delivery(tuple(draw(st.permutations(files))), frozenset(records))


@st.composite
def cuts(draw: st.DrawFn, partition: int, events: list[Event]) -> list[CaptureFile]:
    """A partition's events cut into files, and files with events that other files have too."""
    at = sorted(draw(st.sets(st.integers(1, len(events) - 1), max_size=3))) if len(events) > 1 else []
    ranges = list(zip([0, *at], [*at, len(events)], strict=True))
    if draw(st.booleans()):
        first = draw(st.integers(0, len(events) - 1))
        ranges.append((first, draw(st.integers(first + 1, len(events)))))
    ends: datetime = events[-1].enqueued
    return [
        # No two files of a partition share a window, as no two have the same name.
        capture_file(events[start:stop], partition, ends + timedelta(seconds=number + 1))
        for number, (start, stop) in enumerate(ranges)
    ]
