"""An SQS server to break, and a flow of commands over it."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from tests.brokers import ports
from tests.brokers.sqs import InstalledSqs
from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.flow import Flow
from tests.proxy.gate import Gate
from tests.proxy.proxy import Proxy

COMMANDS = size(800, 10_000)
"""How many flow in each test: requests to the server here take longer than those to other brokers."""
LEASE = 10
WRITES = 2.0
"""Seconds within which the server has written down what it has confirmed."""
QUEUE = "flow-take"
"""Of the commands that are noted."""
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Calm:
    """The server, which is killed at a moment when it has written down what it has confirmed.

    ElasticMQ confirms first and writes then: of 600 messages that it had confirmed right before ``kill -9`` it had 590
    afterwards, by whichever client they were sent; a stop in order empties it. So all senders stand still when it is killed.
    """

    def __init__(self, server: InstalledSqs, place: Sqs) -> None:
        self._server = server
        self._place = place

    def kill(self) -> None:
        """``kill -9``; the workers and the intake stand still already."""
        since, last = time.monotonic(), self._place.waiting()

        def written() -> bool:
            nonlocal since, last
            if (found := self._place.waiting()) != last:
                since, last = time.monotonic(), found
            return time.monotonic() - since > WRITES

        until(written, "nothing is on its way any more", 60, 0.2)
        self._server.kill()

    def start(self) -> None:
        """Start it again, with what it had."""
        self._server.start()


class Sqs:
    """Queues of one test on a server that a module of tests has to itself.

    Attributes:
        url: as the workers and the intake reach it.
        server: what is killed and started.
        port: where it listens.
        proxy: what they connect through; of one kind or the other.
        steady: seconds for which a count must stay the same: what was asked last is being done.
        young: seconds that the queues must have been there before the server may be killed.
        lease: of what is handed out.
        copied: nothing is: the server keeps what it has confirmed.
    """

    steady = 0.5
    young = 0.0
    lease = LEASE
    copied = False

    def __init__(self, server: InstalledSqs, url: str, proxy: Any) -> None:
        self.server = Calm(server, self)
        self.port = server.server.port
        self.proxy = proxy
        self.url = url
        self._prefix = url.partition("prefix=")[2]

    def flow(self, project: Project, *, near_state: bool = True) -> Flow:
        """Commands over these queues; their state always is on another line."""
        options = f"lease = {LEASE}"
        return Flow(project, ("sqs", self.url), self, options=options, commands=COMMANDS)

    def hang_up(self) -> None:
        """End every connection."""
        self.proxy.cut()

    def waiting(self) -> int:
        """Messages on all queues but the dead letters, in hand or not."""
        listed = self._ask("ListQueues", QueueNamePrefix=self._prefix).get("QueueUrls", [])
        return sum(sum(self._counts(url)) for url in listed if "-failed" not in url)

    def held(self) -> int:
        """Commands to note that are handed out and not settled, while no worker moves."""
        listed = self._ask("ListQueues", QueueNamePrefix=f"{self._prefix}{QUEUE}")["QueueUrls"]
        (url,) = (url for url in listed if "-failed" not in url)
        return self._counts(url)[1]

    def unsettled(self, begun: Collection[int]) -> int:
        """How many of those that were begun are not settled: at most what all workers hold, as no more can be told."""
        return self.held()

    def _counts(self, url: str) -> list[int]:
        told = self._ask("GetQueueAttributes", QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        return [int(told[name]) for name in _COUNTS]

    def _ask(self, action: str, **arguments: Any) -> Any:
        """Ask the server itself, past what stands before it."""
        question = urllib.request.Request(
            f"http://{ports.HOST}:{self.port}",
            data=json.dumps(arguments).encode(),
            headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"},
        )
        with urllib.request.urlopen(question, timeout=20) as answer:
            return json.loads(answer.read())


@contextmanager
def sqs(server: InstalledSqs, kind: type[Proxy | Gate]) -> Iterator[Sqs]:
    """Queues of one test, with a proxy before their server, on the port that the server says is its own."""
    advertised = int(server.endpoint.rpartition(":")[2])
    with server.fresh() as url, kind(server.server.port, listen=advertised) as proxy:
        yield Sqs(server, url, proxy)
