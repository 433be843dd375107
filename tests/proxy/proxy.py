"""A TCP proxy that breaks connections as networks do; it runs in a thread of its own, whatever the test's loop does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.brokers import ports
from tests.proxy.link import Link
from tests.proxy.weather import Weather

T = TypeVar("T")


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
        self._server: asyncio.Server | None = None
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
            if self._server is not None:
                self._server.close()
                self._server = None

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
            if self._server is None:
                self._server = await asyncio.start_server(self._serve, ports.HOST, self.port, limit=2**16)

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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until its connection ends."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = Link(reader, writer, self._weather)
        self._links.add(link)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await link.run(*self._target)
        finally:
            link.end(reset=False)
            self._links.discard(link)
            self._tasks.discard(task)

    def _strand(self) -> None:
        for link in self._links:
            link.swallowed = True

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # closed transports say so to their protocols in the loop's next rounds
        for _ in range(3):
            await asyncio.sleep(0)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
