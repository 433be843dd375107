"""An SQS server for tests: named by the environment, ElasticMQ from its published artifacts, or in a container."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import docker, owned, ports
from tests.brokers.java import Java
from tests.brokers.maven import Libraries
from tests.brokers.place import Place
from tests.brokers.unavailable import Unavailable

VARIABLE = "WORKER_TEST_SQS"
VERSION = "1.6.14"
IMAGE = f"softwaremill/elasticmq-native:{VERSION}"
HELP = (
    "SQS: install Java 17 with Maven (Debian: apt install openjdk-17-jre-headless maven), name a folder of ElasticMQ's "
    f"libraries by ELASTICMQ_HOME, start Docker, or name a server that is for tests alone: {VARIABLE}=http://localhost:9324"
)
LIBRARIES = Libraries(
    title="SQS",
    name=f"elasticmq-{VERSION}",
    pattern="elasticmq-server_*.jar",
    home="ELASTICMQ_HOME",
    artifacts=(f"org.elasticmq:elasticmq-server_2.13:{VERSION}",),
)
REGION = "eu-west-1"
ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Credentials that a server for tests takes; the SDK finds them by its own chain."""


@dataclass(eq=False)
class Sqs:
    """A server that tests share: each test has a prefix of its own.

    Attributes:
        url: ``sqs://region?endpoint_url=http://host:port``.
        how: where it came from, in a few words.
    """

    url: str
    how: str

    @property
    def endpoint(self) -> str:
        """``http://host:port``."""
        return self.url.partition("endpoint_url=")[2].partition("&")[0]

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """An address with a prefix of its own; its queues go with the server."""
        yield f"{self.url}&prefix=t{uuid.uuid4().hex[:12]}-"


def address(endpoint: str) -> str:
    """The address of a transport on a server."""
    return f"sqs://{REGION}?endpoint_url={endpoint}"


def named() -> Sqs | None:
    """The one that the environment names.

    Raises:
        Unavailable: when it does not answer.
    """
    endpoint = os.environ.get(VARIABLE)
    if not endpoint:
        return None
    if not speaks(endpoint):
        raise Unavailable(f"SQS: {VARIABLE} is set, but {endpoint.rpartition('@')[2]} does not answer")
    return Sqs(address(endpoint), f"{VARIABLE}, on {endpoint}")


def speaks(endpoint: str) -> bool:
    """Whether a server there answers a question."""
    question = urllib.request.Request(
        endpoint,
        data=b"{}",
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues"},
    )
    try:
        with urllib.request.urlopen(question, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        with error:
            return error.code < 500
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


class OwnSqs(owned.Owned, Sqs):
    """A server of this run."""

    title = "ElasticMQ"

    def answers(self) -> bool:
        return speaks(f"http://{ports.HOST}:{self.server.port}")


class InstalledSqs(OwnSqs):
    """One Java process, on a folder of its own.

    Args:
        advertised: the port that clients use, when they come through a proxy.
        kept: whether it keeps queues and messages over a restart.
    """

    def __init__(
        self, place: Place, folder: Path, advertised: int | None = None, *, kept: bool = False
    ) -> None:
        found = libraries()
        assert found is not None, "prepare() was not called"
        port = ports.choose()
        super().__init__(
            url=address(f"http://{ports.HOST}:{advertised or port}"),
            how=f"started ElasticMQ from {found} on {ports.HOST}:{port}",
        )
        settings = folder / "elasticmq.conf"
        storage = _KEPT.format(file=folder / "messages", queues=folder / "queues.conf") if kept else ""
        settings.write_text(
            _SETTINGS.format(host=ports.HOST, port=port, advertised=advertised or port) + storage
        )
        more = (f"-Dconfig.file={settings}",)
        self.server = Java(place, found, "org.elasticmq.server.Main", folder=folder, port=port, more=more)


class ContainedSqs(OwnSqs):
    """The official image."""

    def __init__(self, place: Place, folder: Path) -> None:
        port = ports.choose()
        super().__init__(
            url=address(f"http://{ports.HOST}:{port}"), how=f"Docker: {IMAGE} on {ports.HOST}:{port}"
        )
        self.server = docker.Container(place, IMAGE, published={port: 9324}, environment={})


def own(place: Place, folder: Path, advertised: int | None = None, *, kept: bool = False) -> OwnSqs:
    """A server of this run, not started yet; one that keeps what it has needs it to be installed.

    Raises:
        Unavailable: when there is no way to one.
    """
    prepare()
    if libraries():
        return InstalledSqs(place, folder, advertised, kept=kept)
    if advertised or kept:
        raise Unavailable(f"behind a proxy, or over a restart, only where it is installed. {HELP}")
    return ContainedSqs(place, folder)


_SETTINGS = """\
include classpath("application.conf")
node-address {{ protocol = http, host = {host}, port = {advertised}, context-path = "" }}
rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "{host}", sqs-limits = strict }}
rest-stats {{ enabled = false }}
"""

_KEPT = """\
queues-storage {{ enabled = true, path = "{queues}" }}
messages-storage {{ enabled = true, uri = "jdbc:h2:{file}" }}
"""
