"""The service behind a driver: calls in, answers and our own errors out.

Three clients, each with connections of its own: a poll holds one for as long as it waits, and neither what is sent
nor what is settled may wait behind it. Credentials come by the SDK's own chain and are renewed by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Mapping
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientError as HttpError
from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

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
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError)


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
    "Kms",
    "KMS",
    "NotAuthorized",
    "OptInRequired",
    "OverLimit",
    "QueueDeletedRecently",
    "RequestExpired",
    "RequestThrottled",
    "SignatureDoesNotMatch",
    "SlowDown",
    "TooMany",
    "UnrecognizedClient",
)
"""Beginnings of codes that say nothing about what was asked, and that nothing was done: limits, or the credentials."""


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
        self._clients: Mapping[Lane, Any] | None = None
        self._exits = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Make the clients; the driver's models are read in a thread, before anything depends on the loop."""
        if self._clients is not None:
            return
        settings = self.settings
        # connections a process needs at most: a poller's for each of many queues, and a few for batches
        pools = {Lane.RECEIVE: 100 + settings.pollers, Lane.SEND: 20, Lane.SETTLE: 20}
        session = get_session()
        clients: dict[Lane, Any] = {}
        exits = contextlib.AsyncExitStack()
        try:
            for lane, pool in pools.items():
                waits = settings.wait if lane is Lane.RECEIVE else 0
                config = AioConfig(
                    connect_timeout=min(settings.timeout, 5.0),
                    read_timeout=settings.timeout + waits,
                    max_pool_connections=pool,
                    parameter_validation=False,  # what is sent is made here
                    retries={"mode": "standard", "total_max_attempts": 1},  # repeated here, where it may be
                    tcp_keepalive=True,
                    warm_up_loader_caches=True,
                )
                making = session.create_client(
                    "sqs", region_name=settings.region, endpoint_url=settings.endpoint, config=config
                )
                clients[lane] = await exits.enter_async_context(making)
        except (BotoCoreError, ValueError, OSError) as error:
            await exits.aclose()
            raise self.unavailable(error) from error
        except BaseException:
            await exits.aclose()
            raise
        self._clients, self._exits = clients, exits

    async def close(self) -> None:
        """Let go of all connections."""
        self._clients = None
        exits, self._exits = self._exits, contextlib.AsyncExitStack()
        await closed(exits.aclose(), _CLOSING)

    @property
    def is_open(self) -> bool:
        """Whether calls can be made."""
        return self._clients is not None

    async def call(self, lane: Lane, action: str, **arguments: Any) -> Mapping[str, Any]:
        """Ask for an action, once.

        Raises:
            Refused: the service says no to what was asked.
            NotSent: the service was not reached.
            TransportUnavailable: there was no answer, or one about the service or the credentials.
        """
        if self._clients is None:
            raise NotSent(f"sqs {self.settings.shown}: transport {self._name!r} is not connected")
        try:
            answer: Mapping[str, Any] = await getattr(self._clients[lane], xform_name(action))(**arguments)
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
