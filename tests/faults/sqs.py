"""An SQS server to break, and a flow of commands over it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from tests.brokers import ports
from tests.brokers.sqs import InstalledSqs
from tests.deep import size
from tests.e2e.project import Project
from tests.faults.flow import Flow
from tests.proxy.gate import Gate
from tests.proxy.proxy import Proxy

COMMANDS = size(800, 10_000)
"""How many flow in each test: requests to the server here take longer than those to other brokers."""
LEASE = 10
QUEUE = "flow-take"
"""Of the commands that are noted."""
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class Sqs:
    """Queues of one test on a server that a module of tests has to itself.

    Attributes:
        proxy: what the workers and the intake connect through; of one kind or the other.
        steady: seconds for which a count must stay the same: what was asked last is being done.
        young: seconds that the queues must have been there before the server may be killed.
    """

    steady = 0.5
    young = 0.0

    def __init__(self, server: InstalledSqs, url: str, proxy: Any) -> None:
        self.server = server
        self.proxy = proxy
        self._url = url
        self._prefix = url.partition("prefix=")[2]

    def flow(self, project: Project, *, near_state: bool = True, fifo: bool = False) -> Flow:
        """Commands over these queues; their state always is on another line."""
        options = f"lease = {LEASE}\nfifo = {str(fifo).lower()}"
        return Flow(project, ("sqs", self._url), self, options=options, commands=COMMANDS)

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
            f"http://{ports.HOST}:{self.server.server.port}",
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
