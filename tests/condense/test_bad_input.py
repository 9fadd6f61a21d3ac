"""What bad input costs: itself. It is kept or named with its reason and place, and all else goes on."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from azmdr.capture import avro
from azmdr.condense import classify, split
from azmdr.lake.layout import Table
from azmdr.store import ledger
from tests.condense.capture_files import (
    TODAY,
    CaptureFile,
    Event,
    FilesInMemory,
    avro_of,
    capture_file,
    damaged_file,
    file_of_bodies,
)
from tests.condense.records import NOON, encoded, envelope, resource_log_bytes, stage_bytes, stage_fields
from tests.condense.workbench import LEASE, Workbench

START, SUCCESS, LOG = stage_bytes("start"), stage_bytes("success", 1), resource_log_bytes("pod")
GOOD = file_of_bodies(envelope(START, SUCCESS))
MEGABYTE = 1 << 20


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "lake")


def sound(count: int = 40) -> bytes:
    events = [
        Event(number, envelope(resource_log_bytes(f"{number} {'x' * 600}")), NOON) for number in range(count)
    ]
    return avro_of(events)


def assert_the_good_file_went_on(bench: Workbench) -> None:
    assert bench.rows(Table.OPERATIONS)["outcome"].to_list() == ["success"]
    bench.assert_conserved()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", avro.EMPTY_FILE),
        (b"not avro at all", avro.NOT_AVRO),
        (sound()[:40], avro.HEADER_TRUNCATED),
        (sound().replace(b'"SequenceNumber"', b'"SequenceNumbre"'), avro.WRONG_SCHEMA),
        (sound().replace(b"avro.codec\x08null", b"avro.codec\x08lzma"), avro.UNKNOWN_CODEC),
    ],
    ids=["zero-bytes", "no-avro", "cut-header", "wrong-schema", "unknown-codec"],
)
def test_a_file_that_is_no_capture_file_is_kept_whole_with_the_reason(
    bench: Workbench, content: bytes, reason: str
) -> None:
    bad = damaged_file(content)
    bench.arrive(bad, GOOD)
    bench.finish()
    (row,) = bench.rows(Table.QUARANTINED_RECORDS).to_dicts()
    assert (row["reason"], row["path"], row["file_offset"]) == (reason, bad.path, 0)
    assert (row["content"], row["length"]) == (content, len(content))
    assert row["detail"]
    assert bench.states() == {"done": 2}
    assert_the_good_file_went_on(bench)


def test_a_file_that_is_cut_off_gives_what_stands_before_the_cut(bench: Workbench) -> None:
    content = sound()
    cut = damaged_file(content[: len(content) * 2 // 3])
    bench.arrive(cut, GOOD)
    bench.finish()
    (row,) = bench.rows(Table.QUARANTINED_RECORDS).to_dicts()
    assert row["reason"] == avro.BLOCK_TRUNCATED
    assert row["path"] == cut.path
    assert cut.content.endswith(row["content"])
    assert row["file_offset"] + row["length"] == len(cut.content)
    assert bench.rows(Table.ACTIVITY_RECORDS).height > 5
    assert_the_good_file_went_on(bench)


def test_a_body_that_is_no_json_is_kept_beside_the_events_around_it(bench: Workbench) -> None:
    file = file_of_bodies(envelope(LOG), b"Message 7", envelope(resource_log_bytes("other")), partition=1)
    bench.arrive(file, GOOD)
    bench.finish()
    (row,) = bench.rows(Table.QUARANTINED_RECORDS).to_dicts()
    assert (row["reason"], row["content"]) == (split.NOT_JSON, b"Message 7")
    assert (row["path"], row["sequence_number"], row["index"]) == (file.path, 1, 0)
    assert row["file_offset"] > 0
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 2
    assert_the_good_file_went_on(bench)


@pytest.mark.parametrize(
    ("record", "reasons"),
    [
        (b'{"time":"1","x":"\xff"}', {classify.INVALID_UTF8}),
        (b'{"time":"1","category":"\\ud800"}', {split.NOT_JSON}),
        (b'{"time":"1","x":' + b"[" * 300 + b"]" * 300 + b"}", {classify.UNREADABLE_FIELD}),
        (b'{"time":"1","x":' + b"[" * 2000 + b"]" * 2000 + b"}", {split.NOT_JSON, classify.UNREADABLE_FIELD}),
    ],
    ids=["no-text", "half-a-pair", "300-levels", "2000-levels"],
)
def test_a_record_no_row_can_hold_is_kept_in_quarantine(
    bench: Workbench, record: bytes, reasons: set[str]
) -> None:
    bench.arrive(file_of_bodies(envelope(LOG, record, START), envelope(SUCCESS)))
    bench.finish()
    (row,) = bench.rows(Table.QUARANTINED_RECORDS).to_dicts()
    assert (row["content"], row["index"], row["sequence_number"]) == (record, 1, 0)
    assert row["reason"] in reasons
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 1
    assert_the_good_file_went_on(bench)


def test_a_record_of_a_hundred_levels_is_condensed_like_any_other(bench: Workbench) -> None:
    deep = encoded(stage_fields("start"))[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}"
    bench.arrive(file_of_bodies(envelope(deep), envelope(SUCCESS)))
    bench.finish()
    assert bench.rows(Table.QUARANTINED_RECORDS).height == 0
    assert deep in bench.kept_records()


def test_an_empty_body_and_none_are_events_without_records(bench: Workbench) -> None:
    bench.arrive(file_of_bodies(None, b"", b"  ", b'{"records":[]}', envelope(START, SUCCESS)))
    counts = bench.finish().counts
    assert (counts.events, counts.records) == (5, 2)
    assert_the_good_file_went_on(bench)


def test_an_event_without_a_sensible_time_is_kept(bench: Workbench) -> None:
    timeless = Event(0, envelope(resource_log_bytes("pod", None)), NOON.replace(year=1))
    bench.arrive(capture_file([timeless], 1, NOON), GOOD)
    assert bench.finish().counts.passed_through == 1
    assert bench.rows(Table.ACTIVITY_RECORDS).height == 1
    assert_the_good_file_went_on(bench)


@pytest.mark.parametrize(
    "time", [None, "", "SOME-ERROR-HERE-T08:44:02.8921579Z", "2021-02-30T07:45:44Z", 7, {}]
)
@pytest.mark.parametrize("fields", [stage_fields("start"), json.loads(LOG)], ids=["stage", "log"])
def test_a_record_without_a_readable_time_stands_where_its_event_entered_and_says_so(
    bench: Workbench, fields: dict[str, Any], time: object
) -> None:
    record = encoded({**fields, "time": time})
    entered = NOON + timedelta(hours=3)
    bench.arrive(capture_file([Event(0, envelope(record), entered)], 1), GOOD)
    bench.finish()
    (row,) = bench.rows(Table.ACTIVITY_RECORDS).to_dicts()
    assert (row["record"].encode(), row["time"], row["time_from_record"]) == (record, entered, False)
    assert_the_good_file_went_on(bench)


def large_body() -> bytes:
    """64 MB of sound JSON in 64 records."""
    return envelope(*(resource_log_bytes(f"{number} {'x' * MEGABYTE}") for number in range(64)))


@pytest.mark.parametrize(("bound", "passed", "quarantined"), [(32, 0, 1), (65, 64, 0)])
def test_a_body_is_taken_apart_up_to_the_bound_and_kept_whole_beyond_it(
    bench: Workbench, bound: int, passed: int, quarantined: int
) -> None:
    bench.arrive(file_of_bodies(large_body(), partition=1))
    counts = bench.condense(max_body_bytes=bound * MEGABYTE).counts
    assert (counts.passed_through, counts.quarantined) == (passed, quarantined)
    rows = bench.rows(Table.QUARANTINED_RECORDS)
    assert rows["reason"].to_list() == [avro.BODY_TOO_LARGE] * quarantined
    assert all(len(content) > 64 * MEGABYTE for content in rows["content"])
    bench.assert_conserved()


def test_a_blob_that_is_gone_is_written_down_and_the_rest_goes_on(bench: Workbench) -> None:
    gone = file_of_bodies(envelope(LOG), partition=1)
    bench.arrive(gone, GOOD)
    bench.container.remove(gone)
    (left,) = bench.finish().not_done
    assert (left.state, left.file.path) == ("gone", gone.path)
    assert gone.path in left.reason
    assert bench.states() == {"done": 1, "gone": 1}
    assert_the_good_file_went_on(bench)


def test_a_blob_that_was_written_anew_gives_way_to_its_new_content(bench: Workbench) -> None:
    old = file_of_bodies(envelope(LOG), partition=1)
    bench.arrive(old, GOOD)
    anew = CaptureFile(old.name, file_of_bodies(envelope(LOG), b"more", partition=1).content)
    bench.arrive(anew)
    result = bench.finish()
    (left,) = result.not_done
    assert (left.state, left.file.etag) == ("superseded", old.etag)
    assert old.path in left.reason
    assert {done.file.etag for done in result.done} == {anew.etag, GOOD.etag}
    assert_the_good_file_went_on(bench)


class Failing(FilesInMemory):
    """A container that can't read some files."""

    def __init__(self, files: Sequence[CaptureFile], error: BaseException) -> None:
        super().__init__()
        self._failing = {file.path for file in files}
        self._error = error

    def read(self, path: str, etag: str) -> bytes:
        if path in self._failing:
            raise self._error
        return super().read(path, etag)

    def heal(self) -> None:
        self._failing.clear()


