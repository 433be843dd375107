"""The service behind a driver: calls in, answers and our own errors out.

Three lanes, each with connections of its own: a poll holds one for as long as it waits, and neither what is sent
nor what is settled may wait behind it. Credentials come by the SDK's own chain and are renewed by it.

aiobotocore answers all questions about queues. What is asked for every ten messages goes over a leaner way (``wire``),
once the client's first request has shown where to and in which form, and if that is a form that is known here.
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
from transports.sqs.sample import learned
from transports.sqs.settings import Settings
from worker.errors import TransportUnavailable
from worker.messaging.bounded import closed

_HINTS = {
    "AccessDenied": "expected the rights of deploy/iam/sqs-intake.json, sqs-worker.json or sqs-setup.json",
    "ExpiredToken": "the credentials are used up, and the SDK's chain brought no new ones",
    "OverLimit": "as many messages are in flight as the queue allows (120,000): settle or extend fewer at once",
}
"""What is expected where the service refuses, by the beginning of its code."""

_CLOSING = 2.0
_NEVER_SENT = (
    ClientConnectorError,
    ConnectTimeoutError,
    ConnectionTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
)

_WHOLE = "a proxy, a signature or a protocol that only Amazon's client knows: it does all requests"

log = structlog.stdlib.get_logger("worker.sqs")


class Lane(enum.Enum):
    """What a call is for: each has connections of its own."""

    RECEIVE = "receive"
    SEND = "send"
    SETTLE = "settle"


class Refused(Exception):
    """The service answered that it does not do it.

    Attributes:
        code: its own word for why, without what stands before a dot.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code.rpartition(".")[2]
        super().__init__(f"{self.code}: {text}" if text else self.code)

    @property
    def missing(self) -> bool:
        """Whether there is no such queue."""
        return self.code in {"QueueDoesNotExist", "NonExistentQueue"}

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later, as it is."""
        return not self.missing and (self.code.startswith(_PASSING) or "Throttl" in self.code)


_BROKEN = ("Internal", "Service", "5")
"""Beginnings of codes of a service that failed in the middle of it."""

_PASSING = (
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignature",
    "Kms",
    "KMS",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "OverLimit",
    "QueueDeletedRecently",
    "RequestExpired",
    "RequestThrottled",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SlowDown",
    "TooMany",
    "UnrecognizedClient",
    *("3", "401", "403", "407", "408", "429"),
)
"""Beginnings of codes that say nothing about what was asked, and that nothing was done: limits, or the credentials.

Numbers are of those between here and the service, who know nothing of its errors: a redirection, a gateway, a proxy.
"""


class NotSent(TransportUnavailable):
    """The service was not reached: nothing was done."""


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
        self._clients: dict[Lane, Any] = {}
        self._wires: dict[Lane, wire.Wire] = {}
        self._making = asyncio.Lock()
        self._learned = False
        self._exits = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Make a client; the driver's models are read in a thread, before anything depends on the loop."""
        if self._session is not None:
            return
        self._session = get_session()
        try:
            await self._client(Lane.SETTLE)
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

    async def _client(self, lane: Lane) -> Any:
        """The SDK's client of a lane, made when it is first needed."""
        found = self._clients.get(lane)
        if found is not None:
            return found
        settings = self.settings
        pool, connect, read = self._bounds(lane)
        config = AioConfig(
            connect_timeout=connect,
            read_timeout=read,
            max_pool_connections=pool,
            parameter_validation=False,  # what is sent is made here
            retries={"mode": "standard", "total_max_attempts": 1},  # repeated here, where it may be
            tcp_keepalive=True,
            warm_up_loader_caches=True,
        )
        session, exits = self._session, self._exits
        async with self._making:
            if lane not in self._clients:
                making = session.create_client(
                    "sqs", region_name=settings.region, endpoint_url=settings.endpoint, config=config
                )
                made = await exits.enter_async_context(making)
                made.meta.events.register("before-send.sqs", self._learn)
                if self._session is not session:  # closed meanwhile
                    await exits.aclose()
                    raise NotSent(f"sqs {settings.shown}: transport {self._name!r} is closed")
                self._clients[lane] = made
        return self._clients[lane]

    def _bounds(self, lane: Lane) -> tuple[int, float, float]:
        """Connections at most, and seconds for making one and for an answer.

        A process needs a poller's connection for each of many queues, and a few for batches.
        """
        settings = self.settings
        polls = lane is Lane.RECEIVE
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
        except BaseException:  # the next request shows as much
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
        for lane in Lane:
            pool, connect, read = self._bounds(lane)
            made = wire.Wire(sample, credentials, context, pool=pool, connect=connect, read=read)
            exits.push_async_callback(made.close)
            self._wires[lane] = made

    async def call(self, lane: Lane, action: str, **arguments: Any) -> Mapping[str, Any]:
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
            if action in READERS and lane in self._wires:
                answer = await self._wires[lane].call(action, arguments)
            else:
                answer = await getattr(await self._client(lane), xform_name(action))(**arguments)
        except ClientError as error:
            told = error.response.get("Error", {})
            refused = Refused(str(told.get("Code", "")), str(told.get("Message", "")))
            if refused.code.startswith(_BROKEN):  # it may have been done all the same
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
            return await self.call(Lane.SETTLE, action, **arguments)
        except NotSent:
            raise
        except TransportUnavailable:
            await asyncio.sleep(0.1)
            return await self.call(Lane.SETTLE, action, **arguments)

    def unavailable(self, error: object) -> TransportUnavailable:
        """Name the service and the cause."""
        return TransportUnavailable(self._text(error))

    def _text(self, error: object) -> str:
        told = (str(error).splitlines() or [""])[0] or type(error).__name__
        if isinstance(error, NoCredentialsError):
            told = "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role"
        if isinstance(error, Refused):
            hint = next((text for code, text in _HINTS.items() if error.code.startswith(code)), None)
            told = f"{told}: {hint}" if hint else told
        return f"sqs {self.settings.shown}: {told}"
