"""Joins transactions that an application has begun itself: rows that are there if and only if it commits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import msgspec
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, SessionTransaction

from worker.errors import UsageError
from worker.state.outbox import CHANNEL
from worker.state.sessions.callers import Caller
from worker.state.statement import Statement

if TYPE_CHECKING:
    from worker.state.database import Database

Rows = Sequence[Mapping[str, Any]]

_HERE = Statement("SELECT pg_advisory_xact_lock(:key)")
_THERE = "SELECT pg_try_advisory_xact_lock(:key)"
_HOME = Statement("""
    SELECT quote_ident(n.nspname) AS schema, current_database() AS name FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('worker_outbox')
""")
_NOTIFY = f"SELECT current_database(), pg_notify('{CHANNEL}', :application)"


class Home(msgspec.Struct, frozen=True):
    """Where the tables of the state are in a PostgreSQL: its name, and their schema, quoted."""

    name: str
    schema: str


class Joining:
    """Writes the state's rows into transactions of applications.

    That a session is on the state's database is proved once an engine. On SQLite it is the same file. On PostgreSQL two
    addresses tell nothing: there a lock that the state holds must be seen from the session, which it is from the same
    database of the same server only. The session's own search path does not count.

    Args:
        database: the state's, connected.
        path: of its file; None where it is a PostgreSQL, or goes with the process.
    """

    def __init__(self, database: Database, path: Path | None) -> None:
        self._database = database
        self._path = path
        self._proved: WeakKeyDictionary[Engine, Home | None] = WeakKeyDictionary()
        self._watched: WeakSet[Session] = WeakSet()

    async def add(
        self, caller: Caller, rows: Sequence[tuple[Statement, Rows]], ended: Callable[[], None]
    ) -> None:
        """Add rows in the transaction of ``caller``.

        Relays hear of them when it commits: from PostgreSQL, and on SQLite, which tells nothing, this process's alone.

        Args:
            caller: whose transaction it is.
            rows: by statement.
            ended: called in any thread when a session's transaction on SQLite is over.

        Raises:
            UsageError: it is on another database than the state, or commits each statement by itself.
            DatabaseUnavailable: the state's database does not answer.
            Exception: what SQLAlchemy raises.
        """
        engine = await caller.run(self._engine)
        home = await self._home(caller, engine)
        await caller.run(lambda connection: self._add(connection, home, rows))
        if home is None and caller.session is not None and caller.session not in self._watched:
            self._watched.add(caller.session)
            _watch(caller.session, ended)

    async def _home(self, caller: Caller, engine: Engine) -> Home | None:
        if engine in self._proved:
            return self._proved[engine]
        home = None
        if self._database.is_sqlite:
            file = await caller.run(_file)
            if not (file and self._path is not None and _same(file, self._path)):
                raise self._elsewhere(f"file {file}" if file else "in memory")
        else:
            home = await self._proved_home(caller, engine)
        self._proved[engine] = home
        return home

    async def _proved_home(self, caller: Caller, engine: Engine) -> Home:
        key = int.from_bytes(os.urandom(8), signed=True)
        async with self._database.begin_write() as transaction:
            await transaction.rows(_HERE, key=key)
            found = await transaction.first(_HOME)
            if await caller.run(lambda connection: connection.execute(text(_THERE), {"key": key}).scalar()):
                raise self._elsewhere(_shown(engine))
        if found is None:
            raise UsageError(f"database {self._database.shown}: its tables are missing; run: worker setup")
        return Home(found["name"], found["schema"])

    def _engine(self, connection: Connection) -> Engine:
        """Find the engine, and refuse what cannot be joined."""
        dialect = connection.dialect.name
        if (dialect == "sqlite") is not self._database.is_sqlite or dialect not in {"sqlite", "postgresql"}:
            raise self._elsewhere(_shown(connection.engine))
        isolation = connection.get_execution_options().get(
            "isolation_level", getattr(connection.dialect, "_on_connect_isolation_level", None)
        )
        if isolation == "AUTOCOMMIT":
            raise UsageError(
                "send(session=…): its connection commits each statement by itself (AUTOCOMMIT); expected a transaction"
            )
        return connection.engine

    def _add(self, connection: Connection, home: Home | None, rows: Sequence[tuple[Statement, Rows]]) -> None:
        application = self._database.application
        if home is not None:
            told = connection.execute(text(_NOTIFY), {"application": application}).one()
            if told[0] != home.name:  # an engine may lead to several
                raise self._elsewhere(f"database {told[0]}")
        schema = None if home is None else home.schema
        for statement, values in rows:
            if values:
                connection.execute(
                    text(statement.named(schema)), [{"application": application, **row} for row in values]
                )

    def _elsewhere(self, where: str) -> UsageError:
        return UsageError(
            f"send(session=…): the session is on another database ({where}) than the state ({self._database.shown}); "
            "name the session's by database.url, or send without session= after the commit"
        )


def _file(connection: Connection) -> str:
    return next(
        (row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"), ""
    )


def _same(file: str, path: Path) -> bool:
    try:
        return path.samefile(file)
    except OSError:
        return False


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _watch(session: Session, ended: Callable[[], None]) -> None:
    def on_end(_session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            ended()

    event.listen(session, "after_transaction_end", on_end)
