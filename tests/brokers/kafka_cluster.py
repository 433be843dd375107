"""Kafka servers that are one cluster: each can be killed and started again by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.brokers.kafka import InstalledKafka, Node, cluster_id, libraries
from tests.brokers.place import Place
from tests.brokers.ports import choose


class KafkaCluster:
    """Started and ended together.

    Attributes:
        servers: each with ``kill`` and ``start`` of its own.
        url: of all of them.
    """

    def __init__(self, place: Place, folder: Path, count: int) -> None:
        cluster, controllers = cluster_id(), tuple(choose() for _ in range(count))
        self.servers: list[InstalledKafka] = []
        for number in range(1, count + 1):
            own = folder / f"server-{number}"
            own.mkdir()
            self.servers.append(InstalledKafka(place, own, node=Node(number, cluster, controllers)))
        self.url = "kafka://" + ",".join(server.url.removeprefix("kafka://") for server in self.servers)
        self.how = f"started {count} Kafka servers from {libraries()} on {self.url}"
        self.server = self

    def start(self) -> None:
        """Start all: one alone would wait for a second before it answers."""
        for server in self.servers:
            server.server.start()
        for server in self.servers:
            server.until_up()

    def end(self) -> None:
        """Take them away."""
        for server in self.servers:
            server.end()

    def abandon(self) -> None:
        """Leave them to the run's owner."""
        for server in self.servers:
            server.server.abandon()

    def describe(self) -> str:
        """The ends of their logs."""
        return "\n".join(server.server.describe() for server in self.servers)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """An address with a prefix of its own; its topics go with the brokers."""
        with self.servers[0].fresh() as url:
            yield f"{self.url}/{url.rpartition('/')[2]}"
