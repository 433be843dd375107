"""What goes wrong on the wire: a connection is lost, a channel is closed, bytes are no AMQP."""

from __future__ import annotations


class WireFault(Exception):
    """Root of what this folder raises."""


class ConnectionLost(WireFault):
    """The connection is gone, for the reason that the broker or the socket gave. ``code`` is AMQP's, 0 for none."""

    def __init__(self, reason: str, code: int = 0) -> None:
        self.code = code
        super().__init__(reason)


class ChannelClosed(WireFault):
    """The broker closed a channel: ``code`` as in AMQP (404 missing, 406 differs, 403 refused ...)."""

    def __init__(self, reason: str, code: int = 0) -> None:
        self.code = code
        super().__init__(reason)


class Garbled(WireFault):
    """The bytes received are no AMQP frame."""
