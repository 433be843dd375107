"""A TCP proxy that breaks connections as networks do; it runs in a thread of its own, whatever the test's loop does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.brokers import ports
from tests.proxy.link import Link
from tests.proxy.weather import Weather

T = TypeVar("T")

BACKLOG = 128
"""Connections that the system takes for the proxy before it does."""


class Proxy:
    """Stands between clients and one server. Every method returns when it has taken effect.

    Args:
        port: where the server is, on ``host``.
        listen: where clients connect; by default a free port.
    """

    def __init__(self, port: int, host: str = ports.HOST, listen: int | None = None) -> None:
        self.port = listen or ports.choose()
        self._target = (host, port)
        self._weather = Weather()
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.accept()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- what is going on ---------------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """How many are open now, stranded ones included."""
        return len(self._links)

    # --- faults ---------------------------------------------------------------------------------------------------

    def cut(self, *, reset: bool = True) -> None:
        """End every connection on both sides, by a reset or in order (FIN); new ones go through."""

        async def work() -> None:
            for link in list(self._links):
                link.end(reset=reset)

        self._do(work())

    def freeze(self) -> None:
        """Swallow what either side sends, and tell neither: connections that are open, and new ones."""

        async def work() -> None:
            self._weather.frozen = True
            self._strand()

        self._do(work())

    def strand(self) -> None:
        """Swallow for good what is sent over the connections of now, and keep them open; new ones go through."""

        async def work() -> None:
            self._strand()

        self._do(work())

    def refuse(self) -> None:
        """Take no new connection; open ones go on."""

        async def work() -> None:
            self._stop_listening()

        self._do(work())

    def delay(self, seconds: float) -> None:
        """Hold back everything, in both directions, for so long."""
        self._weather.delay = seconds

    def throttle(self, rate: float) -> None:
        """Let through only so many bytes a second, for each connection and direction."""
        self._weather.rate = rate

    def reset_after(self, count: int) -> None:
        """Reset each connection, open or new, after so many more bytes from its client."""

        async def work() -> None:
            self._weather.quota = count
            for link in self._links:
                link.left = count

        self._do(work())

    # --- and their end ----------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Take new connections again, after ``refuse``."""

        async def work() -> None:
            if self._listener is None:
                self._listener = socket.create_server((ports.HOST, self.port), backlog=BACKLOG)
                self._listener.setblocking(False)
                self._loop.add_reader(self._listener, self._take)

        self._do(work())

    def clear(self) -> None:
        """End all faults for new connections. What was frozen or stranded stays swallowed: its bytes are gone."""

        async def work() -> None:
            self._weather.clear()
            for link in self._links:
                link.left = None

        self._do(work())
        self.accept()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        """Take one client that waits.

        An ``asyncio.Server`` that is closed between taking a connection and serving it leaves that connection
        open and forgotten; what is taken here has an owner in the same step.
        """
        assert self._listener is not None
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it left while it waited
        task = self._loop.create_task(self._serve(client))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(done, client))

    async def _serve(self, client: socket.socket) -> None:
        """One client, until its connection ends."""
        with contextlib.suppress(OSError, asyncio.CancelledError):
            reader, writer = await asyncio.open_connection(sock=client, limit=2**16)
            link = Link(reader, writer, self._weather)
            self._links.add(link)
            try:
                await link.run(*self._target)
            finally:
                link.end(reset=False)
                self._links.discard(link)

    def _forget(self, task: asyncio.Task[None], client: socket.socket) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            client.close()  # before its first step: no other code has it

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _strand(self) -> None:
        for link in self._links:
            link.swallowed = True

    async def _close(self) -> None:
        self._stop_listening()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # closed transports say so to their protocols in the loop's next rounds
        for _ in range(3):
            await asyncio.sleep(0)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
