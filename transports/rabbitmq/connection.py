"""A connection that is kept up: opened host by host, watched, and opened again with growing pauses."""

from __future__ import annotations

import asyncio
import random
import ssl

import structlog

from transports.rabbitmq.settings import Settings
from transports.rabbitmq.wire.connection import AmqpConnection, connect
from transports.rabbitmq.wire.faults import ConnectionLost, WireFault
from transports.rabbitmq.wire.login import Login
from worker.errors import TransportUnavailable

_ATTEMPT = 5.0
"""Seconds that one host may take."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_REFUSED = {403, 530}
"""AMQP's codes for wrong credentials and a missing virtual host."""

log = structlog.stdlib.get_logger("worker.rabbitmq")


class Connection:
    """Keeps one AMQP connection to the broker up until it is closed.

    Args:
        name: of the transport.
        purpose: shown in the broker's list of connections.
        settings: the hosts, and the user.
    """

    def __init__(self, name: str, purpose: str, settings: Settings) -> None:
        self._name = name
        self._purpose = purpose
        self._settings = settings
        self._amqp: AmqpConnection | None = None
        self._reason = f"transport {name!r} is not connected"
        self._up = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def amqp(self) -> AmqpConnection:
        """The AMQP connection, while there is one.

        Raises:
            TransportUnavailable: there is none; says why.
        """
        if self._amqp is None or self._amqp.lost.done():
            raise self.unavailable(self._why())
        return self._amqp

    def unavailable(self, why: object) -> TransportUnavailable:
        """Name the broker, without its password, and what is wrong with it."""
        return TransportUnavailable(f"RabbitMQ {self._settings.address}: {why}")

    async def open(self) -> None:
        """Connect, and stay connected from then on. Idempotent.

        Raises:
            TransportUnavailable: no host answers, or it refuses us.
        """
        if self._keeping is None:
            self._took(await self._connect())
            self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def wait(self, seconds: float | None) -> AmqpConnection:
        """Return the AMQP connection, waiting up to ``seconds`` (None: for ever) for it to come back.

        Raises:
            TransportUnavailable: it did not; says why.
        """
        while self._keeping is not None and (self._amqp is None or self._amqp.lost.done()):
            self._up.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._up.wait()
            except TimeoutError:
                break
        return self.amqp

    async def prove(self, timeout: float) -> None:
        """Have the broker answer something over it, within ``timeout`` seconds.

        Raises:
            TransportUnavailable: it does not.
        """
        try:
            channel = await self.amqp.channel(timeout)
            await channel.close(timeout)
        except WireFault as error:
            raise self.unavailable(error) from error
        except TimeoutError:
            raise self.unavailable(f"no answer within {timeout:g} s") from None

    async def close(self) -> None:
        """Let go of it. Idempotent."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        amqp, self._amqp = self._amqp, None
        self._reason = f"transport {self._name!r} is not connected"
        self._up.set()
        if amqp is not None:
            await amqp.close()

    def _why(self) -> str:
        if self._amqp is not None and self._amqp.lost.done() and not self._reason:
            return str(self._amqp.lost.result())
        return self._reason

    def _took(self, amqp: AmqpConnection) -> None:
        self._amqp = amqp
        self._reason = ""
        self._up.set()

    async def _keep(self) -> None:
        while True:
            assert self._amqp is not None
            lost = await asyncio.shield(self._amqp.lost)
            self._reason = str(lost)
            log.warning("connection lost", transport=self._name, connection=self._purpose, error=self._reason)
            self._took(await self._reconnect())
            log.info("connected again", transport=self._name, connection=self._purpose)

    async def _reconnect(self) -> AmqpConnection:
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(pause * (0.5 + random.random()))
            try:
                return await self._connect()
            except TransportUnavailable as error:
                reason = str(error).removeprefix(f"RabbitMQ {self._settings.address}: ")
                if reason != self._reason:
                    log.warning(
                        "cannot connect", transport=self._name, connection=self._purpose, error=reason
                    )
                self._reason = reason
            except Exception as error:  # a fault of this code: it must not end the tries to connect
                log.exception("cannot connect", transport=self._name, connection=self._purpose)
                self._reason = f"{type(error).__name__}: {error}"
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _connect(self) -> AmqpConnection:
        """Try the hosts in order."""
        settings = self._settings
        login = Login(
            username=settings.username,
            password=settings.password,
            vhost=settings.vhost,
            heartbeat=settings.heartbeat,
            name=f"command-worker {self._name} {self._purpose}",
            tls=settings.tls,
        )
        reasons = []
        for host, port in settings.hosts:
            try:
                return await connect(host, port, login, _ATTEMPT)
            except TimeoutError:
                reasons.append(f"{host}:{port} did not answer within {_ATTEMPT:g} s")
            except ConnectionLost as error:
                told = "refuses us" if error.code in _REFUSED else "ended the handshake"
                reasons.append(f"{host}:{port} {told} (user {settings.username!r}): {error}")
            except ssl.SSLError as error:
                reasons.append(f"{host}:{port}: TLS: {error}")
            except OSError as error:
                reasons.append(f"{host}:{port}: {error.strerror or error}")
        raise self.unavailable("; ".join(reasons))
