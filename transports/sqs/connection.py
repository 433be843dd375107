"""The service behind a driver: calls in, answers and our own errors out.

There are three links, each with connections of its own: a poll holds one for as long as it waits, and neither sending nor
settling may wait behind it. Credentials come by the SDK's own chain, which also renews them.

Requests about queues are made by aiobotocore's client. Those that are made for every ten messages go a leaner way
(``wire``), once the client's first request has shown where to send them and in which form, if that form is known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Mapping
from typing import Any

import structlog
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientConnectorError, ConnectionTimeoutError
from aiohttp import ClientError as HttpError
from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
)

from transports.sqs import wire
from transports.sqs.answers import READERS
from transports.sqs.faults import NotSent, Refused
from transports.sqs.sample import learned
from transports.sqs.settings import Settings
from worker.errors import TransportUnavailable
from worker.messaging.bounded import closed

_CLOSING = 2.0
_NEVER_SENT = (
    ClientConnectorError,
    ConnectTimeoutError,
    ConnectionTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
)

_WHOLE = "a proxy, a signature or a protocol that only Amazon's client knows: that client makes all requests"

log = structlog.stdlib.get_logger("worker.sqs")


class Link(enum.Enum):
    """What a call is for: each kind of work has connections of its own."""

    RECEIVE = "receive"
    SEND = "send"
    SETTLE = "settle"


class Connection:
    """Calls the service of one region.

    Args:
        name: of the transport.
        settings: its settings.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.settings = settings
        self._name = name
        self._session: Any = None
        self._clients: dict[Link, Any] = {}
        self._wires: dict[Link, wire.Wire] = {}
        self._making = asyncio.Lock()
        self._learned = False
        self._exits = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Make a client; the driver's models are read in a thread, before anything depends on the loop."""
        if self._session is not None:
            return
        self._session = get_session()
        try:
            await self._client(Link.SETTLE)
        except (BotoCoreError, ValueError, OSError) as error:
            await self.close()
            raise self.unavailable(error) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of all connections."""
        self._session = None
        self._clients, self._wires, self._learned = {}, {}, False
        exits, self._exits = self._exits, contextlib.AsyncExitStack()
        await closed(exits.aclose(), _CLOSING)

    @property
    def is_open(self) -> bool:
        """Whether calls can be made."""
        return self._session is not None

    async def _client(self, link: Link) -> Any:
        """Return the SDK's client of a link; it is made when it is first needed."""
        found = self._clients.get(link)
        if found is not None:
            return found
        settings = self.settings
        pool, connect, read = self._bounds(link)
        config = AioConfig(
            connect_timeout=connect,
            read_timeout=read,
            max_pool_connections=pool,
            parameter_validation=False,  # requests are written here, rightly
            retries={"mode": "standard", "total_max_attempts": 1},  # repeated here, where that is harmless
            tcp_keepalive=True,
            warm_up_loader_caches=True,
        )
        session, exits = self._session, self._exits
        async with self._making:
            if link not in self._clients:
                making = session.create_client(
                    "sqs", region_name=settings.region, endpoint_url=settings.endpoint, config=config
                )
                made = await exits.enter_async_context(making)
                made.meta.events.register("before-send.sqs", self._learn)
                if self._session is not session:  # closed meanwhile
                    await exits.aclose()
                    raise NotSent(f"sqs {settings.shown}: transport {self._name!r} is closed")
                self._clients[link] = made
        return self._clients[link]

    def _bounds(self, link: Link) -> tuple[int, float, float]:
        """Return the most connections of a link, and the seconds for making one and for an answer.

        A process needs a connection for the poll of each queue, which may be many, and a few for batches.
        """
        settings = self.settings
        polls = link is Link.RECEIVE
        return (
            100 + settings.pollers if polls else 20,
            min(settings.timeout, 5.0),
            settings.timeout + (settings.wait if polls else 0),
        )

    async def _learn(self, request: Any, **_: Any) -> None:
        """Open the leaner way when the SDK's client is about to send its first request."""
        if self._learned or self._session is None:
            return
        self._learned = True
        try:
            await self._open_wires(request)
        except BaseException:  # the next request can be learned from just as well
            self._learned = False
            raise

    async def _open_wires(self, request: Any) -> None:
        session, exits = self._session, self._exits
        sample = learned(request)
        credentials = await session.get_credentials()
        if sample is None or not await wire.fits(sample, credentials):
            log.info("sqs.whole_client", transport=self._name, hint=_WHOLE)
            return
        context = await wire.tls(sample, session.get_config_variable("ca_bundle"))
        if self._session is not session:  # closed meanwhile
            return
        for link in Link:
            pool, connect, read = self._bounds(link)
            made = wire.Wire(sample, credentials, context, pool=pool, connect=connect, read=read)
            exits.push_async_callback(made.close)
            self._wires[link] = made

    async def call(self, link: Link, action: str, **arguments: Any) -> Mapping[str, Any]:
        """Ask for an action, once.

        Raises:
            Refused: the service says no to what was asked.
            NotSent: the service was not reached.
            TransportUnavailable: there was no answer, or one about the service or the credentials.
        """
        if self._session is None:
            raise NotSent(f"sqs {self.settings.shown}: transport {self._name!r} is not connected")
        try:
            answer: Mapping[str, Any]
            if action in READERS and link in self._wires:
                answer = await self._wires[link].call(action, arguments)
            else:
                answer = await getattr(await self._client(link), xform_name(action))(**arguments)
        except ClientError as error:
            told = error.response.get("Error", {})
            refused = Refused(str(told.get("Code", "")), str(told.get("Message", "")))
            if refused.broken:
                raise self.unavailable(refused) from error
            if refused.passing:
                raise NotSent(self._text(refused)) from error
            raise refused from error
        except _NEVER_SENT as error:
            raise NotSent(self._text(error)) from error
        except (BotoCoreError, HttpError, OSError, TimeoutError, ValueError) as error:
            raise self.unavailable(error) from error
        return answer

    async def ask(self, action: str, **arguments: Any) -> Mapping[str, Any]:
        """Ask a question that may be repeated: once more where the first got no answer."""
        try:
            return await self.call(Link.SETTLE, action, **arguments)
        except NotSent:
            raise
        except TransportUnavailable:
            await asyncio.sleep(0.1)
            return await self.call(Link.SETTLE, action, **arguments)

    def unavailable(self, error: object) -> TransportUnavailable:
        """Name the service and the cause."""
        return TransportUnavailable(self._text(error))

    def _text(self, error: object) -> str:
        told = (str(error).splitlines() or [""])[0] or type(error).__name__
        if isinstance(error, NoCredentialsError):
            told = "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role"
        if isinstance(error, Refused) and error.hint:
            told = f"{told}: {error.hint}"
        return f"sqs {self.settings.shown}: {told}"
