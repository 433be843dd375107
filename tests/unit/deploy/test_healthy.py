"""The image's health check tells ready from not ready, and why."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[3] / "deploy/image/healthy.py"
PORTS = ("WORKER_WORKER__HEALTH_PORT", "WORKER_HTTP__PORT")


@pytest.fixture(scope="module")
def healthy() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("healthy", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(status: int, body: bytes = b'{"ready":false,"reasons":["database: gone"]}') -> Iterator[int]:
    """A server that answers like this; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """A port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_ready_process_is_healthy(healthy):
    """200 is 0."""
    with answering(200) as port:
        assert healthy.main([str(port)], {}) == 0


def test_a_process_that_is_not_ready_is_unhealthy_and_says_why(healthy, capsys):
    """503 is 1, and its reasons are what the engine keeps."""
    with answering(503) as port:
        assert healthy.main([str(port)], {}) == 1
    assert "database: gone" in capsys.readouterr().out


def test_a_worker_is_asked_before_an_intake(healthy):
    """Without a port, those of the environment are asked; a port without listener is passed over."""
    with answering(200) as port:
        gone = str(closed_port())
        assert healthy.main([], dict(zip(PORTS, (str(port), gone), strict=True))) == 0
        assert healthy.main([], dict(zip(PORTS, (gone, str(port)), strict=True))) == 0
        with answering(503) as other:
            assert healthy.main([], dict(zip(PORTS, (str(other), str(port)), strict=True))) == 1


def test_a_process_that_does_not_listen_yet_is_unhealthy(healthy, capsys):
    """A port without listener is 1."""
    assert healthy.main([str(closed_port())], {}) == 1
    assert "nothing listens" in capsys.readouterr().out


def test_defaults_are_the_image_s_ports(healthy):
    """An empty environment means the defaults; an empty variable too."""
    assert healthy.ports([], {}) == [8081, 8000]
    assert healthy.ports([], {PORTS[0]: "", PORTS[1]: "9000"}) == [8081, 9000]
