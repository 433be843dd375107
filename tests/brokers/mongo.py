"""A server that speaks MongoDB's protocol, for tests: named by the environment, mongo-java-server by Maven, or in a container."""

from __future__ import annotations

import os
import socket
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import docker, owned, ports
from tests.brokers.daemon import Daemon
from tests.brokers.java import java
from tests.brokers.maven import Libraries
from tests.brokers.place import Place
from tests.brokers.unavailable import Unavailable

VARIABLE = "WORKER_TEST_MONGO"
VERSION = "1.47.0"
IMAGE = "mongo:8.0.13"
HELP = (
    "MongoDB: install a JDK 17 with Maven (Debian: apt install openjdk-17-jdk-headless maven), name a folder of "
    "mongo-java-server's libraries by MONGO_JAVA_SERVER_HOME, start Docker, or name a server that is for tests alone: "
    f"{VARIABLE}=mongodb://localhost:27017"
)
LIBRARIES = Libraries(
    title="MongoDB",
    name=f"mongo-java-server-{VERSION}",
    pattern="mongo-java-server-h2-backend-*.jar",
    home="MONGO_JAVA_SERVER_HOME",
    artifacts=(f"de.bwaldvogel:mongo-java-server-h2-backend:{VERSION}", "org.slf4j:slf4j-nop:2.0.17"),
)

_MAIN = """\
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;

public class Main {
    public static void main(String[] words) throws Exception {
        MongoServer server = new MongoServer(H2Backend.inMemory().version(ServerVersion.MONGO_5_0));
        server.bind(words[0], Integer.parseInt(words[1]));
        Thread.currentThread().join();
    }
}
"""


@dataclass(eq=False)
class Mongo:
    """A server that tests share: each test has a database of its own.

    Attributes:
        url: ``mongodb://host:port``, without a database.
        how: where it came from, in a few words.
    """

    url: str
    how: str

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of an empty database."""
        yield f"{self.url}/t{uuid.uuid4().hex[:12]}"


def named() -> Mongo | None:
    """The one that the environment names.

    Raises:
        Unavailable: when it does not answer.
    """
    url = os.environ.get(VARIABLE)
    if not url:
        return None
    host, _, port = url.rpartition("@")[2].removeprefix("mongodb://").partition("/")[0].partition(":")
    if not speaks(host, int(port or 27017)):
        raise Unavailable(f"MongoDB: {VARIABLE} is set, but {host}:{port or 27017} does not answer")
    return Mongo(url.rstrip("/"), f"{VARIABLE}, on {host}:{port or 27017}")


def speaks(host: str, port: int) -> bool:
    """Whether a server there answers a greeting of the protocol."""
    # BSON {hello: 1, $db: "admin"} in a message of the kind that every version since 3.6 takes
    body = b"\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0"
    document = struct.pack("<i", len(body) + 4) + body
    message = struct.pack("<iiiiIb", 21 + len(document), 1, 0, 2013, 0, 0) + document
    try:
        with socket.create_connection((host, port), timeout=5) as line:
            line.settimeout(5)
            line.sendall(message)
            return len(line.recv(16)) > 0
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


class OwnMongo(owned.Owned, Mongo):
    """A server of this run; its data is memory, so that a restart empties it."""

    title = "the MongoDB server"

    def answers(self) -> bool:
        return speaks(ports.HOST, self.server.port)


class InstalledMongo(OwnMongo):
    """One Java process."""

    def __init__(self, place: Place, folder: Path) -> None:
        found = libraries()
        assert found is not None, "prepare() was not called"
        port = ports.choose()
        super().__init__(
            url=f"mongodb://{ports.HOST}:{port}",
            how=f"started mongo-java-server from {found} on {ports.HOST}:{port}",
        )
        main = folder / "Main.java"
        main.write_text(_MAIN)
        command = java(found, str(main), ports.HOST, str(port))
        self.server = Daemon(place, command, folder=folder, port=port)


class ContainedMongo(OwnMongo):
    """The official image."""

    def __init__(self, place: Place, folder: Path) -> None:
        port = ports.choose()
        super().__init__(url=f"mongodb://{ports.HOST}:{port}", how=f"Docker: {IMAGE} on {ports.HOST}:{port}")
        self.server = docker.Container(place, IMAGE, published={port: 27017}, environment={})


def own(place: Place, folder: Path) -> OwnMongo:
    """A server of this run, not started yet.

    Raises:
        Unavailable: when there is no way to one.
    """
    prepare()
    return InstalledMongo(place, folder) if libraries() else ContainedMongo(place, folder)
