"""An operation is one row with its records; closed ones leave; how much state there is; days to compact."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from azmdr.condense.classify import StageRecord, classify
from azmdr.times import as_nanoseconds, hour_of

revision = "0005"
down_revision = "0004"

_Identifier = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 500


def upgrade() -> None:
    """Apply."""
    op.rename_table("open_operation", "old_operation")
    with op.batch_alter_table("old_operation", schema=None) as batch_op:
        batch_op.drop_index("ix_open_operation_customer_waiting_since")
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER INDEX "open_operation_pkey" RENAME TO "old_operation_pkey"')
    op.create_table(
        "open_operation",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("contents", sa.LargeBinary(), nullable=False),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("patient", sa.Boolean(), nullable=False),
        sa.Column("waiting_since", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("hours_before", sa.Text(), nullable=False),
        sa.Column("emitted_revision", sa.Integer(), nullable=False),
        sa.Column("emitted_at", sa.BigInteger(), nullable=True),
        sa.Column("respelt", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "operation_id"),
    )
    op.create_table(
        "closed_operation",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("brought_by", sa.Text(), nullable=False),
        sa.Column("other_spellings", sa.LargeBinary(), nullable=True),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("emitted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "operation_id"),
    )
    op.create_index("ix_closed_operation_customer_last_seen", "closed_operation", ["customer", "last_seen"])
    op.create_table(
        "condensing_state",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("operations", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("closed_operations", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer"),
    )
    op.create_table(
        "uncompacted_day",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "day"),
    )
    _carry_over(op.get_bind())
    _make_indexes()
    op.drop_table("operation_record")
    op.drop_table("old_operation")


def _make_indexes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # Records are JSON of some thousand bytes, read and written whole: PostgreSQL's own compression
        # would cost more than all else that happens to them.
        op.execute("ALTER TABLE open_operation ALTER COLUMN contents SET STORAGE EXTERNAL")
    for name, columns, condition in (
        ("ix_open_operation_due", ["customer", "due_at", "operation_id"], "due_at IS NOT NULL"),
        ("ix_open_operation_told", ["customer", "last_seen"], "due_at IS NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "open_operation", columns, sqlite_where=where, postgresql_where=where)


_OLD = sa.table(
    "old_operation",
    *map(
        sa.column,
        [
            "customer",
            "operation_id",
            "terminal",
            "patient",
            "waiting_since",
            "last_seen",
            "uploaded_at",
            "emitted_revision",
            "emitted_hours",
            "emitted_at",
        ],
    ),
)
_RECORD = sa.table(
    "operation_record", *map(sa.column, ["customer", "operation_id", "digest", "file_id", "content"])
)


def _carry_over(connection: sa.Connection) -> None:
    """Put each operation's records into its row. What waits is due at once."""
    new = sa.Table("open_operation", sa.MetaData(), autoload_with=connection)
    state = sa.Table("condensing_state", sa.MetaData(), autoload_with=connection)
    sizes: dict[str, dict[str, Any]] = {}
    last = ("", "")
    while True:
        after = sa.tuple_(_OLD.c.customer, _OLD.c.operation_id) > sa.tuple_(*map(sa.literal, last))
        query = sa.select(_OLD).where(after).order_by(_OLD.c.customer, _OLD.c.operation_id).limit(_AT_ONCE)
        old = connection.execute(query).all()
        if not old:
            break
        rows = [_row(connection, one) for one in old]
        connection.execute(new.insert(), rows)
        for row in rows:
            size = sizes.setdefault(
                row["customer"], {"operations": 0, "records": 0, "bytes": 0, "closed_operations": 0}
            )
            size["operations"] += 1
            size["records"] += row["records"]
            size["bytes"] += len(row["contents"])
        last = (old[-1].customer, old[-1].operation_id)
    if sizes:
        connection.execute(state.insert(), [{"customer": name, **size} for name, size in sizes.items()])


def _row(connection: sa.Connection, old: Any) -> dict[str, Any]:
    query = sa.select(_RECORD.c.digest, _RECORD.c.file_id, _RECORD.c.content).where(
        _RECORD.c.customer == old.customer, _RECORD.c.operation_id == old.operation_id
    )
    records = connection.execute(query).all()
    classified = [classify(bytes(record.content)) for record in records]
    hour = hour_of(min(one.time for one in classified if isinstance(one, StageRecord)))
    before = {text for text in msgspec.json.decode(old.emitted_hours) if datetime.fromisoformat(text) != hour}
    return {
        "customer": old.customer,
        "operation_id": old.operation_id,
        "records": len(records),
        "contents": msgspec.msgpack.encode([(record.file_id, bytes(record.content)) for record in records]),
        "terminal": bool(old.terminal),
        "patient": bool(old.patient),
        "waiting_since": old.waiting_since,
        "due_at": old.waiting_since,
        "last_seen": old.last_seen,
        "uploaded_at": old.uploaded_at,
        "hour": as_nanoseconds(hour) // 1000,
        "hours_before": msgspec.json.encode(sorted(before)).decode(),
        "emitted_revision": old.emitted_revision,
        "emitted_at": old.emitted_at,
        "respelt": len({record.digest for record in records}) < len(records),
    }


def downgrade() -> None:
    """Take back. The records of closed operations stay in the lake, those of open ones are given up."""
    op.drop_table("uncompacted_day")
    op.drop_table("condensing_state")
    op.drop_table("closed_operation")
    op.drop_table("open_operation")
    op.create_table(
        "open_operation",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("patient", sa.Boolean(), nullable=False),
        sa.Column("waiting_since", sa.BigInteger(), nullable=True),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("emitted_revision", sa.Integer(), nullable=False),
        sa.Column("emitted_hours", sa.Text(), nullable=False),
        sa.Column("emitted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "operation_id"),
    )
    op.create_index(
        "ix_open_operation_customer_waiting_since", "open_operation", ["customer", "waiting_since"]
    )
    op.create_table(
        "operation_record",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("spelling", sa.String(length=32), nullable=False),
        sa.Column("file_id", _Identifier, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["capture_file.id"]),
        sa.PrimaryKeyConstraint("customer", "operation_id", "digest", "spelling"),
    )
    op.create_index("ix_operation_record_file_id", "operation_record", ["file_id"])
