"""The requests that are made for every ten messages, without the layers of Amazon's client around them.

The client spends most of their time on writing and reading them by a model of the whole service. Here a request is one JSON
text, signed by botocore's signer and posted by aiohttp, and its answer is read by msgspec. All else stays with the client:
credentials, endpoints and queues; and where its own requests do not look as expected (``sample``), all requests.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError
from botocore.httpsession import create_urllib3_context, get_cert_path

from transports.sqs import answers
from transports.sqs.sample import Sample
from transports.sqs.signing import Request, Signer, agrees

_KEPT_ALIVE = 12.0
"""Seconds that a connection is kept unused, as aiobotocore does: servers close theirs after about twenty."""

_SLACK = 5.0
"""Seconds that a request may take beyond connecting and waiting: credentials may be renewed before it."""

_DATED = "ReceiveMessage"
"""The action of whose answer the ``Date`` is kept."""


class Wire:
    """Posts to the service on connections of its own.

    Args:
        sample: how requests are written.
        credentials: of aiobotocore's chain; it renews them.
        context: for TLS.
        pool: connections at most.
        connect: seconds for making one.
        read: seconds for an answer.
    """

    def __init__(
        self,
        sample: Sample,
        credentials: Any,
        context: ssl.SSLContext | None,
        *,
        pool: int,
        connect: float,
        read: float,
    ) -> None:
        self._sample = sample
        self._credentials = credentials
        self._signer: Signer | None = None
        self._limit = connect + read + _SLACK
        self._http = ClientSession(
            connector=TCPConnector(limit=pool, ssl=context or False, keepalive_timeout=_KEPT_ALIVE),
            timeout=ClientTimeout(sock_connect=connect, sock_read=read),
            cookie_jar=DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            skip_auto_headers=("Accept", "User-Agent"),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Let go of its connections."""
        await self._http.close()

    async def call(self, action: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for one of the actions of ``answers.READERS``, once.

        Raises:
            ClientError: the service refuses, with the code that aiobotocore would give.
            BotoCoreError: there are no credentials.
            aiohttp.ClientError, OSError, TimeoutError: as aiohttp raises them.
            ValueError: the answer cannot be read.
        """
        request = Request(self._sample, action, msgspec.json.encode(arguments))
        async with asyncio.timeout(self._limit):
            (await self._current()).add_auth(request)
            async with self._http.post(
                request.url, data=request.body, headers=request.headers, allow_redirects=False
            ) as response:
                body = await response.read()
        if response.status >= 300:
            raise ClientError(answers.error(response.status, response.headers, body), action)
        try:
            answer: dict[str, Any] = answers.READERS[action](body)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{action}: the answer cannot be read: {error}") from error
        if action == _DATED:
            answer["ResponseMetadata"] = {"HTTPHeaders": {"date": response.headers.get("Date")}}
        return answer

    async def _current(self) -> Signer:
        """Return the signer for the credentials that are valid now."""
        try:
            credentials = await self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError, RuntimeError) as error:
            # whatever provider of credentials failed: nothing was sent
            raise CredentialRetrievalError(provider="the SDK's chain", error_msg=str(error)) from error
        if credentials is None:
            raise NoCredentialsError
        if self._signer is None or self._signer.credentials != credentials:
            self._signer = Signer(credentials, self._sample)
        return self._signer


async def fits(sample: Sample, credentials: Any) -> bool:
    """Whether requests of this kind are signed here as botocore does it."""
    frozen = await credentials.get_frozen_credentials()
    return frozen is not None and agrees(frozen, sample)


async def tls(sample: Sample, bundle: str | None) -> ssl.SSLContext | None:
    """Return the TLS context for a service behind ``https``, as aiobotocore makes it; files are read in a thread.

    Args:
        sample: where requests go.
        bundle: file of the authorities that are trusted, as the SDK's configuration names it (``AWS_CA_BUNDLE``).
    """
    bundle = bundle or os.environ.get("REQUESTS_CA_BUNDLE")  # in the SDK's order
    return await asyncio.to_thread(_context, bundle) if sample.url.startswith("https:") else None


def _context(bundle: str | None) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    context.check_hostname = True
    context.load_verify_locations(get_cert_path(bundle or True))
    return context
