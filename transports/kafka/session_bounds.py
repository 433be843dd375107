"""The bounds that the brokers set for a member's session: asked for at start, before any member joins."""

from __future__ import annotations

from typing import Any

import structlog
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from transports.kafka.administration import Administration
from transports.kafka.connection import Connection
from worker.errors import ConfigurationError, TransportUnavailable

LEAST, MOST = "group.min.session.timeout.ms", "group.max.session.timeout.ms"

log = structlog.stdlib.get_logger("worker.kafka")


class SessionBounds:
    """Knows whether the brokers allow the configured session.

    Args:
        name: of the transport, for error texts.
        connection: knows the settings.
        administration: asks the brokers.
    """

    def __init__(self, name: str, connection: Connection, administration: Administration) -> None:
        self._name = name
        self._connection = connection
        self._administration = administration
        self._known = False

    async def check(self) -> None:
        """Compare, once. Where the brokers do not tell their bounds, as for want of a right, they may refuse a join later.

        Raises:
            ConfigurationError: the session is too short or too long for the brokers; names both figures.
        """
        if self._known:
            return
        try:
            bounds = await self._administration.ask("reading the bounds of sessions", _bounds)
        except TransportUnavailable as error:
            log.debug("the brokers' bounds of sessions are not known", error=str(error))
            return
        self._known = True
        seconds = self._connection.settings.session_timeout
        least, most = bounds.get(LEAST, 0.0), bounds.get(MOST, float("inf"))
        if not least <= seconds <= most:
            self._known = False
            bound, allowed = (
                (LEAST, f"at least {least:g}") if seconds < least else (MOST, f"at most {most:g}")
            )
            key = f"transports.{self._name}.lease (or session_timeout)"
            raise ConfigurationError(
                [f"{key} = {seconds:g}: expected {allowed} seconds, the brokers' {bound}"]
            )


async def _bounds(client: Any) -> dict[str, float]:
    """Ask one broker, for all of them, and return its bounds in seconds; empty where it refuses to tell."""
    brokers = (await client.describe_cluster())["brokers"]
    asked = ConfigResource(ConfigResourceType.BROKER, str(brokers[0]["node_id"]), {LEAST: "", MOST: ""})
    found: dict[str, float] = {}
    for answer in await client.describe_configs([asked]):
        for code, _, _, _, entries in answer.resources:
            if code == 0:
                found.update(
                    (entry[0], int(entry[1]) / 1000) for entry in entries if entry[0] in {LEAST, MOST}
                )
    return found
