"""One connection through the proxy: two streams and what is done to them."""

from __future__ import annotations

import asyncio
import socket
import struct

from tests.proxy.weather import Weather

CHUNK = 65536
STEP = 0.05
"""Seconds: how finely a throttled connection is doled out."""


class Link:
    """A client's connection and the one to the server behind it.

    Attributes:
        swallowed: nothing is passed on any more, in either direction, and neither side is told.
        left: bytes from the client until the connection is reset; None: never.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, weather: Weather) -> None:
        self.swallowed = weather.frozen
        self.left = weather.quota
        self._client = (reader, writer)
        self._writers = [writer]
        self._weather = weather
        self._ended = asyncio.Event()
        self._silent = 0

    async def run(self, host: str, port: int) -> None:
        """Pass bytes on until both sides have ended, or ``end`` is called.

        Raises:
            OSError: the server is not there; the client is reset.
        """
        reader, writer = self._client
        try:
            upstream, out = await asyncio.open_connection(host, port)
        except OSError:
            self.end(reset=True)
            raise
        self._writers.append(out)
        pumps = [
            asyncio.create_task(self._pump(reader, out, counted=True)),
            asyncio.create_task(self._pump(upstream, writer, counted=False)),
        ]
        over = asyncio.create_task(self._ended.wait())
        try:
            both = asyncio.gather(*pumps)
            await asyncio.wait([both, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*pumps, over):
                task.cancel()
            await asyncio.gather(*pumps, over, both, return_exceptions=True)

    def end(self, *, reset: bool) -> None:
        """End both sides, by a reset or in order."""
        self._ended.set()
        for writer in self._writers:
            if reset:
                _linger_not(writer)
                writer.transport.abort()
            else:
                writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        """Read one side to its end; what was read goes to the other side when it is due."""
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1024)
        passing = asyncio.create_task(self._pass_on(held, writer))
        loop = asyncio.get_running_loop()
        try:
            data = b"-"
            while data:
                data = await self._read(reader)
                spent = False
                if counted and self.left is not None:
                    spent = len(data) > self.left
                    data = data[: self.left]
                    self.left -= len(data)
                if data or not spent:
                    await held.put((loop.time() + self._weather.delay, data))
                if spent:
                    await held.join()
                    self.end(reset=True)
            await passing
            if self.swallowed:
                await self._fall_silent()
        finally:
            passing.cancel()
            await asyncio.gather(passing, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read(CHUNK)
        except OSError:
            # a reset of one side is one of the other, unless neither side is to be told
            if not self.swallowed:
                self.end(reset=True)
            return b""

    async def _fall_silent(self) -> None:
        """The other side hears nothing of this one's end, as over a dead line; the link is over with both."""
        self._silent += 1
        if self._silent == 2:
            self.end(reset=False)
        await self._ended.wait()

    async def _pass_on(self, held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        """Send what is held when it is due, as fast as is allowed; an empty piece is the end."""
        data = b"-"
        while data:
            due, data = await held.get()
            try:
                await self._send(due, data, writer)
            except OSError:
                if not self.swallowed:
                    self.end(reset=True)
            finally:
                held.task_done()

    async def _send(self, due: float, data: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        if not data and not self.swallowed and not writer.is_closing():
            writer.write_eof()
        while data and not self.swallowed:
            rate = self._weather.rate
            part = data if rate is None else data[: max(1, int(rate * STEP))]
            if rate is not None:
                await asyncio.sleep(len(part) / rate)
            if not self.swallowed:
                writer.write(part)
                await writer.drain()
            data = data[len(part) :]


def _linger_not(writer: asyncio.StreamWriter) -> None:
    """Closing the socket sends a reset instead of an orderly end."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
