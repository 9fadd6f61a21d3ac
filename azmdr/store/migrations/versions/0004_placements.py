"""Event hubs as code: namespace shards, placements, removals the destroy guard refused."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "namespace_shard",
        sa.Column("region", sa.String(length=50), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "number"),
    )
    op.create_table(
        "placement",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("region", sa.String(length=50), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("partitions", sa.Integer(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("unneeded_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "region"),
    )
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_placement_region_shard"), ["region", "shard"], unique=False)

    op.create_table(
        "refused_removal",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hubs", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("refused_removal")
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_placement_region_shard"))

    op.drop_table("placement")
    op.drop_table("namespace_shard")
