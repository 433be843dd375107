"""The intake of a service: the HTTP application on its address."""

from __future__ import annotations

import asyncio

import structlog

from worker.http.app import create_app
from worker.runtime.options import ServeOptions
from worker.runtime.process.readiness import tell_ready
from worker.wiring.service import Service
from worker.wiring.serving.admission import admitted
from worker.wiring.serving.ports import intake_ports
from worker.wiring.serving.server import Server

log = structlog.stdlib.get_logger("worker.intake")


class Intake:
    """Takes commands and queries over HTTP.

    Args:
        service: opened.
        options: where to listen.

    Raises:
        ConfigurationError: the address is not a loopback one, while tokens are not in use, or cannot be bound.
    """

    def __init__(self, service: Service, options: ServeOptions) -> None:
        self._admitted = admitted(
            options.host, trust_gateway=options.trust_gateway, tokens=service.tokens.in_use
        )
        self._service = service
        self._options = options
        self._stopping = asyncio.Event()
        ports = intake_ports(service, options.host, self._admitted, self._stopping)
        self._server = Server(create_app(ports), options.host, options.port, options.graceful_timeout)

    def stop(self, reason: str = "stopped") -> None:
        """Take no more requests, and answer those that wait for something."""
        self._stopping.set()
        self._server.stop()

    async def run(self) -> None:
        """Serve until stopped."""
        log.info(
            "intake listens",
            url=f"http://{self._options.host}:{self._server.port}",
            access=self._whom(),
        )
        tell_ready()
        watching = asyncio.create_task(self._service.tokens.watch())
        try:
            await self._server.run()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        log.info("intake stopped")

    def _whom(self) -> str:
        if self._service.tokens.in_use:
            return "calls with a token"
        whom = " and ".join(["loopback", *(f"the gateway {address}" for address in self._admitted)])
        return f"{whom} only: there is no token"
