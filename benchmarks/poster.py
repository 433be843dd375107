"""The client: posts over kept connections, one request under way on each.

``python -m benchmarks.poster PORT PATH REQUESTS CONNECTIONS [GET]`` prints the rate; any answer but 202, or 200 of a GET,
ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from typing import cast

import uvloop

from benchmarks.pad import PAD


class Connection(asyncio.Protocol):
    """Sends the same request again at each answer, until the requests are used up."""

    def __init__(self, request: bytes, left: list[int], done: asyncio.Future[None]) -> None:
        self._request = request
        self._right = b"HTTP/1.1 200" if request.startswith(b"GET") else b"HTTP/1.1 202"
        self._left = left
        self._done = done
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own says nothing of its bases

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail, unless the work is done."""
        if not self._done.done():
            self._done.set_exception(ConnectionError(f"connection lost: {exc}"))

    def go(self) -> None:
        """Send the next request, or end."""
        if not self._left[0]:
            if not self._done.done():
                self._done.set_result(None)
            return
        self._left[0] -= 1
        assert self._transport is not None
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read one answer; its length is always declared."""
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        size = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(rest) < size:
            return
        if not head.startswith(self._right):
            if not self._done.done():
                self._done.set_exception(RuntimeError(self._buffer.decode(errors="replace")))
            return
        self._buffer = rest[size:]
        self.go()


async def post(port: int, path: str, requests: int, connections: int) -> float:
    """Post and return the rate a second."""
    body = json.dumps({"number": 1, "pad": PAD}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return await send(port, head.encode() + body, requests, connections)


async def get(port: int, path: str, requests: int, connections: int) -> float:
    """Read and return the rate a second."""
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\r\n"
    return await send(port, head.encode(), requests, connections)


async def send(port: int, request: bytes, requests: int, connections: int) -> float:
    """Send the same request again and again, and return the rate a second."""
    loop = asyncio.get_running_loop()
    left = [requests]
    opened = []
    ends = []
    for _ in range(connections):
        end: asyncio.Future[None] = loop.create_future()
        make = partial(Connection, request, left, end)
        _, connection = await loop.create_connection(make, "127.0.0.1", port)
        opened.append(connection)
        ends.append(end)
    started = time.perf_counter()
    for connection in opened:
        connection.go()
    await asyncio.gather(*ends)
    return requests / (time.perf_counter() - started)


if __name__ == "__main__":
    ask = get if sys.argv[5:] == ["GET"] else post
    rate = uvloop.run(ask(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    print(json.dumps({"rate": rate}))
