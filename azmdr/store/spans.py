"""Spans: which events of a partition are known, and which file brought them first.

An event read again, because a file overlaps another or was written twice, adds nothing. A file that is
itself done again keeps the events it brought, also those that another file has brought at the same moment.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from azmdr.condense.contents import Span
from azmdr.store.ledger import LedgerFile
from azmdr.store.tables import SEQUENCE_SPAN


def spans_of_others(connection: Connection, file: LedgerFile, first: int, last: int) -> list[Span]:
    """The runs of events between two sequence numbers of the file's partition that other files brought."""
    span = SEQUENCE_SPAN.c
    query = select(SEQUENCE_SPAN).where(
        span.namespace == file.name.namespace,
        span.event_hub == file.name.event_hub,
        span.partition_id == file.name.partition_id,
        span.last >= first,
        span.first <= last,
        span.file_id != file.id,
    )
    return [_span(row) for row in connection.execute(query)]


def spans_of(connection: Connection, file: LedgerFile) -> list[Span]:
    """The runs of events that counted as the file's own when it was done before."""
    query = select(SEQUENCE_SPAN).where(SEQUENCE_SPAN.c.file_id == file.id)
    return [_span(row) for row in connection.execute(query)]


def replace_spans(connection: Connection, file: LedgerFile, spans: Iterable[Span]) -> None:
    """Write down the runs of events a file brought first, in place of what was written of it before."""
    connection.execute(delete(SEQUENCE_SPAN).where(SEQUENCE_SPAN.c.file_id == file.id))
    rows = [
        {
            "file_id": file.id,
            "position": position,
            "first": span.first,
            "last": span.last,
            "first_enqueued": span.first_enqueued,
            "last_enqueued": span.last_enqueued,
            "namespace": file.name.namespace,
            "event_hub": file.name.event_hub,
            "partition_id": file.name.partition_id,
        }
        for position, span in enumerate(spans)
    ]
    if rows:
        connection.execute(SEQUENCE_SPAN.insert(), rows)


def _span(row: Row[Any]) -> Span:
    return Span(row.first, row.last, row.first_enqueued, row.last_enqueued)