@pytest.mark.parametrize("error", [KeyError("odd"), ValueError("odd"), RecursionError("deep")], ids=repr)
def test_a_file_that_can_never_be_read_fails_after_its_attempts(
    bench: Workbench, error: BaseException
) -> None:
    bad = file_of_bodies(envelope(LOG), partition=1)
    bench.container = Failing([bad], error)
    bench.arrive(bad, GOOD)
    states = [[left.state for left in bench.condense().not_done] for _ in range(4)]
    assert states == [["waiting"], ["waiting"], ["failed"], []]
    row = next(row for row in bench.ledger_rows() if row.path == bad.path)
    assert (row.state, row.attempts, row.completions) == ("failed", 3, 0)
    for part in (bad.path, type(error).__name__, str(error)):
        assert part in row.reason
    bench.finish()
    assert_the_good_file_went_on(bench)


@pytest.mark.parametrize(
    "error", [OSError("disk full"), ServiceRequestError("no route"), KeyboardInterrupt()], ids=repr
)
def test_a_service_that_does_not_answer_fails_the_run_and_costs_no_file_an_attempt(
    bench: Workbench, error: BaseException
) -> None:
    bad = file_of_bodies(envelope(LOG), partition=1)
    bench.container = failing = Failing([bad], error)
    bench.arrive(bad, GOOD)
    for _ in range(9):
        with pytest.raises(type(error)):
            bench.condense()
    assert {(row.state, row.attempts) for row in bench.ledger_rows()} == {("waiting", 0)}
    failing.heal()
    assert len(bench.condense().done) == 2
    assert {(row.state, row.reason) for row in bench.ledger_rows()} == {("done", None)}


