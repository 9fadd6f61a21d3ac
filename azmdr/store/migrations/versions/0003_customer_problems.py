"""What checks found wrong with customers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "customer_problem",
        sa.Column("check_name", sa.String(length=128), nullable=False),
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("check_name", "customer"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("customer_problem")
