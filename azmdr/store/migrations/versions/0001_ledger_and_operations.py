"""The ledger of capture files, the spans of events, open operations, leases and listing marks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "capture_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("namespace", sa.String(length=50), nullable=False),
        sa.Column("event_hub", sa.String(length=256), nullable=False),
        sa.Column("partition_id", sa.Text(), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("found_by", sa.String(length=16), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("redone_by", sa.String(length=64), nullable=True),
        sa.Column("completions", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("passed_through", sa.BigInteger(), nullable=False),
        sa.Column("merged", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path", "etag", name=op.f("uq_capture_file_path_etag")),
    )
    with op.batch_alter_table("capture_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capture_file_customer_day"), ["customer", "day"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_capture_file_state_customer_day"), ["state", "customer", "day"], unique=False
        )

    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "listing_mark",
        sa.Column("container", sa.String(length=512), nullable=False),
        sa.Column("complete_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("container"),
    )
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
    with op.batch_alter_table("open_operation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_open_operation_customer_waiting_since"),
            ["customer", "waiting_since"],
            unique=False,
        )

    op.create_table(
        "operation_record",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("spelling", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["capture_file.id"],
        ),
        sa.PrimaryKeyConstraint("customer", "operation_id", "digest", "spelling"),
    )
    with op.batch_alter_table("operation_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operation_record_file_id"), ["file_id"], unique=False)

    op.create_table(
        "sequence_span",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("first_enqueued", sa.BigInteger(), nullable=True),
        sa.Column("last_enqueued", sa.BigInteger(), nullable=True),
        sa.Column("namespace", sa.String(length=50), nullable=False),
        sa.Column("event_hub", sa.String(length=256), nullable=False),
        sa.Column("partition_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["capture_file.id"],
        ),
        sa.PrimaryKeyConstraint("file_id", "position"),
    )
    with op.batch_alter_table("sequence_span", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sequence_span_namespace_event_hub_partition_id_last"),
            ["namespace", "event_hub", "partition_id", "last"],
            unique=False,
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("sequence_span", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sequence_span_namespace_event_hub_partition_id_last"))

    op.drop_table("sequence_span")
    with op.batch_alter_table("operation_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_operation_record_file_id"))

    op.drop_table("operation_record")
    with op.batch_alter_table("open_operation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_open_operation_customer_waiting_since"))

    op.drop_table("open_operation")
    op.drop_table("listing_mark")
    op.drop_table("lease")
    with op.batch_alter_table("capture_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_capture_file_state_customer_day"))
        batch_op.drop_index(batch_op.f("ix_capture_file_customer_day"))

    op.drop_table("capture_file")
