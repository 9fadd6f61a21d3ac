"""The store's tables. Migrations in ``migrations/`` make them; a test keeps the two the same."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970: the same, in the same order, on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To microseconds."""
        if value is None:
            return None
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From microseconds."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


Identifier: Final = BigInteger().with_variant(Integer, "sqlite")
"""A row number; SQLite numbers rows by itself only in an INTEGER column."""

CAPTURE_FILE: Final = Table(
    "capture_file",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("path", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("customer", String(256), nullable=False),
    Column("day", String(10), nullable=False),
    Column("namespace", String(50), nullable=False),
    Column("event_hub", String(256), nullable=False),
    Column("partition_id", Text, nullable=False),
    Column("window", UtcTime, nullable=False),
    Column("uploaded_at", UtcTime, nullable=False),
    Column("found_by", String(16), nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("requests", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("claimed_by", String(64)),
    Column("lease_until", UtcTime),
    Column("redone_by", String(64)),
    Column("completions", Integer, nullable=False, default=0),
    Column("completed_at", UtcTime),
    Column("run_id", String(64)),
    Column("reason", Text),
    Column("events", BigInteger, nullable=False, default=0),
    Column("records", BigInteger, nullable=False, default=0),
    Column("passed_through", BigInteger, nullable=False, default=0),
    Column("merged", BigInteger, nullable=False, default=0),
    Column("duplicates", BigInteger, nullable=False, default=0),
    Column("quarantined", BigInteger, nullable=False, default=0),
    Column("outputs", Text, nullable=False, default="[]"),
    UniqueConstraint("path", "etag"),
    Index(None, "state", "customer", "day"),
    Index(None, "customer", "day"),
)
"""The ledger: a row for each capture file we know of. Sizes are bytes, ``outputs`` is a JSON list."""

SEQUENCE_SPAN: Final = Table(
    "sequence_span",
    METADATA,
    Column("file_id", Identifier, ForeignKey("capture_file.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("first_enqueued", UtcTime),
    Column("last_enqueued", UtcTime),
    Column("namespace", String(50), nullable=False),
    Column("event_hub", String(256), nullable=False),
    Column("partition_id", Text, nullable=False),
    Index(None, "namespace", "event_hub", "partition_id", "last"),
)
"""The runs of events each file brought first.

Numbered in the file's order: two runs begin with the same number when a hub was made anew and counts
from zero again.
"""

OPEN_OPERATION: Final = Table(
    "open_operation",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("operation_id", String(32), primary_key=True),
    Column("records", Integer, nullable=False),
    Column("contents", LargeBinary, nullable=False),
    Column("terminal", Boolean, nullable=False),
    Column("patient", Boolean, nullable=False),
    Column("waiting_since", UtcTime),
    Column("due_at", UtcTime),
    Column("last_seen", UtcTime, nullable=False),
    Column("uploaded_at", UtcTime, nullable=False),
    Column("hour", UtcTime, nullable=False),
    Column("hours_before", Text, nullable=False, default="[]"),
    Column("emitted_revision", Integer, nullable=False, default=0),
    Column("emitted_at", UtcTime),
    Column("respelt", Boolean, nullable=False, default=False),
)
"""An operation whose records we hold.

``contents`` has the distinct records, each with the file that brought it first (see
:class:`azmdr.store.operations.HeldRecord`); one record may come spelt in two ways, its fields in another
order, and both are kept, so that which of them counts does not depend on which came first. ``respelt`` says
that there are such, so that the row in the lake rebuilds fewer records than are here.

``waiting_since`` and ``due_at`` are empty when the lake has all of it. ``hour`` is where its row belongs;
``hours_before``, a JSON list, names the other hours in which a row of it may stand.
"""

# Each operation is in exactly one of the two indexes: what is due, and what may be closed, are found without
# looking at the others.
Index(
    "ix_open_operation_due",
    OPEN_OPERATION.c.customer,
    OPEN_OPERATION.c.due_at,
    OPEN_OPERATION.c.operation_id,
    sqlite_where=OPEN_OPERATION.c.due_at.is_not(None),
    postgresql_where=OPEN_OPERATION.c.due_at.is_not(None),
)
Index(
    "ix_open_operation_told",
    OPEN_OPERATION.c.customer,
    OPEN_OPERATION.c.last_seen,
    sqlite_where=OPEN_OPERATION.c.due_at.is_(None),
    postgresql_where=OPEN_OPERATION.c.due_at.is_(None),
)

CLOSED_OPERATION: Final = Table(
    "closed_operation",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("operation_id", String(32), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("hours", Text, nullable=False),
    Column("brought_by", Text, nullable=False),
    Column("other_spellings", LargeBinary),
    Column("last_seen", UtcTime, nullable=False),
    Column("uploaded_at", UtcTime, nullable=False),
    Column("emitted_at", UtcTime, nullable=False),
    Index(None, "customer", "last_seen"),
)
"""An operation whose records only the lake has, and what it takes to read them back.

``hours`` is a JSON list: first the hour in which it stands, then the others in which a row of it may.
``brought_by`` is a JSON list of ledger rows: which file brought each record first, in the order of the
records' bytes. ``other_spellings`` has the records that the row in the lake leaves out, because it has them
in another spelling.
"""

CONDENSING_STATE: Final = Table(
    "condensing_state",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("operations", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("closed_operations", BigInteger, nullable=False),
)
"""How much state a customer has, kept beside it so that nobody need count it."""

UNCOMPACTED_DAY: Final = Table(
    "uncompacted_day",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("written_at", UtcTime, nullable=False),
)
"""Days (UTC) of the table ``operations`` to which files were added since they were last compacted."""

LEASE: Final = Table(
    "lease",
    METADATA,
    Column("name", String(300), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", UtcTime, nullable=False),
)
"""What only one process may do at a time, by name; a lease that ran out is free."""

LISTING_MARK: Final = Table(
    "listing_mark",
    METADATA,
    Column("container", String(512), primary_key=True),
    Column("complete_until", UtcTime, nullable=False),
)
"""Up to when every capture file of a container is known from a complete listing."""

CUSTOMER: Final = Table(
    "customer",
    METADATA,
    Column("name", String(256), primary_key=True),
    Column("tenant_id", String(36), nullable=False, unique=True),
    Column("home_region", String(50), nullable=False),
    Column("entra_workspace_id", Text),
    Column("state", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("rules", Text, nullable=False),
    Column("policy_digest", String(64)),
    Column("added_at", UtcTime, nullable=False),
    Column("leaving_since", UtcTime),
    Column("cleared_at", UtcTime),
)
"""The customers. ``rules`` is JSON; ``policy_digest`` says by which policy its targets were last judged."""

LISTING: Final = Table(
    "listing",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("scope", String(64), primary_key=True),
    Column("tried_at", UtcTime, nullable=False),
    Column("complete_at", UtcTime),
    Column("items", Integer, nullable=False, default=0),
    Column("problem", Text),
)
"""What was listed, and when every page of it last arrived. ``problem`` says why the last one broke off.

A scope is ``subscriptions``, a subscription's id, or ``event hubs`` (of no customer: the name is empty).
"""

SUBSCRIPTION: Final = Table(
    "subscription",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("subscription_id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", String(32), nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("missing_since", UtcTime),
    Column("missing_listings", Integer, nullable=False, default=0),
)
"""The subscriptions customers have delegated."""

RESOURCE: Final = Table(
    "resource",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("subscription_id", String(36), nullable=False),
    Column("type", String(256), nullable=False),
    Column("kind", Text),
    Column("location", String(50), nullable=False),
    Column("tags", Text, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("missing_since", UtcTime),
    Column("missing_listings", Integer, nullable=False, default=0),
    Index(None, "customer", "subscription_id"),
)
"""The resources listings have shown. ``key`` is the id in lower case, ``tags`` is JSON."""

TARGET: Final = Table(
    "target",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("subscription_id", String(36), nullable=False),
    Column("resource_key", Text, nullable=False),
    Column("type", String(256), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("judged_at", UtcTime, nullable=False),
    Column("read_at", UtcTime),
    Column("tried_at", UtcTime, nullable=False),
    Column("settled", Boolean, nullable=False, default=False),
    Column("ours", Boolean, nullable=False, default=False),
    Index(None, "customer", "kind", "subscription_id", "settled", "tried_at", "key"),
)
"""What we set something on, with the verdict.

``read_at`` is when its settings were last read as a whole; where none of ours should be and none is, when
that was first seen since anything changed. ``tried_at`` is its place in the rotation, 1970 for what is new or
changed. ``settled`` targets need not be read again until something changes; ``ours`` says that something of
ours was there.
"""

LOG_CATALOGUE: Final = Table(
    "log_catalogue",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("type", String(256), primary_key=True),
    Column("kind", String(256), primary_key=True),
    Column("categories", Text, nullable=False),
    Column("observed_at", UtcTime, nullable=False),
    Column("observed_on", Text, nullable=False),
)
"""The log categories Azure offers for a type and kind of resource. ``categories`` is JSON: groups by name."""

EVENT_HUB: Final = Table(
    "event_hub",
    METADATA,
    Column("namespace_key", String(512), primary_key=True),
    Column("hub", String(256), primary_key=True),
    Column("namespace_id", Text, nullable=False),
    Column("region", String(50), nullable=False),
    Column("tier", String(16), nullable=False),
    Column("rule_id", Text),
    Column("first_seen", UtcTime, nullable=False),
    Column("missing_since", UtcTime),
    Column("missing_listings", Integer, nullable=False, default=0),
    Index(None, "hub"),
)
"""The provider's event hubs as last observed. A hub is named after its customer."""

RECONCILE_REQUEST: Final = Table(
    "reconcile_request",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("resource_id", Text, nullable=False),
    Column("change", String(16), nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("requested_at", UtcTime, nullable=False),
    Column("operation_id", String(32), nullable=False),
)
"""Changes seen in the stream whose target is to be reconciled before all others."""

ARM_PAUSE: Final = Table(
    "arm_pause",
    METADATA,
    Column("scope", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("until", UtcTime, nullable=False),
)
"""Until when Azure told us to keep away from a token bucket, where that is beyond the end of a run."""

CUSTOMER_PROBLEM: Final = Table(
    "customer_problem",
    METADATA,
    Column("check_name", String(128), primary_key=True),
    Column("customer", String(256), primary_key=True),
    Column("what", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
)
"""What a check found wrong with a customer when it last looked at it."""

NAMESPACE_SHARD: Final = Table(
    "namespace_shard",
    METADATA,
    Column("region", String(50), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("tier", String(16), nullable=False),
    Column("units", Integer, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
)
"""The event hub namespaces placements were given in. A namespace's tier stays what it was opened with."""

PLACEMENT: Final = Table(
    "placement",
    METADATA,
    Column("customer", String(256), primary_key=True),
    Column("region", String(50), primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("partitions", Integer, nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("unneeded_since", UtcTime),
    Index(None, "region", "shard"),
)
"""Where each customer's event hub of a region is: given once, never moved.

``unneeded_since`` is when the inventory first showed nothing any more that the hub is for.
"""

REFUSED_REMOVAL: Final = Table(
    "refused_removal",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("hubs", Text, nullable=False),
    Column("refused_at", UtcTime, nullable=False),
    Column("approved_at", UtcTime),
    Column("used_at", UtcTime),
)
"""Removals of event hubs the destroy guard refused, until somebody approves them.

``hubs`` is JSON: each hub with the reasons against its removal. An approval lets through the one removal of
this digest, once.
"""
