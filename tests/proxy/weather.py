"""What the proxy does to all connections at present."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Weather:
    """Faults in force.

    Attributes:
        frozen: new connections are taken and swallowed.
        delay: seconds that everything is held back.
        rate: bytes a second for each connection and direction; None: all.
        quota: bytes from a client after which a new connection is reset; None: never.
    """

    frozen: bool = False
    delay: float = 0.0
    rate: float | None = None
    quota: int | None = None

    def clear(self) -> None:
        """No fault."""
        self.frozen, self.delay, self.rate, self.quota = False, 0.0, None, None
