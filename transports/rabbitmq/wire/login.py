"""Who we are to the broker, and what we agree on with it."""

from __future__ import annotations

import ssl

import msgspec
from pamqp import commands

LONGEST_FRAME = 131_072
"""Bytes that we offer; the broker may want less."""
CHANNELS = 2047


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection is opened with.

    Attributes:
        heartbeat: seconds; silence of one and a half is the end of a connection.
        name: shown by the broker in its list of connections.
    """

    username: str
    password: str
    vhost: str
    heartbeat: int
    name: str
    tls: ssl.SSLContext | None = None

    def start_ok(self) -> commands.Connection.StartOk:
        """Say who we are; the password goes in the clear, inside TLS where that is on."""
        capabilities = {
            "authentication_failure_close": True,
            "basic.nack": True,
            "connection.blocked": True,
            "consumer_cancel_notify": True,
            "publisher_confirms": True,
        }
        properties = {"product": "command-worker", "connection_name": self.name, "capabilities": capabilities}
        response = f"\0{self.username}\0{self.password}"
        return commands.Connection.StartOk(properties, "PLAIN", response, "en_US")  # type: ignore[arg-type]

    def tune_ok(self, offered: commands.Connection.Tune) -> commands.Connection.TuneOk:
        """Take the smaller of each limit; zero means none."""
        frame = min(offered.frame_max or LONGEST_FRAME, LONGEST_FRAME)
        channels = min(offered.channel_max or CHANNELS, CHANNELS)
        heartbeat = min(offered.heartbeat or self.heartbeat, self.heartbeat)
        return commands.Connection.TuneOk(channels, frame, heartbeat)
