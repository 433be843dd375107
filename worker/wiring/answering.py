"""Answers the product's own queries."""

from __future__ import annotations

from msgspec.structs import replace

from worker.messaging.built_in import CheckHealth, GetCrontab, Ping
from worker.messaging.crontab import crontab_lines
from worker.messaging.declaration import Registry
from worker.messaging.health import HealthReport
from worker.wiring.built_in import BuiltIn
from worker.wiring.parts.health import Health
from worker.wiring.serving.outward import cut


class Answering:
    """What answers ``Ping``, ``CheckHealth`` and ``GetCrontab``.

    Args:
        health: of this process.
        registry: what the application declares.
    """

    def __init__(self, health: Health, registry: Registry) -> None:
        self._health = health
        self._registry = registry

    def messages(self) -> tuple[BuiltIn, ...]:
        """The queries, and what answers them."""
        return (
            BuiltIn(cls=Ping, call=self.ping, right="health", kind="query"),
            BuiltIn(cls=CheckHealth, call=self.check, right="health", kind="query"),
            BuiltIn(cls=GetCrontab, call=self.crontab, right="schedules.read", kind="query"),
        )

    async def ping(self, _query: Ping) -> bool:
        """Say that the service is there."""
        return True

    async def check(self, _query: CheckHealth) -> HealthReport:
        """Give the health document; over HTTP it names no hosts and users."""
        found = await self._health.report()
        return replace(found, reasons=[cut(reason) for reason in found.reasons])

    def crontab(self, _query: GetCrontab) -> list[str]:
        """Give the lines of the application's crontab; its functions run in a thread, as all that is plain.

        Raises:
            ConfigurationError: a function raised, or gave what is no line.
        """
        return crontab_lines(self._registry)
