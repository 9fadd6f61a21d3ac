"""What else one could have done: the same task in the ways that come to mind first, each written well.

Each reads one capture file, groups the stage records of each operation, writes operations and all other
records to one NDJSON file compressed with zstd 3, and prints how many there were of what. Those that
take records apart into objects drop what an object can't hold (spelling of numbers, keys that stand
twice); none keeps attempts, duplicates, broken bodies or revisions. So each does less than azmdr does.
Run as ``python -m bench.baselines NAME FILE OUT``, each in a process of its own.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

STAGES: Final = {"Start": "start", "Accept": "accept", "Success": "success", "Failure": "failure"}
OF_A_STAGE: Final = ("resultType", "resultSignature", "properties")
Dumps = Callable[[Any], bytes]
Loads = Callable[[bytes], Any]


def main() -> None:
    """Run one baseline."""
    name, file, out = sys.argv[1:4]
    groups, records = BASELINES[name](Path(file), Path(out))
    sys.stdout.write(json.dumps({"groups": groups, "records": records}))


def _bodies(path: Path) -> Iterator[bytes]:
    import fastavro

    with path.open("rb") as file:
        for event in fastavro.reader(file):
            body: Any = event["Body"]  # type: ignore[call-overload, index]
            yield body


def _with_dicts(path: Path, out: Path, loads: Loads, dumps: Dumps) -> tuple[int, int]:
    """Records as dicts, grouped in a dict: what most would write."""
    import zstandard

    operations: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    records = 0
    with out.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as writer:
        for body in _bodies(path):
            for record in loads(body)["records"]:
                records += 1
                if record.get("category") == "Administrative" and record.get("resultType") in STAGES:
                    key = (
                        record["correlationId"].lower(),
                        record["operationName"].lower(),
                        record["resourceId"].lower(),
                    )
                    operations.setdefault(key, []).append(record)
                else:
                    writer.write(dumps(record) + b"\n")
        for members in operations.values():
            writer.write(dumps(_condensed(members)) + b"\n")
    return len(operations), records


def _condensed(members: list[dict[str, Any]]) -> dict[str, Any]:
    members.sort(key=lambda record: record["time"])
    base = next((record for record in members if record["resultType"] == "Start"), members[0])
    around = {name: value for name, value in base.items() if name not in OF_A_STAGE}
    statuses = {
        STAGES[record["resultType"]]: {name: record.get(name) for name in ("resultSignature", "properties")}
        for record in members
    }
    told = [
        {
            name: value
            for name, value in record.items()
            if name not in OF_A_STAGE and around.get(name) != value
        }
        for record in members
    ]
    condensed = {"num_correlated_records": len(members), "statuses": statuses, "members": told}
    return {**around, "azure_activity_administrative_condensed": condensed}


def _json_and_dicts(path: Path, out: Path) -> tuple[int, int]:
    def dumps(value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    return _with_dicts(path, out, json.loads, dumps)


def _orjson_and_dicts(path: Path, out: Path) -> tuple[int, int]:
    import orjson

    return _with_dicts(path, out, orjson.loads, orjson.dumps)


def _polars_only(path: Path, out: Path) -> tuple[int, int]:
    """Polars reads the JSON, with nested fields as text, and groups; fastavro gives it the bodies."""
    import polars as pl

    names = [
        "time",
        "category",
        "operationName",
        "resourceId",
        "correlationId",
        "resultType",
        "resultSignature",
        "callerIpAddress",
        "identity",
        "properties",
        "tenantId",
        "level",
        "durationMs",
        "RoleLocation",
        "ReleaseVersion",
        "jobId",
    ]
    one = pl.Struct(dict.fromkeys(names, pl.String))
    text = b"\n".join(_bodies(path))
    rows = pl.read_ndjson(text, schema={"records": pl.List(one)}).explode("records").unnest("records")
    stage = (pl.col("category") == "Administrative") & pl.col("resultType").is_in(list(STAGES))
    key = [pl.col(name).str.to_lowercase().alias(f"key {name}") for name in names[2:5]]
    operations = (
        rows.filter(stage)
        .sort("time")
        .group_by(key)
        .agg(
            pl.col("identity", "tenantId", "callerIpAddress", "RoleLocation", "ReleaseVersion").first(),
            pl.struct("time", "resultType", "resultSignature", "properties", "jobId").alias("members"),
        )
    )
    _write_frames(out, operations, rows.filter(~stage | stage.is_null()))
    return operations.height, rows.height


def _write_frames(out: Path, *frames: Any) -> None:
    import zstandard

    with out.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as writer:
        for frame in frames:
            frame.write_ndjson(writer)


def _duckdb(path: Path, out: Path) -> tuple[int, int]:
    """DuckDB unnests the records and groups them by what it reads of each; fastavro gives it the bodies."""
    import duckdb

    beside = out.with_suffix(".bodies")
    with beside.open("wb") as file:
        file.writelines(body + b"\n" for body in _bodies(path))
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    connection.execute(_DUCKDB_RECORDS.format(beside=beside))
    connection.execute(_DUCKDB_COPY.format(out=out, staged=_DUCKDB_STAGED))
    row = connection.execute(_DUCKDB_COUNT.format(staged=_DUCKDB_STAGED)).fetchone()
    beside.unlink()
    return (row[0], row[1]) if row else (0, 0)


_DUCKDB_RECORDS: Final = """
    create temp table r as
    select record, p[1] as time, p[2] as stage,
        lower(p[3]) as correlation, lower(p[4]) as name, lower(p[5]) as resource, p[6] as category
    from (
        select record, json_extract_string(record, ['$.time', '$.resultType', '$.correlationId',
            '$.operationName', '$.resourceId', '$.category']) as p
        from (
            select unnest(records) as record
            from read_json('{beside}', format='newline_delimited', columns={{'records': 'JSON[]'}},
                maximum_object_size=134217728)
        )
    )
