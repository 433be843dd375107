"""The tables as they are now. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
"""Names all tables of the state. Times are seconds since the epoch unless said otherwise."""

_sequence = BigInteger().with_variant(Integer, "sqlite")


def _application(*, key: bool = True) -> Column[str]:
    """Whose row it is: applications share a database, and nothing in it."""
    return Column("application", String(255), primary_key=key, nullable=False)


schema_version = Table(
    "worker_schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("applied_at", Double, nullable=False),
)

clock = Table(
    "worker_clock",  # one row, of all applications: the database has one clock
    metadata,
    Column("skew", Double, nullable=False),  # makes up for its steps
    Column("seen", Double, nullable=False),  # when a process last found it in order, by that clock
)

inbox = Table(
    "worker_inbox",
    metadata,
    _application(),
    Column("message_id", String(255), primary_key=True),
    Column("handler", String(500), primary_key=True),
    Column("done_at", Double, nullable=False),
    Index("worker_inbox_done_at", "application", "done_at"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "worker_outbox",
    metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=True),
    _application(key=False),
    Column("message_id", String(255), nullable=False),
    Column("origin", String(255), nullable=False),  # the message whose handler sent it
    Column("transport", String(255), nullable=False),
    Column("queue", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", Text),
    Column("delay", Double, nullable=False),  # seconds from created_at
    Column("priority", Integer, nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("claimed_by", String(255), nullable=False),
    Column("claimed_until", Double, nullable=False),
    UniqueConstraint("application", "message_id", name="worker_outbox_message_id"),
    Index("worker_outbox_origin", "application", "origin", "seq"),
    Index("worker_outbox_lane", "application", "key", "queue", "seq"),
    Index("worker_outbox_claimed_until", "application", "claimed_until"),
    sqlite_autoincrement=True,
)

statuses = Table(
    "worker_statuses",
    metadata,
    _application(),
    Column("id", String(255), primary_key=True),
    Column("type", String(255), nullable=False),
    Column("state", String(20), nullable=False),
    Column("transport", String(255), nullable=False),  # empty: unknown
    Column("queue", String(255), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("put_back_at", Double, nullable=False),  # from the failure store; 0: never
    Column("accepted_at", String(40)),  # RFC 3339, as in the envelope
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("error_type", String(500)),
    Column("error_message", Text),
    Column("worker", String(255), nullable=False),  # that has begun it; empty: unknown
    Index("worker_statuses_finished_at", "application", "finished_at"),
    sqlite_with_rowid=False,
)

failures = Table(
    "worker_failures",
    metadata,
    _application(),
    Column("id", String(255), primary_key=True),
    Column("type", String(255)),
    Column("transport", String(255), nullable=False),
    Column("queue", String(255), nullable=False),
    Column("failed_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("decoded", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", Text),
    Column("priority", Integer, nullable=False),
    Column("ticket", String(64)),  # of the replay that was given out and neither resolved nor failed
    Column("hidden_at", Double),  # its replay was confirmed then
    Index("worker_failures_failed_at", "application", "failed_at", "id"),
)

failure_groups = Table(
    "worker_failure_groups",
    metadata,
    _application(),
    Column("failure_id", String(255), primary_key=True),
    Column("group", String(16), primary_key=True),
    Column("handler", String(500)),
    Column("error_type", String(500), nullable=False),
    Index("worker_failure_groups_group", "application", "group", "failure_id"),
)

attempts = Table(
    "worker_attempts",
    metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=True),
    _application(key=False),
    Column("message_id", String(255), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("worker", String(255), nullable=False),
    Column("handler", String(500), nullable=False),  # empty: none was reached
    Column("error_type", String(500), nullable=False),
    Column("error_message", Text, nullable=False),
    Column("trace", Text, nullable=False),
    UniqueConstraint("application", "message_id", "at", "attempt", "handler", name="worker_attempts_once"),
    Index("worker_attempts_at", "application", "at"),
    sqlite_autoincrement=True,
)

workers = Table(
    "worker_workers",
    metadata,
    Column("id", String(255), primary_key=True),
    _application(key=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("applied_version", BigInteger, nullable=False),
    Column("types", Text, nullable=False),  # a JSON list
    Column(
        "quiet_version", BigInteger, nullable=False, server_default="0"
    ),  # no command runs since that version
    Column("troubles", Text, nullable=False, server_default="[]"),  # a JSON list
)

control = Table(
    "worker_control",
    metadata,
    _application(),
    Column("version", BigInteger, nullable=False),  # of pauses and exclusive together
)

pauses = Table(
    "worker_pauses",
    metadata,
    Column("number", _sequence, primary_key=True, autoincrement=True),
    _application(key=False),
    Column("action", String(10), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("value", String(255), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("reason", Text),
    Column("since", Double, nullable=False),
    Column("until", Double),
    Column("owner", String(255), nullable=False),  # the breaker's name; empty: an operator's
    sqlite_autoincrement=True,
)

audit = Table(
    "worker_audit",
    metadata,
    Column("seq", _sequence, primary_key=True, autoincrement=True),
    _application(key=False),
    Column("at", Double, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("action", String(20), nullable=False),  # pause, resume
    Column("subject", Text, nullable=False),  # a JSON list
    Column("reason", Text),
    Column("until", Double),
    Column("version", BigInteger, nullable=False),
    Index("worker_audit_at", "application", "at"),
    sqlite_autoincrement=True,
)

breakers = Table(
    "worker_breakers",
    metadata,
    _application(),
    Column("name", String(255), primary_key=True),
    Column("trips", Integer, nullable=False),  # messages tried in a row that failed
    Column("due", Double, nullable=False),  # when somebody may try one
    Column("prober", String(255), nullable=False),  # the worker that tries; empty: nobody does
)

exclusive = Table(
    "worker_exclusive",
    metadata,
    _application(),
    Column("worker", String(255), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
    Column("since", Double, nullable=False),
)

idempotency = Table(
    "worker_idempotency",
    metadata,
    _application(),
    Column("id", String(64), primary_key=True),  # a hash of caller, path and key
    Column("body_hash", String(64), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("state", String(20), nullable=False),  # pending, done, abandoned
    Column("claim", String(64), nullable=False),
    Column("leased_until", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("answer", LargeBinary),
    Index("worker_idempotency_expires_at", "application", "expires_at"),
)

suspects = Table(
    "worker_suspects",
    metadata,
    _application(),
    Column("name", String(48), primary_key=True),  # a hash of transport, queue and id
    Column("at", Double, nullable=False),
    Column("record", Text, nullable=False),  # JSON
    Index("worker_suspects_at", "application", "at"),
    sqlite_with_rowid=False,
)
