"""What the migration to one row an operation promises: every record is still there, with who brought it."""

import json
from datetime import timedelta

from alembic import command
from sqlalchemy import create_engine, text

from azmdr.condense.classify import StageRecord, classify
from azmdr.store.database import Store, migrations
from azmdr.store.operations import HeldRecord, due_operations, held_records, waiting_operations
from azmdr.store.state_size import StateSize, state_sizes
from azmdr.store.tables import OPEN_OPERATION
from tests.condense.records import NOON, stage_bytes
from tests.store.ledger_files import held_file

START, SUCCESS = stage_bytes("start", -60), stage_bytes("success", 2)
MICROSECONDS = int(NOON.timestamp()) * 1_000_000


def test_operations_of_before_keep_their_records_and_are_emitted_if_they_waited(store_url: str) -> None:
    store = Store.open(store_url)
    file = held_file(store)
    store.close()
    command.downgrade(migrations(store_url), "0004")
    record = classify(START)
    assert isinstance(record, StageRecord)
    with create_engine(store_url).begin() as connection:
        operation = {
            "id": record.operation_id,
            "at": MICROSECONDS,
            "hours": json.dumps([NOON.isoformat()]),
            "yes": True,
        }
        connection.execute(
            text(
                "INSERT INTO open_operation (customer, operation_id, records, terminal, patient,"
                " waiting_since, last_seen, uploaded_at, emitted_revision, emitted_hours)"
                " VALUES ('contoso', :id, 2, :yes, :yes, :at, :at, :at, 1, :hours)"
            ),
            operation,
        )
        for number, content in enumerate([START, SUCCESS]):
            connection.execute(
                text(
                    "INSERT INTO operation_record"
                    " (customer, operation_id, digest, spelling, file_id, content)"
                    " VALUES ('contoso', :id, :digest, :digest, :file, :content)"
                ),
                {"id": record.operation_id, "digest": str(number), "file": file.id, "content": content},
            )
    store = Store.open(store_url)
    with store.read() as connection:
        row = connection.execute(OPEN_OPERATION.select()).one()
        sizes = state_sizes(connection)
        (due,) = due_operations(connection, "contoso", NOON, 10)
        assert waiting_operations(connection) == 1
    held = held_records(row.contents)
    assert sorted(one.content for one in held) == sorted([START, SUCCESS])
    assert {one.file_id for one in held} == {file.id}
    assert isinstance(held[0], HeldRecord)
    assert row.hour == NOON - timedelta(hours=1)
    assert due.hours_before == {NOON}
    assert sizes == {"contoso": StateSize(1, 2, len(row.contents), 0)}
    store.close()
