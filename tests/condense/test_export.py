"""What exporting promises: the operations of the lake in lines, every record in one, nothing left over."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
import zstandard
from click.testing import CliRunner

from azmdr.cli import main
from azmdr.condense.counts import LocalResult
from azmdr.condense.export import _OnDisk, export
from azmdr.condense.local import LocalCondensing
from azmdr.condense.members import rebuild_records
from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.lake.storage import DirectoryLake
from tests.condense.capture_files import CUSTOMER, CaptureFile, avro_of, damaged_file, file_of_bodies
from tests.condense.records import (
    encoded,
    envelope,
    resource_log_bytes,
    sign_in_bytes,
    stage_bytes,
    stage_fields,
)
from tests.condense.test_local import FILES, written

PRETTY = json.dumps(stage_fields("success", 9), indent=1).encode()
PRETTY_LOG = json.dumps({"time": "?", "category": "x"}, indent=1).encode()
TURNED = encoded(dict(reversed(stage_fields("start").items())))
MORE = (
    file_of_bodies(envelope(PRETTY, PRETTY_LOG, TURNED, b"7"), envelope(sign_in_bytes("two")), partition=2),
    file_of_bodies(envelope(*(stage_bytes("accept", n, f"c-{n % 7}") for n in range(40))), partition=3),
    file_of_bodies(envelope(resource_log_bytes("pod"), resource_log_bytes("pod")), partition=4),
)


def run(paths: list[str], folder: Path, **options: Any) -> LocalResult:
    return export(
        [Path(path) for path in paths],
        folder,
        lambda _: None,
        customer="local",
        max_body_bytes=1 << 20,
        **options,
    )


def lines(path: Path) -> list[dict[str, msgspec.Raw]]:
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    return [msgspec.json.decode(line, type=dict[str, msgspec.Raw]) for line in text.splitlines()]


def text_of(raw: msgspec.Raw) -> bytes:
    """A record, or the text of one that has a line break in it."""
    spelt = bytes(raw)
    return msgspec.json.decode(spelt, type=str).encode() if spelt[:1] == b'"' else spelt


def operations(path: Path) -> list[tuple[str, str]]:
    told = [line for line in lines(path) if "operation" in line]
    return [(text_of(line["operation"]).decode(), text_of(line["members"]).decode()) for line in told]


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    return written(tmp_path / "files", *FILES, *MORE)


def test_its_operations_are_those_of_the_lake(paths: list[str], tmp_path: Path) -> None:
    lake = DirectoryLake(tmp_path / "lake")
    local = LocalCondensing(lake, customer="local", max_body_bytes=1 << 20)
    counted = local.condense([Path(path) for path in paths], lambda _: None)
    assert run(paths, tmp_path / "out") == counted
    rows = read_latest(lake, CUSTOMER, Table.OPERATIONS).select("operation", "members").rows()
    assert sorted(operations(tmp_path / "out" / f"{CUSTOMER}.ndjson.zst")) == sorted(rows)
    assert counted.counts.conserved


def test_every_record_stands_in_one_line(paths: list[str], tmp_path: Path) -> None:
    result = run(paths, tmp_path / "out")
    path = tmp_path / "out" / f"{CUSTOMER}.ndjson.zst"
    kinds = Counter(next(iter(line)) for line in lines(path))
    assert kinds == {
        "activity_record": result.counts.passed_through,
        "operation": result.operations,
        "quarantined_record": result.counts.quarantined,
        "repeated_record": result.counts.duplicates,
    }
    passed = [text_of(line["activity_record"]) for line in lines(path) if "activity_record" in line]
    rebuilt = [record for told in operations(path) for record in rebuild_records(*told)]
    assert {PRETTY_LOG, sign_in_bytes("two"), resource_log_bytes("pod")} <= set(passed)
    assert PRETTY in rebuilt
    assert {stage_bytes("accept", n, f"c-{n % 7}") for n in range(40)} <= set(rebuilt)
    assert len(passed) == result.counts.passed_through


@pytest.mark.parametrize("held_in_memory", [0, 1 << 30])
def test_operations_are_the_same_in_any_order_of_the_files_wherever_they_are_kept(
    paths: list[str], tmp_path: Path, held_in_memory: int
) -> None:
    run(paths, tmp_path / "plain")
    told = operations(tmp_path / "plain" / f"{CUSTOMER}.ndjson.zst")
    for seed in range(5):
        order = [*paths, *Random(seed).sample(paths, 2)]
        Random(seed).shuffle(order)
        result = run(order, tmp_path / "other", held_in_memory=held_in_memory)
        assert operations(tmp_path / "other" / f"{CUSTOMER}.ndjson.zst") == told
        assert result.counts.conserved


def test_large_files_are_counted_as_small_ones(paths: list[str], tmp_path: Path) -> None:
    assert run(paths, tmp_path / "out", held_in_memory=0) == run(paths, tmp_path / "out")


def test_each_file_by_itself_has_an_output_of_its_own(paths: list[str], tmp_path: Path) -> None:
    result = run(paths, tmp_path / "out", each=True)
    made = list((tmp_path / "out" / CUSTOMER).iterdir())
    assert len(made) == len(paths) == result.counts.files
    assert sum(len(operations(path)) for path in made) == result.operations
    assert result.counts.conserved


def test_a_compressed_file_gives_the_same(tmp_path: Path) -> None:
    events = list(_events(FILES[0]))
    outs = []
    for codec in ("null", "deflate"):
        path = tmp_path / f"{codec}.avro"
        path.write_bytes(avro_of(events, codec=codec))
        run([str(path)], tmp_path / codec)
        outs.append(lines(tmp_path / codec / "local.ndjson.zst"))
    assert outs[0] == outs[1] != []


def test_what_a_compressed_file_holds_decides_where_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "small.avro"
    path.write_bytes(avro_of(list(_events(FILES[0])), codec="deflate"))
    size = path.stat().st_size
    with patch("azmdr.condense.export._OnDisk", wraps=_OnDisk) as on_disk:
        run([str(path)], tmp_path / "held", held_in_memory=size * 5)
        on_disk.assert_not_called()
        run([str(path)], tmp_path / "kept", held_in_memory=size * 5 - 1)
        on_disk.assert_called_once()
    assert lines(tmp_path / "held" / "local.ndjson.zst") == lines(tmp_path / "kept" / "local.ndjson.zst")


def _events(file: CaptureFile) -> Any:
    from azmdr.capture.avro import CapturedEvent, scan
    from tests.condense.capture_files import Event
    from tests.condense.records import NOON

    for found in scan(file.content):
        assert isinstance(found, CapturedEvent)
        yield Event(found.sequence_number, bytes(found.body or b""), NOON)


def test_what_can_not_be_read_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        run([*written(tmp_path, FILES[0]), str(tmp_path / "missing.avro")], tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.*"))


def test_a_damaged_file_is_a_line_with_its_reason(tmp_path: Path) -> None:
    result = run(written(tmp_path, damaged_file(b"no Avro at all"), FILES[0]), tmp_path / "out")
    assert result.reasons == {"not_avro": 1}
    (line,) = [
        line for line in lines(tmp_path / "out" / f"{CUSTOMER}.ndjson.zst") if "quarantined_record" in line
    ]
    assert msgspec.json.decode(line["quarantined_record"])["reason"] == "not_avro"


def test_the_command_writes_it(paths: list[str], tmp_path: Path) -> None:
    arguments = ["condense", *paths, "--out", str(tmp_path / "out"), "--format", "ndjson", "--json"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["operations"] == len(
        operations(tmp_path / "out" / f"{CUSTOMER}.ndjson.zst")
    )


def test_files_of_a_lake_are_not_written_each_by_itself(paths: list[str], tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["condense", *paths, "--out", str(tmp_path / "lake"), "--each"])
    assert refused.exit_code != 0
    assert "--format ndjson" in refused.output
