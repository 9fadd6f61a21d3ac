"""Layout: where a row stands in the lake.

``customer=<c>/table=<t>/date=<YYYY-MM-DD>/hour=<HH>/<name>.parquet``: customer first, so that what one
customer may see is one prefix; then Hive keys, which Polars, DuckDB and Spark all read.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, Self

_PATH: Final = re.compile(
    r"customer=(?P<customer>[^/]+)/table=(?P<table>[a-z_]+)/date=(?P<date>\d{4}-\d\d-\d\d)/hour=(?P<hour>\d\d)/[^/]+"
)
_CUSTOMER: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,254}[a-z0-9])?")


class Table(StrEnum):
    """The tables of the lake."""

    ACTIVITY_RECORDS = "activity_records"
    OPERATIONS = "operations"
    QUARANTINED_RECORDS = "quarantined_records"


class CustomerNameError(ValueError):
    """A text that can't be the name of a customer, and so no part of a path either."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"customer {name[:80]!r}: must be 1 to 256 lower-case letters, digits, dots, hyphens or"
            " underscores, beginning and ending with a letter or digit, without two dots in a row"
        )
        self.name = name


def customer_name(text: str) -> str:
    """The customer an event hub's name stands for: a hub is named after the customer whose logs it takes.

    Raises:
        CustomerNameError: the text, in lower case, can't be a customer's name.
    """
    name = text.lower()
    if not _CUSTOMER.fullmatch(name) or ".." in name:
        raise CustomerNameError(text)
    return name


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """One hour of one table of one customer."""

    customer: str
    table: Table
    hour: datetime
    """Aware UTC, on the hour."""

    @property
    def prefix(self) -> str:
        """The folder of the bucket, with a trailing slash."""
        return f"{table_prefix(self.customer, self.table, self.hour.date())}hour={self.hour:%H}/"

    def file(self, name: str) -> str:
        """The path of a file in the bucket."""
        return f"{self.prefix}{name}.parquet"

    @classmethod
    def of(cls, path: str) -> Self | None:
        """The bucket a path is in, or None for a file that is not the lake's."""
        match = _PATH.fullmatch(path)
        if match is None or match["table"] not in set(Table):
            return None
        try:
            hour = datetime.strptime(f"{match['date']} {match['hour']}", "%Y-%m-%d %H").replace(tzinfo=UTC)
            bucket = cls(match["customer"], Table(match["table"]), hour)
            return bucket if path.startswith(bucket.prefix) else None
        except ValueError:
            return None


def table_prefix(customer: str, table: Table, day: date | None = None) -> str:
    """The folder of a table of a customer, or of one day of it, with a trailing slash."""
    folder = f"customer={customer_name(customer)}/table={table}/"
    return folder if day is None else f"{folder}date={day:%Y-%m-%d}/"
