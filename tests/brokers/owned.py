"""What every server of this run can do, whatever it serves and however it runs."""

from __future__ import annotations

from typing import ClassVar

from tests.brokers.daemon import Daemon
from tests.brokers.docker import Container
from tests.brokers.java import Java
from tests.e2e.waiting import until

START = 180.0
"""Seconds within which a server that was started answers."""


class Owned:
    """A server of this run: it can be stopped, killed and started again.

    Attributes:
        title: its name in errors.
        server: the process or the container.
    """

    title: ClassVar[str]
    server: Daemon | Container

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if isinstance(self.server, Java) and self.server.learns:
            self.server.start_to_learn()
            self.until_up()
            self.server.learned()
        self.server.start()
        self.until_up()

    def until_up(self) -> None:
        """Wait until it answers."""
        until(self._up, f"{self.title} answers on port {self.server.port}", START, 0.05)

    def stop(self) -> None:
        """Stop in order: clients are told."""
        self.server.stop()

    def kill(self) -> None:
        """``kill -9``."""
        self.server.kill()

    def end(self) -> None:
        """Take it away."""
        self.server.remove()

    def answers(self) -> bool:
        """Whether it does what it is there for."""
        raise NotImplementedError

    def _up(self) -> bool:
        assert self.server.running, f"{self.title} did not start: {self.server.describe()}"
        return self.answers()
