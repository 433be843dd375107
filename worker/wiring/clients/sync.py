"""The sync client: sends, asks and looks from Python code that has no loop."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import structlog

from worker.application.app import App
from worker.errors import UsageError
from worker.messaging.envelope import Envelope
from worker.messaging.stamps import Stamp
from worker.messaging.status import CommandStatus
from worker.settings import Settings
from worker.wiring.clients.desk import Desk, Facts
from worker.wiring.clients.joined import Runner
from worker.wiring.clients.native_threads import native_threads, settle
from worker.wiring.clients.thread import ClientThread

if TYPE_CHECKING:  # the types of what an application may give
    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import Session

M = TypeVar("M")
T = TypeVar("T")

GRACE = 10.0
"""Seconds for which closing and forking wait until no call is under way."""

_SETTLING = 0.5
"""Seconds for which forking waits for threads of the brokers' libraries that end."""

log = structlog.stdlib.get_logger("worker.client")


class SyncClient:
    """A client for code without a loop; made by ``Client.sync``.

    Any threads may use it at once; what they send at the same time shares the broker's batches. It is opened by its first
    call, or as a context, and closed at the context's end, or at the process's: what is under way is confirmed first, or
    named in the log. Before the process forks it is closed, too: parent and child each open it again by their next call.

    Args:
        app: as in ``Client``.
        config: likewise; settings are read when it is opened.
    """

    def __init__(self, app: App, config: Settings | str | os.PathLike[str] | None = None) -> None:
        self._given = (app, config)
        Desk(app, config)  # says what is wrong with the arguments
        self._lock = threading.RLock()
        self._thread: ClientThread | None = None
        self._closed = False
        self._native = 0
        self._left: list[ClientThread] = []
        if hasattr(os, "register_at_fork"):  # there is none on Windows
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._in_parent, after_in_child=self._in_child
            )
        _at_exit(self._close)

    def __enter__(self) -> Self:
        """Connect to the database and to every broker that a message is routed to.

        Raises:
            ConfigurationError: settings or declarations are wrong.
            Unavailable: the database or a broker did not answer within ``worker.connect_timeout``.
        """
        with self._lock:
            self._closed = False
            self._opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until what is under way is confirmed, name what is not, and close everything."""
        with self._lock:
            self._closed = True
        self._close()

    def send(
        self,
        message: M,
        *stamps: Stamp,
        delay: float | timedelta = 0,
        key: str | None = None,
        id: str | None = None,
        correlation_id: str | None = None,
        session: Session | Connection | None = None,
    ) -> Envelope[M]:
        """Send a command or event, as ``Client.send``; raises what that does, and when it opens what ``with`` does."""
        facts: Facts = {"delay": delay, "key": key, "id": id, "correlation_id": correlation_id}
        if session is None:
            return self._call(lambda desk, _: desk.send(message, stamps, **facts))
        return self._call(lambda desk, run: desk.join(message, stamps, facts, session, run))

    def send_many(
        self, messages: Iterable[Any], *, session: Session | Connection | None = None
    ) -> list[Envelope[Any]]:
        """Send messages, as ``Client.send_many``."""
        given = list(messages)  # in this thread: it may be a generator that reads
        return self._call(lambda desk, run: desk.send_many(given, session, run))

    def ask(self, query: Any) -> Any:
        """Ask a query, as ``Client.ask``; an ``async def`` handler runs on the client's loop."""
        return self._call(lambda desk, _: desk.ask(query))

    def status(self, id: str, wait: float | timedelta = 0) -> CommandStatus:
        """Tell where a command stands, as ``Client.status``."""
        return self._call(lambda desk, _: desk.status(id, wait))

    def _call(self, call: Callable[[Desk, Runner], Coroutine[Any, Any, T]]) -> T:
        with self._lock:  # nothing begins while it is opened, closed or forked
            begun = self._opened().begin(call)
        found: T = begun.result()
        return found

    def _opened(self) -> ClientThread:
        if self._closed:
            raise UsageError("this client is closed; use it inside of: with Client.sync(app) as client")
        if self._thread is None:
            self._native = native_threads()
            thread = ClientThread(Desk(*self._given))
            thread.start()
            self._thread = thread
        return self._thread

    def _close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.idle(GRACE)
            thread.stop()

    def _before_fork(self) -> None:
        """Close it: neither connections nor SQLite's files, with the locks that a process has on them, bear a fork."""
        self._lock.acquire()
        thread = self._thread
        if thread is None:
            return
        if thread.idle(GRACE):
            self._thread = None
            thread.stop()
            settle(self._native, _SETTLING)
        else:
            log.warning("the process forks while the client has calls under way; the child leaves them alone")

    def _in_parent(self) -> None:
        self._lock.release()

    def _in_child(self) -> None:
        self._lock = threading.RLock()
        if self._thread is not None:
            self._left.append(self._thread)  # nothing of it may be closed here: it is the parent's
            self._thread = None


def _at_exit(close: Callable[[], None]) -> None:
    """Close a client when the main thread has ended, while threads can still be started; and what has been opened since."""
    register = getattr(threading, "_register_atexit", None)  # as concurrent.futures does
    if register is not None:
        with contextlib.suppress(RuntimeError):  # the process ends already
            register(close)
    atexit.register(close)
