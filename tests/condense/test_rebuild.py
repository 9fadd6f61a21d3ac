"""What rebuilding promises: every record an output was made of comes back, byte for byte, or it is said."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from azmdr.cli import main
from azmdr.condense.output import NotAnOutputError, Output
from azmdr.condense.rebuild import line_of, rebuild, record_in
from tests.condense.capture_files import CaptureFile, Event, avro_of, capture_file, damaged_file
from tests.condense.deliveries import BROKEN
from tests.condense.records import (
    NOON,
    data_export_fields,
    encoded,
    envelope,
    resource_log_bytes,
    sign_in_bytes,
    stage_bytes,
    stage_fields,
)
from tests.condense.test_local import written
from tests.condense.test_members import operations
from tests.condense.workbench import Workbench

FORMATS = ("ndjson", "parquet")
TURNED = encoded(dict(reversed(stage_fields("success", 2).items())))
PRETTY = json.dumps(stage_fields("success", 2), indent=2).encode()
START, SUCCESS, LOG = stage_bytes("start"), stage_bytes("success", 2), resource_log_bytes("pod")
POOL = [
    START,
    stage_bytes("accept", 1),
    SUCCESS,
    TURNED,
    PRETTY,
    stage_bytes("failure", 1, "c-2"),
    encoded(data_export_fields("success", 2)),
    sign_in_bytes("one"),
    sign_in_bytes("one", delivered=20),
    LOG,
    LOG.replace(b":", b": \n"),
    resource_log_bytes("no time", None),
    b'{"time":"1","x":1e400,"x":-0.0,"":12345678901234567890123}',
    b'{"time":"1","x":"\xff\xfe\n"}',
    b'{"time":"1","x":"\\ud800"}',
    BROKEN,
]
"""Records of all kinds, some of them one record in several spellings, some that no row can hold."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def condensed(folder: Path, form: str, files: Sequence[CaptureFile]) -> tuple[Path, list[str]]:
    """An output of some files, and their paths."""
    out, paths = folder / form, written(folder / "captures", *files)
    result = run("condense", *paths, "--out", out, "--format", form)
    assert result.exit_code == 0, result.output
    return out, paths


def rebuilt(out: Path, folder: Path) -> Counter[bytes]:
    """The records an output gives back, read from their lines."""
    into = folder / "records"
    assert run("rebuild", out, "--out", into).exit_code == 0
    return Counter(record_in(line) for line in into.read_bytes().splitlines(keepends=True))


@st.composite
def captures(draw: st.DrawFn) -> tuple[list[CaptureFile], Counter[bytes]]:
    """Capture files with any mix of records, events that two files have among them, and all they hold."""
    files: list[CaptureFile] = []
    held: Counter[bytes] = Counter()
    for partition in range(draw(st.integers(1, 2))):
        bodies = draw(st.lists(st.lists(st.sampled_from(POOL), max_size=6), min_size=1, max_size=5))
        bodies[0] += draw(operations())
        bodies = [[one for record in body for one in followed(record)] for body in bodies]
        events = [Event(number, envelope(*body), NOON) for number, body in enumerate(bodies)]
        begins = draw(st.lists(st.integers(0, len(events) - 1), max_size=2))
        for window, begin in enumerate([0, *begins]):
            files.append(capture_file(events[begin:], partition, NOON + timedelta(minutes=window + 1)))
            held.update(record for body in bodies[begin:] for record in body)
    return files, held


def followed(record: bytes) -> list[bytes]:
    """A record; behind a broken one another, since only that tells where it ends."""
    return [record, LOG] if record == BROKEN else [record]


@settings(max_examples=40)
@given(captures())
def test_any_mix_of_records_comes_back_as_often_as_it_came(
    given_files: tuple[list[CaptureFile], Counter[bytes]],
) -> None:
    files, held = given_files
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines, paths = condensed(folder, "ndjson", files)
        assert rebuilt(lines, folder) == held
        lake, _ = condensed(folder, "parquet", files)
        assert rebuilt(lake, folder) == Counter(held.keys()), "a lake holds every record once"
        for out in (lines, lake):
            compared = run("rebuild", out, *against(paths))
            assert compared.exit_code == 0, compared.output


