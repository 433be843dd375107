"""What a connection tells the broker about itself, and the limits that both agree on."""

from __future__ import annotations

import ssl

import msgspec
from pamqp import commands

LONGEST_FRAME = 131_072
"""Bytes of the largest frame that is offered; the broker may want less."""
CHANNELS = 2047


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection is opened with.

    Attributes:
        heartbeat: seconds; after one and a half of silence a connection is ended.
        name: shown by the broker in its list of connections.
    """

    username: str
    password: str
    vhost: str
    heartbeat: int
    name: str
    tls: ssl.SSLContext | None = None

    def start_ok(self) -> commands.Connection.StartOk:
        """Make the login with user and password (PLAIN); only TLS, where that is on, encrypts the password."""
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
        """Take the smaller value of each limit; zero stands for no limit."""
        frame = min(offered.frame_max or LONGEST_FRAME, LONGEST_FRAME)
        channels = min(offered.channel_max or CHANNELS, CHANNELS)
        heartbeat = min(offered.heartbeat or self.heartbeat, self.heartbeat)
        return commands.Connection.TuneOk(channels, frame, heartbeat)
