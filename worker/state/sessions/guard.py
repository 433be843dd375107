"""The guard of a handler's transaction: it begins once, and only the unit of work ends it."""

from __future__ import annotations

import re
import threading
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from worker.errors import UsageError

KEY = "worker.guard"
"""Where a connection's ``info`` holds the guard of the session that has it."""

ENDED = (
    "the transaction of context.session was ended inside the handler; what was written before may be committed. "
    "It commits when the handler returns and is rolled back when it raises"
)

_WRONG = re.compile(
    r"""(?: [\s;(] | --[^\n]*(?:\n|$) | /\*.*?\*/ )*
    (?: ( commit | end | abort | begin | start\s+transaction | prepare\s+transaction
        | rollback (?! \s+ (?:(?:work|transaction)\s+)? to \b ) ) \b
    | pragma \s+ (?:\w+\s*\.\s*)?
        (?! (?:application_id|defer_foreign_keys|foreign_key_\w+|index_\w+|integrity_check|quick_check|table_\w+
        |user_version)\b ) \w+ \s* [=(] )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

COMMITS = "it commits when the handler returns, and is rolled back when it raises; use begin_nested() for a savepoint"


class Guard:
    """What one session may still do.

    Attributes:
        begun: whether its transaction has begun; it does so once.
        settling: whether the unit of work is ending it, or has.
        misuse: the first wrong use, which the handler may have caught.
        connection: of its transaction.
        driver: the driver's connection below it.
    """

    __slots__ = ("begun", "connection", "driver", "misuse", "settling", "thread")

    def __init__(self) -> None:
        self.begun = False
        self.settling = False
        self.misuse: UsageError | None = None
        self.connection: Connection | None = None
        self.driver: Any = None
        self.thread = threading.get_ident()

    def refuse(self, text: str) -> UsageError:
        """Make the error of a wrong use, and remember the first."""
        error = UsageError(text)
        self.misuse = self.misuse or error
        return error

    def begin(self, connection: Connection) -> None:
        """Take the connection that a transaction begins on.

        Raises:
            UsageError: it is not the first; the first was ended by hand, or its handler has ended.
        """
        if self.settling:
            raise UsageError(
                "context.session: the handler has ended; what it started must end before it does"
            )
        if self.begun:
            self.misuse = self.misuse or UsageError(ENDED)
            raise self.misuse
        self.begun = True
        self.connection = connection
        self.driver = connection.connection.driver_connection
        self.driver.watch()
        connection.info[KEY] = self


def wrong(text: str) -> str | None:
    """Say what is wrong with a statement that begins or ends a transaction, or changes the connection for good.

    Savepoints are right, and so are SQLite's pragmas that read, or that the transaction's end undoes.
    """
    found = _WRONG.match(text)
    if found is None:
        return None
    if found[1] is None:
        return "PRAGMA on context.session: its connection is the worker's own, and would keep the setting"
    return f"{' '.join(found[1].split()).upper()} on context.session: {COMMITS}"


def listen(engine: Engine) -> None:
    """Hold the transactions of the sessions on an engine."""

    def on_begin(connection: Connection) -> None:
        guard = connection.info.get(KEY)
        if guard is not None and not guard.settling and guard.begun:
            guard.begin(connection)  # a second time: it says what is wrong

    def on_commit(connection: Connection) -> None:
        guard = connection.info.get(KEY)
        if guard is not None and not guard.settling:
            error = guard.refuse(f"commit() of context.session's transaction: {COMMITS}")
            connection.invalidate()  # what could not commit is not rolled back later on either, and would go to others
            raise error
        driver: Any = connection.connection.driver_connection
        driver.approve()

    def on_statement(connection: Connection, _cursor: Any, text: str, *_: Any) -> None:
        guard = connection.info.get(KEY)
        if guard is None or guard.settling:
            return
        if guard.thread != threading.get_ident():
            raise guard.refuse("context.session in another thread: it belongs to its handler's loop")
        refused = wrong(text)
        if refused is not None:
            raise guard.refuse(refused)
        guard.driver.check()

    def on_options(_connection: Connection, options: dict[str, Any]) -> None:
        level = options.get("isolation_level")
        if isinstance(level, str) and level.upper() == "AUTOCOMMIT":
            raise UsageError(f"isolation_level={level!r} on context.session: {COMMITS}")

    event.listen(engine, "begin", on_begin)
    event.listen(engine, "commit", on_commit)
    event.listen(engine, "before_cursor_execute", on_statement)
    event.listen(engine, "set_connection_execution_options", on_options)
