"""Version 4: every row belongs to an application, a status tells its worker, the exclusive lock since when it is held.

What is there becomes that of the application that is started first with this version, as its own: a database was meant for
one. Workers of an earlier version must have been stopped.

It is long, as every table is written out: a migration means the same for good, whatever later ones make of the tables.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import CreateIndex

_metadata = MetaData()

_sequence = BigInteger().with_variant(Integer, "sqlite")


def _application(*, key: bool = True) -> Column[str]:
    """Whose row it is: applications share a database, and nothing in it."""
    return Column("application", String(255), primary_key=key, nullable=False)


Table(
    "worker_inbox",
    _metadata,
    _application(),
    Column("message_id", String(255), primary_key=True),
    Column("handler", String(500), primary_key=True),
    Column("done_at", Double, nullable=False),
    Index("worker_inbox_done_at", "application", "done_at"),
    sqlite_with_rowid=False,
)

Table(
    "worker_outbox",
    _metadata,
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

Table(
    "worker_statuses",
    _metadata,
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

Table(
    "worker_failures",
    _metadata,
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

Table(
    "worker_failure_groups",
    _metadata,
    _application(),
    Column("failure_id", String(255), primary_key=True),
    Column("group", String(16), primary_key=True),
    Column("handler", String(500)),
    Column("error_type", String(500), nullable=False),
    Index("worker_failure_groups_group", "application", "group", "failure_id"),
)

Table(
    "worker_attempts",
    _metadata,
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

Table(
    "worker_workers",
    _metadata,
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

Table(
    "worker_control",
    _metadata,
    _application(),
    Column("version", BigInteger, nullable=False),  # of pauses and exclusive together
)

Table(
    "worker_pauses",
    _metadata,
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

Table(
    "worker_audit",
    _metadata,
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

Table(
    "worker_breakers",
    _metadata,
    _application(),
    Column("name", String(255), primary_key=True),
    Column("trips", Integer, nullable=False),  # messages tried in a row that failed
    Column("due", Double, nullable=False),  # when a worker may try one
    Column("prober", String(255), nullable=False),  # the worker that tries; empty: none does
)

Table(
    "worker_exclusive",
    _metadata,
    _application(),
    Column("worker", String(255), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
    Column("since", Double, nullable=False),
)

Table(
    "worker_idempotency",
    _metadata,
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


def upgrade(connection: Connection, application: str) -> None:
    """Give every table its column, and what is there to ``application``."""
    connection.execute(text("DELETE FROM worker_exclusive"))  # its holder was to be stopped
    change = _rebuild if connection.dialect.name == "sqlite" else _alter
    for table in _metadata.sorted_tables:
        change(connection, table, application)


def _rebuild(connection: Connection, table: Table, application: str) -> None:
    """SQLite cannot change a key: make the table anew."""
    name, old = table.name, f"{table.name}_before"
    for index in table.indexes:
        connection.execute(text(f"DROP INDEX {index.name}"))
    connection.execute(text(f"ALTER TABLE {name} RENAME TO {old}"))
    table.create(connection)
    there = {row.name for row in connection.execute(text(f"PRAGMA table_info({old})"))}
    kept = [f'"{column.name}"' for column in table.columns if column.name in there]
    made = {"application": ":application"} | ({"worker": "''"} if name == "worker_statuses" else {})
    connection.execute(
        text(
            f"INSERT INTO {name} ({', '.join([*made, *kept])}) SELECT {', '.join([*made.values(), *kept])} FROM {old}"
        ),
        {"application": application},
    )
    if table.dialect_options["sqlite"]["autoincrement"]:  # numbers are never used twice
        connection.execute(text(f"DELETE FROM sqlite_sequence WHERE name = '{name}'"))
        connection.execute(
            text(
                f"INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', seq FROM sqlite_sequence WHERE name = '{old}'"
            )
        )
    connection.execute(text(f"DROP TABLE {old}"))


def _alter(connection: Connection, table: Table, application: str) -> None:
    """PostgreSQL changes the table in its place, and so keeps what was granted on it."""
    name = table.name
    quoted = "'" + application.replace("'", "''") + "'"
    steps = [f"ADD COLUMN application VARCHAR(255) NOT NULL DEFAULT {quoted}"]
    steps += ["ALTER COLUMN application DROP DEFAULT"]
    if name == "worker_statuses":
        steps += ["ADD COLUMN worker VARCHAR(255) NOT NULL DEFAULT ''", "ALTER COLUMN worker DROP DEFAULT"]
    if name == "worker_exclusive":
        steps += ["ADD COLUMN since DOUBLE PRECISION NOT NULL"]
    key = [column.name for column in table.primary_key.columns]
    if "application" in key:
        steps += [f"DROP CONSTRAINT {name}_pkey"]
        steps += ["DROP COLUMN id"] if "id" not in table.columns and name in _SINGLE else []
        steps += [f"ADD PRIMARY KEY ({_names(key)})"]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            columns = _names(column.name for column in constraint.columns)
            steps += [f"DROP CONSTRAINT {constraint.name}"]
            steps += [f"ADD CONSTRAINT {constraint.name} UNIQUE ({columns})"]
    for step in steps:
        # as the driver's own text: a colon in a name is no parameter
        connection.exec_driver_sql(f"ALTER TABLE {name} {step}")
    for index in table.indexes:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
        connection.execute(CreateIndex(index))


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_SINGLE = ("worker_control", "worker_exclusive")
"""Tables that had one row, of number 1."""
