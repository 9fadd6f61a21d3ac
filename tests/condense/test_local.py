"""Local files: the command condenses them as the step does, counts everything, and refuses by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from azmdr.cli import main
from azmdr.condense.local import LocalCondensing
from azmdr.condense.members import rebuild_records
from azmdr.lake.layout import Table
from azmdr.lake.read import digest_of, read_latest
from azmdr.lake.storage import DirectoryLake
from tests.condense.capture_files import CUSTOMER, CaptureFile, damaged_file, file_of_bodies
from tests.condense.records import envelope, sign_in_bytes, stage_bytes
from tests.condense.workbench import Workbench

START, ACCEPT, SUCCESS = stage_bytes("start"), stage_bytes("accept", 1), stage_bytes("success", 2)
FILES = (
    file_of_bodies(envelope(START, sign_in_bytes("one")), None, envelope(SUCCESS), partition=0),
    file_of_bodies(envelope(ACCEPT, START), b"this is no JSON", partition=1),
)


def written(folder: Path, *files: CaptureFile) -> list[str]:
    paths = [folder / file.path for file in files]
    for path, file in zip(paths, files, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return [str(path) for path in paths]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["condense", *arguments])


def counts(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    counted: dict[str, Any] = json.loads(result.stdout)
    return counted


def test_it_prints_one_json_object_that_accounts_for_every_record(tmp_path: Path) -> None:
    paths = written(tmp_path, *FILES)
    counted = counts(run(*paths, "--out", str(tmp_path / "lake"), "--json"))
    assert counted.pop("seconds") >= 0
    assert counted == {
        "files": 2,
        "events": 5,
        "records": 6,
        "operations": 1,
        "merged": 3,
        "passed_through": 1,
        "duplicates": 1,
        "quarantined": 1,
        "quarantine_reasons": {"not_json": 1},
        "bytes": sum(len(file.content) for file in FILES),
    }


def test_a_person_gets_the_same_counts_as_a_table(tmp_path: Path) -> None:
    shown = run(*written(tmp_path, *FILES), "--out", str(tmp_path / "lake"))
    assert shown.exit_code == 0
    rows = {
        tuple(part.strip() for part in line.split("│")[1:3])
        for line in shown.output.splitlines()
        if "│" in line
    }
    assert {("files", "2"), ("records", "6"), ("operations", "1"), ("quarantined", "1")} <= rows


def test_its_tables_are_those_of_the_step(tmp_path: Path) -> None:
    bench = Workbench(f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "lake of the step")
    bench.arrive(*FILES)
    bench.finish()
    lake = tmp_path / "lake"
    counts(run(*written(tmp_path, *FILES), "--out", str(lake), "--json"))
    rows = (
        read_latest(DirectoryLake(lake), CUSTOMER, table)
        for table in (Table.OPERATIONS, Table.ACTIVITY_RECORDS)
    )
    assert tuple(map(digest_of, rows)) == bench.tables()


def test_files_given_in_another_order_or_twice_over_give_the_same_tables(tmp_path: Path) -> None:
    paths = written(tmp_path, *FILES)
    for lake, given in (("one", paths), ("other", [*reversed(paths), *paths])):
        counts(run(*given, "--out", str(tmp_path / lake), "--json"))
    one, other = (
        digest_of(read_latest(DirectoryLake(tmp_path / lake), CUSTOMER, Table.OPERATIONS))
        for lake in ("one", "other")
    )
    assert one == other


def test_what_an_earlier_call_left_of_an_operation_belongs_to_it(tmp_path: Path) -> None:
    asked, ended = (
        file_of_bodies(envelope(START, ACCEPT)),
        file_of_bodies(envelope(stage_bytes("failure", 3)), partition=1),
    )
    both = DirectoryLake(tmp_path / "both")
    counts(run(*written(tmp_path, asked, ended), "--out", both.address, "--json"))
    for order in ((asked, ended), (ended, asked)):
        lake = DirectoryLake(tmp_path / f"beginning with {order[0].name.partition_id}")
        for file in order:
            counts(run(*written(tmp_path, file), "--out", lake.address, "--json"))
        rows = read_latest(lake, CUSTOMER, Table.OPERATIONS)
        assert rows.select("revision", "outcome").rows() == [(3, "failure")]
        assert digest_of(rows) == digest_of(read_latest(both, CUSTOMER, Table.OPERATIONS))


def test_an_event_that_another_file_of_its_partition_has_is_a_duplicate(tmp_path: Path) -> None:
    file = FILES[0]
    counted = counts(
        run(*written(tmp_path, file, file.later(minutes=5)), "--out", str(tmp_path / "lake"), "--json")
    )
    assert (counted["records"], counted["merged"], counted["passed_through"], counted["duplicates"]) == (
        6,
        2,
        1,
        3,
    )


def test_a_file_whose_path_names_no_event_hub_belongs_to_the_customer_named(tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(FILES[0].content)
    (tmp_path / "b.avro").write_bytes(FILES[0].content)
    lake = tmp_path / "lake"
    names = [str(tmp_path / name) for name in ("a.avro", "b.avro")]
    counted = counts(run(*names, "--out", str(lake), "--customer", "fabrikam", "--json"))
    assert read_latest(DirectoryLake(lake), "fabrikam", Table.OPERATIONS).height == 1
    assert counted["merged"] == counted["duplicates"] == 2, "equal numbers may be those of two partitions"
    assert counted["passed_through"] == 2


def test_a_file_that_is_no_capture_file_is_quarantined_with_its_name(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    paths = written(tmp_path, damaged_file(b"no Avro at all"), FILES[0])
    counted = counts(run(*paths, "--out", str(lake), "--json"))
    assert (counted["files"], counted["quarantined"], counted["operations"]) == (2, 1, 1)
    row = read_latest(DirectoryLake(lake), CUSTOMER, Table.QUARANTINED_RECORDS).row(0, named=True)
    assert (row["path"], row["reason"], row["content"]) == (paths[0], "not_avro", b"no Avro at all")


def test_progress_comes_to_the_bytes_of_all_files(tmp_path: Path) -> None:
    paths = [Path(path) for path in written(tmp_path, *FILES, damaged_file(b""))]
    steps: list[int] = []
    condensing = LocalCondensing(DirectoryLake(tmp_path / "lake"), customer="local", max_body_bytes=1 << 20)
    condensing.condense(paths, steps.append)
    assert sum(steps) == sum(path.stat().st_size for path in paths)
    assert all(step >= 0 for step in steps)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.avro", "--out", "lake"], "missing.avro"),
        (["--out", "lake"], "FILE..."),
        ([__file__, "--out", "lake", "--customer", "../evil"], "customer '../evil'"),
    ],
)
def test_what_can_not_be_done_is_refused_by_name(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run(*arguments)
    assert refused.exit_code != 0
    assert told in refused.output
    assert not (tmp_path / "lake").exists()


def test_a_record_that_a_later_call_brings_in_another_spelling_is_kept_in_both(tmp_path: Path) -> None:
    turned = json.dumps(dict(reversed(json.loads(SUCCESS).items()))).encode()
    files = (file_of_bodies(envelope(START, SUCCESS)), file_of_bodies(envelope(turned), partition=1))
    both = DirectoryLake(tmp_path / "both")
    counts(run(*written(tmp_path, *files), "--out", both.address, "--json"))
    for order in (files, files[::-1]):
        lake = DirectoryLake(tmp_path / f"beginning with {order[0].name.partition_id}")
        for file in order:
            counts(run(*written(tmp_path, file), "--out", lake.address, "--json"))
        rows = read_latest(lake, CUSTOMER, Table.OPERATIONS)
        assert rows["revision"].to_list() == [3]
        (told,) = rows.select("operation", "members").rows()
        assert sorted(rebuild_records(*told)) == sorted([START, SUCCESS, turned])
        assert digest_of(rows) == digest_of(read_latest(both, CUSTOMER, Table.OPERATIONS))