def against(paths: Sequence[str]) -> list[str]:
    return [argument for path in paths for argument in ("--against", path)]


@settings(max_examples=15)
@given(captures())
def test_the_lake_of_the_step_gives_back_every_record(
    given_files: tuple[list[CaptureFile], Counter[bytes]],
) -> None:
    files, held = given_files
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Workbench(f"sqlite:///{folder}/store.db", folder / "lake")
        bench.arrive(*files)
        bench.finish()
        assert rebuilt(folder / "lake", folder) == Counter(held.keys())
        bench.store.close()


def test_a_large_file_s_records_come_back_from_where_they_were_held(tmp_path: Path) -> None:
    from tests.condense.test_export import run as export

    bodies = [envelope(START, LOG, LOG), envelope(START, SUCCESS, TURNED, BROKEN, LOG)]
    file = capture_file([Event(number, body, NOON) for number, body in enumerate(bodies)])
    export(written(tmp_path, file), tmp_path / "out", held_in_memory=0)
    assert rebuilt(tmp_path / "out", tmp_path) == Counter(
        {START: 2, LOG: 3, SUCCESS: 1, TURNED: 1, BROKEN: 1}
    )


FILE = capture_file([Event(0, envelope(START, LOG, BROKEN, sign_in_bytes("one"), START), NOON)])
OTHER = capture_file([Event(0, envelope(START, SUCCESS, LOG), NOON)], partition=1)


def told(*arguments: object) -> dict[str, Any]:
    result = run("rebuild", *arguments, "--json")
    assert result.exit_code in (0, 1), result.output
    counts: dict[str, Any] = json.loads(result.stdout)
    return counts


@pytest.mark.parametrize("form", FORMATS)
def test_the_digest_is_one_anybody_can_make(form: str, tmp_path: Path) -> None:
    def digest(content: bytes, size: int) -> bytes:
        return blake2b(content, digest_size=size).hexdigest().encode()

    records = {START, LOG, BROKEN, sign_in_bytes("one")}
    lines = b"".join(line + b"\n" for line in sorted(digest(record, 16) for record in records))
    out, _ = condensed(tmp_path, form, [FILE])
    counts = told(out, "--out", tmp_path / "records")
    assert counts == {
        "records": 5 if form == "ndjson" else 4,
        "distinct": 4,
        "digest": digest(lines, 32).decode(),
    }


def test_the_digest_of_an_output_is_that_of_its_capture_files(tmp_path: Path) -> None:
    digests = set()
    for form in FORMATS:
        out, paths = condensed(tmp_path, form, [FILE, OTHER])
        counts = told(out, *against(paths))
        assert counts["equal"] is True
        digests |= {counts["digest"], counts["captured"]["digest"]}
    assert len(digests) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_record_that_is_not_in_the_output_is_named_with_its_place(form: str, tmp_path: Path) -> None:
    out, paths = condensed(tmp_path, form, [FILE])
    (other,) = written(tmp_path / "captures", OTHER)
    result = run("rebuild", out, *against([*paths, other]))
    assert result.exit_code == 1
    # The Start is missing as often as it came; of a lake it is expected once.
    missing = START if form == "ndjson" else SUCCESS
    assert f"different: {other}, event 0: a record is " in result.stdout
    assert missing[:100].decode() in result.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_a_record_that_was_not_captured_is_named_with_its_place(form: str, tmp_path: Path) -> None:
    out, paths = condensed(tmp_path, form, [FILE, OTHER])
    result = run("rebuild", out, *against(paths[:1]))
    assert result.exit_code == 1
    assert f"different: {out}" in result.stdout
    assert "holds a record that " in result.stdout


