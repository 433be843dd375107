"""Kafka for tests: named by the environment, installed here, from its published artifacts, or in a container."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.brokers import docker, owned, ports
from tests.brokers.java import Java, java
from tests.brokers.maven import Libraries
from tests.brokers.place import Place
from tests.brokers.secured import Secured
from tests.brokers.unavailable import Unavailable

if TYPE_CHECKING:
    from tests.brokers.kafka_cluster import KafkaCluster

VARIABLE = "WORKER_TEST_KAFKA"
VERSION = "4.1.0"
IMAGE = f"apache/kafka:{VERSION}"
HELP = (
    "Kafka: install Java 17 with Maven (Debian: apt install openjdk-17-jre-headless maven), name a download by "
    f"KAFKA_HOME, start Docker, or name one that is for tests alone: {VARIABLE}=kafka://localhost:9092"
)
LIBRARIES = Libraries(
    title="Kafka",
    name=f"kafka-{VERSION}",
    pattern="kafka_2.*.jar",
    home="KAFKA_HOME",
    inside="libs",
    artifacts=(
        f"org.apache.kafka:kafka_2.13:{VERSION}",
        f"org.apache.kafka:kafka-tools:{VERSION}",
        "org.slf4j:slf4j-nop:1.7.36",
    ),
)


@dataclass(eq=False)
class Kafka:
    """A broker that tests share: each test names its own topics and groups.

    Attributes:
        url: ``kafka://host:port``.
        how: where it came from, in a few words.
    """

    url: str
    how: str


def named() -> Kafka | None:
    """The one that the environment names.

    Raises:
        Unavailable: when it does not answer.
    """
    url = os.environ.get(VARIABLE)
    if not url:
        return None
    parts = urlsplit(url if "//" in url else f"kafka://{url}")
    host, port = parts.hostname or "localhost", parts.port or 9092
    if not speaks(host, port):
        raise Unavailable(f"Kafka: {VARIABLE} is set, but {host}:{port} does not answer")
    return Kafka(parts.geturl(), f"{VARIABLE}, on {host}:{port}")


def speaks(host: str, port: int) -> bool:
    """Whether a broker there answers the first question of every client, which versions it knows."""
    question = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((host, port), timeout=5) as probe:
            probe.sendall(struct.pack(">i", len(question)) + question)
            return len(probe.recv(8)) == 8
    except OSError:
        return False


def libraries() -> Path | None:
    """The folder of the server's libraries, when it is here."""
    return LIBRARIES.find()


def prepare() -> None:
    """Fetch what is missing.

    Raises:
        Unavailable: when there is no way to a server.
    """
    LIBRARIES.prepare(IMAGE, HELP)


class OwnKafka(owned.Owned, Kafka):
    """A broker of this run; after a ``kill`` it answers once its old session has lapsed."""

    title = "Kafka"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """An address with a prefix of its own; its topics go with the broker."""
        yield f"{self.url}/t{uuid.uuid4().hex[:12]}"

    def answers(self) -> bool:
        return speaks(ports.HOST, self.server.port)


@dataclass(frozen=True)
class Node:
    """One server of a cluster.

    Attributes:
        number: from 1.
        cluster: the cluster's id.
        controllers: the ports of all its servers' controllers.
    """

    number: int
    cluster: str
    controllers: tuple[int, ...]

    @classmethod
    def alone(cls) -> Node:
        """A cluster of one."""
        return cls(1, cluster_id(), (ports.choose(),))

    @property
    def properties(self) -> dict[str, object]:
        """What it has in the server's properties."""
        return {
            "node": self.number,
            "controller": self.controllers[self.number - 1],
            "voters": ",".join(
                f"{number}@{ports.HOST}:{port}" for number, port in enumerate(self.controllers, 1)
            ),
            "copies": len(self.controllers),
            "in_sync": max(len(self.controllers) - 1, 1),
            # alone it has no other node that waits for news: two empty records a second are a third of what it takes when idle
            "news": 500 if len(self.controllers) > 1 else 0,
        }


