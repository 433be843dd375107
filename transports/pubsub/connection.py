"""The connection: links of the running loop, calls with a deadline, our errors out."""

from __future__ import annotations

import asyncio
from typing import Any

from transports.pubsub import monitoring
from transports.pubsub.faults import Failed
from transports.pubsub.link import Link
from transports.pubsub.settings import Settings
from transports.pubsub.wire import Method
from worker.errors import TransportUnavailable

_SCOPES = ("https://www.googleapis.com/auth/pubsub",)


class Connection:
    """Two links: one for pulls, which stay open, and one for all other calls, which must never wait behind pulls.

    Args:
        name: of the transport.
        settings: where to.

    Attributes:
        credentials: of the application; None for an emulator, or before it is connected.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self.settings = settings
        self.credentials: Any = None
        self._calls: Link | None = None
        self._pulls: Link | None = None

    @property
    def open(self) -> bool:
        """Whether it may be used."""
        return self._calls is not None

    async def connect(self) -> None:
        """Make the links in the running loop.

        Raises:
            TransportUnavailable: there are no credentials.
        """
        if not self.settings.emulator_host:
            self.credentials = await asyncio.to_thread(self._credentials)
        self._calls, self._pulls = (Link(self.settings, self.credentials) for _ in range(2))

    async def call(self, method: Method, request: Any, timeout: float | None = None) -> Any:
        """Call the service over the link for calls that end soon.

        Raises:
            Failed: there was no answer in time, or the service refuses.
            TransportUnavailable: it is not connected.
        """
        link = self._link(self._calls)
        try:
            return await link.call(method, request, timeout or self.settings.timeout)
        except Failed as error:
            if error.code == "DEADLINE_EXCEEDED":
                link.renew()  # perhaps the line is dead without an error
            raise

    async def pull(self, method: Method, request: Any, timeout: float) -> Any:
        """Call over the link that pulls use; raises as ``call`` does."""
        return await self._link(self._pulls).call(method, request, timeout)

    def renew_pulls(self) -> None:
        """Renew the link of the pulls: its line is dead."""
        if self._pulls is not None:
            self._pulls.renew()

    async def close(self) -> None:
        """Let go of both."""
        links, self._calls, self._pulls = (self._calls, self._pulls), None, None
        for link in links:
            if link is not None:
                await link.close()

    def _link(self, link: Link | None) -> Link:
        if link is None:
            raise TransportUnavailable(f"{self.settings.shown}: transport {self._name!r} is not connected")
        return link

    def _credentials(self) -> Any:
        import google.auth
        import google.auth.exceptions

        try:
            scopes = [*_SCOPES, monitoring.SCOPE] if self.settings.monitoring else _SCOPES
            return google.auth.default(scopes=scopes)[0]
        except google.auth.exceptions.GoogleAuthError as error:
            told = str(error).splitlines()[0]
            raise TransportUnavailable(f"{self.settings.shown}: no credentials: {told}") from None
