"""SQLite's driver with one change of thread a statement, where aiosqlite's own cursor takes four."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite

_CHUNK = 64

_LATER = 0.02
"""Seconds after which a thread is woken for what is not waited for."""


class Cursor:
    """What SQLAlchemy asks of a cursor; a statement and all its rows come back together.

    Streamed results are read whole, too: they save no memory. ``check`` is asked in the thread, before each statement.
    """

    def __init__(
        self,
        run: Callable[..., Any],
        connection: Callable[[], sqlite3.Connection],
        check: Callable[[sqlite3.Connection, str], None] | None = None,
    ) -> None:
        self._run = run
        self._connection = connection
        self._check = check
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        """Ready at once: the real cursor lives in the thread, for as long as a statement takes."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left open."""

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run a statement and fetch its rows."""
        await self._run(self._do, "execute", sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Cursor:
        """Run a statement once for each set of parameters."""
        await self._run(self._do, "executemany", sql, parameters)
        return self

    async def fetchone(self) -> Any:
        """Return the next row, None when there is none."""
        return self._rows.pop(0) if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return up to ``size`` rows."""
        size = self.arraysize if size is None else size
        part, self._rows = self._rows[:size], self._rows[size:]
        return part

    async def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        part, self._rows = self._rows, []
        return part

    async def close(self) -> None:
        """Nothing is left open."""

    def _do(self, name: str, sql: str, parameters: Any) -> None:
        connection = self._connection()
        if self._check is not None:
            self._check(connection, sql)
        cursor = connection.cursor()
        try:
            getattr(cursor, name)(sql, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class SwiftConnection(aiosqlite.Connection):
    """An aiosqlite connection with that cursor; one that cannot read its file closes itself at once.

    Attributes:
        functions: of SQL, that were added to it.
        file: device and number of the file that it has open.
        looked: when it was last known that its path still leads there, on the monotonic clock.
    """

    file: tuple[int, int] | None = None
    looked = 0.0

    def __init__(self, connect: Callable[[], sqlite3.Connection], chunk: int) -> None:
        super().__init__(connect, chunk)
        self.functions: set[str] = set()
        self._asked = 0
        self._answered = 0
        """How many calls were made, and the number of the last one that came back well: all before it are over."""
        self._later: Callable[[], object] | None = None
        self._waking: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Future[Any] | None = None

    async def _connect(self) -> aiosqlite.Connection:
        try:
            await super()._connect()
        except BaseException:
            if self._connection is not None:
                await self.close()
            elif self._stopping is not None:
                await self._stopping  # the thread's last word: it must not speak to a loop that is closed
            raise
        return self

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread; the future tells when it has. Idempotent: a second one would get no answer."""
        if self._running:
            self._stopping = super().stop()
        return self._stopping

    @property
    def quiet(self) -> bool:
        """Whether its thread has nothing to do, and did well what it did last."""
        return self._running and self._connection is not None and self._asked == self._answered

    async def _execute(self, fn: Callable[..., Any], *given: Any, **options: Any) -> Any:
        # also what aiosqlite's own methods go through. A caller that is cancelled leaves the thread at work
        self._hand_over()
        self._asked += 1
        number = self._asked
        found = await super()._execute(fn, *given, **options)  # type: ignore[no-untyped-call]
        self._answered = number
        return found

    def do_later(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Have ``work`` done in the thread, before all that is asked from now on; its end is told to no caller.

        It goes with what is asked next, or by itself after some milliseconds: waking a thread takes longer than the work.
        """
        self._hand_over()
        self._later = partial(work, self._conn)
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(_LATER, self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._hand_over()

    def _hand_over(self) -> None:
        later, self._later = self._later, None
        if later is not None and self._running:
            self._tx.put_nowait((None, later))

    async def do(self, work: Callable[..., Any], *given: Any) -> Any:
        """Have ``work`` done in the thread, with SQLite's own connection as its first argument."""
        return await self._execute(work, self._conn, *given)

    def cursor(self) -> Any:
        """Make a cursor; no thread is involved."""
        return Cursor(self.run, lambda: self.raw)

    @property
    def raw(self) -> sqlite3.Connection:
        """SQLite's own connection, for its thread."""
        return self._conn

    async def run(self, work: Callable[..., Any], *given: Any) -> Any:
        """Have ``work`` done in the thread."""
        return await self._execute(work, *given)


def open_connection(path: Path, *, pragmas: Sequence[str] = (), **options: Any) -> SwiftConnection:
    """Make a connection to be awaited; takes what ``sqlite3.connect`` takes, and pragmas to begin with."""

    def connect() -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(path, **options)
        try:
            # SQLite looks into the file at the first statement only; later, this would stay open
            for pragma in ("schema_version", *pragmas):
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()
            raise
        return connection

    connection = SwiftConnection(connect, _CHUNK)
    # a thread that hangs in a statement does not keep the process from ending
    thread: Any = getattr(connection, "_thread", connection)
    thread.daemon = True
    return connection