"""
_DUCKDB_STAGED: Final = "category = 'Administrative' and stage in ('Start', 'Accept', 'Success', 'Failure')"
_DUCKDB_COPY: Final = """
    copy (
        select correlation, name, resource, list(record order by time) as members from r
        where {staged} group by all
        union all
        select null, null, null, [record] from r where ({staged}) is not true
    ) to '{out}' (format json, compression zstd)
"""
_DUCKDB_COUNT: Final = """
    select count(distinct (correlation, name, resource)) filter ({staged}), count(*) from r
"""


def _pandas(path: Path, out: Path) -> tuple[int, int]:
    """A data frame of the records, grouped; nested fields stay objects."""
    import pandas as pd

    rows = pd.DataFrame([record for body in _bodies(path) for record in json.loads(body)["records"]])
    stage = (rows["category"] == "Administrative") & rows["resultType"].isin(list(STAGES))
    staged = rows[stage].sort_values("time")
    keys = [staged[name].str.lower() for name in ("correlationId", "operationName", "resourceId")]
    told = ["time", "resultType", "resultSignature", "properties"]
    grouped = staged.groupby(keys, sort=False)
    operations = grouped[["identity", "tenantId", "callerIpAddress", "RoleLocation"]].first()
    operations["members"] = grouped[told].apply(lambda members: members.to_dict("records"))
    compression: Any = {"method": "zstd", "level": 3}
    operations.reset_index().to_json(out, orient="records", lines=True, compression=compression)
    rest = out.with_suffix(".rest")
    rows[~stage].to_json(rest, orient="records", lines=True, compression=compression)
    return len(operations), len(rows)


BASELINES: Final[dict[str, Callable[[Path, Path], tuple[int, int]]]] = {
    "json": _json_and_dicts,
    "orjson": _orjson_and_dicts,
    "polars": _polars_only,
    "duckdb": _duckdb,
    "pandas": _pandas,
}

if __name__ == "__main__":
    main()