def cluster_id() -> str:
    """A new id for a cluster."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "0")


class InstalledKafka(OwnKafka):
    """Broker and controller in one Java process, on a folder of its own.

    Args:
        advertised: the port that clients are told, when they come through a proxy.
        secured: a further listener that wants TLS and a password.
        node: which server of a cluster it is; None for the only one.
    """

    def __init__(
        self,
        place: Place,
        folder: Path,
        advertised: int | None = None,
        secured: Secured | None = None,
        node: Node | None = None,
    ) -> None:
        found = libraries()
        assert found is not None, "prepare() was not called"
        port, node = ports.choose(), node or Node.alone()
        super().__init__(
            url=f"kafka://{ports.HOST}:{advertised or port}",
            how=f"started Kafka from {found} on {ports.HOST}:{port}",
        )
        settings = folder / "server.properties"
        written = _PROPERTIES.format(
            host=ports.HOST,
            port=port,
            advertised=advertised or port,
            data=folder / "data",
            **node.properties,
        )
        settings.write_text(secured.added_to(written) if secured else written)
        tool = java(found, "kafka.tools.StorageTool", like=_MAIN)
        command = [*tool, "format", "-t", node.cluster, "-c", str(settings)]
        if secured:
            LIBRARIES.run([*command, *secured.users()])
        else:
            _format(command, folder / "data", place.folder / "kafka-formatted", node)
        self.server = Java(place, found, _MAIN, str(settings), folder=folder, port=port, memory="512m")


class ContainedKafka(OwnKafka):
    """The official image."""

    def __init__(self, place: Place, folder: Path, advertised: int | None = None) -> None:
        port = ports.choose()
        super().__init__(
            url=f"kafka://{ports.HOST}:{advertised or port}", how=f"Docker: {IMAGE} on {ports.HOST}:{port}"
        )
        environment = {
            "KAFKA_" + name.replace(".", "_").upper(): value
            for name, _, value in (
                line.partition("=")
                for line in _PROPERTIES.format(
                    host="0.0.0.0",
                    port=9092,
                    advertised=advertised or port,
                    data="/tmp/data",
                    **Node(1, "", (9093,)).properties,
                ).splitlines()
            )
        }
        environment["KAFKA_ADVERTISED_LISTENERS"] = f"PLAINTEXT://{ports.HOST}:{advertised or port}"
        environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] = "1@localhost:9093"
        self.server = docker.Container(place, IMAGE, published={port: 9092}, environment=environment)


def own(
    place: Place,
    folder: Path,
    advertised: int | None = None,
    secured: Secured | None = None,
    servers: int = 1,
) -> OwnKafka | KafkaCluster:
    """A broker of this run, not started yet; one that is secured, or a cluster, needs it to be installed.

    Raises:
        Unavailable: when there is no way to one.
    """
    prepare()
    if libraries() and servers > 1:
        from tests.brokers.kafka_cluster import KafkaCluster

        return KafkaCluster(place, folder, servers)
    if libraries():
        return InstalledKafka(place, folder, advertised, secured)
    if secured or servers > 1:
        raise Unavailable(f"with TLS or several servers only where it is installed. {HELP}")
    return ContainedKafka(place, folder, advertised)


def _format(command: list[str], data: Path, like: Path, node: Node) -> None:
    """Make a server's folder: the first one by Kafka's own tool, which is a second of Java, the others like that."""
    if not like.exists():
        LIBRARIES.run(command)
        draft = like.with_suffix(f".{os.getpid()}")
        shutil.copytree(data, draft)
        with contextlib.suppress(OSError):  # another process was faster
            draft.rename(like)
        return
    shutil.copytree(like, data)
    own = {"cluster.id": node.cluster, "node.id": node.number, "directory.id": cluster_id()}
    about = data / "meta.properties"
    names = [line.partition("=")[::2] for line in about.read_text().splitlines() if "=" in line]
    about.write_text("".join(f"{name}={own.get(name, value)}\n" for name, value in names))


_MAIN = "kafka.Kafka"

_PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=5
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
auto.create.topics.enable=true
metadata.max.idle.interval.ms={news}
"""
