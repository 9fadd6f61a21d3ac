"""What hostile input comes to: byte for byte in a row, or whole in quarantine. The page says which."""

from collections import Counter
from pathlib import Path

import pytest

from azmdr.condense.split import split_body
from azmdr.lake.layout import Table
from tests.condense.capture_files import TODAY, file_of_bodies
from tests.condense.hostile import (
    BODIES,
    FIELDS,
    LOG,
    LOST,
    NEXT,
    PAGE,
    START,
    SUCCESS,
    HostileBody,
    HostileField,
    body_of,
    file_with,
    found,
    lake_of,
    parts_of,
    tables,
)
from tests.condense.records import envelope, resource_log_bytes
from tests.condense.test_rebuild import FORMATS, against, condensed, told
from tests.condense.workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "lake")


@pytest.mark.parametrize("hostile", FIELDS, ids=lambda hostile: hostile.name)
@pytest.mark.parametrize("record", [LOG, START], ids=["passing", "stage"])
def test_a_hostile_record_is_kept_and_costs_nobody_else_anything(
    bench: Workbench, hostile: HostileField, record: bytes
) -> None:
    bench.arrive(file_with(body_of(hostile, record), envelope(LOG)))
    assert bench.finish().counts.records == 4
    assert found(bench.lake).keys() == {hostile.within(record), NEXT, LOG, SUCCESS}
    bench.assert_conserved()


@pytest.mark.parametrize("hostile", BODIES, ids=lambda hostile: hostile.name)
def test_a_hostile_body_loses_no_piece_and_costs_no_other_event(
    bench: Workbench, hostile: HostileBody
) -> None:
    other = resource_log_bytes("another event")
    bench.arrive(file_with(hostile.body, envelope(other)))
    assert bench.finish().counts.records == len(hostile.held) + 2
    assert found(bench.lake).keys() == {*hostile.held, other, SUCCESS}
    bench.assert_conserved()


def test_the_page_says_what_becomes_of_each() -> None:
    _, made, _ = parts_of(PAGE.read_text())
    assert made == tables(), "write it anew with: .venv/bin/python -m tests.condense.hostile"
    assert LOST not in made


@pytest.mark.parametrize("form", FORMATS)
def test_all_of_it_comes_back_from_the_output(form: str, tmp_path: Path) -> None:
    bodies = [body_of(hostile, record) for hostile in FIELDS for record in (LOG, START)]
    file = file_with(*bodies, *(hostile.body for hostile in BODIES))
    out, paths = condensed(tmp_path, form, [file])
    counts = told(out, *against(paths))
    assert counts["equal"] is True
    held = {hostile.within(record) for hostile in FIELDS for record in (LOG, START)}
    held |= {piece for hostile in BODIES for piece in hostile.held}
    assert counts["distinct"] == len(held | {NEXT, SUCCESS})


def test_a_quarantined_piece_read_again_is_the_same_piece(tmp_path: Path) -> None:
    bodies = [body_of(hostile, record) for hostile in FIELDS for record in (LOG, START)]
    file = file_with(*bodies, *(hostile.body for hostile in BODIES))
    pieces = [
        content
        for content, verdict in found(lake_of(file, tmp_path / "one")).items()
        if "quarantined" in verdict
    ]
    again = found(lake_of(file_of_bodies(*pieces), tmp_path / "again"))
    assert again.keys() == set(pieces)


def test_what_a_better_reader_can_read_leaves_the_quarantine_when_its_day_is_done_again(
    bench: Workbench,
) -> None:
    large = envelope(*(resource_log_bytes(f"{number} {'x' * 500}") for number in range(9)))
    bench.arrive(file_of_bodies(large))
    assert bench.condense(max_body_bytes=1000).counts.quarantined == 1
    assert bench.rows(Table.QUARANTINED_RECORDS)["content"].to_list() == [large]
    again = bench.step(max_body_bytes=1 << 20).condense_again([TODAY], redo="a larger bound")
    assert (again.counts.quarantined, again.counts.passed_through) == (0, 9)
    assert bench.rows(Table.QUARANTINED_RECORDS).height == 0
    assert Counter(bench.kept_records()) == Counter(piece.content for piece in split_body(large))
    bench.assert_conserved()
