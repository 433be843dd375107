"""The clients that take part, and how the programs of each are started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

import msgspec


class Side(Protocol):
    """One client."""

    @property
    def name(self) -> str:
        """Its name in the table."""
        ...

    @property
    def queue(self) -> str:
        """Where its messages are."""
        ...

    @property
    def one_by_one(self) -> bool:
        """Whether it waits for each message's confirm before it sends the next."""
        ...

    def prepare(self, folder: Path, url: str) -> None:
        """Write what its programs read in their folder."""
        ...

    def consume(self) -> list[str]:
        """The command that consumes until it is terminated."""
        ...

    def publish(self) -> list[str]:
        """The command that publishes and ends."""
        ...


class Peer(msgspec.Struct, frozen=True):
    """A program of ``benchmarks.peers``, run by the Python that has its libraries."""

    name: str
    module: str
    python: str = sys.executable
    queue: str = "bench"
    one_by_one: bool = False

    def prepare(self, folder: Path, url: str) -> None:
        """Nothing to do: a peer reads only its environment."""

    def consume(self) -> list[str]:
        """Start it as a consumer."""
        return [self.python, "-m", self.module, "consume"]

    def publish(self) -> list[str]:
        """Start it as a publisher."""
        return [self.python, "-m", self.module, "publish"]


class Ours(msgspec.Struct, frozen=True):
    """The worker: ``worker consume``, its state in a SQLite file of its own.

    Attributes:
        transport: name of its table, and of what is consumed.
        type: of the command.
        options: lines of the transport's table, beside its address.
        publisher: module of the program that publishes.
    """

    name: str
    transport: str
    type: str = "Work"
    one_by_one: bool = False
    options: str = ""
    publisher: str = "benchmarks.contest.dispatcher"

    @property
    def queue(self) -> str:
        """The type's queue."""
        return "bench-work" if self.type == "Work" else "bench-tracked-work"

    def prepare(self, folder: Path, url: str) -> None:
        """Write its configuration."""
        (folder / "worker.toml").write_text(
            'app = "benchmarks.contest.application:app"\n'
            '[database]\nurl = "sqlite:///var/worker.db"\n'
            f'[transports.{self.transport}]\nurl = "{url}"\n{self.options}\n'
        )

    def consume(self) -> list[str]:
        """Consume this type only."""
        options = ["consume", self.transport, "--type", self.type]
        return [sys.executable, "-m", "worker", "-l", "warning", *options]

    def publish(self) -> list[str]:
        """Dispatch commands of this type."""
        return [sys.executable, "-m", self.publisher, self.type]

    def serve(self, port: int) -> list[str]:
        """The intake."""
        return [sys.executable, "-m", "worker", "-l", "warning", "serve", "--port", str(port)]
