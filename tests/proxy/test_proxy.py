"""The proxy breaks connections as it says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.brokers.ports import HOST, choose
from tests.e2e.waiting import until
from tests.proxy.proxy import Proxy

SOON = 0.3
"""Seconds of silence that count as silence."""


class Echo:
    """A server that gives back what it gets, and notes how its connections ended."""

    def __init__(self) -> None:
        self.port = choose()
        self.got = b""
        self.ends: list[str] = []
        self._socket = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(65536):
                    self.got += data
                    client.sendall(data)
            except OSError:
                self.ends.append("reset")
            else:
                self.ends.append("end")

    def close(self) -> None:
        # a blocked accept is woken by this, not by close
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connect(proxy) as made:
        assert says(made, b"hello") == b"hello"
        yield made


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=10)


def says(client: socket.socket, data: bytes) -> bytes:
    """Send, and read as much."""
    client.sendall(data)
    got = b""
    while len(got) < len(data):
        part = client.recv(65536)
        assert part, "the connection ended"
        got += part
    return got


def is_silent(client: socket.socket) -> bool:
    """Whether nothing comes, not even an end."""
    client.settimeout(SOON)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(10)
    return False


def test_passes_everything_on(proxy: Proxy, client: socket.socket) -> None:
    """Without a fault much data arrives unchanged, and the end of one side is that of the other."""
    data = bytes(range(256)) * 4000
    reader = threading.Thread(target=client.sendall, args=(data,))
    reader.start()
    got = b""
    while len(got) < len(data):
        got += client.recv(65536)
    reader.join()
    assert got == data
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    until(lambda: proxy.connections == 0, "the connection is over")


def test_cut_by_reset(proxy: Proxy, echo: Echo, client: socket.socket) -> None:
    """A cut resets both sides; a new connection goes through."""
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    until(lambda: echo.ends == ["reset"], "the server is told by a reset")
    with connect(proxy) as another:
        assert says(another, b"again") == b"again"


def test_cut_in_order(proxy: Proxy, echo: Echo, client: socket.socket) -> None:
    """An orderly cut is an end of file on both sides."""
    proxy.cut(reset=False)
    assert client.recv(1) == b""
    until(lambda: echo.ends == ["end"], "the server is told in order")


def test_frozen_connections_are_swallowed(proxy: Proxy, echo: Echo, client: socket.socket) -> None:
    """While frozen nothing passes on old and new connections, and no side is told; afterwards new ones work, old ones stay dead."""
    proxy.freeze()
    client.sendall(b"lost")
    with connect(proxy) as during:
        during.sendall(b"lost too")
        assert is_silent(client) and is_silent(during)
        proxy.clear()
        with connect(proxy) as after:
            assert says(after, b"after") == b"after"
        client.sendall(b"still lost")
        assert is_silent(client) and is_silent(during)
    assert echo.got == b"helloafter"


def test_stranded_connections_stay_dead_and_new_ones_work(
    proxy: Proxy, echo: Echo, client: socket.socket
) -> None:
    """Stranding swallows what is open now; the server does not even hear that its client has gone."""
    proxy.strand()
    with connect(proxy) as another:
        assert says(another, b"new") == b"new"
        client.sendall(b"lost")
        assert is_silent(client)
        client.close()
        assert says(another, b"still") == b"still"
    until(lambda: echo.ends == ["end"], "the second connection has ended")
    until(lambda: proxy.connections == 1, "only the stranded one is left")
    assert echo.got == b"hellonewstill" and echo.ends == ["end"]


def test_delay_holds_back(proxy: Proxy, client: socket.socket) -> None:
    """A delay applies to both directions, and keeps the order."""
    proxy.delay(0.2)
    started = time.monotonic()
    for _ in range(5):
        client.sendall(b"ab")
    got = b""
    while len(got) < 10:
        got += client.recv(100)
    assert got == b"ab" * 5
    assert time.monotonic() - started >= 0.4
    proxy.clear()


def test_throttle_bounds_the_rate(proxy: Proxy, client: socket.socket) -> None:
    """20 kB at 50 kB/s take 0.4 s at least."""
    proxy.throttle(50_000)
    started = time.monotonic()
    assert says(client, b"x" * 20_000) == b"x" * 20_000
    assert time.monotonic() - started >= 0.4


def test_reset_after_some_bytes(proxy: Proxy, echo: Echo, client: socket.socket) -> None:
    """Exactly so many more bytes reach the server, then the connection is reset, and so is the next one."""
    proxy.reset_after(10)
    client.sendall(b"0123456789and more")
    with pytest.raises(ConnectionResetError):
        while client.recv(100):
            pass
    until(lambda: echo.got == b"hello0123456789", "the server got ten bytes")
    with connect(proxy) as another:
        another.sendall(b"another one")
        with pytest.raises(ConnectionResetError):
            while another.recv(100):
                pass
    proxy.clear()
    with connect(proxy) as free:
        assert says(free, b"x" * 50) == b"x" * 50


def test_refuses_new_connections(proxy: Proxy, client: socket.socket) -> None:
    """While it refuses, a new connection is refused and an open one goes on."""
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    assert says(client, b"on") == b"on"
    proxy.accept()
    with connect(proxy) as another:
        assert says(another, b"again") == b"again"


def test_missing_server_resets_the_client(echo: Echo) -> None:
    """A client of a server that is not there is reset, not left waiting."""
    with Proxy(choose()) as proxy, pytest.raises(ConnectionResetError), connect(proxy) as client:
        client.recv(1)