def test_a_file_every_run_dies_of_is_given_up(bench: Workbench) -> None:
    deadly = file_of_bodies(envelope(LOG), partition=1)
    bench.arrive(deadly)
    for number in range(3):
        with bench.store.write() as connection:
            claimed = ledger.claim_waiting(
                connection, [TODAY], owner=f"dead-{number}", now=bench.now, lease=LEASE, limit=9
            )
        assert [file.path for file in claimed] == [deadly.path]
        bench.now += LEASE + timedelta(seconds=1)
    bench.arrive(GOOD)
    (left,) = bench.condense().not_done
    assert (left.state, left.file.path) == ("failed", deadly.path)
    assert "given up after 3 attempts" in left.reason
    assert deadly.path in left.reason


def test_a_blob_that_expired_takes_nothing_from_what_it_became(bench: Workbench) -> None:
    bench.arrive(GOOD)
    bench.condense()
    before = bench.ledger_rows()[0]
    bench.container.remove(GOOD)
    (left,) = bench.step().condense_again([TODAY], redo="too late").not_done
    (after,) = bench.ledger_rows()
    assert left.state == after.state == "done"
    assert GOOD.path in after.reason
    assert (after.records, after.passed_through, after.outputs) == (
        before.records,
        before.passed_through,
        before.outputs,
    )


def test_a_failed_file_can_be_done_again_by_a_backfill(bench: Workbench) -> None:
    bad = file_of_bodies(envelope(LOG), partition=1)
    bench.container = failing = Failing([bad], ValueError("odd"))
    bench.arrive(bad)
    for _ in range(3):
        bench.condense()
    failing.heal()
    assert len(bench.step().condense_again([TODAY], redo="backfill-1").done) == 1
    assert bench.states() == {"done": 1}


def test_a_body_too_large_in_a_compressed_file_is_kept_as_the_body_it_is(bench: Workbench) -> None:
    large = envelope(resource_log_bytes("x" * 5000))
    events = [Event(number, body, NOON) for number, body in enumerate([envelope(LOG), large])]
    name = damaged_file(b"").name
    bench.arrive(CaptureFile(name, avro_of(events, codec="deflate")))
    counts = bench.condense(max_body_bytes=4000).counts
    assert (counts.passed_through, counts.quarantined, counts.conserved) == (1, 1, True)
    row = bench.rows(Table.QUARANTINED_RECORDS).row(0, named=True)
    assert (row["reason"], row["content"], row["length"]) == ("body_too_large", large, len(large))
