"""Reading the shared samples as what an event hub would have brought: bodies of records."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tests.condense.records import encoded

LINE_BY_LINE: Final = (".log", ".jsonl")
ONE_RECORD_A_LINE: Final = ("datadog-forwarder", "otrf", "plaso")
"""Folders whose .json files hold one record, or one envelope, a line."""


def lines_of(file: Path) -> list[bytes]:
    """The records of a sample, one a line."""
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return [line for line in content.splitlines() if line.strip()]


def bodies_of(folder: Path) -> Iterator[bytes]:
    """Every event body of a folder of Event Hub samples."""
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.name.endswith("-expected.json"):
            continue
        if file.suffix in LINE_BY_LINE or folder.name in ONE_RECORD_A_LINE:
            yield from lines_of(file)
        else:
            yield file.read_bytes()


def activity_of_csv(file: Path) -> list[bytes]:
    """Rows of the old AzureActivity table as a data export sent them."""
    rows = csv.DictReader(file.read_text("utf-8-sig").splitlines(keepends=True))
    return [
        encoded({"Type": "AzureActivity", **{name.removesuffix(" [UTC]"): row[name] for name in row}})
        for row in rows
    ]


def correlation_of(record: bytes) -> str:
    """The correlation id of a record of either shape."""
    fields = msgspec.json.decode(record)
    return str(fields.get("correlationId") or fields.get("CorrelationId"))
