"""The control plane: customers, inventory, targets, hubs, requests."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "arm_pause",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "kind"),
    )
    op.create_table(
        "customer",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("home_region", sa.String(length=50), nullable=False),
        sa.Column("entra_workspace_id", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("leaving_since", sa.BigInteger(), nullable=True),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_customer_tenant_id")),
    )
    op.create_table(
        "event_hub",
        sa.Column("namespace_key", sa.String(length=512), nullable=False),
        sa.Column("hub", sa.String(length=256), nullable=False),
        sa.Column("namespace_id", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=50), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("missing_listings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("namespace_key", "hub"),
    )
    with op.batch_alter_table("event_hub", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_hub_hub"), ["hub"], unique=False)

    op.create_table(
        "listing",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("complete_at", sa.BigInteger(), nullable=True),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "scope"),
    )
    op.create_table(
        "log_catalogue",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("type", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=256), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("observed_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "type", "kind"),
    )
    op.create_table(
        "reconcile_request",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("customer", "key"),
    )
    op.create_table(
        "resource",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("location", sa.String(length=50), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("missing_listings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "key"),
    )
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resource_customer_subscription_id"), ["customer", "subscription_id"], unique=False
        )

    op.create_table(
        "subscription",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("subscription_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("missing_listings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "subscription_id"),
    )
    op.create_table(
        "target",
        sa.Column("customer", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.String(length=36), nullable=False),
        sa.Column("resource_key", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=256), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "kind", "key"),
    )
    with op.batch_alter_table("target", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_target_customer_kind_subscription_id_settled_tried_at_key"),
            ["customer", "kind", "subscription_id", "settled", "tried_at", "key"],
            unique=False,
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("target", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_target_customer_kind_subscription_id_settled_tried_at_key"))

    op.drop_table("target")
    op.drop_table("subscription")
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_customer_subscription_id"))

    op.drop_table("resource")
    op.drop_table("reconcile_request")
    op.drop_table("log_catalogue")
    op.drop_table("listing")
    with op.batch_alter_table("event_hub", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_hub_hub"))

    op.drop_table("event_hub")
    op.drop_table("customer")
    op.drop_table("arm_pause")
