"""The table of paths: which endpoint answers where."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from worker.http.batch import Batch
from worker.http.commands import Commands
from worker.http.consumers import Consumers
from worker.http.failed import Failed
from worker.http.health import Health
from worker.http.methods import Methods
from worker.http.pages import Pages
from worker.http.ports import Ports
from worker.http.queries import Queries
from worker.http.status import Statuses

_READERS = ("GET", "HEAD")
"""Of endpoints that read their query string; of probes, which answer whatever stands behind their path."""


def routes_of(ports: Ports, commands: Commands, batch: Batch) -> Sequence[BaseRoute]:
    """Make the routes; the first that matches answers."""
    consumers = Consumers(ports)
    failed = Failed(ports)
    health = Health(ports)
    pages = Pages(ports)
    queries = Queries(ports)

    async def one_command(scope: Scope, receive: Receive, send: Send) -> None:
        """Take one command."""
        await commands(scope, dict(scope["headers"]), receive, send, scope["path_params"]["id"])

    async def many_commands(scope: Scope, receive: Receive, send: Send) -> None:
        """Take a batch."""
        await batch(scope, dict(scope["headers"]), receive, send)

    return [
        Route("/", Methods(get=health.ping, reads=_READERS)),
        Route("/commands", Methods(raw_post=many_commands)),
        Route("/commands/{id}", Methods(get=Statuses(ports), raw_post=one_command, reads={"POST"})),
        Route("/queries/{type}", Methods(get=queries.get, post=queries.post, reads=_READERS)),
        Route("/failed", Methods(get=failed.list, reads=_READERS)),
        Route("/failed/groups", Methods(get=failed.groups)),
        Route("/failed/retry", Methods(post=failed.retry_many)),
        # ids come from brokers too and may hold a slash
        Route("/failed/{id:path}/retry", Methods(post=failed.retry)),
        Route("/failed/{id:path}", Methods(get=failed.show, put=failed.edit, delete=failed.remove)),
        Route("/consumers", Methods(get=consumers.show)),
        Route("/consumers/pause", Methods(post=consumers.pause)),
        Route("/consumers/resume", Methods(post=consumers.resume)),
        Route("/health", Methods(get=health.report)),
        Route("/livez", Methods(get=health.live, reads=_READERS)),
        Route("/readyz", Methods(get=health.ready, reads=_READERS)),
        Route("/openapi.json", Methods(get=pages.openapi)),
        Route("/docs", Methods(get=pages.docs)),
    ]
