"""The verdict: what the lab planted, compared with what the lake holds. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from azmdr.lake.layout import Table


class Expected(msgspec.Struct, frozen=True):
    """What must come out for one operation the lab planted."""

    customer: str
    story: str
    correlation_id: str | None
    operation_name: str
    resource_id: str
    outcome: str
    attempts: int
    records: int
    ambiguous: bool


Key = tuple[str, str | None, str, str]
"""Customer, correlation id, operation name and resource id, in lower case."""


@dataclass(frozen=True, slots=True)
class Miss:
    """An operation that did not come out as expected."""

    expected: Expected
    seen: str


@dataclass(frozen=True, slots=True)
class Story:
    """How one kind of planted operation came out."""

    name: str
    outcomes: Mapping[str, int]
    """Expected outcomes, with how many operations each."""
    as_expected: int
    misses: tuple[Miss, ...]

    @property
    def planted(self) -> int:
        """How many operations of it were planted."""
        return self.as_expected + len(self.misses)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a whole scenario came out."""

    stories: tuple[Story, ...]
    unexpected: int
    """Operations in the lake that nobody planted."""

    @property
    def planted(self) -> int:
        """How many operations were planted."""
        return sum(story.planted for story in self.stories)

    @property
    def good(self) -> bool:
        """Whether every planted operation came out as expected, and no other."""
        return self.planted > 0 and self.unexpected == 0 and not any(story.misses for story in self.stories)


def read_expected(path: Path) -> list[Expected]:
    """What the lab expects, from its file of JSON lines; a line still being written is left."""
    if not path.exists():
        return []
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    return [msgspec.json.decode(line, type=Expected) for line in whole.splitlines()]


def judge(expected: Iterable[Expected], operations: Mapping[str, pl.DataFrame]) -> Verdict:
    """Compare what was planted with the operations of each customer, as the lake has them."""
    seen: defaultdict[Key, list[str]] = defaultdict(list)
    for customer, rows in operations.items():
        for key, row in _told(customer, rows):
            seen[key].append(row)
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    good: Counter[str] = Counter()
    misses: defaultdict[str, list[Miss]] = defaultdict(list)
    for one in expected:
        outcomes[one.story][one.outcome] += 1
        told = " and ".join(seen.pop(_key(one), ["nothing"]))
        wanted = _tell(one.outcome, one.attempts, one.records, ambiguous=one.ambiguous)
        if told == wanted:
            good[one.story] += 1
        else:
            misses[one.story].append(Miss(one, told))
    stories = (
        Story(name, dict(sorted(outcomes[name].items())), good[name], tuple(misses[name]))
        for name in sorted(outcomes)
    )
    return Verdict(tuple(stories), unexpected=sum(map(len, seen.values())))


def counts_of(tables: Mapping[Table, pl.DataFrame]) -> dict[str, int]:
    """A customer's rows, in the lab's words: what came of the bodies, without the odd files."""
    pieces = tables[Table.QUARANTINED_RECORDS].filter(pl.col("sequence_number").is_not_null())
    return {
        "operations": tables[Table.OPERATIONS].height,
        "passed_through": tables[Table.ACTIVITY_RECORDS].height,
        "quarantined": pieces.height,
        "operation_records": int(tables[Table.OPERATIONS]["revision"].sum()),
    }


def _key(one: Expected) -> Key:
    correlation = one.correlation_id.lower() if one.correlation_id else None
    return one.customer, correlation, one.operation_name.lower(), one.resource_id.lower()


def _told(customer: str, rows: pl.DataFrame) -> Iterable[tuple[Key, str]]:
    for row in rows.iter_rows(named=True):
        correlation = (row["correlation_id"] or "").lower() or None
        key = (customer, correlation, row["operation_name"].lower(), (row["resource_id"] or "").lower())
        yield key, _tell(row["outcome"], row["attempts"], row["revision"], ambiguous=row["ambiguous"])


def _tell(outcome: str, attempts: int, records: int, *, ambiguous: bool) -> str:
    tries = f", {attempts} attempts" if attempts > 1 else ""
    return f"{outcome} of {records} record{'s' * (records != 1)}{tries}{', ambiguous' * ambiguous}"
