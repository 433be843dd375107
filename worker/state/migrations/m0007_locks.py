"""Version 7: named locks; that of exclusive commands is one of them.

Programs of the version before go on beside this one: to them the lock of exclusive commands is a view of its row, under
the name of its former table. They take it, move its end on and release it there. SQLite does not count what is changed in
a view, so there their holder stops to move the end on, and is not protected for longer than the lease: stop them first.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Double, MetaData, String, Table, text

_metadata = MetaData()

Table(
    "worker_locks",
    _metadata,
    Column("application", String(255), primary_key=True, nullable=False),
    Column(
        "name", String(255), primary_key=True, server_default="exclusive"
    ),  # for what goes through the view
    Column("holder", String(255), nullable=False),
    Column("worker", String(255), nullable=False),
    Column("about", String(255), nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("version", BigInteger),  # only written through the view
)

_COLUMNS = "application, worker, message_id, type, version, until, since"
_VALUES = "application, worker, holder, about, version, until, since"
_THAT = "WHERE application = OLD.application AND name = 'exclusive'"

_VIEW = f"""
    CREATE VIEW worker_exclusive ({_COLUMNS}) AS SELECT {_VALUES} FROM worker_locks WHERE name = 'exclusive'
"""
_SQLITE = (
    f"""
    CREATE TRIGGER worker_exclusive_taken INSTEAD OF INSERT ON worker_exclusive BEGIN
        INSERT INTO worker_locks ({_VALUES}) VALUES ({", ".join(f"NEW.{name}" for name in _COLUMNS.split(", "))});
    END
    """,
    f"""
    CREATE TRIGGER worker_exclusive_extended INSTEAD OF UPDATE ON worker_exclusive BEGIN
        UPDATE worker_locks SET until = NEW.until {_THAT};
    END
    """,
    f"""
    CREATE TRIGGER worker_exclusive_released INSTEAD OF DELETE ON worker_exclusive BEGIN
        DELETE FROM worker_locks {_THAT};
    END
    """,
)
"""Makes the view one that can be written; on PostgreSQL it is."""


def upgrade(connection: Connection, _application: str) -> None:
    """Make the table, and a view of the one that it replaces."""
    _metadata.create_all(connection)
    connection.execute(text(f"INSERT INTO worker_locks ({_VALUES}) SELECT {_COLUMNS} FROM worker_exclusive"))
    connection.execute(text("DROP TABLE worker_exclusive"))
    connection.execute(text(_VIEW))
    if connection.dialect.name == "sqlite":
        for trigger in _SQLITE:
            connection.exec_driver_sql(trigger)
