"""What writing promises: files anyone can read, named after what they hold, and found again as one table."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from azmdr.azure.storage import blob_container
from azmdr.condense.classify import PassedRecord, StageRecord, classify
from azmdr.condense.condensed import Operation, condense
from azmdr.condense.contents import Contents, Quarantined
from azmdr.lake.layout import Bucket, Table
from azmdr.lake.open import open_lake
from azmdr.lake.read import digest_of, read_latest
from azmdr.lake.storage import LakeStorage
from azmdr.lake.write import write_contents, write_operations
from lab.azurite import ACCOUNT_KEY

ENQUEUED = datetime(2026, 11, 24, 10, 5, 0, 1, tzinfo=UTC)
WINDOW = datetime(2026, 11, 24, 10, 10, tzinfo=UTC)
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
BROKEN = Quarantined("not_json", "piece 0 of the body of event 7", 512, 3, 7, 0, b"\xff\x00{")


@pytest.fixture(params=["directory", "blob container"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> LakeStorage:
    """An empty lake."""
    if request.param == "directory":
        return open_lake(str(tmp_path / "lake"))
    url = f"{request.getfixturevalue('azurite').blob_endpoint}/lake-{uuid.uuid4().hex}"
    key = SecretStr(ACCOUNT_KEY)
    blob_container(url, key)[0].create_container()
    return open_lake(url, key)


def passed(time: str | None, **fields: Any) -> tuple[PassedRecord, datetime]:
    """A record that passes through, and when its event entered the hub."""
    record = classify(
        json.dumps({"category": "ServiceHealth", **({"time": time} if time else {}), **fields}).encode()
    )
    assert isinstance(record, PassedRecord)
    return record, ENQUEUED


def operation(*times: str, correlation: str = "one") -> Operation:
    """An operation with a record at each of some times; the last of them its success."""
    records = []
    for number, time in enumerate(times):
        content = {
            "time": time,
            "resourceId": "/subscriptions/00000000-0000-0000-0000-000000000001",
            "operationName": "MICROSOFT.RESOURCES/DEPLOYMENTS/WRITE",
            "category": "Administrative",
            "resultType": "Success" if number == len(times) - 1 else "Start",
            "correlationId": correlation,
        }
        record = classify(json.dumps(content).encode())
        assert isinstance(record, StageRecord)
        records.append(record)
    return condense(records)


def write_file(lake: LakeStorage, contents: Contents, etag: str = "0x1") -> list[str]:
    return write_contents(
        lake, contents, customer="contoso", path="2026/11/24/x.avro", etag=etag, window=WINDOW
    )


def hours_of(paths: list[str]) -> list[datetime]:
    return [bucket.hour for bucket in map(Bucket.of, paths) if bucket]


def test_records_stand_in_the_hour_of_their_own_time(lake: LakeStorage) -> None:
    contents = Contents(
        passed=[passed("2026-11-24T09:59:59.9999999Z"), passed("2026-11-24T08:00:00Z"), passed(None)]
    )
    paths = write_file(lake, contents)
    assert hours_of(paths) == [NINE - timedelta(hours=1), NINE, NINE + timedelta(hours=1)]
    table = read_latest(lake, "contoso", Table.ACTIVITY_RECORDS).sort("time")
    assert table["time"].to_list()[2] == ENQUEUED
    assert table["time_from_record"].to_list() == [True, True, False]


def test_a_records_text_is_kept_byte_for_byte(lake: LakeStorage) -> None:
    text = '{ "time":"2026-11-24T09:00:00Z",\t"n": 1.0e+05, "t": "\\u00fc ü \\/", "n": 2 }'
    record = classify(text.encode())
    assert isinstance(record, PassedRecord)
    write_file(lake, Contents(passed=[(record, ENQUEUED)]))
    assert read_latest(lake, "contoso", Table.ACTIVITY_RECORDS)["record"].to_list() == [text]


def test_what_can_be_no_row_is_kept_whole_with_its_place(lake: LakeStorage) -> None:
    paths = write_file(lake, Contents(quarantined=[BROKEN]))
    assert hours_of(paths) == [NINE + timedelta(hours=1)]
    (row,) = read_latest(lake, "contoso", Table.QUARANTINED_RECORDS).to_dicts()
    assert (row["content"], row["reason"], row["file_offset"], row["path"], row["etag"]) == (
        BROKEN.content,
        "not_json",
        512,
        "2026/11/24/x.avro",
        "0x1",
    )


def test_a_file_written_again_replaces_what_it_wrote_before(lake: LakeStorage) -> None:
    contents = Contents(passed=[passed("2026-11-24T09:00:00Z")], quarantined=[BROKEN])
    assert write_file(lake, contents) == write_file(lake, contents)
    assert len(list(lake.list(""))) == 2


def test_files_of_different_content_never_share_a_name(lake: LakeStorage) -> None:
    contents = Contents(passed=[passed("2026-11-24T09:00:00Z")])
    assert set(write_file(lake, contents, "0x1")).isdisjoint(write_file(lake, contents, "0x2"))
    assert read_latest(lake, "contoso", Table.ACTIVITY_RECORDS).height == 1


def test_a_file_with_nothing_in_it_writes_nothing(lake: LakeStorage) -> None:
    assert write_file(lake, Contents()) == []
    assert read_latest(lake, "contoso", Table.ACTIVITY_RECORDS).is_empty()


def test_an_operation_whose_first_record_came_late_moves_to_its_earlier_hour(lake: LakeStorage) -> None:
    write_operations(lake, [(operation("2026-11-24T09:00:01Z"), [])], customer="contoso")
    earlier = operation("2026-11-24T08:59:59Z", "2026-11-24T09:00:01Z")
    paths = write_operations(lake, [(earlier, [NINE])], customer="contoso")
    assert hours_of(paths) == [NINE - timedelta(hours=1), NINE]
    (row,) = read_latest(lake, "contoso", Table.OPERATIONS).to_dicts()
    assert (row["revision"], row["time"], row["moved"]) == (2, NINE - timedelta(seconds=1), False)


def test_operations_told_again_replace_themselves(lake: LakeStorage) -> None:
    told = [(operation("2026-11-24T09:00:01Z", correlation=name), [NINE]) for name in ("one", "two")]
    assert write_operations(lake, told, customer="contoso") == write_operations(
        lake, told, customer="contoso"
    )
    assert read_latest(lake, "contoso", Table.OPERATIONS).height == 2


def test_an_operation_that_stays_in_its_hour_is_one_row_there(lake: LakeStorage) -> None:
    (path,) = write_operations(lake, [(operation("2026-11-24T09:00:01Z"), [NINE])], customer="contoso")
    assert pl.read_parquet(lake.read(path), hive_partitioning=False)["moved"].to_list() == [False]


def test_only_the_days_asked_for_are_read(lake: LakeStorage) -> None:
    days = [date(2026, 11, 23), date(2026, 11, 24)]
    for number, day in enumerate(days):
        told = operation(f"{day}T09:00:00Z", correlation=f"{number}")
        write_operations(lake, [(told, [])], customer="contoso")
    assert [read_latest(lake, "contoso", Table.OPERATIONS, days[:n]).height for n in range(3)] == [0, 1, 2]
    assert read_latest(lake, "contoso", Table.OPERATIONS).height == 2


def test_a_customer_reads_only_its_own_rows(lake: LakeStorage) -> None:
    write_operations(lake, [(operation("2026-11-24T09:00:00Z"), [])], customer="contoso")
    write_operations(lake, [(operation("2026-11-24T09:00:00Z"), [])], customer="contoso-eu")
    assert read_latest(lake, "contoso", Table.OPERATIONS).height == 1
    assert read_latest(lake, "fabrikam", Table.OPERATIONS).is_empty()


def test_the_same_rows_read_the_same_wherever_the_lake_is(lake: LakeStorage, tmp_path: Path) -> None:
    other = open_lake(str(tmp_path / "other"))
    contents = Contents(passed=[passed("2026-11-24T09:00:00Z", n=n) for n in range(3)], quarantined=[BROKEN])
    for one in (lake, other):
        write_file(one, contents)
    for table in (Table.ACTIVITY_RECORDS, Table.QUARANTINED_RECORDS):
        assert digest_of(read_latest(lake, "contoso", table)) == digest_of(
            read_latest(other, "contoso", table)
        )


def test_anyone_with_polars_reads_the_lake_by_its_folders(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    for customer in ("contoso", "fabrikam"):
        write_operations(lake, [(operation("2026-11-24T09:00:00Z"), [])], customer=customer)
    everything = pl.scan_parquet(tmp_path / "**" / "*.parquet", hive_partitioning=True)
    found = everything.filter(pl.col("customer") == "fabrikam").select("table", "date", "hour", "outcome")
    (row,) = found.collect().rows()
    assert (row[0], str(row[1]), int(row[2]), row[3]) == ("operations", "2026-11-24", 9, "success")
