"""The links of one transport: a connection for each kind of work, so that none waits for another kind."""

from __future__ import annotations

from collections.abc import Callable

from transports.postgres.link import Link
from transports.postgres.settings import Settings


class Links:
    """A link for each kind of work; each opens its connection when there is something to do.

    Args:
        settings: of the transport.
        name: of the transport.
        opened: told of each new connection.

    Attributes:
        looks: looks at tables and queues, and sets them up.
        publishes: brings messages in.
        claims: takes messages, and holds them longer.
        settles: settles.
    """

    def __init__(self, settings: Settings, name: str, opened: Callable[[], None]) -> None:
        def link(*, synchronous: bool = True) -> Link:
            """Make one."""
            return Link(settings, name, synchronous=synchronous, opened=opened, lost=self._suspect)

        self.looks, self.publishes, self.settles = link(), link(), link()
        # a claim that a crash of the server undoes is as good as one that never was: no need to wait for the disk
        self.claims = link(synchronous=False)

    async def close(self) -> None:
        """Let go of all connections."""
        for link in self._all():
            await link.close()

    def _suspect(self) -> None:
        """Let all links connect anew: each would need seconds to find the broken line by itself, while leases run out."""
        for link in self._all():
            link.suspect()

    def _all(self) -> tuple[Link, ...]:
        return self.looks, self.publishes, self.claims, self.settles