def test_a_record_changed_in_one_byte_is_told(tmp_path: Path) -> None:
    out, paths = condensed(tmp_path, "ndjson", [OTHER])
    file = out / "contoso.ndjson.zst"
    text = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
    plain = tmp_path / "changed.ndjson"
    plain.write_bytes(text)
    assert told(plain, *against(paths))["equal"] is True
    plain.write_bytes(text.replace(b'"pod"', b'"pot"'))
    counts = told(plain, *against(paths))
    assert counts["equal"] is False
    assert "event 0: a record is not in the output" in counts["difference"]


def test_records_go_to_the_terminal_and_what_is_said_of_them_beside(tmp_path: Path) -> None:
    out, paths = condensed(tmp_path, "ndjson", [OTHER])
    result = run("rebuild", out)
    assert Counter(map(record_in, result.stdout_bytes.splitlines(keepends=True))) == Counter(
        [START, SUCCESS, LOG]
    )
    assert result.stderr.startswith("rebuilt: 3 records, 3 of them distinct, digest ")
    assert run("rebuild", out, *against(paths)).stdout.startswith("rebuilt: 3 records")


@given(st.binary(max_size=60) | st.sampled_from(POOL), st.booleans())
def test_a_line_holds_any_piece_and_is_json(content: bytes, readable: bool) -> None:
    from azmdr.condense.output import Rebuilt

    is_record = readable and content in POOL[:-3]
    line = line_of(Rebuilt(content, is_record, "here"))
    assert line.count(b"\n") == 1
    assert record_in(line) == content
    json.loads(line)


class TestRefusal:
    def refused(self, path: Path) -> str:
        result = run("rebuild", path, "--out", path.parent.parent / "records")
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
        return result.stderr

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_file_that_is_cut_off_is_refused_by_name(self, form: str, tmp_path: Path) -> None:
        out, _ = condensed(tmp_path, form, [FILE, OTHER])
        file = next(path for path in sorted(out.rglob("*")) if path.is_file())
        file.write_bytes(file.read_bytes()[:-20])
        assert str(file) in self.refused(file)

    @pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.zst", "a.parquet", "a.avro"])
    def test_what_the_condenser_did_not_write_is_refused_by_name(self, name: str, tmp_path: Path) -> None:
        folder = tmp_path / "other"
        folder.mkdir()
        (folder / name).write_bytes(avro_of([Event(0, START, NOON)]))
        assert name in self.refused(folder / name)

    @pytest.mark.parametrize(
        "line",
        [
            b"{}",
            b'{"activity":{}}',
            b'{"operation":{},"members":{}}',
            b'{"repeated_record":"0123"}',
            b'{"activity_record":{"a":1}',
        ],
    )
    def test_a_line_nobody_wrote_is_refused_with_its_number(self, line: bytes, tmp_path: Path) -> None:
        path = tmp_path / "lines.ndjson"
        path.write_bytes(b'{"activity_record":{"time":1}}\n' + line + b"\n")
        with pytest.raises(NotAnOutputError) as error:
            rebuild(Output(path), None)
        assert str(path) in str(error.value)

    def test_lines_and_tables_beside_each_other_are_not_mixed(self, tmp_path: Path) -> None:
        condensed(tmp_path, "ndjson", [FILE])
        condensed(tmp_path, "parquet", [FILE])
        assert "name one of them" in self.refused(tmp_path)


def test_two_outputs_compressed_one_after_the_other_are_one(tmp_path: Path) -> None:
    out, paths = condensed(tmp_path, "ndjson", [OTHER])
    file = out / "contoso.ndjson.zst"
    file.write_bytes(file.read_bytes() * 2)
    assert told(file, *against(paths * 2))["equal"] is True


def test_a_file_that_is_no_capture_file_is_compared_whole(tmp_path: Path) -> None:
    for form in FORMATS:
        out, paths = condensed(tmp_path / form, form, [damaged_file(b"no Avro \xff at all\n"), FILE])
        assert told(out, *against(paths))["equal"] is True
