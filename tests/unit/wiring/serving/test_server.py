"""Listening: what the HTTP server is told."""

from __future__ import annotations

from starlette.applications import Starlette

from worker.wiring.serving.server import Server

BALANCER = 60
"""Seconds for which the usual load balancers keep an idle connection to a server; most clients keep it shorter."""


def test_an_idle_connection_is_the_clients_to_close() -> None:
    """A server that closes it first may do so while a command is on its way, and it is not known whether the command was taken."""
    server = Server(Starlette(), "127.0.0.1", 0, 1.0)
    assert server._uvicorn.config.timeout_keep_alive > BALANCER
    server._socket.close()
