"""Kafka for tests: named by the environment, installed here, from its published artifacts, or in a container."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.brokers import docker, owned, ports
from tests.brokers.daemon import Daemon
from tests.brokers.place import Place
from tests.brokers.secured import Secured
from tests.brokers.unavailable import Unavailable

VARIABLE = "WORKER_TEST_KAFKA"
VERSION = "4.1.0"
IMAGE = f"apache/kafka:{VERSION}"
HELP = (
    "Kafka: install Java 17 with Maven (Debian: apt install openjdk-17-jre-headless maven), name a download by "
    f"KAFKA_HOME, start Docker, or name one that is for tests alone: {VARIABLE}=kafka://localhost:9092"
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
    home = os.environ.get("KAFKA_HOME")
    for folder in (Path(home) / "libs" if home else None, _kept()):
        if folder and any(folder.glob("kafka_2.*.jar")) and shutil.which("java"):
            return folder
    return None


def prepare() -> None:
    """Fetch what is missing.

    Raises:
        Unavailable: when there is no way to a server.
    """
    if libraries():
        return
    if shutil.which("java") and shutil.which("mvn") and os.environ.get("WORKER_TEST_INSTALL", "yes") != "no":
        _fetch()
    elif docker.answers():
        docker.pull(IMAGE)
    else:
        raise Unavailable(HELP)


class OwnKafka(owned.Owned, Kafka):
    """A broker of this run; after a ``kill`` it answers once its old session has lapsed."""

    title = "Kafka"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """An address with a prefix that nobody else has; its topics go with the broker."""
        yield f"{self.url}/t{uuid.uuid4().hex[:12]}"

    def answers(self) -> bool:
        return speaks(ports.HOST, self.server.port)


class InstalledKafka(OwnKafka):
    """Broker and controller in one Java process, on a folder of its own.

    Args:
        advertised: the port that clients are told, when they come through a proxy.
        secured: a further listener that wants TLS and a password.
    """

    def __init__(
        self, place: Place, folder: Path, advertised: int | None = None, secured: Secured | None = None
    ) -> None:
        found = libraries()
        assert found is not None, "prepare() was not called"
        port, controller = ports.choose(), ports.choose()
        super().__init__(
            url=f"kafka://{ports.HOST}:{advertised or port}",
            how=f"started Kafka from {found} on {ports.HOST}:{port}",
        )
        settings = folder / "server.properties"
        written = _PROPERTIES.format(
            host=ports.HOST,
            port=port,
            advertised=advertised or port,
            controller=controller,
            data=folder / "data",
        )
        settings.write_text(secured.added_to(written) if secured else written)
        classes = ["java", "-cp", f"{found}/*"]
        tool = [*classes, "kafka.tools.StorageTool"]
        cluster = _run([*tool, "random-uuid"]).strip().splitlines()[-1]
        users = secured.users() if secured else []
        _run([*tool, "format", "-t", cluster, "-c", str(settings), *users])
        command = [classes[0], "-Xmx512m", *classes[1:], "kafka.Kafka", str(settings)]
        self.server = Daemon(place, command, folder=folder, port=port)


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
                    controller=9093,
                    data="/tmp/data",
                ).splitlines()
            )
        }
        environment["KAFKA_ADVERTISED_LISTENERS"] = f"PLAINTEXT://{ports.HOST}:{advertised or port}"
        environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] = "1@localhost:9093"
        self.server = docker.Container(place, IMAGE, published={port: 9092}, environment=environment)


def own(
    place: Place, folder: Path, advertised: int | None = None, secured: Secured | None = None
) -> OwnKafka:
    """A broker of this run, not started yet; with ``secured`` it is an installed one.

    Raises:
        Unavailable: when there is no way to one.
    """
    prepare()
    if secured:
        if not libraries():
            raise Unavailable(f"with TLS and passwords only where it is installed. {HELP}")
        return InstalledKafka(place, folder, advertised, secured)
    kind = InstalledKafka if libraries() else ContainedKafka
    return kind(place, folder, advertised)


_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=5
auto.create.topics.enable=true
"""

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def _kept() -> Path:
    """Where fetched libraries are kept for the next run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "command-worker" / f"kafka-{VERSION}"


def _fetch() -> None:
    """Copy the server and what it needs from the repository that Maven is set up for."""
    folder = _kept()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if libraries():
            return
        draft = folder.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        (draft / "pom.xml").write_text(_POM)
        copy = ["mvn", "-q", "-B", "-f", str(draft / "pom.xml"), "dependency:copy-dependencies"]
        _run([*copy, f"-DoutputDirectory={draft}", "-DincludeScope=runtime"])
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if done.returncode:
        last = ((done.stdout + done.stderr).strip().splitlines() or ["no output"])[-1]
        raise Unavailable(f"Kafka: {command[0]} failed: {last}")
    return done.stdout
